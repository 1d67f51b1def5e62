import { toError } from '../../base/errors.js'

/** The pulls of an inlet that are under way. Each has a signal of its own: of its transfer, its time, and the inlet. */
export class RunningPulls {
  readonly #pulls = new Set<AbortController>()

  /**
   * Runs a pull.
   *
   * @param signal - signal of the transfer; the pull's signal aborts with its reason
   * @param timeout - time of the pull, in milliseconds
   * @param late - makes the reason with which the pull's signal aborts when the time is up
   * @param work - the pull, given its signal
   */
  async run<R>(
    signal: AbortSignal,
    timeout: number,
    late: () => Error,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const pull = new AbortController()
    const cancel = () => pull.abort(toError(signal.reason))
    const timer = setTimeout(() => pull.abort(late()), timeout)
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel)
    this.#pulls.add(pull)
    try {
      return await work(pull.signal)
    } finally {
      this.#pulls.delete(pull)
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    }
  }

  /** Aborts the signals of all pulls that are under way. */
  stop(reason: () => Error): void {
    for (const pull of this.#pulls) pull.abort(reason())
  }
}
