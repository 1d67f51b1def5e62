import assert from 'node:assert/strict'
import t from 'tap'
import type { Duration } from '../../../src/cli/plan/durations.js'
import { planOf } from '../../../src/cli/plan/plan.js'
import type { LinkToPlan } from '../../../src/cli/plan/planned.js'
import fc, { runsOf } from '../../helpers/fast-check.js'
import { cron, crons, interval, naive } from './schedules.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const FROM = Date.parse('2026-03-28T20:17:30Z')

const link = (id: string, more: Partial<LinkToPlan> = {}): LinkToPlan => ({
  id,
  tags: [],
  schedule: interval(60_000),
  immediateTransfer: false,
  maxInstances: 1,
  lane: 'auto',
  ...more,
})

const links = fc
  .array(
    fc.record({
      schedule: fc.oneof(
        fc.integer({ min: 300, max: 900_000 }).map((every) => interval(every)),
        fc.constantFrom(1000, 5000, 60_000, HOUR, 100 * HOUR).map((every) => interval(every)),
        crons.filter((text) => text.startsWith('0 ')).map((text) => cron(text, 'Europe/Amsterdam')),
      ),
      immediateTransfer: fc.boolean(),
      maxInstances: fc.integer({ min: 1, max: 3 }),
      lane: fc.constantFrom('io', 'cpu', 'auto'),
      took: fc.oneof(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 2000 }).map((s) => s * SECOND),
      ),
      busy: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((all) => all.map((one, at) => ({ ...one, id: `link${at}`, tags: [] })))

/** Due times of a link, one by one, with that of the start. */
function dueOf({ schedule, immediateTransfer }: Pick<LinkToPlan, 'schedule' | 'immediateTransfer'>, to: number) {
  const due = naive(schedule, FROM, to)
  return immediateTransfer && due[0] !== FROM ? [FROM, ...due] : due
}

/** The runs that are made, as a dispatcher decides it: one after the other. */
function made(due: readonly number[], took: number, most: number) {
  let ends: number[] = []
  let overlapping = 0
  const runs: number[] = []
  for (const at of due) {
    ends = ends.filter((end) => end > at)
    if (ends.length >= most) continue
    if (ends.length > 0) overlapping++
    ends.push(at + took)
    runs.push(at)
  }
  return { runs, skipped: due.length - runs.length, overlapping }
}

t.test('a plan counts what a list of all due times has', async () => {
  fc.assert(
    fc.property(links, fc.integer({ min: 1, max: 150 }), (some, minutes) => {
      const to = FROM + minutes * MINUTE
      const durations = new Map(
        some.map(({ id, took, busy }): [string, Duration] => [
          id,
          { took, busy: busy * took, source: 'ledger', runs: 1 },
        ]),
      )
      const plan = planOf({ links: some, from: FROM, to, durations, transfersPerThread: 1000 })
      const due = some.map((one) => dueOf(one, to))
      assert.equal(plan.runs, due.flat().length)

      const perMinute = new Array<number>(minutes).fill(0)
      for (const at of due.flat()) perMinute[Math.floor((at - FROM) / MINUTE)]! += 1
      assert.deepEqual([...plan.counts.values], perMinute)

      const atOnce = new Map<number, number>()
      for (const times of due) {
        const seconds = new Set(times.map((at) => Math.floor(at / SECOND)))
        for (const second of seconds) atOnce.set(second, (atOnce.get(second) ?? 0) + 1)
      }
      // a link that starts, and is due within that second, counts twice there
      const most = Math.max(...atOnce.values(), 0)
      if (!some.some(({ schedule }) => (schedule.every ?? SECOND) < SECOND)) {
        assert.equal(plan.peaks[0]?.links ?? 0, most)
        assert.equal(plan.peaks[0]?.times ?? 0, [...atOnce.values()].filter((count) => count === most).length)
        assert.equal(plan.peaks[0]?.names.length ?? 0, most)
      }

      for (const [at, one] of some.entries()) {
        const times = due[at] ?? []
        const row = plan.links[at]
        const expected = made(times, one.took, one.maxInstances)
        assert.deepEqual(
          [row?.runs, row?.first, row?.last, row?.skipped, row?.overlapping],
          [times.length, times[0], times.at(-1), expected.skipped, expected.overlapping],
        )
      }

      const events = some.flatMap(({ took, maxInstances }, at) =>
        made(due[at] ?? [], took, maxInstances).runs.flatMap((start) => [
          [start, 1] as const,
          [start + took, -1] as const,
        ]),
      )
      let [now, top] = [0, 0]
      for (const [, change] of events.sort((a, b) => a[0] - b[0] || a[1] - b[1])) top = Math.max(top, (now += change))
      const { most: moment } = plan.threads ?? {}
      assert.equal((moment?.computing ?? 0) + (moment?.waiting ?? 0), top)
      if (plan.threads !== undefined) assert.equal(plan.threads.names.length, new Set(plan.threads.names).size)
    }),
    { numRuns: runsOf(150) },
  )
})

t.test('a link that is not due in the window has its next due time', async (t) => {
  const yearly = link('yearly', { schedule: cron('0 0 1 1 *', 'UTC') })
  const slow = link('slow', { schedule: interval(30 * HOUR) })
  const { links: rows, quiet, threads } = plan([yearly, slow], 24)
  t.match(rows, [
    { runs: 0, first: undefined, next: Date.parse('2027-01-01T00:00Z') },
    { runs: 0, first: undefined, next: FROM + 30 * HOUR },
  ])
  t.same(quiet, [{ from: FROM, to: FROM + 24 * HOUR }])
  t.equal(threads, undefined)
})

t.test('hours without a run are told, the longest first', async (t) => {
  const { quiet } = plan([link('office', { schedule: cron('0 6,7,9 * * *', 'UTC') })], 24)
  // a run has its minute
  t.same(
    quiet.map(({ from, to }) => [from, to].map((time) => new Date(time).toISOString().slice(11))),
    [
      ['09:00:30.000Z', '20:17:30.000Z'],
      ['20:17:30.000Z', '05:59:30.000Z'],
      ['07:00:30.000Z', '08:59:30.000Z'],
    ],
  )
})

t.test('changes of the clock are told with what they do to a run', async (t) => {
  const zone = 'Europe/Amsterdam'
  const night = [
    link('moved', { schedule: cron('30 2 * * *', zone) }),
    link('left', { schedule: cron('*/20 * * * *', zone) }),
    link('other', { schedule: cron('30 4 * * *', zone) }),
    link('elsewhere', { schedule: cron('30 2 * * *', 'UTC') }),
    link('interval'),
  ]
  const told = (changes: ReturnType<typeof plan>['changes']) =>
    changes.map(({ effect, times, first, links }) => [
      links.join(),
      effect,
      times,
      new Date(first).toISOString().slice(11, 16),
    ])
  t.same(told(plan(night, 24).changes), [
    ['moved', 'moved', 1, '02:30'],
    ['left', 'leftOut', 3, '02:00'],
  ])
  t.same(told(plan(night, 24, Date.parse('2026-10-24T12:00Z')).changes), [
    ['moved', 'once', 1, '02:30'],
    ['left', 'twice', 3, '02:00'],
  ])
})

t.test('runs that compute need a thread each, and those that wait share', async (t) => {
  const all = Array.from({ length: 6 }, (_, at) => link(`link${at}`, { maxInstances: 1 }))
  const durations = new Map(
    all.map(({ id }, at): [string, Duration] => [
      id,
      { took: 1000, busy: at < 2 ? 900 : 300, source: 'ledger', runs: 9 },
    ]),
  )
  const { threads } = planOf({ links: all, from: FROM, to: FROM + HOUR, durations, transfersPerThread: 1000 })
  // 4 runs hold a thread for 0.3 of their time each
  t.match(threads, {
    needed: 4,
    neededAt: { computing: 2, waiting: 4, at: FROM + MINUTE },
    most: { computing: 2, waiting: 4 },
  })
  const crowded = planOf({ links: all, from: FROM, to: FROM + HOUR, durations, transfersPerThread: 1 })
  t.equal(crowded.threads?.needed, 6)
})

t.test('a plan of very many links for a year is made within bounds', async (t) => {
  const each = Array.from({ length: 10_000 }, (_, at) => link(`link${at}`, { schedule: interval(1000) }))
  const durations = new Map(
    each.map(({ id }): [string, Duration] => [id, { took: 20, busy: 5, source: 'ledger', runs: 9 }]),
  )
  const plan = planOf({ links: each, from: FROM, to: FROM + 8760 * HOUR, durations, transfersPerThread: 1000 })
  t.equal(plan.runs, 10_000 * (8760 * 3600 - 1))
  t.equal(plan.peaks[0]?.links, 10_000)
  t.match(plan.threads, { most: { computing: 0, waiting: 10_000 }, needed: 50 })
})

function plan(some: readonly LinkToPlan[], hours: number, from = FROM) {
  return planOf({ links: some, from, to: from + hours * HOUR, durations: new Map(), transfersPerThread: 1000 })
}
