import { checkBoolean, checkCount, checkOptions, checkPath, checkWord } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { InletOptions } from '../../core/inlet.js'
import { LONGEST_TIMER, toMilliseconds, type Duration } from '../../base/duration.js'
import { checkRetry, type RetryOptions, type RetrySettings } from '../retry.js'
import { FORMATS, type HttpFormat } from './format.js'
import { resolveRequest, type HttpHeaders, type HttpParams, type HttpRequest } from './request.js'
import type { NextPage } from './next-link.js'

export interface HttpInletOptions extends InletOptions {
  /**
   * Parameters, added to the query of the URL.
   * @default {}
   */
  readonly params?: HttpParams
  /**
   * Headers of the request. They replace those of the same name that are sent otherwise: `accept-encoding`,
   * `user-agent`, and `authorization` from credentials in the URL.
   * @default {}
   */
  readonly headers?: HttpHeaders
  /**
   * Method of the request.
   * @default 'GET', or 'POST' when there is a `body`
   */
  readonly method?: string
  /**
   * Body of the request.
   * @default undefined - none
   */
  readonly body?: string | Uint8Array
  /**
   * What the response is: `json`, where an array is a record per element and anything else one record; `ndjson`, JSON
   * in lines, each of which is a record unless it is blank; or `text`, which is one record.
   * @default 'json', or 'text' with `json: false`
   */
  readonly format?: HttpFormat
  /**
   * Short for the `format` `json` (`true`) or `text` (`false`). Only one of the two can be given.
   * @default true
   */
  readonly json?: boolean
  /**
   * Path of a file of certificates (PEM) of authorities to trust, in addition to those that Node has built in.
   * @default undefined - none
   */
  readonly cacert?: string
  /**
   * Time for a pull in all, to the end of the last response: with every try and the waits between, redirects and
   * pages. In seconds or as a duration.
   * @default 60
   */
  readonly timeout?: number | Duration
  /**
   * Time to connect, with DNS and TLS, for each try. In seconds or as a duration.
   * @default 10
   */
  readonly connectTimeout?: number | Duration
  /**
   * Time from the request to the headers of the response, for each try. In seconds or as a duration.
   * @default 30, or the `timeout` when that is shorter
   */
  readonly headersTimeout?: number | Duration
  /**
   * Time between two parts of the response's body, for each try. In seconds or as a duration.
   * @default 30, or the `timeout` when that is shorter
   */
  readonly bodyTimeout?: number | Duration
  /**
   * Most bytes of the responses' bodies in one pull, unpacked.
   * @default 104_857_600 - 100 MiB
   */
  readonly maxBodySize?: number
  /**
   * Statuses whose responses are taken. Any other is an error.
   * @default undefined - those from 200 to 299
   */
  readonly statuses?: readonly number[]
  /**
   * How often, and after what time, a request is made again that failed for a reason that may pass: no connection, a
   * connection that is cut, a timeout of a try, or a status of 408, 425, 429, 500, 502, 503 or 504. Within the
   * `timeout` all the same. A server's `retry-after` is waited for, but not for longer than `maxDelay` or than the
   * `timeout` leaves: then there is no further try.
   * @default { retries: 2, minDelay: 0.5, maxDelay: 30 }
   */
  readonly retry?: RetryOptions
  /**
   * Whether the request may be made twice, which retries need.
   * @default true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and false for other methods
   */
  readonly idempotent?: boolean
  /**
   * How many redirects in a row are followed. At another origin, the body and headers of the request are left out,
   * except for `accept`, `accept-encoding`, `accept-language` and `user-agent`. From https to http none is followed.
   * @default 0 - a redirect is an error
   */
  readonly redirects?: number
  /**
   * Gives the URL of the page after this one, `undefined` or `null` after the last. It may be relative, and has the
   * `params` only if it repeats them; what holds for redirects to another origin holds for it. The records of all
   * pages come in order, and a page that fails fails the pull. See {@link nextLink} for `link` headers.
   * @default undefined - there is one page
   */
  readonly next?: NextPage
  /**
   * Most pages of a pull. A page more is an error, so that nothing is left out unseen.
   * @default 100
   */
  readonly maxPages?: number
  /**
   * Whether the server is asked only for what changed since the last response that was delivered (`if-none-match` and
   * `if-modified-since`, from its `etag` and `last-modified`). What did not change (304) is no records. What a transfer
   * read that failed is asked for again. For GET and HEAD, without `next`.
   * @default false
   */
  readonly conditional?: boolean
}

