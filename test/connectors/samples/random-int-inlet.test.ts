import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { RandomIntInlet } from '../../../src/connectors/samples/random-int-inlet.js'

const pulls = (inlet: RandomIntInlet, count: number) => Array.from({ length: count }, () => inlet.pull())

t.test('numbers are integers from min to max, both included', async (t) => {
  t.same(new Set(pulls(new RandomIntInlet(-1, 1), 1000)), new Set([-1, 0, 1]))
  t.same(new Set(pulls(new RandomIntInlet(-1, 1, { seed: 1 }), 1000)), new Set([-1, 0, 1]))
  t.same(pulls(new RandomIntInlet(5, 5), 3), [5, 5, 5])
  t.ok(pulls(new RandomIntInlet(), 1000).every((number) => number >= 0 && number <= 100))
  const bounds = fc.tuple(fc.integer(), fc.integer({ min: 0 }), fc.integer())
  fc.assert(
    fc.property(bounds, ([min, more, seed]) =>
      pulls(new RandomIntInlet(min, min + more, { seed }), 5).every(
        (number) => Number.isInteger(number) && number >= min && number <= min + more,
      ),
    ),
  )
})

t.test('large ranges are used in full', async (t) => {
  const numbers = pulls(new RandomIntInlet(0, Number.MAX_SAFE_INTEGER - 1, { seed: 1 }), 1000)
  t.ok(Math.max(...numbers) > 0.99 * Number.MAX_SAFE_INTEGER)
  t.ok(numbers.some((number) => number % 2 === 1))
})

t.test('numbers are spread evenly', async (t) => {
  const counts = new Array<number>(10).fill(0)
  for (const number of pulls(new RandomIntInlet(0, 9, { seed: 42 }), 100_000)) counts[number]!++
  // 99.9 % quantile of chi squared with 9 degrees of freedom
  t.ok(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0) < 27.9)
})

t.test('a seed gives the same sequence at every run', async (t) => {
  const first = pulls(new RandomIntInlet(0, 100, { seed: 7 }), 5)
  t.same(pulls(new RandomIntInlet(0, 100, { seed: 7 }), 5), first)
  t.notSame(pulls(new RandomIntInlet(0, 100, { seed: 8 }), 5), first)
  t.same(first, [1, 98, 52, 47, 55])
})

t.test('another instance goes on where the state was saved', async (t) => {
  const one = new RandomIntInlet(0, 100, { seed: 7 })
  pulls(one, 3)
  const other = new RandomIntInlet(0, 100, { seed: 7 })
  other.restoreState(structuredClone(one.saveState()))
  t.same(pulls(other, 3), pulls(one, 3))

  const unseeded = new RandomIntInlet()
  t.equal(unseeded.saveState(), undefined)
  unseeded.restoreState(undefined)
  t.equal(unseeded.saveState(), undefined)
})

t.test('options are checked', async (t) => {
  const cases: [unknown, unknown, object, string][] = [
    [0.5, 100, {}, 'RandomIntInlet.min: expected an integer, got 0.5'],
    ['0', 100, {}, "RandomIntInlet.min: expected an integer, got '0'"],
    [0, NaN, {}, 'RandomIntInlet.max: expected an integer, got NaN'],
    [2, 1, {}, 'RandomIntInlet.min: expected at most max, which is 1, got 2'],
    [-1, Number.MAX_SAFE_INTEGER, {}, 'RandomIntInlet.max: expected less than 2 ** 53 above min'],
    [0, 1, { seed: 0.5 }, 'RandomIntInlet.seed: expected an integer, got 0.5'],
    [
      0,
      1,
      { sead: 1 },
      "RandomIntInlet.sead: expected one of the options, got 'sead': did you mean seed? They are metadata, name, seed",
    ],
  ]
  for (const [min, max, options, message] of cases) {
    t.throws(() => new RandomIntInlet(min as number, max as number, options), { message })
  }
})
