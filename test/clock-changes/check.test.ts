import fc from '../helpers/fast-check.js'
import t from 'tap'
import { CronTimes } from '../../src/planners/clock/cron-times.js'
import { changesOf } from './changes.js'
import { check } from './check.js'
import { AROUND, dueTimes, lookAt } from './model.js'

// a sample: `npm run test:clock-changes` checks all time zones and years
const ZONES = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'America/Havana',
  'America/New_York',
  'America/Nuuk',
  'America/Santiago',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Europe/Amsterdam',
  'Pacific/Chatham',
]

const YEAR = ZONES.map((zone) => changesOf(zone, Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)))
const CHANGES = YEAR.flat()

t.test('around each change of the clock no due time and no day is lost, and none is doubled', async (t) => {
  t.ok(YEAR.every((changes) => changes.length === 2))
  for (const change of CHANGES) {
    const { lost, doubled, due } = check(change)
    t.strictSame(
      { lost, doubled },
      { lost: [], doubled: [] },
      `${change.timeZone}, ${new Date(change.at).toISOString()}`,
    )
    t.ok(due > 600)
  }
})

t.test('whenever it is asked, a cron expression tells the first time that follows', async () => {
  const looks = CHANGES.map(lookAt)
  const minutes = fc.uniqueArray(
    fc.integer({ min: 0, max: 11 }).map((fives) => fives * 5),
    { minLength: 1, maxLength: 3 },
  )
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      fc.constantFrom(...looks),
      fc.option(minutes, { nil: undefined }),
      fc.option(hours, { nil: undefined }),
      fc.array(fc.integer({ min: -AROUND, max: AROUND }), { minLength: 5, maxLength: 5 }),
      (look, someMinutes, someHours, asked) => {
        const job = {
          cron: `${someMinutes?.join(',') ?? '*/5'} ${someHours?.join(',') ?? '*'} * * *`,
          names: (hour: number, minute: number) =>
            someMinutes?.includes(minute) !== false && someHours?.includes(hour) !== false,
          keepsPace: someMinutes === undefined || someHours === undefined,
          daily: false,
        }
        const due = [...dueTimes(look, job).keys()]
        const times = new CronTimes(job.cron, look.change.timeZone)
        for (const distance of asked) {
          const time = look.change.at + distance
          const expected = due.find((at) => at > time)
          if (expected === undefined) continue // it comes later than was looked
          const told = times.after(time)
          if (told === expected) continue
          const [wrong, right, at] = [told, expected, time].map((ms) => new Date(ms).toISOString())
          throw new Error(`${job.cron} in ${look.change.timeZone}, asked at ${at}: ${wrong}, not ${right}`)
        }
      },
    ),
    { numRuns: 300 },
  )
})
