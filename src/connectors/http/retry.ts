import { HttpError } from './errors.js'
import { withRetries, type RetrySettings } from '../../base/retry.js'

/** Statuses that may soon change. */
export const RETRY_STATUSES = [408, 425, 429, 500, 502, 503, 504] as const

const STATUSES: ReadonlySet<number> = new Set(RETRY_STATUSES)

/** Codes of errors, of the system and of undici, that may not come again. Errors of certificates are not among them. */
const CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET', 'UND_ERR_SOCKET'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', // a body was cut off as its connection ended
])

/**
 * Whether a request that failed with this error is worth another try.
 *
 * @param statuses - statuses that are; otherwise those that may soon change, and all errors of which the server says when
 */
export function mayPass(error: HttpError, statuses?: ReadonlySet<number>): boolean {
  if (error.failure === 'status') {
    const { status = 0, retryAfter } = error
    return statuses?.has(status) ?? (STATUSES.has(status) || (status >= 400 && retryAfter !== undefined))
  }
  const { cause } = error
  if (!(cause instanceof Error)) return false
  const refused = /^Proxy response \((\d+)\)/.exec(cause.message)?.[1]
  if (refused !== undefined) return (statuses ?? STATUSES).has(Number(refused))
  return ('code' in cause && CODES.has(String(cause.code))) || isCutBetweenChunks(cause)
}

/** Whether a body in chunks was cut off as its connection ended. The error of undici has no code. */
function isCutBetweenChunks({ name, message }: Error): boolean {
  return name === 'HTTPParserError' && message.includes('Invalid EOF state')
}

/**
 * Time for which a server asks to wait, in milliseconds; `undefined` when it does not ask.
 *
 * @param header - its `retry-after`: seconds, or a date
 * @param now - its `date`, as its clock may differ from ours
 */
export function retryAfter(
  header: string | readonly string[] | undefined,
  now: string | readonly string[] | undefined,
): number | undefined {
  const asked = [header ?? []].flat()[0]?.trim() ?? ''
  // a proxy may have joined two of them
  const [, seconds] = /^"?(\d+(?:\.\d+)?)"?\s*(?:s|sec|seconds?)?\s*(?:[,;].*)?$/i.exec(asked) ?? []
  if (seconds !== undefined) return Number(seconds) * 1000
  const until = dateOf(asked)
  if (Number.isNaN(until)) return undefined
  const theirs = Date.parse([now ?? []].flat()[0] ?? '')
  return Math.max(0, until - (Number.isNaN(theirs) ? Date.now() : theirs))
}

/** Time of a date in one of the three forms of HTTP, of mails, or of ISO 8601. `Date.parse` misreads other texts. */
function dateOf(text: string): number {
  if (HTTP_DATE.test(text) || ISO_DATE.test(text)) return Date.parse(text)
  return /^[A-Z][a-z]+ [A-Z][a-z]+ [ \d]\d [\d:]+ \d{4}$/.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
}

const HTTP_DATE = /^(?:[a-z]+,? )?\d\d?[ -][a-z]+[ -]\d+ [\d:]+ (?:GMT|UTC|[+-]\d{4})$/i
const ISO_DATE = /^\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)$/

/** Conditions of the tries of a request. */
export interface Tries {
  readonly retry: RetrySettings
  /** Statuses that are tried again; `undefined` for the usual ones. */
  readonly statuses: ReadonlySet<number> | undefined
  /** Whether the request may be made again after this error. Default: as {@link mayPass} says. */
  readonly mayRepeat?: (error: HttpError) => boolean
  readonly signal: AbortSignal
  /** Time of `performance.now()` at which the pull has to be done. */
  readonly deadline: number
  /** Called with the reason before another try. */
  readonly onRetry: (reason: HttpError, attempt: number) => void
}

/**
 * Makes a request, and makes it again when it fails for a reason that may pass, waiting as long as the server asks.
 *
 * @throws the {@link HttpError} of the last try, or the reason of the signal
 */
export function withTries<T>(
  { retry, statuses, mayRepeat, signal, deadline, onRetry }: Tries,
  work: () => Promise<T>,
): Promise<T> {
  const isWorthwhile = mayRepeat ?? ((error) => mayPass(error, statuses))
  let attempt = 0
  return withRetries(
    retry,
    signal,
    async (number) => {
      attempt = number
      try {
        return await work()
      } catch (error) {
        throw error instanceof HttpError && isWorthwhile(error) && number <= retry.retries ? withLimit(error) : error
      }
    },
    (error) => {
      if (!(error instanceof HttpError) || !isWorthwhile(error)) return false
      const { retryAfter: wait = 0 } = error
      if (wait > longest()) return false
      onRetry(error, attempt)
      return wait === 0 || wait
    },
  )

  /** Longest wait that makes sense; negative when none does. The usual delay comes on top of it. */
  function longest(): number {
    return Math.min(retry.maxDelay, deadline - performance.now() - retry.minDelay)
  }

  /** The error itself, or an error that says that its wait is too long. */
  function withLimit(error: HttpError): HttpError {
    const { retryAfter: wait } = error
    if (wait === undefined || wait <= longest()) return error
    const limit = wait > retry.maxDelay ? 'the longest delay of its retries' : 'what its timeout leaves'
    const message = `${error.message}, and asks to wait ${wait / 1000} s, more than ${limit}`
    return new HttpError(error.failure, message, { cause: error, status: error.status, retryAfter: wait })
  }
}
