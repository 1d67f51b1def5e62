import { Buffer } from 'node:buffer'
import { InvalidOptionError } from '../../base/errors.js'
import { isSecret, revealed, type Secret } from '../../base/secret.js'
import { PAGE_ENCODE_HINT, splitsPageCredentials } from '../../base/url-credentials.js'
import { ACCEPTED_ENCODINGS } from './content-encoding.js'
import {
  authorization,
  checkHeaders,
  checkSecretObject,
  HIDDEN,
  type HttpHeaders,
  type SentHeaders,
} from './request-headers.js'

type Param = string | number | boolean | Secret

/** Parameters for the query of a URL. A list gives a parameter several times. */
export interface HttpParams {
  readonly [name: string]: Param | readonly Param[]
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
  if (method !== undefined) checkMethod('HttpInlet.method', method, 'GET')
  if (body !== undefined && typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw new InvalidOptionError('HttpInlet.body', 'a string or bytes', typeof body)
  }
  return Object.freeze({
    url: resolveUrl('HttpInlet', given, options.params),
    headers: resolveHeaders(new URL(url), isSecret(given), options.headers, body),
    method: method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST'),
    body: body ?? null,
  })
}

/**
 * A method in capitals.
 *
 * @param shown - what the error shows of it
 * @throws {@link InvalidOptionError}
 * @internal
 */
export function checkMethod(option: string, method: unknown, example: string, shown: unknown = method): string {
  if (typeof method === 'string' && /^(?!connect$)[A-Z]+$/i.test(method)) return method.toUpperCase()
  throw new InvalidOptionError(option, `a method like '${example}'`, shown)
}

/**
 * Makes the URL to request: with the parameters added, and without credentials and fragment.
 *
 * @throws {@link InvalidOptionError}
 * @internal
 */
export function resolveUrl(owner: string, url: string | URL | Secret, params: HttpParams = {}): URL {
  const resolved = parseUrl(`${owner}.url`, revealed(url), isSecret(url))
  resolved.username = resolved.password = resolved.hash = ''
  addParams(owner, resolved, params)
  return resolved
}

/**
 * @throws {@link InvalidOptionError}
 * @internal
 */
export function addParams(owner: string, url: URL, params: HttpParams): void {
  checkSecretObject(`${owner}.params`, params)
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat().map(revealed) as unknown[]) {
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') {
        throw new InvalidOptionError(`${owner}.params.${name}`, 'a string, number or boolean', HIDDEN)
      }
      const text = String(one)
      // a URL has another character for half of one
      if (!`${name}${text}`.isWellFormed()) {
        throw new InvalidOptionError(`${owner}.params.${name}`, 'whole characters', HIDDEN)
      }
      url.searchParams.append(name, text)
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
  addParams('HttpInlet', url, params)
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
    headers: { ...request.headers, ...checkHeaders('HttpInlet', headers, Buffer.byteLength(bytes)) },
    body: body ?? request.body,
  }
}

function parseUrl(option: string, url: string | URL, isHidden: boolean): URL {
  const expected = 'a URL that starts with http:// or https://'
  if (typeof url !== 'string' && !((url as unknown) instanceof URL)) {
    const owner = option.replace(/\.url$/, '')
    const hint = typeof url === 'object' ? `the URL comes first, as in new ${owner}(url, { ... })` : undefined
    throw new InvalidOptionError(option, expected, typeof url, { hint })
  }
  const text = String(url)
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (parsed === undefined || splitsPageCredentials(text, isHidden)) {
    const hint = /:[^]*@/.test(text) ? PAGE_ENCODE_HINT : undefined
    throw new InvalidOptionError(option, expected, HIDDEN, { hint })
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    // without slashes, it may be the name of a user
    throw new InvalidOptionError(
      option,
      expected,
      parsed.href.startsWith(`${parsed.protocol}//`) ? parsed.protocol : HIDDEN,
    )
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
  const headers: SentHeaders = {
    'accept-encoding': ACCEPTED_ENCODINGS,
    'user-agent': 'databay',
  }
  return { ...headers, ...authorization(url, isHidden), ...checkHeaders('HttpInlet', given, Buffer.byteLength(body)) }
}
