import type { Duration } from '../../../base/duration.js'
import { InvalidOptionError } from '../../../base/errors.js'
import { lazy } from '../../../base/libraries.js'
import type { Url as URL } from '../../../base/node-types.js'
import { count, custom, flag, func, given, path, timer, word, type Spec } from '../../../base/options.js'
import { retry, type RetryOptions } from '../../../base/retry.js'
import type { Secret } from '../../../base/secret.js'
import type { Untyped } from '../../../base/untyped.js'
import { OUTLET_OPTIONS, type OutletOptions } from '../../../core/outlet.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { SERIALIZE_OPTIONS, type SerializeOptions } from '../../serialize.js'
import { readProxy } from '../proxy.js'
import { HIDDEN, type HttpHeaders } from '../request-headers.js'
import type { HttpResults } from './results.js'
import { readRetryStatuses, readStatuses } from '../statuses.js'
import type { HttpTarget } from './http-target.js'

const http = lazy<typeof import('node:http')>('node:http')

/** What goes with one request: each record alone, or many as a batch. */
export type HttpSend = 'record' | 'batch'
const SENDS: readonly HttpSend[] = ['record', 'batch']

/** Format of the body of a request. */
export type HttpBodyFormat = 'json' | 'ndjson' | 'form' | 'text'

/**
 * Types of content, by the format of the body of a request.
 * @internal
 */
export const CONTENT_TYPES: { readonly [format in HttpBodyFormat]: string } = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain; charset=utf-8',
}
const FORMATS = Object.keys(CONTENT_TYPES) as readonly HttpBodyFormat[]

/**
 * Function that gives the body of a request. A string or bytes are the body as they are, and `null` is none. Anything
 * else is written in the `format`.
 *
 * @param content - the payload, or with `send: 'batch'` the list of payloads
 * @param records - their records
 */
export type HttpBodyFrom<T = Untyped> = (content: Untyped, records: readonly Record<T>[]) => unknown

/** Function that gives the idempotency key of a request: the same for the same records each time. */
export type HttpIdempotencyKey<T = Untyped> = (records: readonly Record<T>[], update: Update) => string

