import { toError } from '../../../base/errors.js'

/** Sends one request at a time, each within its time. Its signal serves many requests: to make one takes longer than to send. */
export class Slot {
  readonly #transfer: AbortSignal
  readonly #timeout: number
  readonly #cancel: () => void
  #controller = new AbortController()
  /** Called when the signal aborts, as listeners of a signal take long to add and to remove. */
  onAbort: ((reason: Error) => void) | undefined
  #timer: NodeJS.Timeout | undefined
  /** Makes the reason with which the signal aborts when the time is up; `undefined` while there is no request. */
  #late: (() => Error) | undefined

  /** @param timeout - time of a request, in milliseconds */
  constructor(transfer: AbortSignal, timeout: number) {
    this.#transfer = transfer
    this.#timeout = timeout
    this.#cancel = () => {
      this.#abort(toError(transfer.reason))
    }
    if (transfer.aborted) this.#cancel()
    else transfer.addEventListener('abort', this.#cancel)
  }

  /** Signal of the request: aborts with that of the transfer, or when its time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * Makes a request, within its time.
   *
   * @param late - makes the reason with which the signal aborts when the time is up
   */
  async within<R>(late: () => Error, work: () => Promise<R>): Promise<R> {
    // one that was late takes no other with it
    if (this.#controller.signal.aborted && !this.#transfer.aborted) this.#controller = new AbortController()
    this.#late = late
    this.#timer = this.#timer?.refresh() ?? setTimeout(() => this.#expire(), this.#timeout)
    try {
      return await work()
    } finally {
      this.#late = undefined
    }
  }

  /** Gives back what it holds. */
  end(): void {
    clearTimeout(this.#timer)
    this.#transfer.removeEventListener('abort', this.#cancel)
  }

  #expire(): void {
    const late = this.#late
    if (late !== undefined) this.#abort(late())
  }

  #abort(reason: Error): void {
    this.#controller.abort(reason)
    this.onAbort?.(reason)
  }
}
