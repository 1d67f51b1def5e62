/** Number of times that a link may end its thread before it is kept away from threads. */
const FREE_CRASHES = 2
/** Length of the first quarantine, in milliseconds: twice as long each time. */
const FIRST = 1000
const LONGEST = 300_000

/**
 * Time that a link's thread must live on when the link transfers again, in milliseconds, until its crashes are
 * forgotten.
 */
const CALM = 60_000

/**
 * Keeps a link that ends its thread again and again away from threads, for longer each time, so that it costs the other
 * links of its thread less and less. A link may well transfer first and end the thread then, so it takes a while until
 * its crashes are forgotten. All times are in milliseconds, by a clock that nobody sets.
 */
export class Quarantine {
  #crashCount = 0
  #until = -Infinity

  /** Number of times that the link has ended its thread, as far as they are not forgotten. */
  get crashCount(): number {
    return this.#crashCount
  }

  /** Time for which the link has to be kept away still; 0 when it may transfer. */
  left(now: number): number {
    return Math.max(0, this.#until - now)
  }

  /** Takes note that the link has ended its thread. */
  crashed(now: number): void {
    this.#crashCount++
    const further = this.#crashCount - FREE_CRASHES
    this.#until = now + (further > 0 ? Math.min(LONGEST, FIRST * 2 ** (further - 1)) : 0)
  }

  /** Takes note that the link has transferred, and its thread lives. */
  pass(now: number): void {
    if (now >= this.#until + CALM) this.#crashCount = 0
  }
}
