/** Length of the first trace of a thread, in milliseconds: twice as long each time. */
const FIRST = 600_000
const LONGEST = 86_400_000

/**
 * Time for which a thread is traced after it was lost when it was not certain by which link. It ends, as a trace makes
 * transfers dearer. It is longer each time, so that what happens seldom is found out too. All times are in
 * milliseconds, by a clock that nobody sets.
 */
export class TraceTerm {
  #length = 0
  #until = Infinity

  /** Begins the trace, or begins it again: the thread was lost, and it is not certain by which link. */
  begin(now: number): void {
    this.#length = this.#length === 0 ? FIRST : Math.min(LONGEST, 2 * this.#length)
    this.#until = now + this.#length
  }

  /** Has the trace go on: the thread was lost, and it is certain by which link. */
  extend(now: number): void {
    this.#until = now + this.#length
  }

  /** Whether the time is over. */
  isOver(now: number): boolean {
    return now >= this.#until
  }
}
