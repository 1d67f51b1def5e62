/** How often a link may end its thread before it is kept away from threads for a while. */
const FREE_CRASHES = 2
/** How long it is kept away at first, in milliseconds: twice as long each time. */
const FIRST = 1000
const LONGEST = 300_000

/** For how long its thread must live on when it transfers again, in milliseconds, until it is as good as new. */
const CALM = 60_000

/**
 * Keeps a link that ends its thread again and again away from threads, for longer each time, so that it costs the other
 * links of its thread less and less. A link may well transfer first and end the thread then, so it takes a while until
 * its crashes are forgotten.
 */
export class Quarantine {
  #crashes = 0
  #until = -Infinity

  /** How often it has ended its thread, as far as that is not forgotten. */
  get crashes(): number {
    return this.#crashes
  }

  /**
   * How long it has to be kept away still, in milliseconds; 0 when it has not.
   *
   * @param now - a time in milliseconds, of a clock that nobody sets
   */
  left(now: number): number {
    return Math.max(0, this.#until - now)
  }

  /** It has ended its thread. */
  crashed(now: number): void {
    this.#crashes++
    const further = this.#crashes - FREE_CRASHES
    this.#until = now + (further > 0 ? Math.min(LONGEST, FIRST * 2 ** (further - 1)) : 0)
  }

  /** It has transferred, and the thread lives. */
  pass(now: number): void {
    if (now >= this.#until + CALM) this.#crashes = 0
  }
}
