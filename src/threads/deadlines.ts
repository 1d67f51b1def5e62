/** The times at which what runs should have ended, and the earliest of them. */
export class Deadlines {
  readonly #times = new Map<number, number>()
  #earliest = Infinity

  /** `Infinity` when there is none. */
  /** How many there are. */
  get size(): number {
    return this.#times.size
  }

  get earliest(): number {
    return this.#earliest
  }

  add(run: number, time: number): void {
    this.#times.set(run, time)
    if (time < this.#earliest) this.#earliest = time
  }

  delete(run: number): void {
    const time = this.#times.get(run)
    if (time === undefined) return
    this.#times.delete(run)
    if (time > this.#earliest) return
    this.#earliest = Infinity
    for (const other of this.#times.values()) if (other < this.#earliest) this.#earliest = other
  }
}
