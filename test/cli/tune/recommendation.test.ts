import t from 'tap'
import { median, recommend, type Trial } from '../../../src/cli/tune/recommendation.js'

/** Makes a trial with so many threads: `rates` are of one link, round by round. */
function trial(threads: number, ...rates: number[]): Trial {
  return { threads, transfersPerThread: 1000, rates: rates.map((rate) => new Map([['link', rate]])) }
}

/** Makes a trial of several links in one round. */
function mixed(threads: number, rates: { readonly [link: string]: number }): Trial {
  return { threads, transfersPerThread: 1000, rates: [new Map(Object.entries(rates))] }
}

t.test('the smallest that is within 5 % of the best is recommended, with the reason', async (t) => {
  const { chosen, speedUps, reason } = recommend([trial(1, 100), trial(2, 190), trial(4, 192)], 2)
  t.equal(chosen, 1)
  t.strictSame(
    speedUps.map((speedUp) => speedUp.toFixed(2)),
    ['1.00', '1.90', '1.92'],
  )
  t.equal(reason, '2 threads: 1.90 × 1 thread; 4 threads gain nothing more (1.01 ×; 2 cores)')
})

t.test('one thread is enough when more gain nothing, or lose', async (t) => {
  const { chosen, reason } = recommend([trial(1, 100), trial(2, 104), trial(4, 90)], 4)
  t.equal(chosen, 0)
  t.equal(reason, '1 thread: 2 threads and 4 threads gain nothing more (at most 1.04 ×; 4 cores)')
})

t.test('when the largest is the best, it is said that more was not tried', async (t) => {
  const { chosen, reason } = recommend([trial(1, 100), trial(2, 200), trial(4, 390)], 8)
  t.equal(chosen, 2)
  t.equal(reason, '4 threads: 3.90 × 1 thread; more was not tried')
  t.equal(recommend([trial(3, 5)], 8).reason, '3 threads: more was not tried')
})

t.test('just more than 5 % is a gain', async (t) => {
  t.equal(recommend([trial(1, 94.9), trial(2, 100)], 2).chosen, 1)
  t.equal(recommend([trial(1, 95.1), trial(2, 100)], 2).chosen, 0)
})

t.test('what is compared is of one round: a slow round hits all alike', async (t) => {
  const [one, two] = [trial(1, 100, 10, 100, 50, 20), trial(2, 190, 19, 190, 95, 38)]
  const { speedUps } = recommend([one, two], 2)
  t.ok(Math.abs((speedUps[1] ?? 0) - 1.9) < 1e-9)
})

t.test('where rounds differ much, the smallest is preferred to one that may be as good, up to 15 %', async (t) => {
  const uncertain = trial(2, 190, 190, 190, 190, 190)
  t.equal(recommend([uncertain, trial(4, 180, 240, 205, 190, 230)], 2).chosen, 0, 'it is 8 % more')
  t.equal(recommend([uncertain, trial(4, 205, 205, 205, 206, 204)], 2).chosen, 1, 'it is 8 % more, for sure')
  t.equal(recommend([uncertain, trial(4, 150, 400, 230, 190, 300)], 2).chosen, 1, 'it is 21 % more')
})

t.test('a round that something spoilt does not count', async (t) => {
  const [one, two] = [trial(1, 100, 100, 100, 100, 100), trial(2, 190, 3, 190, 190, 190)]
  t.equal(recommend([one, two, trial(4, 190, 190, 900, 190, 190)], 2).chosen, 1)
})

t.test('each link counts alike, however many records it makes', async (t) => {
  // the link of many records gains a tenth, the other one is twice as fast
  const { chosen, speedUps } = recommend(
    [mixed(1, { many: 1_000_000, few: 1 }), mixed(2, { many: 1_100_000, few: 2 })],
    2,
  )
  t.equal(chosen, 1)
  t.ok(Math.abs((speedUps[1] ?? 0) - Math.sqrt(2.2)) < 1e-9)
})

t.test('a link that gets nothing done with a setting speaks against it', async (t) => {
  t.equal(recommend([mixed(1, { a: 1, b: 1 }), mixed(2, { a: 2 })], 2).chosen, 0)
  t.equal(recommend([mixed(1, { a: 1, b: 0 }), mixed(2, { a: 1, b: 0 })], 2).chosen, 0)
})

t.test('settings of as many threads are told apart by their transfers', async (t) => {
  const one = { ...trial(1, 100), transfersPerThread: 1 }
  const { reason } = recommend([one, trial(1, 300), trial(2, 301)], 2)
  t.equal(
    reason,
    '1 thread of 1000 transfers: 3.00 × 1 thread of 1 transfer; 2 threads of 1000 transfers gain nothing more (1.00 ×; 2 cores)',
  )
})

t.test('the median', async (t) => {
  t.equal(median([3]), 3)
  t.equal(median([9, 1, 3]), 3)
  t.equal(median([1, 2, 4, 100]), 3)
})
