import { checkWord } from '../../../base/check.js'
import type { Duration } from '../../../base/duration.js'
import { InvalidOptionError } from '../../../base/errors.js'
import { toArray, type OneOrMany } from '../../../base/one-or-many.js'
import type { Url as URL } from '../../../base/node-types.js'
import { count, custom, flag, given, path, timer, type Spec } from '../../../base/options.js'
import type { Secret } from '../../../base/secret.js'
import { hintAt } from '../../../base/suggestion.js'
import type { Untyped } from '../../../base/untyped.js'
import { INLET_OPTIONS, type InletOptions } from '../../../core/inlet.js'
import { BIG_INTEGERS_OPTIONS, type BigIntegersOptions } from '../../big-integers.js'
import { encodingOf } from '../../charsets.js'
import { retry, type RetryOptions } from '../../../base/retry.js'
import { FORMATS, type HttpFormat } from '../format.js'
import type { NextPage } from './next-link.js'
import { readProxy } from '../proxy.js'
import type { HttpParams } from '../request.js'
import type { HttpHeaders } from '../request-headers.js'
import { readRetryStatuses, readStatuses } from '../statuses.js'
import { readSince, type HttpSince } from './since.js'
import { readNext, readSelect, type SelectRecords } from './select.js'
import { CONTENT_ENCODINGS, type ContentEncoding } from '../content-encoding.js'

/**
 * Options of {@link HttpInlet}.
 *
 * @typeParam T - type of the payloads, which `select` gives
 */
export interface HttpInletOptions<T = Untyped> extends InletOptions, BigIntegersOptions {
  /**
   * Parameters, added to the query of the URL.
   * @default {}
   */
  readonly params?: HttpParams
  /**
   * Headers of the request. They replace the headers that are sent otherwise under the same name: `accept-encoding`,
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
  readonly body?: string | Uint8Array | Secret
  /**
   * Format of the response. Of `json`, an array is a record per element, and anything else one record. Of `ndjson`,
   * JSON in lines, each line is a record unless it is blank. `text` is one record.
   * @default 'json', or 'text' with `json: false`
   */
  readonly format?: HttpFormat
  /**
   * Short for the `format` `json` (`true`) or `text` (`false`). Only one of the two can be given.
   * @default true
   */
  readonly json?: boolean
  /**
   * Where a body has its records, when it is more than them: the path of a field, such as `'items'` or `'data.items'`, or
   * a function of the body. A list is a record per element, anything else one record, and `null` none. A body without
   * that field is an error.
   * @default undefined - the body is the records
   */
  readonly select?: string | SelectRecords<T>
  /**
   * Charset of the response, instead of that of its `content-type`. It is read as browsers read it: `latin1` means
   * `windows-1252`. A byte order mark in the response counts more.
   * @default undefined - that of the response, or else UTF-8
   */
  readonly charset?: string
  /**
   * Encodings that the body is packed with, in their order, instead of those of its `content-encoding`. `identity` is
   * none. Without the option, gzip is also unpacked when no header names it.
   * @default undefined - those of the response
   */
  readonly contentEncoding?: OneOrMany<ContentEncoding>
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
   * Time for a whole pull, in seconds or as a duration. It includes every try and the waits between, redirects and
   * pages; of what streams, only what the transfer waits for.
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
   * Most bytes of the responses' bodies in one pull, unpacked. `Infinity` is no limit.
   * @default 104_857_600 - 100 MiB
   */
  readonly maxBodySize?: number
  /**
   * Statuses whose responses are accepted. Any other is an error.
   * @default undefined - those from 200 to 299
   */
  readonly statuses?: readonly number[]
  /**
   * Retries of a request that failed for a reason that may pass. Such reasons are a missing or broken connection, a
   * timeout of a try, and a status of `retryStatuses`. All tries have to fit into the `timeout`. A `retry-after` of the
   * server is waited for, but no longer than `maxDelay` or than the `timeout` leaves: then there is no further try.
   * @default { retries: 2, minDelay: 0.5, maxDelay: 30 }
   */
  readonly retry?: RetryOptions
  /**
   * Statuses that are worth a retry. By default these are 408, 425, 429, 500, 502, 503 and 504, and every other status
   * from 400 on that comes with a `retry-after`, such as a 403 of a server that limits rates.
   * @default [408, 425, 429, 500, 502, 503, 504] - and from 400 on those with a `retry-after`
   */
  readonly retryStatuses?: readonly number[]
  /**
   * Whether the request may be made twice, which retries need.
   * @default true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and false for other methods
   */
  readonly idempotent?: boolean
  /**
   * Most redirects in a row that are followed. A request to another origin has no body, and no headers except for
   * `accept`, `accept-encoding`, `accept-language` and `user-agent`. A redirect from https to http is never followed.
   * @default 0 - a redirect is an error
   */
  readonly redirects?: number
  /**
   * What gives the URL of the next page: a function, or the path of a field of the body, such as `'next'`. `undefined` or
   * `null` is none, and a field that is missing or empty too. The URL may be relative, and has the `params` only if it
   * repeats them. At another origin the same holds as for redirects. The records of all pages come in order, page by
   * page, and a page that fails fails the pull. See {@link nextLink} for `link` headers.
   * @default undefined - there is one page
   */
  readonly next?: string | NextPage
  /**
   * Most pages of a pull. One page more is an error, so that nothing is left out unseen. `Infinity` is no limit.
   * @default 100
   */
  readonly maxPages?: number
  /**
   * Whether only changes since the last delivered response are requested. The request then has `if-none-match` and
   * `if-modified-since`, from the `etag` and `last-modified` of that response. No change gives no records: a 304, or a
   * 200 with the same `etag`. A response of a failed transfer is requested again. For GET and HEAD, without `next`.
   * @default false
   */
  readonly conditional?: boolean
  /**
   * How an API is asked only for what came since the last time, by an id, a time or a token. What was not delivered is asked for
   * again. Not together with `conditional`.
   * @default undefined - all is asked for each time
   */
  readonly since?: HttpSince
}

