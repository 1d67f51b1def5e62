/** How long a thread is traced at first, in milliseconds: twice as long each time. */
const FIRST = 600_000
const LONGEST = 86_400_000

/**
 * For how long a thread is traced (see `Trace`) after it was lost and it was not sure by whom: as that makes its transfers
 * dearer, not for ever, and for longer each time, so that what comes seldom is found out too. Times are in milliseconds, of
 * a clock that nobody sets.
 */
export class TraceTerm {
  #length = 0
  #until = Infinity

  /** Its thread was lost, and it is not sure by whom. */
  begin(now: number): void {
    this.#length = this.#length === 0 ? FIRST : Math.min(LONGEST, 2 * this.#length)
    this.#until = now + this.#length
  }

  /** Its thread was lost, and it is sure by whom: that may do so again. */
  extend(now: number): void {
    this.#until = now + this.#length
  }

  isOver(now: number): boolean {
    return now >= this.#until
  }
}
