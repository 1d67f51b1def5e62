import { InvalidOptionError } from '../../../base/errors.js'
import { resolveOptions, type Resolved } from '../../../base/options.js'
import type { RetrySettings } from '../../../base/retry.js'
import { isSecret, revealed, type Secret } from '../../../base/secret.js'
import type { Serialize } from '../../serialize.js'
import { mayHaveBody } from '../methods.js'
import {
  CONTENT_TYPES,
  HTTP_OUTLET_OPTIONS,
  type HttpBodyFormat,
  type HttpBodyFrom,
  type HttpIdempotencyKey,
  type HttpOutletOptions,
  type HttpSend,
} from './outlet-options.js'
import { checkMethod, resolveUrl } from '../request.js'
import { authorization, checkHeaders, type SentHeaders } from '../request-headers.js'
import type { HttpResults } from './results.js'
import { accepts } from '../statuses.js'
import type { HttpTarget } from './http-target.js'

/** Statuses that say what is wrong with a request, and not with the server, the credentials or the URL. */
const REFUSED_STATUSES: ReadonlySet<number> = new Set([400, 409, 410, 412, 413, 414, 415, 422, 428, 431, 451])

/** {@link HttpOutletOptions}, resolved. Lengths of time are in milliseconds. */
export interface HttpOutletSettings {
  /** URL without credentials and fragment. */
  readonly url: URL
  readonly method: string
  readonly headers: SentHeaders
  readonly send: HttpSend
  readonly format: HttpBodyFormat
  readonly batchSize: number
  readonly maxRequestSize: number
  readonly target: HttpTarget | undefined
  readonly body: HttpBodyFrom | undefined
  readonly serialize: Serialize | undefined
  readonly idempotencyKey: true | HttpIdempotencyKey | undefined
  /** In lower case. */
  readonly idempotencyHeader: string
  /** Whether requests may be made twice; `undefined` when their method says it. */
  readonly idempotent: boolean | undefined
  readonly concurrency: number
  readonly isOrdered: boolean
  readonly retry: RetrySettings
  readonly retryStatuses: ReadonlySet<number> | undefined
  readonly refusedStatuses: ReadonlySet<number>
  readonly statuses: ReadonlySet<number> | undefined
  readonly results: HttpResults | undefined
  readonly redirects: number
  readonly gzip: boolean
  readonly maxBodySize: number
  readonly cacert: string | undefined
  readonly proxy: string | false | undefined
  readonly timeout: number
  readonly connectTimeout: number
  readonly headersTimeout: number
  readonly bodyTimeout: number
}

/**
 * Checks and resolves {@link HttpOutletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveOutletOptions(address: string | URL | Secret, options: HttpOutletOptions): HttpOutletSettings {
  const read = resolveOptions('HttpOutlet', options, HTTP_OUTLET_OPTIONS)
  const { processors: _, name: __, order, method: verb, headers, concurrency, ...rest } = read
  const url = resolveUrl('HttpOutlet', address)
  const method = verb === undefined ? 'POST' : checkMethod('HttpOutlet.method', verb, 'POST')
  const own = headers === undefined ? {} : checkHeaders('HttpOutlet', headers, undefined)
  checkTogether(read, method, own)
  const isOrdered = order === 'strict'
  const { timeout } = rest
  return Object.freeze({
    ...rest,
    url,
    method,
    headers: {
      'content-type': CONTENT_TYPES[rest.format],
      'user-agent': 'databay',
      ...authorization(new URL(revealed(address)), isSecret(address)),
      ...own,
    },
    refusedStatuses: rest.refusedStatuses ?? REFUSED_STATUSES,
    concurrency: concurrency ?? (rest.send === 'batch' || isOrdered ? 1 : 4),
    isOrdered,
    idempotent: rest.idempotent ?? (rest.idempotencyKey === undefined ? undefined : true),
    headersTimeout: rest.headersTimeout ?? Math.min(timeout, 30_000),
    bodyTimeout: rest.bodyTimeout ?? Math.min(timeout, 30_000),
  })
}

/** Checks what does not go together. */
function checkTogether(
  { send, format, body, target, order, concurrency, gzip, ...rest }: Resolved<typeof HTTP_OUTLET_OPTIONS>,
  method: string,
  headers: SentHeaders,
): void {
  const refuse = (option: string, expected: string, got: unknown) =>
    new InvalidOptionError(`HttpOutlet.${option}`, expected, got)
  if (send === 'batch' && format === 'form' && body === undefined) {
    throw refuse(
      'format',
      "json, ndjson or text with send: 'batch', or a body that makes fields of the payloads",
      format,
    )
  }
  if (order === 'strict' && concurrency !== undefined && concurrency > 1) {
    throw refuse('concurrency', "1 with order: 'strict'", concurrency)
  }
  if (body !== undefined && !mayHaveBody(method, true))
    throw refuse('body', `none with the method ${method}`, 'a function')
  if (target === undefined && !mayHaveBody(method, body !== undefined)) {
    throw refuse('method', 'one that sends records: this one has no body, and there is no target', method)
  }
  if (gzip && headers['content-encoding'] !== undefined) {
    throw refuse('headers.content-encoding', 'none with gzip', headers['content-encoding'])
  }
  if (rest.idempotencyKey !== undefined && headers[rest.idempotencyHeader] !== undefined) {
    throw refuse(`headers.${rest.idempotencyHeader}`, 'none with an idempotencyKey, which is sent in it', 'both')
  }
  const both = [...(rest.refusedStatuses ?? [])].find((status) => accepts(rest.statuses, status))
  if (both !== undefined) {
    throw refuse('refusedStatuses', 'none of the statuses that are taken', both)
  }
}
