/** Distribution of lengths of time, in milliseconds. Percentiles are off by at most 6.25 % of themselves. */
export interface Distribution {
  /** Number of lengths. */
  readonly count: number
  readonly mean: number
  /** Length that half of them do not exceed. */
  readonly p50: number
  /** Length that 99 of 100 do not exceed. */
  readonly p99: number
  readonly max: number
  /** Numbers of lengths from one length (included) up to another (not included), shortest first. Empty ones are left out. */
  readonly buckets: readonly { readonly from: number; readonly upTo: number; readonly count: number }[]
}

/** Number of buckets from a length to its double. */
const STEPS = 8

/** Largest relative error of a percentile: half a bucket, as a share of the length where it begins. */
export const HISTOGRAM_ERROR = 1 / (2 * STEPS)

/** Shortest length, in milliseconds: shorter ones are taken for 0, as no clock here tells them apart. */
const SHORTEST = 2 ** -10
/** Longest length, in milliseconds: longer ones are taken for that, which is seven weeks. */
const LONGEST = 2 ** 32

/** Number of bits of the mantissa, in the upper word of a double, that do not count: the three highest choose a step. */
const IGNORED_BITS = 20 - Math.log2(STEPS)

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
double[0] = 1
const UPPER = words[1] === 0 ? 0 : 1

/** Least count that has no place in 32 bits: a link that is due every millisecond gets there in seven weeks. */
const WIDE = 2 ** 32

type Counts = Uint32Array | Float64Array

const NO_COUNTS = new Uint32Array(0)

/**
 * Counts lengths of time, in buckets whose width grows with the length. Each power of two is divided into equal steps, so
 * the bucket can be read off the bits of the number. The layout is that of HdrHistogram (http://hdrhistogram.org), the
 * bound of the relative error that of DDSketch with linear interpolation (https://arxiv.org/abs/1908.10693).
 *
 * Only the powers of two that occur take memory, 32 bytes each: many links have a histogram each.
 */
export class Histogram {
  #counts: Counts = NO_COUNTS
  /** Bucket of the first count: a multiple of STEPS. */
  #first = 0
  #zeros = 0
  #count = 0
  #sum = 0
  #max = 0

  /**
   * Counts a length.
   *
   * @param length - in milliseconds; less than 0, or no number, counts as 0
   * @param times - number of times that it occurred
   */
  record(length: number, times = 1): void {
    this.#count += times
    if (!(length >= SHORTEST)) {
      this.#zeros += times
      return
    }
    this.#sum += length * times
    if (length > this.#max) this.#max = length
    const bucket = bucketOf(length)
    let at = bucket - this.#first
    if (at < 0 || at >= this.#counts.length) {
      this.#reach(bucket)
      at = bucket - this.#first
    }
    const count = (this.#counts[at] as number) + times
    if (count >= WIDE && this.#counts instanceof Uint32Array) this.#counts = new Float64Array(this.#counts)
    this.#counts[at] = count
  }

  /** The distribution so far. */
  read(): Distribution {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50: this.#percentile(0.5),
      p99: this.#percentile(0.99),
      max: this.#max,
      buckets: this.#buckets(),
    }
  }

  #percentile(share: number): number {
    let left = Math.ceil(share * this.#count) - this.#zeros
    if (left <= 0) return 0
    for (const [at, count] of this.#counts.entries()) {
      left -= count
      const bucket = this.#first + at
      if (left <= 0) return Math.min(this.#max, (startOf(bucket) + startOf(bucket + 1)) / 2)
    }
    return this.#max
  }

  #buckets(): Distribution['buckets'] {
    const buckets = this.#zeros === 0 ? [] : [{ from: 0, upTo: SHORTEST, count: this.#zeros }]
    for (const [at, count] of this.#counts.entries()) {
      const bucket = this.#first + at
      if (count > 0) buckets.push({ from: startOf(bucket), upTo: startOf(bucket + 1), count })
    }
    return buckets
  }

  /** Makes room for a bucket. */
  #reach(bucket: number): void {
    const power = bucket - (bucket % STEPS)
    const before = this.#counts
    const first = before.length === 0 ? power : Math.min(this.#first, power)
    const end = before.length === 0 ? power + STEPS : Math.max(this.#first + before.length, power + STEPS)
    const counts = before instanceof Uint32Array ? new Uint32Array(end - first) : new Float64Array(end - first)
    counts.set(before, before.length === 0 ? 0 : this.#first - first)
    this.#counts = counts
    this.#first = first
  }
}

/** Bucket of a length: the exponent and the highest bits of the mantissa, as one number. */
function bucketOf(length: number): number {
  double[0] = length < LONGEST ? length : LONGEST
  return (words[UPPER] as number) >>> IGNORED_BITS
}

/** Shortest length in a bucket. */
function startOf(bucket: number): number {
  words[UPPER] = bucket << IGNORED_BITS
  words[1 - UPPER] = 0
  return double[0] as number
}
