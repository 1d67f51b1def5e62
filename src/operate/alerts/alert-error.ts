/** A message could not be delivered. */
export class AlertError extends Error {
  /** Whether it is worth another try. */
  readonly retryable: boolean
  /** Least time before another try, in milliseconds. */
  readonly retryAfter: number

  constructor(message: string, { retryable = true, retryAfter = 0 } = {}) {
    super(message)
    this.retryable = retryable
    this.retryAfter = retryAfter
  }
}
