import { Buffer } from 'node:buffer'
import { InvalidOptionError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { hideValue } from '../../base/scrub.js'
import { basicToken } from '../../base/url-credentials.js'
import { isSecret, revealed, type Secret } from '../../base/secret.js'
import { ACCEPTED_ENCODINGS } from './content-encoding.js'

const http = lazy<typeof import('node:http')>('node:http')

type Param = string | number | boolean | Secret

/** Parameters for the query of a URL. A list gives a parameter several times. */
export interface HttpParams {
  readonly [name: string]: Param | readonly Param[]
}

/** Headers of a request. */
export interface HttpHeaders {
  readonly [name: string]: string | Secret
}

/**
 * Headers as they are sent, by their names in lower case.
 * @internal
 */
export interface SentHeaders {
  readonly [name: string]: string
}

/**
 * Request as it is sent.
 * @internal
 */
export interface HttpRequest {
  /** URL without credentials and fragment. */
  readonly url: URL
  readonly method: string
  readonly headers: SentHeaders
  readonly body: string | Uint8Array | null
}

/** Options from which a request is made. */
interface RequestOptions {
  readonly params?: HttpParams | undefined
  readonly headers?: HttpHeaders | undefined
  readonly method?: string | undefined
  readonly body?: string | Uint8Array | Secret | undefined
}

/** Text in an error for a value that may be secret. */
export const HIDDEN = 'something else (not shown)'

/**
 * Makes the request of an inlet.
 *
 * @throws {@link InvalidOptionError} naming the option
 * @internal
 */
export function resolveRequest(given: string | URL | Secret, options: RequestOptions): HttpRequest {
  const { method } = options
  const url = revealed(given)
  const body = revealed(options.body)
  if (method !== undefined && (typeof method !== 'string' || !/^(?!connect$)[A-Z]+$/i.test(method))) {
    throw new InvalidOptionError('HttpInlet.method', "a method like 'GET'", method)
  }
  if (body !== undefined && typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw new InvalidOptionError('HttpInlet.body', 'a string or bytes', typeof body)
  }
  return Object.freeze({
    url: resolveUrl('HttpInlet.url', url, options.params),
    headers: resolveHeaders(new URL(url), isSecret(given), options.headers, body),
    method: method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'),
    body: body ?? null,
  })
}

/**
 * Makes the URL to request: with the parameters added, and without credentials and fragment.
 *
 * @throws {@link InvalidOptionError}
 */
function resolveUrl(option: string, url: string | URL, params: HttpParams = {}): URL {
  const resolved = parseUrl(option, url)
  resolved.username = resolved.password = resolved.hash = ''
  addParams(resolved, params)
  return resolved
}

/** @throws {@link InvalidOptionError} */
function addParams(url: URL, params: HttpParams): void {
  checkSecretObject('HttpInlet.params', params)
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat().map(revealed) as unknown[]) {
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') {
        throw new InvalidOptionError(`HttpInlet.params.${name}`, 'a string, number or boolean', HIDDEN)
      }
      url.searchParams.append(name, String(one))
    }
  }
}

/** What of a request is another one's. */
interface RequestChanges {
  readonly url?: string | Secret
  readonly params?: HttpParams
  readonly headers?: HttpHeaders
  readonly body?: string | Uint8Array | Secret
}

/**
 * A request with other parameters, headers, another body or another URL of the same origin.
 *
 * @throws {@link InvalidOptionError} when they cannot be sent, or {@link Error} when the URL is of another origin
 * @internal
 */
export function changedRequest(request: HttpRequest, changes: RequestChanges): HttpRequest {
  checkSecretObject('request', changes)
  const { params = {}, headers = {} } = changes
  const location = revealed(changes.url ?? request.url.href)
  const body = revealed(changes.body)
  if (!URL.canParse(location, request.url.href)) throw new Error('request() gave a url that is none')
  const url = new URL(location, request.url)
  url.username = url.password = url.hash = ''
  if (url.origin !== request.url.origin) throw new Error(`request() gave a url of another origin, ${url.origin}`)
  checkSecretObject('HttpInlet.params', params)
  for (const name of Object.keys(params)) url.searchParams.delete(name)
  addParams(url, params)
  if (body !== undefined && typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw new Error(`request() gave a body of type ${typeof body}: expected a string or bytes`)
  }
  if (body !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    throw new Error(`request() gave a body, but the method is ${request.method}: see the option method`)
  }
  const bytes = body ?? request.body ?? ''
  return {
    ...request,
    url,
    headers: { ...request.headers, ...checkHeaders(headers, bytes) },
    body: body ?? request.body,
  }
}

/** Checks that a value is an object, as `checkObject` does, but never shows it: it may hold secrets. */
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
 * Makes the headers to send: the given ones, and those of every request unless they are given. Credentials in the URL
 * become basic authorization.
 *
 * @param isHidden - whether the URL is a secret
 * @throws {@link InvalidOptionError} that never shows a value
 */
function resolveHeaders(
  url: URL,
  isHidden: boolean,
  given: HttpHeaders = {},
  body: string | Uint8Array = '',
): SentHeaders {
  const headers: { [name: string]: string } = {
    'accept-encoding': ACCEPTED_ENCODINGS,
    'user-agent': 'databay',
  }
  const token = basicToken(url)
  if (token !== undefined) {
    if (isHidden) hideValue(token, true)
    headers['authorization'] = `Basic ${token}`
  }
  return { ...headers, ...checkHeaders(given, body) }
}

/**
 * Headers by their names in lower case.
 *
 * @throws {@link InvalidOptionError} that never shows a value
 */
function checkHeaders(given: HttpHeaders, body: string | Uint8Array): SentHeaders {
  checkSecretObject('HttpInlet.headers', given)
  const headers: { [name: string]: string } = {}
  for (const [spelling, one] of Object.entries(given)) {
    const value = revealed(one)
    checkHeader(spelling, value)
    const name = spelling.toLowerCase()
    checkPurpose(spelling, name, value, Buffer.byteLength(body))
    if (Object.hasOwn(headers, name)) {
      throw new InvalidOptionError(`HttpInlet.headers.${spelling}`, 'each header once', spelling)
    }
    headers[name] = value
  }
  return headers
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

/** Headers that say how a connection is used, which undici does not let anybody set. */
const OF_CONNECTION = new Set(['expect', 'keep-alive', 'transfer-encoding', 'upgrade'])

/** Checks that a header may be set, as the error of undici would come with each pull. */
function checkPurpose(spelling: string, name: string, value: string, length: number): void {
  const option = `HttpInlet.headers.${spelling}`
  if (OF_CONNECTION.has(name)) {
    throw new InvalidOptionError(option, `no header of the connection (${[...OF_CONNECTION].join(', ')})`, spelling)
  }
  if (name === 'connection' && !/^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/.test(value.trim())) {
    throw new InvalidOptionError(option, 'names, like close or keep-alive', HIDDEN)
  }
  if (name === 'content-length' && value !== String(length)) {
    throw new InvalidOptionError(option, `the length of the body, ${length} bytes`, HIDDEN)
  }
  if (name === 'proxy-authorization') {
    throw new InvalidOptionError(option, 'no credentials of a proxy: see the option proxy', HIDDEN)
  }
}
