import t from 'tap'
import { tableLines, timeText } from '../../../src/cli/links/link-text.js'
import { scheduleText } from '../../../src/core/schedule.js'
import { sharedIds } from '../../../src/planners/link-ids.js'

const schedule = { every: undefined, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }

t.test('a schedule reads as a person says it', async (t) => {
  for (const [every, text] of [
    [5000, 'every 5 s'],
    [100, 'every 100 ms'],
    [90_000, 'every 1.5 min'],
    [100_000, 'every 100 s'],
    [7_200_000, 'every 2 h'],
    [86_400_000, 'every 1 day'],
    [1_209_600_000, 'every 2 weeks'],
    [0.25, 'every 0.25 ms'],
  ] as const) {
    t.equal(scheduleText({ ...schedule, every }), text)
  }
  t.equal(
    scheduleText({ ...schedule, every: 600_000, alignToClock: true, jitter: 2000 }),
    'every 10 min by the clock + up to 2 s',
  )
  t.equal(scheduleText({ ...schedule, cron: '0 9 * * *', timeZone: 'Europe/Oslo' }), 'cron 0 9 * * * (Europe/Oslo)')
})

t.test('a time of another day has its date', async (t) => {
  const now = new Date(2026, 0, 31, 12).getTime()
  t.equal(timeText(new Date(2026, 0, 31, 23, 59, 1).getTime(), now), '23:59:01')
  t.equal(timeText(new Date(2026, 1, 1, 0, 0, 0).getTime(), now), '2026-02-01 00:00:00')
})

t.test('the columns of a table stand below each other', async (t) => {
  t.same(
    tableLines([
      ['link', 'due'],
      ['a', 'now'],
      ['longer', 'later'],
    ]),
    ['link     due', 'a        now', 'longer   later'],
  )
})

t.test('ids that several links have are found, once each', async (t) => {
  t.same(sharedIds([{ id: 'a' }, { id: 'b' }, { id: 'a' }, { id: 'a' }, {}, {}]), ['a'])
})
