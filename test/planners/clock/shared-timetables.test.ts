import t from 'tap'
import type { Schedule } from '../../../src/core/schedule.js'
import { SharedTimetables } from '../../../src/planners/clock/shared-timetables.js'

const every: Schedule = { every: 1000, cron: undefined, timeZone: undefined, jitter: 0, alignToClock: false }
const cron = (expression: string, timeZone?: string): Schedule => ({
  ...every,
  ...{ every: undefined, cron: expression, timeZone },
})

t.test('those with the same cron expression in the same time zone share a timetable', async (t) => {
  const timetables = new SharedTimetables()
  const times = timetables.take(cron('* * * * *'))
  t.equal(timetables.take(cron('* * * * *')), times)
  t.not(timetables.take(cron('*/2 * * * *')), times)
  t.not(timetables.take(cron('* * * * *', 'Europe/Amsterdam')), times)
  t.not(timetables.take(every), timetables.take(every))
})

t.test('a timetable is kept until the last that goes by it has gone', async (t) => {
  const timetables = new SharedTimetables()
  const times = timetables.take(cron('* * * * *'))
  timetables.take(cron('* * * * *'))
  timetables.release(cron('* * * * *'))
  t.equal(timetables.take(cron('* * * * *')), times)
  timetables.release(cron('* * * * *'))
  timetables.release(cron('* * * * *'))
  timetables.release(every)
  t.not(timetables.take(cron('* * * * *')), times)
})
