import { InvalidOptionError } from '../../../base/errors.js'
import { revealed, type Secret } from '../../../base/secret.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { mayHaveBody } from '../methods.js'
import type { HttpDestination } from './http-target.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import { addParams, checkMethod } from '../request.js'
import { checkHeaders, checkSecretObject, HIDDEN, type HttpHeaders, type SentHeaders } from '../request-headers.js'

/** Place to which a request goes, and how. */
export interface Destination {
  readonly url: URL
  readonly method: string
  readonly headers: SentHeaders
  /** Text of it that no other destination has; `undefined` for that of the outlet. */
  readonly id: string | undefined
}

/** Headers that no record may choose, as they decide who gets it. */
const NOT_OF_RECORDS = ['host', 'content-length', 'connection', 'proxy-connection', 'te', 'trailer']

/**
 * Makes the destination of a record.
 *
 * @throws {@link Error} that shows nothing of the record
 */
export function destinationOf(settings: HttpOutletSettings, record: Record, update: Update): Destination {
  const { url: base, method, headers, target, body } = settings
  const given: unknown = target?.(record, update)
  if (given === undefined) return { url: base, method, headers, id: undefined }
  const chosen = isUrl(given) ? { url: given } : (given as HttpDestination)
  checkDestination(chosen)
  const url = urlWithin(base, revealed(chosen.url ?? ''))
  if (chosen.params !== undefined) {
    checkSecretObject('HttpOutlet.target.params', chosen.params)
    for (const name of Object.keys(chosen.params)) url.searchParams.delete(name)
    addParams('HttpOutlet.target', url, chosen.params)
  }
  const verb =
    chosen.method === undefined ? method : checkMethod('HttpOutlet.target.method', chosen.method, 'PUT', HIDDEN)
  if (body !== undefined && !mayHaveBody(verb, true)) {
    throw new InvalidOptionError('HttpOutlet.target.method', 'one with a body, as the option body makes one', verb)
  }
  const own = chosen.headers === undefined ? {} : headersOf(settings, chosen.headers)
  const all = chosen.headers === undefined ? headers : { ...headers, ...own }
  return { url, method: verb, headers: all, id: JSON.stringify([verb, url.href, own]) }
}

/** Headers that a record has chosen. */
function headersOf({ idempotencyKey, idempotencyHeader, gzip }: HttpOutletSettings, chosen: HttpHeaders): SentHeaders {
  const headers = checkHeaders('HttpOutlet.target', chosen, undefined)
  const forbidden = [
    ...NOT_OF_RECORDS,
    ...(idempotencyKey === undefined ? [] : [idempotencyHeader]),
    ...(gzip ? ['content-encoding'] : []),
  ]
  const wrong = Object.keys(headers).find((name) => forbidden.includes(name))
  if (wrong === undefined) return headers
  throw new InvalidOptionError('HttpOutlet.target.headers', `none of ${forbidden.join(', ')}`, wrong)
}

function isUrl(value: unknown): value is string | URL | Secret {
  return typeof revealed(value) === 'string' || value instanceof URL
}

const FIELDS: readonly string[] = ['url', 'method', 'headers', 'params'] satisfies (keyof HttpDestination)[]

function checkDestination(chosen: unknown): void {
  const expected = 'a URL, or an object with url, method, headers or params'
  if (typeof chosen !== 'object' || chosen === null || Array.isArray(chosen)) {
    throw new InvalidOptionError('HttpOutlet.target', `a function that gives ${expected}`, typeof chosen)
  }
  if ('then' in chosen) throw new InvalidOptionError('HttpOutlet.target', 'a function that is not async', 'a promise')
  const wrong = Object.keys(chosen).find((name) => !FIELDS.includes(name))
  if (wrong !== undefined) throw new InvalidOptionError('HttpOutlet.target', `a function that gives ${expected}`, wrong)
  const { url } = chosen as HttpDestination
  if (url !== undefined && !isUrl(url)) throw new InvalidOptionError('HttpOutlet.target.url', 'a URL', typeof url)
}

/**
 * URL that a record has chosen, as far as it is that of the outlet or below it. The parameters of the outlet's URL stay, unless
 * the record has them, too.
 *
 * @param base - URL of the outlet
 * @param chosen - absolute, or relative to the outlet's URL as to a folder
 * @throws {@link Error} that does not show it
 */
export function urlWithin(base: URL, chosen: string | URL): URL {
  const text = String(chosen)
  const folder = new URL(base)
  if (!folder.pathname.endsWith('/')) folder.pathname += '/'
  const from = /^(?:$|[?#])/.test(text) ? base : folder
  // it would become another character
  if (!text.isWellFormed()) throw outside(base, 'which has half of a character')
  if (!URL.canParse(text, from.href)) throw outside(base, 'which is none')
  const url = new URL(text, from)
  if (url.origin !== base.origin) throw outside(base, 'which has another origin')
  if (url.username !== '' || url.password !== '') throw outside(base, 'which has credentials')
  const isBelow = url.pathname === base.pathname || url.pathname.startsWith(folder.pathname)
  if (!isBelow || leadsUp(url.pathname)) throw outside(base, 'which is not below it')
  url.hash = ''
  for (const name of new Set(base.searchParams.keys())) {
    if (url.searchParams.has(name)) continue
    for (const value of base.searchParams.getAll(name)) url.searchParams.append(name, value)
  }
  return url
}

/** Most times that a path is decoded: servers behind servers may each do so. */
const DECODINGS = 5

/**
 * Whether a path leads to a folder above for a server that decodes slashes, and that cuts parameters (`..;x`) off. Those that
 * are not encoded are gone from a URL.
 */
function leadsUp(path: string): boolean {
  let decoded = path
  for (let left = DECODINGS; left > 0 && decoded.includes('%'); left--) {
    // byte by byte: what is no UTF-8 keeps nothing beside it from being read
    decoded = decoded.replaceAll(/%([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
  }
  return decoded.split(/[/\\]/).some((part) => /^\.\.(?:[;\0]|$)/.test(part.trim()))
}

function outside({ origin, pathname }: URL, what: string): InvalidOptionError {
  return new InvalidOptionError('HttpOutlet.target', `a URL within ${origin}${pathname}`, `another URL, ${what}`)
}
