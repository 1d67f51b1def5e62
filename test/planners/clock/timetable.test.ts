import t from 'tap'
import type { Schedule } from '../../../src/core/schedule.js'
import { timetable, type Timetable } from '../../../src/planners/clock/timetable.js'

const NEVER: Schedule = { every: undefined, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }

const every = (milliseconds: number) => timetable({ ...NEVER, every: milliseconds })
const aligned = (milliseconds: number) => timetable({ ...NEVER, every: milliseconds, alignToClock: true })
const cron = (expression: string, timeZone = 'UTC') => timetable({ ...NEVER, cron: expression, timeZone })

const iso = (epoch: number) => new Date(epoch).toISOString()

/** Due times after `from` up to `to`, with a look at each just when it is due. */
function timesBetween(times: Timetable, from: string, to: string): string[] {
  const found: string[] = []
  for (let due = times.first(Date.parse(from)); due <= Date.parse(to); due = times.next(due, due).due) {
    found.push(iso(due))
  }
  return found
}

t.test('an interval counts from when it is asked, on the clock that never jumps', async (t) => {
  const times = every(1000)
  t.equal(times.clock, 'monotonic')
  t.equal(times.first(250), 1250)
})

t.test('an interval does not drift, however late it is looked at', async (t) => {
  const times = every(1000)
  t.strictSame(times.next(1250, 1250), { due: 2250, missed: 0 })
  t.strictSame(times.next(1250, 1250.4), { due: 2250, missed: 0 })
  t.strictSame(times.next(1250, 2249.9), { due: 2250, missed: 0 })
  let due = times.first(0)
  for (let run = 0; run < 1000; run++) due = times.next(due, due + (run % 7)).due
  t.equal(due, 1_001_000)
})

t.test('what has passed of an interval is missed, and counted', async (t) => {
  const times = every(1000)
  t.strictSame(times.next(1000, 2000), { due: 3000, missed: 1 }, 'a time is passed when it has come')
  t.strictSame(times.next(1000, 2999), { due: 3000, missed: 1 })
  t.strictSame(times.next(1000, 60_500), { due: 61_000, missed: 59 })
})

t.test('a time that is looked at early is not looked at again', async (t) => {
  t.strictSame(every(1000).next(1000, 999.6), { due: 2000, missed: 0 })
  t.strictSame(aligned(1000).next(1000, 999.6), { due: 2000, missed: 0 })
})

t.test('an interval aligned to the clock is due at whole multiples of itself', async (t) => {
  const times = aligned(600_000)
  t.equal(times.clock, 'wall')
  t.equal(iso(times.first(Date.parse('2026-01-01T10:03:20.500Z'))), '2026-01-01T10:10:00.000Z')
  t.equal(iso(times.first(Date.parse('2026-01-01T10:10:00Z'))), '2026-01-01T10:20:00.000Z', 'strictly after')
  const due = Date.parse('2026-01-01T10:10:00Z')
  t.strictSame(times.next(due, due + 1_500_000), { due: Date.parse('2026-01-01T10:40:00Z'), missed: 2 })
})

t.test('weeks that are aligned to the clock begin on Mondays', async (t) => {
  const week = 7 * 86_400_000
  for (const [weeks, due] of [
    [1, '2026-01-05T00:00:00.000Z'],
    [2, '2026-01-05T00:00:00.000Z'],
    [4, '2026-01-19T00:00:00.000Z'],
  ] as const) {
    const times = aligned(weeks * week)
    t.equal(iso(times.first(Date.parse('2026-01-01T10:00:00Z'))), due, `${weeks} weeks`)
    t.equal(times.first(Date.parse(due)), Date.parse(due) + weeks * week, 'strictly after')
    const next = Date.parse(due) + 3 * weeks * week
    t.strictSame(times.next(Date.parse(due), next - 1), { due: next, missed: 2 })
    t.equal(new Date(times.first(-1e12)).getUTCDay(), 1, 'also before 1970')
  }
  t.equal(iso(aligned(week / 7).first(Date.parse('2026-01-01T10:00:00Z'))), '2026-01-02T00:00:00.000Z', 'days do not')
})

t.test('an interval with a fraction of a millisecond stays aligned to the clock for months', async (t) => {
  const interval = 1000 / 3
  const times = aligned(interval)
  const from = Date.parse('2020-01-01T00:00:00Z')
  const runs = 1_000_000
  let due = times.first(from)
  for (let run = 0; run < runs; run++) due = times.next(due, due).due
  t.equal(due, Math.round(due / interval) * interval, 'a multiple of it')
  t.ok(Math.abs(due - from - (runs + 1) * interval) < 0.001)
})

