import { checkWord } from '../../base/check.js'
import type { Duration } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import {
  count,
  custom,
  flag,
  func,
  given,
  path,
  resolveOptions,
  timer,
  type Resolved,
  type Spec,
} from '../../base/options.js'
import { INLET_OPTIONS, type InletOptions } from '../../core/inlet.js'
import { retry, type RetryOptions } from '../retry.js'
import { FORMATS, type HttpFormat } from './format.js'
import type { NextPage } from './next-link.js'
import { resolveRequest, type HttpHeaders, type HttpParams, type HttpRequest } from './request.js'

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

export const HTTP_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  // these make the request, whose errors must not show them
  params: given<HttpParams>('{}'),
  headers: given<HttpHeaders>('{}'),
  method: given<string>("'GET', or 'POST' when there is a `body`"),
  body: given<string | Uint8Array>('undefined - none'),
  format: custom(readFormat, "'json', or 'text' with `json: false`"),
  json: flag(undefined, 'true'),
  cacert: path('undefined - none'),
  timeout: timer(60_000),
  connectTimeout: timer(10_000),
  headersTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  bodyTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  maxBodySize: count(104_857_600, { shown: '104_857_600 - 100 MiB' }),
  statuses: custom(readStatuses, 'undefined - those from 200 to 299'),
  retry: retry({ retries: 2, minDelay: 500, maxDelay: 30_000 }),
  idempotent: flag(undefined, 'true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and false for other methods'),
  redirects: count(0, { least: 0, shown: '0 - a redirect is an error' }),
  next: func<NextPage>(undefined, 'undefined - there is one page'),
  maxPages: count(100),
  conditional: flag(false),
} satisfies Spec<HttpInletOptions>

type ResolvedOptions = Resolved<typeof HTTP_INLET_OPTIONS>

/** The options of an inlet, resolved. Lengths of time are in milliseconds. */
export interface HttpSettings extends Omit<
  ResolvedOptions,
  'metadata' | 'params' | 'headers' | 'method' | 'body' | 'json'
> {
  readonly request: HttpRequest
  readonly format: HttpFormat
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly idempotent: boolean
}

/** Methods that have the same effect when they are called twice. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** @throws {@link InvalidOptionError} naming the option */
export function resolveSettings(url: string | URL, options: HttpInletOptions): HttpSettings {
  const {
    metadata: _,
    params,
    headers,
    method,
    body,
    json,
    ...rest
  } = resolveOptions('HttpInlet', options, HTTP_INLET_OPTIONS)
  const request = resolveRequest(url, { params, headers, method, body })
  const { timeout, conditional } = rest
  if (rest.format !== undefined && json !== undefined) {
    throw new InvalidOptionError('HttpInlet.json', 'only one of json and format', json)
  }
  if (conditional && rest.next !== undefined) {
    throw new InvalidOptionError(
      'HttpInlet.conditional',
      'false with next: the first page says nothing of others',
      true,
    )
  }
  if (conditional && request.method !== 'GET' && request.method !== 'HEAD') {
    throw new InvalidOptionError('HttpInlet.conditional', `false with the method ${request.method}`, true)
  }
  return Object.freeze({
    ...rest,
    request,
    format: rest.format ?? (json === false ? 'text' : 'json'),
    headersTimeout: rest.headersTimeout ?? Math.min(timeout, 30_000),
    bodyTimeout: rest.bodyTimeout ?? Math.min(timeout, 30_000),
    idempotent: rest.idempotent ?? IDEMPOTENT.has(request.method),
  })
}

function readFormat(name: string, format: HttpFormat | undefined): HttpFormat | undefined {
  return format === undefined ? undefined : checkWord(name, format, FORMATS, 'json')
}

function readStatuses(name: string, statuses: readonly number[] | undefined): ReadonlySet<number> | undefined {
  if (statuses === undefined) return undefined
  const valid = Array.isArray(statuses) && statuses.length > 0
  if (!valid || !statuses.every((status) => Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new InvalidOptionError(name, 'a list of statuses from 200 to 599', statuses)
  }
  return new Set(statuses)
}