const OPTIONS = [
  ...(['metadata', 'params', 'headers', 'method', 'body', 'format', 'json', 'cacert'] as const),
  ...(['timeout', 'connectTimeout', 'headersTimeout', 'bodyTimeout', 'maxBodySize', 'statuses'] as const),
  ...(['retry', 'idempotent', 'redirects', 'next', 'maxPages', 'conditional'] as const),
]

/** The options of an inlet, resolved. Lengths of time are in milliseconds. */
export interface HttpSettings {
  readonly request: HttpRequest
  readonly format: HttpFormat
  readonly cacert: string | undefined
  readonly timeout: number
  readonly connectTimeout: number
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly maxBodySize: number
  /** `undefined`: those from 200 to 299. */
  readonly statuses: ReadonlySet<number> | undefined
  readonly retry: RetrySettings
  readonly idempotent: boolean
  readonly redirects: number
  readonly next: NextPage | undefined
  readonly maxPages: number
  readonly conditional: boolean
}

/** Methods that have the same effect when they are called twice. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** The options themselves, before anything is made of them. */
export function checkHttpOptions(options: HttpInletOptions): HttpInletOptions {
  return checkOptions('HttpInlet', options, OPTIONS)
}

/** @throws {@link InvalidOptionError} naming the option */
export function resolveSettings(url: string | URL, options: HttpInletOptions): HttpSettings {
  const request = resolveRequest(url, options)
  const timeout = checkTime('timeout', options.timeout, 60_000)
  const settings: HttpSettings = {
    request,
    format: resolveFormat(options),
    cacert: options.cacert === undefined ? undefined : checkPath('HttpInlet.cacert', options.cacert),
    timeout,
    connectTimeout: checkTime('connectTimeout', options.connectTimeout, 10_000),
    headersTimeout: checkTime('headersTimeout', options.headersTimeout, Math.min(timeout, 30_000)),
    bodyTimeout: checkTime('bodyTimeout', options.bodyTimeout, Math.min(timeout, 30_000)),
    maxBodySize: checkCount('HttpInlet.maxBodySize', options.maxBodySize, 104_857_600),
    statuses: checkStatuses(options.statuses),
    retry: checkRetry('HttpInlet.retry', options.retry, { retries: 2, minDelay: 500, maxDelay: 30_000 }),
    idempotent: checkBoolean('HttpInlet.idempotent', options.idempotent, IDEMPOTENT.has(request.method)),
    redirects: checkRedirects(options.redirects),
    next: checkNext(options.next),
    maxPages: checkCount('HttpInlet.maxPages', options.maxPages, 100),
    conditional: checkBoolean('HttpInlet.conditional', options.conditional, false),
  }
  if (settings.conditional && settings.next !== undefined) {
    throw new InvalidOptionError(
      'HttpInlet.conditional',
      'false with next: the first page says nothing of others',
      true,
    )
  }
  if (settings.conditional && request.method !== 'GET' && request.method !== 'HEAD') {
    throw new InvalidOptionError('HttpInlet.conditional', `false with the method ${request.method}`, true)
  }
  return Object.freeze(settings)
}

function resolveFormat({ format, json }: HttpInletOptions): HttpFormat {
  if (format !== undefined && json !== undefined) {
    throw new InvalidOptionError('HttpInlet.json', 'only one of json and format', json)
  }
  return checkWord('HttpInlet.format', format, FORMATS, checkBoolean('HttpInlet.json', json, true) ? 'json' : 'text')
}

function checkTime(option: string, value: number | Duration | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  const milliseconds = toMilliseconds(`HttpInlet.${option}`, value)
  if (milliseconds > LONGEST_TIMER) throw new InvalidOptionError(`HttpInlet.${option}`, 'at most 24 days', value)
  return milliseconds
}

function checkStatuses(statuses: readonly number[] | undefined): ReadonlySet<number> | undefined {
  if (statuses === undefined) return undefined
  const valid = Array.isArray(statuses) && statuses.length > 0
  if (!valid || !statuses.every((status) => Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new InvalidOptionError('HttpInlet.statuses', 'a list of statuses from 200 to 599', statuses)
  }
  return new Set(statuses)
}

function checkRedirects(redirects: number | undefined): number {
  if (redirects === undefined) return 0
  if (!Number.isSafeInteger(redirects) || redirects < 0) {
    throw new InvalidOptionError('HttpInlet.redirects', 'an integer of at least 0', redirects)
  }
  return redirects
}

function checkNext(next: NextPage | undefined): NextPage | undefined {
  if (next !== undefined && typeof next !== 'function') {
    throw new InvalidOptionError('HttpInlet.next', 'a function', next)
  }
  return next
}
