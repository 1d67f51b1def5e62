/** A total at a time. */
interface Sample {
  readonly time: number
  readonly total: number
}

/** Rate at which a total has grown lately. Time comes in as an argument. */
export class Rate {
  readonly #window: number
  #samples: Sample[]

  /**
   * @param window - time over which the rate is taken, in milliseconds
   * @param now - time at which the total began to grow from 0
   */
  constructor(window: number, now: number) {
    this.#window = window
    this.#samples = [{ time: now, total: 0 }]
  }

  /** Takes the current total. Gives its growth per second. */
  note(total: number, now: number): number {
    const latest = { time: now, total }
    // the newest sample before the window is kept: the window begins there
    const kept = this.#samples.findLastIndex(({ time }) => time <= now - this.#window)
    this.#samples = [...this.#samples.slice(Math.max(0, kept)), latest]
    const first = this.#samples[0] ?? latest
    return now > first.time ? ((total - first.total) * 1000) / (now - first.time) : 0
  }
}
