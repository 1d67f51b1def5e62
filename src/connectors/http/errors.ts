import { DatabayError, type DatabayErrorOptions } from '../../base/errors.js'
import { scrub } from '../../base/scrub.js'

/** Reason why an HTTP request came to nothing. */
export type HttpFailure = 'connection' | 'timeout' | 'status' | 'body' | 'redirect' | 'pages' | 'since' | 'results'

/** The body of a response cannot be used. */
export class BodyError extends Error {}

/** Options of an {@link HttpError}. */
export interface HttpErrorOptions extends DatabayErrorOptions {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
}

/**
 * A request failed, or its response cannot be used. The message names the URL without what may be secret in it:
 * credentials and query.
 */
export class HttpError extends DatabayError {
  static override readonly code = 'DATABAY_HTTP'

  /**
   * Kind of the failure: no `connection` (also DNS and TLS), a `timeout`, a `status` that is not accepted, an unusable
   * `body`, a `redirect` to where it must not lead, `pages` without end, a value of `since` that cannot be had or sent, or
   * `results` of single records that are not good.
   */
  readonly failure: HttpFailure
  /** Status of the response; `undefined` when there is none. */
  readonly status: number | undefined
  /** Time for which the server asked to wait before another try, in milliseconds; `undefined` when it did not ask. */
  readonly retryAfter: number | undefined

  constructor(failure: HttpFailure, message: string, options?: HttpErrorOptions) {
    super(message, options)
    this.failure = failure
    this.status = options?.status
    this.retryAfter = options?.retryAfter
  }
}

/**
 * Makes the error of a request, which it names by the request's URL.
 *
 * @param owner - connector that made the request
 * @internal
 */
export function httpError(
  url: URL,
  failure: HttpFailure,
  message: string,
  options?: HttpErrorOptions,
  owner = 'HttpInlet',
): HttpError {
  return new HttpError(failure, `${owner}: ${showUrl(url)}: ${message}`, options)
}

/**
 * Text of a URL for logs and errors: without secrets, credentials and fragment, and of a query only that there is one.
 * @internal
 */
export function showUrl(url: URL): string {
  return `${scrub(`${url.origin}${url.pathname}`)}${url.search === '' ? '' : '?\u2026'}`
}
