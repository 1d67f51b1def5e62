/** Counts of lengths of time: any number of them takes the same memory. */
export class Histogram {
  readonly #counts = new Int32Array(BUCKETS)
  /** Number of times so far. */
  count = 0
  /** Longest time so far, in milliseconds; 0 for none. */
  longest = 0

  /** Adds a time, in milliseconds. */
  add(time: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(time / WIDTH)))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.count++
    this.longest = Math.max(this.longest, time)
  }

  /** Number of times that were longer than a time, to the width of a bucket. */
  longerThan(time: number): number {
    return this.#counts.subarray(Math.ceil(time / WIDTH)).reduce((sum, count) => sum + count, 0)
  }

  /** Time that a share of all times does not exceed, to the width of a bucket; `NaN` for none. */
  quantile(share: number): number {
    let left = Math.ceil(share * this.count)
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0)
    return this.count === 0 ? NaN : Math.min(this.longest, (bucket + 1) * WIDTH)
  }
}

/** Width of a bucket, in milliseconds. */
const WIDTH = 10
/** Number of buckets. The last one counts all that is longer. */
const BUCKETS = 6000
