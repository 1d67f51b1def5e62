import { TraceTerm } from './trace-term.js'

/** A thread that can be traced: see `Trace`. */
export interface Traceable {
  trace: boolean
}

/**
 * Has threads traced for a while that were lost when it was not certain by which link. A trace takes time. All times
 * are in milliseconds, by a clock that nobody sets.
 */
export class ThreadTracing {
  readonly #terms = new WeakMap<Traceable, TraceTerm>()

  /**
   * Notes that a thread was lost.
   *
   * @param certain - whether it is known by which link
   */
  lost(thread: Traceable, certain: boolean, now: number): void {
    const term = this.#terms.get(thread)
    if (certain) {
      // it may do so again
      if (thread.trace) term?.extend(now)
      return
    }
    const begun = term ?? new TraceTerm()
    this.#terms.set(thread, begun)
    begun.begin(now)
    thread.trace = true
  }

  /** Has a thread traced as the one whose place it takes: what ended that may end this one. */
  takeOver(old: Traceable, fresh: Traceable): void {
    fresh.trace = old.trace
    const term = this.#terms.get(old)
    if (term !== undefined) this.#terms.set(fresh, term)
  }

  /** Ends the traces whose time is over. */
  look(threads: readonly Traceable[], now: number): void {
    for (const thread of threads)
      if (thread.trace && this.#terms.get(thread)?.isOver(now) === true) thread.trace = false
  }
}
