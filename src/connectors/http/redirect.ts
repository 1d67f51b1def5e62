import { httpError, showUrl, type HttpError, type HttpFailure } from './errors.js'
import { urlInHeader } from './header-url.js'
import type { HttpRequest } from './request.js'
import type { SentHeaders } from './request-headers.js'

/** Statuses of redirects. */
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Headers that reveal nothing about the sender. All others stay at the origin that they were given for. */
const HARMLESS = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent'])

/** Headers that describe a body. */
const OF_BODY = new Set(['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type'])

/**
 * Request to which a response redirects; `undefined` when it does not.
 *
 * @throws {@link HttpError} when it leads where it must not
 */
export function redirected(
  request: HttpRequest,
  status: number,
  location: string | readonly string[] | undefined,
): HttpRequest | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined
  // as in browsers: 303 asks for another resource, and so do 301 and 302 after a POST
  const asksForOther = status === 303 ? request.method !== 'HEAD' : status < 303 && request.method === 'POST'
  const rewritten = asksForOther
    ? { ...request, method: 'GET', body: null, headers: only(request.headers, (name) => !OF_BODY.has(name)) }
    : request
  return movedTo(rewritten, urlInHeader([location].flat()[0] ?? ''), 'redirect')
}

/**
 * Request at another URL, which a server gave. Nothing that the user gave for one origin goes to another one, nor back
 * from there.
 *
 * @param location - the URL, which may be relative to that of the request
 * @param failure - kind of the error, if there is one
 * @throws {@link HttpError} when the URL is not valid, is not for HTTP, goes from https to http, or would take a body
 * along to another origin
 */
export function movedTo(request: HttpRequest, location: string, failure: HttpFailure): HttpRequest {
  const from = request.url
  const refused = (why: string): HttpError => httpError(from, failure, `is sent on to ${why}`)
  if (!URL.canParse(location, from.href)) throw refused('what is no URL')
  const url = new URL(location, from)
  url.username = url.password = url.hash = ''
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(`a URL of ${url.protocol}, not of HTTP`)
  if (from.protocol === 'https:' && url.protocol === 'http:') throw refused(`${showUrl(url)}, which is not encrypted`)
  if (url.origin === from.origin) return { ...request, url }
  if (request.body !== null) throw refused(`${showUrl(url)}, another origin, which does not get its body`)
  return { ...request, url, headers: only(request.headers, (name) => HARMLESS.has(name)) }
}

function only(headers: SentHeaders, may: (name: string) => boolean): SentHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => may(name)))
}