t.test('a cron expression is due at its times', async (t) => {
  const times = cron('*/20 * * * *')
  t.equal(times.clock, 'wall')
  t.strictSame(timesBetween(times, '2026-01-01T10:20:00Z', '2026-01-01T11:20:00Z'), [
    '2026-01-01T10:40:00.000Z',
    '2026-01-01T11:00:00.000Z',
    '2026-01-01T11:20:00.000Z',
  ])
})

t.test('what has passed of a cron expression is missed, and counted', async (t) => {
  const times = cron('*/20 * * * *')
  const due = Date.parse('2026-01-01T10:00:00Z')
  t.strictSame(times.next(due, due + 1), { due: due + 1_200_000, missed: 0 })
  t.strictSame(times.next(due, due + 1_200_000), { due: due + 2_400_000, missed: 1 })
  t.strictSame(times.next(due, due + 4_000_000), { due: due + 4_800_000, missed: 3 })
})

t.test('items that share a cron expression may ask in any order', async (t) => {
  const shared = cron('*/10 * * * * *')
  const start = Date.parse('2026-01-01T10:00:00Z')
  const asked: [due: number, now: number][] = [
    [0, 35],
    [0, 35],
    [0, 38.5],
    [0, 30],
    [0, 29.9],
    [0, 40],
    [10, 40],
    [0, 5],
    [0, -3],
    [0, 5],
  ]
  for (const [due, now] of asked) {
    const question = [start + due * 1000, start + now * 1000] as const
    t.strictSame(shared.next(...question), cron('*/10 * * * * *').next(...question), `${due}, ${now}`)
  }
})

t.test('of a long stall no more than 1,000 times of a cron expression are counted', async (t) => {
  const times = cron('* * * * * *')
  const due = Date.parse('2026-01-01T10:00:00Z')
  const now = due + 3_600_000
  t.strictSame(times.next(due, now), { due: now + 1000, missed: 1000 })
  t.strictSame(times.next(due, now + 1500), { due: now + 2000, missed: 1000 })
})

t.test('in the night that skips an hour, a time in the gap comes once, when the gap is over', async (t) => {
  const amsterdam = cron('30 2 * * *', 'Europe/Amsterdam')
  t.strictSame(timesBetween(amsterdam, '2026-03-27T12:00:00Z', '2026-03-31T12:00:00Z'), [
    '2026-03-28T01:30:00.000Z', // 02:30
    '2026-03-29T01:00:00.000Z', // 03:00: there is no 02:30
    '2026-03-30T00:30:00.000Z', // 02:30
    '2026-03-31T00:30:00.000Z',
  ])
  const newYork = cron('30 2 * * *', 'America/New_York')
  t.strictSame(timesBetween(newYork, '2026-03-07T00:00:00Z', '2026-03-09T12:00:00Z'), [
    '2026-03-07T07:30:00.000Z', // 02:30
    '2026-03-08T07:00:00.000Z', // 03:00: there is no 02:30
    '2026-03-09T06:30:00.000Z', // 02:30
  ])
})

t.test('in the night that repeats an hour, a time in that hour comes once', async (t) => {
  const amsterdam = timesBetween(cron('30 2 * * *', 'Europe/Amsterdam'), '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')
  t.equal(amsterdam.length, 2)
  t.match(amsterdam[0], /^2026-10-25T0[01]:30:00/)
  t.equal(amsterdam[1], '2026-10-26T01:30:00.000Z')

  const newYork = timesBetween(cron('30 1 * * *', 'America/New_York'), '2026-10-31T12:00:00Z', '2026-11-02T12:00:00Z')
  t.equal(newYork.length, 2)
  t.match(newYork[0], /^2026-11-01T0[56]:30:00/)
  t.equal(newYork[1], '2026-11-02T06:30:00.000Z')
})

t.test('an hourly cron expression comes once in each hour of both nights', async (t) => {
  for (const [zone, from, to] of [
    ['Europe/Amsterdam', '2026-03-28T22:00:00Z', '2026-03-29T05:00:00Z'],
    ['Europe/Amsterdam', '2026-10-24T22:00:00Z', '2026-10-25T05:00:00Z'],
    ['America/New_York', '2026-03-08T04:00:00Z', '2026-03-08T11:00:00Z'],
    ['America/New_York', '2026-11-01T03:00:00Z', '2026-11-01T10:00:00Z'],
  ] as const) {
    const hours = timesBetween(cron('0 * * * *', zone), from, to)
    const expected = Array.from({ length: 7 }, (_, hour) => iso(Date.parse(from) + (hour + 1) * 3_600_000))
    t.strictSame(hours, expected, `${zone}, ${from}`)
  }
})