/**
 * Table of the options of {@link HttpInlet}.
 * @internal
 */
export const HTTP_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  // these make up the request, and its errors must not show them
  params: given<HttpParams>('{}'),
  headers: given<HttpHeaders>('{}'),
  method: given<string>("'GET', or 'POST' when there is a `body`"),
  body: given<string | Uint8Array | Secret>('undefined - none'),
  format: custom(readFormat, "'json', or 'text' with `json: false`"),
  json: flag(undefined, 'true'),
  select: custom(readSelect, 'undefined - the body is the records'),
  charset: custom(readCharset, 'undefined - that of the response, or else UTF-8'),
  contentEncoding: custom(readContentEncoding, 'undefined - those of the response'),
  cacert: path('undefined - none'),
  proxy: custom(readProxy, 'undefined - as the environment says'),
  timeout: timer(60_000),
  connectTimeout: timer(10_000),
  headersTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  bodyTimeout: timer(undefined, '30, or the `timeout` when that is shorter'),
  maxBodySize: count(104_857_600, { orInfinity: true, shown: '104_857_600 - 100 MiB' }),
  statuses: custom(readStatuses, 'undefined - those from 200 to 299'),
  retry: retry({ retries: 2, minDelay: 500, maxDelay: 30_000 }),
  retryStatuses: custom(
    readRetryStatuses,
    '[408, 425, 429, 500, 502, 503, 504] - and from 400 on those with a `retry-after`',
  ),
  idempotent: flag(undefined, 'true for GET, HEAD, OPTIONS, TRACE, PUT and DELETE, and false for other methods'),
  redirects: count(0, { least: 0, shown: '0 - a redirect is an error' }),
  next: custom(readNext, 'undefined - there is one page'),
  maxPages: count(100, { orInfinity: true }),
  conditional: flag(false),
  since: custom(readSince, 'undefined - all is asked for each time'),
  ...BIG_INTEGERS_OPTIONS,
} satisfies Spec<HttpInletOptions>

function readFormat(name: string, format: HttpFormat | undefined): HttpFormat | undefined {
  return format === undefined ? undefined : checkWord(name, format, FORMATS, 'json')
}

/** Charsets that a misspelt one may have meant. */
const COMMON_CHARSETS = ['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252', 'iso-8859-15', 'shift_jis', 'gbk']

function readCharset(name: string, charset: string | undefined): string | undefined {
  if (charset === undefined) return undefined
  const isText = typeof charset === 'string'
  const encoding = isText ? encodingOf(charset) : undefined
  if (encoding !== undefined) return encoding
  const hint = isText ? hintAt(charset, COMMON_CHARSETS) : undefined
  throw new InvalidOptionError(name, 'a charset that browsers know, like utf-8 or latin1', charset, { hint })
}

function readContentEncoding(
  name: string,
  given: OneOrMany<ContentEncoding> | undefined,
): readonly ContentEncoding[] | undefined {
  if (given === undefined) return undefined
  const encodings = toArray(given)
  if (encodings.length === 0) throw new InvalidOptionError(name, 'one or more encodings', given)
  return encodings.map((encoding) => checkWord(name, encoding, CONTENT_ENCODINGS, 'identity'))
}
