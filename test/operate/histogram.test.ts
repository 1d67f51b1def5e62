import fc from '../helpers/fast-check.js'
import t from 'tap'
import { Histogram, HISTOGRAM_ERROR } from '../../src/operate/histogram.js'

function histogramOf(lengths: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const length of lengths) histogram.record(length)
  return histogram
}

/** Lengths of time from a microsecond to a month. */
const lengths = fc.array(
  fc.double({ min: -9.9, max: 31, noNaN: true }).map((power) => 2 ** power),
  { minLength: 1 },
)

t.test('nothing was recorded', async (t) => {
  t.strictSame(new Histogram().read(), { count: 0, mean: 0, p50: 0, p99: 0, max: 0, buckets: [] })
})

t.test('percentiles are within the stated error of the true ones, whatever was recorded', async (t) => {
  fc.assert(
    fc.property(lengths, (lengths) => {
      const { count, mean, p50, p99, max } = histogramOf(lengths).read()
      const sorted = lengths.toSorted((a, b) => a - b)
      const isNear = (found: number, share: number) => {
        const truth = sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
        return Math.abs(found - truth) <= HISTOGRAM_ERROR * truth * 1.000001
      }
      const trueMean = lengths.reduce((sum, length) => sum + length / lengths.length, 0)
      return (
        count === lengths.length &&
        max === sorted.at(-1) &&
        isNear(p50, 0.5) &&
        isNear(p99, 0.99) &&
        Math.abs(mean - trueMean) <= 1e-9 * trueMean
      )
    }),
  )
  t.pass('they are')
})

t.test('every length is in the bucket that is for it, and buckets do not overlap', async (t) => {
  fc.assert(
    fc.property(lengths, (lengths) => {
      const { buckets } = histogramOf(lengths).read()
      const counted = buckets.every(
        ({ from, upTo, count }) => lengths.filter((length) => length >= from && length < upTo).length === count,
      )
      const apart = buckets.every(({ from }, at) => at === 0 || from >= (buckets[at - 1]?.upTo ?? NaN))
      return counted && apart && buckets.reduce((sum, { count }) => sum + count, 0) === lengths.length
    }),
  )
  t.pass('they are')
})

t.test('what no clock can tell apart, and what is no length, counts as 0', async (t) => {
  const { count, p50, p99, max, buckets } = histogramOf([0, -3, NaN, 1e-7, 8]).read()
  t.strictSame({ count, p50, p99, max }, { count: 5, p50: 0, p99: 8, max: 8 })
  t.strictSame(buckets, [
    { from: 0, upTo: 2 ** -10, count: 4 },
    { from: 8, upTo: 9, count: 1 },
  ])
})

t.test('lengths without end count as the longest', async (t) => {
  const { count, buckets } = histogramOf([Infinity, 1e300]).read()
  t.equal(count, 2)
  t.match(buckets, [{ from: 2 ** 32, count: 2 }])
})

t.test('a bucket has room for as many as come in years', async (t) => {
  const histogram = histogramOf([1, 100])
  histogram.record(8, 2 ** 32 - 1)
  for (const length of [8, 8, 1000, 0.01]) histogram.record(length)
  const { count, p50, buckets } = histogram.read()
  t.equal(count, 2 ** 32 + 5)
  t.equal(p50, 8.5)
  const counts = buckets.map((bucket) => bucket.count)
  t.strictSame(counts, [1, 1, 2 ** 32 + 1, 1, 1])
})

t.test('it is plain data', async (t) => {
  const read = histogramOf([1, 2, 3]).read()
  t.strictSame(structuredClone(read), read)
  t.strictSame(JSON.parse(JSON.stringify(read)), read)
})
