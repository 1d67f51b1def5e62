import { toError } from '../../../base/errors.js'

/** A pull that is under way: its signal is of its transfer, its time, and its inlet. */
export class RunningPull {
  /** Resolves when it ends. */
  readonly ended: Promise<void>
  readonly #own = new AbortController()
  readonly #transfer: AbortSignal
  readonly #late: () => Error
  readonly #onEnd: (pull: RunningPull) => void
  #resolve: (() => void) | undefined
  readonly #cancel: () => void
  /** Time that is left while it does no work, in milliseconds. */
  #left: number
  #since: number | undefined

  /** @param onEnd - called when it ends */
  constructor(transfer: AbortSignal, timeout: number, late: () => Error, onEnd: (pull: RunningPull) => void) {
    this.#transfer = transfer
    this.#left = timeout
    this.#late = late
    this.#onEnd = onEnd
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#cancel = () => {
      this.stop(toError(transfer.reason))
    }
    if (transfer.aborted) this.#cancel()
    else transfer.addEventListener('abort', this.#cancel)
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#resolve === undefined
  }

  get signal(): AbortSignal {
    return this.#own.signal
  }

  /** Time that is left for its work, in milliseconds. */
  get left(): number {
    return this.#since === undefined ? this.#left : this.#left - (performance.now() - this.#since)
  }

  /** Does a part of its work. Only that takes from its time. */
  async within<R>(work: () => Promise<R>): Promise<R> {
    this.#since = performance.now()
    const timer = setTimeout(() => {
      this.stop(this.#late())
    }, this.#left)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      this.#left = Math.max(0, this.left)
      this.#since = undefined
    }
  }

  /**
   * Waits for something, but no longer than until its signal aborts.
   *
   * @throws the reason of its signal
   */
  async waitFor(other: Promise<unknown>): Promise<void> {
    const { signal } = this
    signal.throwIfAborted()
    let abort: (() => void) | undefined
    const aborted = new Promise<void>((resolve) => {
      abort = resolve
      signal.addEventListener('abort', abort)
    })
    await Promise.race([other, aborted])
    if (abort !== undefined) signal.removeEventListener('abort', abort)
    signal.throwIfAborted()
  }

  /** Aborts its signal. */
  stop(reason: Error): void {
    this.#own.abort(reason)
  }

  end(): void {
    this.#transfer.removeEventListener('abort', this.#cancel)
    this.#onEnd(this)
    this.#resolve?.()
    this.#resolve = undefined
  }
}

/** The pulls of an inlet that are under way. */
export class RunningPulls {
  readonly #pulls = new Set<RunningPull>()

  /**
   * Begins a pull, which is under way until it is ended.
   *
   * @param signal - signal of the transfer; the pull's signal aborts with its reason
   * @param timeout - time of the pull's work, in milliseconds
   * @param late - makes the reason with which the pull's signal aborts when the time is up
   */
  begin(signal: AbortSignal, timeout: number, late: () => Error): RunningPull {
    const pull = new RunningPull(signal, timeout, late, (ended) => this.#pulls.delete(ended))
    this.#pulls.add(pull)
    return pull
  }

  /** Aborts the signals of all pulls that are under way. */
  stop(reason: () => Error): void {
    for (const pull of this.#pulls) pull.stop(reason())
  }
}
