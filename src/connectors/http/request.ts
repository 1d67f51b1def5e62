import { Buffer } from 'node:buffer'
import { InvalidOptionError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { ACCEPTED_ENCODINGS } from './body.js'

const http = lazy<typeof import('node:http')>('node:http')

type Param = string | number | boolean

/** Parameters for a URL's query. A list gives a parameter several times. */
export interface HttpParams {
  readonly [name: string]: Param | readonly Param[]
}

/** Headers of a request. */
export interface HttpHeaders {
  readonly [name: string]: string
}

/** A request as it is sent. */
export interface HttpRequest {
  /** Without credentials and fragment. */
  readonly url: URL
  readonly method: string
  /** By their names in lower case. */
  readonly headers: HttpHeaders
  readonly body: string | Uint8Array | null
}

/** What a request is made from. */
interface RequestOptions {
  readonly params?: HttpParams | undefined
  readonly headers?: HttpHeaders | undefined
  readonly method?: string | undefined
  readonly body?: string | Uint8Array | undefined
}

/** Stands in an error for a value that may be secret. */
const HIDDEN = 'something else (not shown)'

/** @throws {@link InvalidOptionError} naming the option */
export function resolveRequest(url: string | URL, options: RequestOptions): HttpRequest {
  const { method, body } = options
  if (method !== undefined && (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method))) {
    throw new InvalidOptionError('HttpInlet.method', "a method like 'GET'", method)
  }
  if (body !== undefined && typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw new InvalidOptionError('HttpInlet.body', 'a string or bytes', typeof body)
  }
  return Object.freeze({
    url: resolveUrl('HttpInlet.url', url, options.params),
    headers: resolveHeaders(new URL(url), options.headers),
    method: method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'),
    body: body ?? null,
  })
}

/**
 * The URL to request: with the parameters added, and without credentials and fragment.
 *
 * @throws {@link InvalidOptionError}
 */
function resolveUrl(option: string, url: string | URL, params: HttpParams = {}): URL {
  const resolved = parseUrl(option, url)
  resolved.username = resolved.password = resolved.hash = ''
  checkSecretObject('HttpInlet.params', params)
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat() as unknown[]) {
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') {
        throw new InvalidOptionError(`HttpInlet.params.${name}`, 'a string, number or boolean', HIDDEN)
      }
      resolved.searchParams.append(name, String(one))
    }
  }
  return resolved
}

/** As `checkObject`, but the value is not shown: it may hold secrets. */
function checkSecretObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, 'an object', HIDDEN)
  }
}

function parseUrl(option: string, url: string | URL): URL {
  const expected = 'a URL that starts with http:// or https://'
  if (typeof url !== 'string' && !((url as unknown) instanceof URL)) {
    throw new InvalidOptionError(option, expected, typeof url)
  }
  if (!URL.canParse(String(url))) throw new InvalidOptionError(option, expected, HIDDEN)
  const parsed = new URL(url)
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new InvalidOptionError(option, expected, parsed.protocol)
  }
  return parsed
}

/**
 * The headers to send: those given, and those that every request has unless they are given. Credentials in the URL
 * become basic authorization.
 *
 * @throws {@link InvalidOptionError} that never shows a value
 */
function resolveHeaders(url: URL, given: HttpHeaders = {}): HttpHeaders {
  checkSecretObject('HttpInlet.headers', given)
  const headers: { [name: string]: string } = {
    'accept-encoding': ACCEPTED_ENCODINGS,
    'user-agent': 'databay',
  }
  if (url.username !== '' || url.password !== '') {
    const credentials = `${percentDecoded(url.username)}:${percentDecoded(url.password)}`
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
  }
  for (const [name, value] of Object.entries(given)) {
    checkHeader(name, value)
    headers[name.toLowerCase()] = value
  }
  return headers
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a percent sign that was meant as such
  }
}

function checkHeader(name: string, value: unknown): void {
  const { validateHeaderName, validateHeaderValue } = http()
  try {
    validateHeaderName(name)
  } catch {
    // the name may be a whole header, put there by mistake
    throw new InvalidOptionError('HttpInlet.headers', 'names fit for headers', HIDDEN)
  }
  try {
    validateHeaderValue(name, value as string)
  } catch {
    throw new InvalidOptionError(`HttpInlet.headers.${name}`, 'a string fit for a header', HIDDEN)
  }
  if (typeof value !== 'string') {
    throw new InvalidOptionError(`HttpInlet.headers.${name}`, 'a string', HIDDEN)
  }
}
