import assert from 'node:assert/strict'
import t from 'tap'
import { DueTimesMaker } from '../../../src/cli/plan/due-times.js'
import { total } from '../../../src/cli/plan/series.js'
import fc, { runsOf } from '../../helpers/fast-check.js'
import { CHANGES, cron, crons, interval, naive, timesOf } from './schedules.js'

const HOUR = 3_600_000

t.test('the due times of a cron expression are those of the timetable, also where clocks change', async () => {
  fc.assert(
    fc.property(
      crons,
      fc.constantFrom(...CHANGES),
      fc.integer({ min: -30 * 3600, max: 3 * 3600 }),
      fc.integer({ min: 1, max: 40 * 60 }),
      (text, [zone, change], before, minutes) => {
        const from = Date.parse(change) + before * 1000
        // expressions for each second have as many times in an hour as others in years
        const to = from + (text.startsWith('0 ') ? minutes : Math.min(minutes, 150)) * 60_000
        const schedule = cron(text, zone)
        assert.deepEqual(timesOf(new DueTimesMaker(from, to).of(schedule).within(from, to)), naive(schedule, from, to))
      },
    ),
    { numRuns: runsOf(400) },
  )
})

t.test('the due times of a part of the window are those of the whole', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        crons.map((text) => cron(text, 'Europe/Amsterdam')),
        fc.integer({ min: 400, max: 4 * HOUR }).map((every) => interval(every)),
      ),
      fc.array(fc.integer({ min: 0, max: 48 * 60 }), { minLength: 1, maxLength: 4 }),
      (schedule, cuts) => {
        const from = Date.parse('2026-03-28T10:07Z')
        const to = from + 48 * HOUR
        const due = new DueTimesMaker(from, to).of(schedule)
        const ends = [0, ...cuts.sort((a, b) => a - b), 48 * 60].map((minutes) => from + minutes * 60_000)
        const parts = ends.slice(1).flatMap((end, at) => due.within(ends[at] as number, end))
        assert.equal(total(parts), total(due.within(from, to)))
        assert.ok(parts.every(({ start }, at) => at === 0 || start > (parts[at - 1]?.start ?? 0)))
      },
    ),
    { numRuns: 50 },
  )
})

t.test('the due times of an interval count from the start of the window, aligned ones by the clock', async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 10, max: 7 * HOUR }), fc.constantFrom(1000, 60_000, 24 * HOUR, 168 * HOUR)),
      fc.boolean(),
      fc.integer({ min: 0, max: 10 * 24 * 3600 }),
      fc.integer({ min: 1, max: 20_000 }),
      (every, alignToClock, second, runs) => {
        const from = Date.parse('2026-01-01T00:00Z') + second * 1000
        const to = from + Math.ceil((runs * every) / 7)
        const schedule = interval(every, { alignToClock })
        assert.deepEqual(timesOf(new DueTimesMaker(from, to).of(schedule).within(from, to)), naive(schedule, from, to))
      },
    ),
    { numRuns: 100 },
  )
})

t.test('due times of each second are few series, however long the window is', async (t) => {
  const from = Date.parse('2026-01-01T00:00Z')
  const to = from + 8760 * HOUR
  const maker = new DueTimesMaker(from, to)
  const each = maker.of(cron('* * * * * *', 'Europe/Amsterdam')).within(from, to)
  t.equal(total(each), 8760 * 3600)
  t.ok(each.length < 10, `${each.length} series`)
  t.same(maker.of(interval(1000)).within(from, to), [{ start: from + 1000, step: 1000, count: 8760 * 3600 - 1 }])
})