/** Options of {@link HttpOutlet}. */
export interface HttpOutletOptions<T = Untyped> extends OutletOptions<T>, SerializeOptions {
  /**
   * Method of the requests. GET, HEAD, OPTIONS and DELETE send no body, unless DELETE has a `body` of its own.
   * @default 'POST'
   */
  readonly method?: string
  /**
   * Headers of the requests. They replace those that are sent otherwise under the same name: `content-type`,
   * `user-agent`, and `authorization` from credentials in the URL.
   * @default {}
   */
  readonly headers?: HttpHeaders
  /**
   * What goes with one request: each record alone, or many as a batch.
   * @default 'record'
   */
  readonly send?: HttpSend
  /**
   * Format of the body. Of a batch, `json` is a list, `ndjson` a line of JSON for each record, and `text` a line for
   * each. `form` has the fields of one payload.
   * @default 'json'
   */
  readonly format?: HttpBodyFormat
  /**
   * Most records of one request, with `send: 'batch'`. `Infinity` is no limit.
   * @default 1000
   */
  readonly batchSize?: number
  /**
   * Most bytes of the body of a request, before it is packed. A batch is divided by it. A record that alone is larger
   * is refused.
   * @default 104_857_600 - 100 MiB
   */
  readonly maxRequestSize?: number
  /**
   * Where a record is sent: a function that gives a URL, or `{ url, method, headers, params }`. A relative URL is one
   * below that of the outlet; one that leads elsewhere has its record refused. With `send: 'batch'`, records of one
   * target go together.
   * @default undefined - all go to the URL of the outlet
   */
  readonly target?: HttpTarget<T>
  /**
   * What is sent in the place of the payload, or of the list of payloads: a function of it. A string or bytes are the
   * body as they are, `null` is none, and anything else is written in the `format`.
   * @default undefined - the payload, or the list of payloads
   */
  readonly body?: HttpBodyFrom<T>
  /**
   * Key by which a server takes the same request once: a function of its records, or `true` for a hash of method, URL
   * and body. With `true`, records that are equal have the same key. With a key, requests are `idempotent`.
   * @default undefined - none
   */
  readonly idempotencyKey?: true | HttpIdempotencyKey<T>
  /**
   * Name of the header with the idempotency key.
   * @default 'Idempotency-Key'
   */
  readonly idempotencyHeader?: string
  /**
   * Whether a request may be made twice. Those that may not are made again only when the server surely did nothing: it
   * was not reached, or answered with 425, 429, or 503 with a `retry-after`.
   * @default true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and with an `idempotencyKey`
   */
  readonly idempotent?: boolean
  /**
   * Most requests at a time, of one push.
   * @default 4, or 1 with `send: 'batch'` or `order: 'strict'`
   */
  readonly concurrency?: number
  /**
   * Whether records arrive in their order. With `strict`, one request is made at a time, and none after one that
   * failed. With
   * `none`, they are sent in their order, but several at a time; those to one URL of `target` still follow each other.
   * @default 'none'
   */
  readonly order?: 'strict' | 'none'
  /**
   * Retries of a request that failed for a reason that may pass, and may be made again. A `retry-after` of the server
   * is waited for, but no longer than `maxDelay` or than the `timeout` leaves: then there is no further try.
   * @default { retries: 2, minDelay: 0.5, maxDelay: 30 }
   */
  readonly retry?: RetryOptions
  /**
   * Statuses that are worth a retry of a request that may be made twice. By default these are 408, 425, 429, 500, 502,
   * 503 and 504, and every other status from 400 on that comes with a `retry-after`.
   * @default [408, 425, 429, 500, 502, 503, 504] - and from 400 on those with a `retry-after`
   */
  readonly retryStatuses?: readonly number[]
  /**
   * Statuses that refuse the records of a request. Of a record with a `target`, 404, 405 and 410 do so, too. Any other
   * status that is not accepted means that the server is unavailable.
   * @default [400, 409, 410, 412, 413, 414, 415, 422, 428, 431, 451]
   */
  readonly refusedStatuses?: readonly number[]
  /**
   * Statuses with which records are taken.
   * @default undefined - those from 200 to 299
   */
  readonly statuses?: readonly number[]
  /**
   * What became of each record, where the body of a response says it: a function of the response and the records that
   * gives a result for each. `undefined` or `true` is taken, `false` or an error refused, and `{ retry: true }` not
   * taken for now.
   * @default undefined - the status is for all records of a request
   */
  readonly results?: HttpResults<T>
  /**
   * Most redirects in a row that are followed: those with 307 or 308 to the same origin. Others are errors, as they
   * would lose the body, or take it elsewhere.
   * @default 0 - a redirect is an error
   */
  readonly redirects?: number
  /**
   * Whether bodies are packed with gzip.
   * @default false
   */
  readonly gzip?: boolean
  /**
   * Most bytes of a response, unpacked. More is not read. That matters only to `results`: otherwise the status counts.
   * @default 1_048_576 - 1 MiB
   */
  readonly maxBodySize?: number
  /**
   * Path of a file of certificates (PEM) of authorities to trust, in addition to those of Node: the built-in ones, and
   * those of `NODE_EXTRA_CA_CERTS`.
   * @default undefined - none
   */
  readonly cacert?: string
  /**
   * URL of a proxy by which all requests go; `false` for none. It may have credentials. By default the environment says
   * which: `HTTP_PROXY` for `http:`, `HTTPS_PROXY` for `https:`, but no proxy for the hosts of `NO_PROXY`.
   * @default undefined - as the environment says
   */
  readonly proxy?: string | URL | Secret | false
  /**
   * Time for a request, in seconds or as a duration. It includes every try and the waits between.
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
}

/**
 * Table of the options of {@link HttpOutlet}.
 * @internal
 */
export const HTTP_OUTLET_OPTIONS = {
  method: given<string>("'POST'"),
  headers: given<HttpHeaders>('{}'),
  send: word(SENDS, 'record'),
  format: word(FORMATS, 'json'),
  batchSize: count(1000, { orInfinity: true }),
  maxRequestSize: count(104_857_600, { orInfinity: true, shown: '104_857_600 - 100 MiB' }),
  target: func<HttpTarget>(undefined, 'undefined - all go to the URL of the outlet'),
  body: func<HttpBodyFrom>(undefined, 'undefined - the payload, or the list of payloads'),
  idempotencyKey: custom(readKey, 'undefined - none'),
  idempotencyHeader: custom(readHeaderName, "'Idempotency-Key'"),
  idempotent: flag(undefined, 'true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and with an `idempotencyKey`'),
  concurrency: count(undefined, { shown: "4, or 1 with `send: 'batch'` or `order: 'strict'`" }),
  order: word(['strict', 'none'] as const, 'none'),
  retry: retry({ retries: 2, minDelay: 500, maxDelay: 30_000 }),
  retryStatuses: custom(
    readRetryStatuses,
    '[408, 425, 429, 500, 502, 503, 504] - and from 400 on those with a `retry-after`',
  ),
  refusedStatuses: custom(readRetryStatuses, '[400, 409, 410, 412, 413, 414, 415, 422, 428, 431, 451]'),
  statuses: custom(readStatuses, 'undefined - those from 200 to 299'),
  results: func<HttpResults>(undefined, 'undefined - the status is for all records of a request'),
  redirects: count(0, { least: 0, shown: '0 - a redirect is an error' }),
  gzip: flag(false),
  maxBodySize: count(1_048_576, { orInfinity: true, shown: '1_048_576 - 1 MiB' }),
  cacert: path('undefined - none'),
  proxy: custom(readProxy, 'undefined - as the environment says'),
  timeout: timer(60_000),
  connectTimeout: timer(10_000),
  headersTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  bodyTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  ...SERIALIZE_OPTIONS,
  ...OUTLET_OPTIONS,
} satisfies Spec<HttpOutletOptions>

function readKey(name: string, key: true | HttpIdempotencyKey | undefined): true | HttpIdempotencyKey | undefined {
  if (key === undefined || key === true || typeof key === 'function') return key
  throw new InvalidOptionError(name, 'true or a function', key)
}

/** Headers that say how a request is to be read, or whose it is: with a key in their place it would be another request. */
const USED_HEADERS = new Set([
  ...['accept-encoding', 'authorization', 'connection', 'content-encoding', 'content-length', 'content-type', 'cookie'],
  ...['expect', 'host', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
])

function readHeaderName(name: string, header = 'Idempotency-Key'): string {
  try {
    http().validateHeaderName(header)
  } catch {
    throw new InvalidOptionError(name, 'a name fit for a header', HIDDEN)
  }
  const own = header.toLowerCase()
  if (!USED_HEADERS.has(own)) return own
  throw new InvalidOptionError(name, 'a header that says nothing of the request itself', header)
}
