import { HttpError } from './errors.js'
import { withRetries, type RetrySettings } from '../retry.js'

/** Statuses that may soon change. */
const STATUSES = new Set([408, 425, 429, 500, 502, 503, 504])

/** Codes of errors, of the system and of undici, that may not come again. Errors of certificates are not among them. */
const CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET', 'UND_ERR_SOCKET'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', // a body was cut off as its connection ended
])

/** Whether a request that failed with this error is worth another try. */
export function mayPass(error: HttpError): boolean {
  if (error.failure === 'status') return STATUSES.has(error.status ?? 0)
  const { cause } = error
  if (!(cause instanceof Error)) return false
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
  if (/^\d+$/.test(asked)) return Number(asked) * 1000
  // only dates in the form of HTTP, as `Date.parse` misreads others
  const until = /^[A-Z][a-z]+,? .* GMT$/.test(asked) ? Date.parse(asked) : Number.NaN
  if (Number.isNaN(until)) return undefined
  const theirs = Date.parse([now ?? []].flat()[0] ?? '')
  return Math.max(0, until - (Number.isNaN(theirs) ? Date.now() : theirs))
}

/** Conditions of the tries of a request. */
export interface Tries {
  readonly retry: RetrySettings
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
export function withTries<T>({ retry, signal, deadline, onRetry }: Tries, work: () => Promise<T>): Promise<T> {
  let attempt = 0
  return withRetries(
    retry,
    signal,
    async (number) => {
      attempt = number
      try {
        return await work()
      } catch (error) {
        throw error instanceof HttpError && mayPass(error) && number <= retry.retries ? withLimit(error) : error
      }
    },
    (error) => {
      if (!(error instanceof HttpError) || !mayPass(error)) return false
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
