interface Sample {
  readonly time: number
  readonly total: number
}

/** How fast a total has grown lately. Goes by the times that it is given. */
export class Rate {
  readonly #window: number
  #samples: Sample[]

  /**
   * @param window - over how many milliseconds the rate is taken
   * @param now - when the total began to grow from 0
   */
  constructor(window: number, now: number) {
    this.#window = window
    this.#samples = [{ time: now, total: 0 }]
  }

  /** Takes the total of now; gives its growth in a second. */
  note(total: number, now: number): number {
    const latest = { time: now, total }
    // the newest of those that are too old is kept: it is where the window begins
    const kept = this.#samples.findLastIndex(({ time }) => time <= now - this.#window)
    this.#samples = [...this.#samples.slice(Math.max(0, kept)), latest]
    const first = this.#samples[0] ?? latest
    return now > first.time ? ((total - first.total) * 1000) / (now - first.time) : 0
  }
}
