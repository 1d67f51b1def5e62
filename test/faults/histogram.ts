/** Counts lengths of time, so that any number of them takes the same memory. */
export class Histogram {
  readonly #counts = new Int32Array(BUCKETS)
  /** How many there were. */
  count = 0
  /** The longest, in milliseconds; 0 of none. */
  longest = 0

  /** @param time - in milliseconds */
  add(time: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(time / WIDTH)))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.count++
    this.longest = Math.max(this.longest, time)
  }

  /** How many were longer than a time, to the width of a bucket. */
  longerThan(time: number): number {
    return this.#counts.subarray(Math.ceil(time / WIDTH)).reduce((sum, count) => sum + count, 0)
  }

  /** The time that a share of all does not exceed, to the width of a bucket; `NaN` of none. */
  quantile(share: number): number {
    let left = Math.ceil(share * this.count)
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0)
    return this.count === 0 ? NaN : Math.min(this.longest, (bucket + 1) * WIDTH)
  }
}

/** In milliseconds. */
const WIDTH = 10
/** The last one holds all that is longer. */
const BUCKETS = 6000
