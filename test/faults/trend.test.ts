import t from 'tap'
import { Histogram } from './histogram.js'
import { bag, below, seeded } from './random.js'
import { courses, keep, type Window } from './soak-verdict.js'
import { median, quantile, theilSen } from './trend.js'

const MIB = 1024 * 1024

/** Makes windows of 20 s each with the given resident memory, in MiB. */
function windowsOf(resident: readonly number[]): Window[] {
  const rest = { heap: MIB, external: MIB, handles: 5, types: {}, descriptors: 20, threads: undefined, recovery: 0 }
  return resident.map((size, index) => ({
    ...rest,
    at: (index + 1) * 20,
    resident: size * MIB,
    p99: NaN,
    undisturbed: NaN,
  }))
}

const verdictOf = (resident: readonly number[]) =>
  courses(windowsOf(resident)).find(({ name }) => name === 'resident memory')?.verdict

t.test('a trend is not bent by what is far off, and says how sure it is', (t) => {
  const times = Array.from({ length: 40 }, (_, at) => at)
  const line = times.map((time) => 3 + 2 * time)
  t.same(theilSen(times, line), { slope: 2, low: 2, high: 2 })
  const bent = theilSen(
    times,
    line.map((value, at) => (at % 10 === 7 ? value + 1000 : value)),
  )!
  t.ok(Math.abs(bent.slope - 2) < 0.1, String(bent.slope))
  const random = seeded(1)
  const noise = theilSen(
    times,
    times.map(() => random()),
  )!
  t.ok(noise.low < 0 && noise.high > 0, JSON.stringify(noise))
  t.equal(theilSen([1, 2, 3], [1, 2, 3]), undefined, 'three points are none')
  t.end()
})

t.test('the confidence interval has the width that Sen gives it', (t) => {
  // eleven points: by his formula the 14th and the 42nd of the 55 slopes, by the normal approximation
  const times = Array.from({ length: 11 }, (_, at) => at)
  const values = times.map((time) => time ** 2)
  const slopes = times.flatMap((one) => times.filter((other) => other > one).map((other) => other + one))
  slopes.sort((a, b) => a - b)
  const width = 1.96 * Math.sqrt((11 * 10 * 27) / 18)
  t.match(theilSen(times, values), {
    slope: median(slopes),
    low: slopes[Math.floor((55 - width) / 2)],
    high: slopes[Math.ceil((55 + width) / 2)],
  })
  t.end()
})

t.test('medians and quantiles', (t) => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.same(median([]), NaN)
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
  t.same([quantile(hundred, 0.99), quantile(hundred, 1), quantile(hundred, 0), quantile([], 0.5)], [99, 100, 1, NaN])
  const histogram = new Histogram()
  t.same(histogram.quantile(0.5), NaN)
  for (const time of hundred) histogram.add(time * 10 - 5)
  t.match(histogram, { count: 100, longest: 995 })
  t.same([histogram.quantile(0.5), histogram.quantile(1), histogram.longerThan(900)], [500, 995, 10])
  t.end()
})

t.test('what grows is told from what is flat, and from what is not known', (t) => {
  const random = seeded(2)
  const noisy = (rise: number, noise: number, length: number) =>
    Array.from({ length }, (_, at) => 200 + rise * at + noise * random())
  t.equal(verdictOf(noisy(0, 5, 80)), 'flat')
  t.equal(verdictOf(noisy(0.5, 5, 80)), 'grows', 'by 90 MiB an hour')
  t.equal(verdictOf(noisy(0, 100, 20)), 'unknown')
  t.equal(verdictOf(noisy(0.5, 5, 10)), 'unknown', 'a run that is too short')
  t.equal(verdictOf([1, 2]), undefined)
  const names = courses(windowsOf(noisy(0, 5, 80))).map(({ name }) => name)
  t.notOk(names.includes('p99 lateness') || names.includes('threads'), 'what was not measured is not judged')
  t.end()
})

t.test('windows do not become more and more, and show the same trend', (t) => {
  let kept: Window[] = []
  for (const window of windowsOf(Array.from({ length: 5000 }, (_, at) => 100 + at / 180))) kept = keep(kept, window)
  t.ok(kept.length < 400 && kept.length > 100, String(kept.length))
  const course = courses(kept).find(({ name }) => name === 'resident memory')
  t.ok(Math.abs((course?.slope ?? 0) - 1) < 0.01, 'MiB an hour')
  t.end()
})

t.test('what is drawn follows from the seed', (t) => {
  const draw = (seed: number) => Array.from({ length: 5 }, seeded(seed))
  t.same(draw(7), draw(7))
  t.notSame(draw(7), draw(8))
  t.ok(draw(9).every((number) => number >= 0 && number < 1))
  const next = bag(seeded(3), ['a', 'b', 'c'])
  for (let round = 0; round < 3; round++) t.same([next(), next(), next()].sort(), ['a', 'b', 'c'])
  const random = seeded(4)
  t.same(new Set(Array.from({ length: 100 }, () => below(random, 3))), new Set([0, 1, 2]))
  t.end()
})
