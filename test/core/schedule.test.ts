import t from 'tap'
import { describeSchedule, type Schedule } from '../../src/core/schedule.js'
import { toMilliseconds, type Duration } from '../../src/base/duration.js'

t.test('a number is seconds', async (t) => {
  t.equal(toMilliseconds('interval', 5), 5000)
  t.equal(toMilliseconds('interval', 0.25), 250)
})

t.test('the fields of a duration add up', async (t) => {
  const cases: [Duration, number][] = [
    [{ milliseconds: 20 }, 20],
    [{ seconds: 5 }, 5000],
    [{ minutes: 1, seconds: 30 }, 90_000],
    [{ hours: 1.5 }, 5_400_000],
    [{ days: 1, hours: 0 }, 86_400_000],
    [{ weeks: 1 }, 604_800_000],
    [{ weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 }, 694_861_001],
  ]
  for (const [duration, milliseconds] of cases) {
    t.equal(toMilliseconds('interval', duration), milliseconds, JSON.stringify(duration))
  }
})

t.test('an interval under 1 ms, without end or of another kind is refused', async (t) => {
  const wrong: unknown[] = [
    0,
    -1,
    0.0001,
    Number.NaN,
    Infinity,
    '5',
    null,
    undefined,
    true,
    [],
    [5],
    {},
    { seconds: 0 },
  ]
  for (const value of wrong) {
    t.throws(
      () => toMilliseconds('timeout', value as number),
      {
        code: 'DATABAY_INVALID_OPTION',
        option: 'timeout',
        message: /^timeout: expected a number of seconds or a duration like \{ minutes: 5 \}, of at least 1 ms, got /,
      },
      JSON.stringify(value),
    )
  }
})

t.test('what is wrong with a field of a duration is said of that field', async (t) => {
  t.throws(() => toMilliseconds('interval', { second: 5 } as Duration), {
    option: 'interval.second',
    message: "interval.second: expected one of milliseconds, seconds, minutes, hours, days, weeks, got 'second'",
  })
  for (const amount of [-1, Number.NaN, Infinity, '5', null, undefined]) {
    t.throws(() => toMilliseconds('interval', { hours: 1, minutes: amount } as Duration), {
      option: 'interval.minutes',
      message: /^interval\.minutes: expected a number of at least 0, got /,
    })
  }
})

t.test('a schedule is described in words', async (t) => {
  const schedule: Schedule = {
    every: undefined,
    cron: undefined,
    timeZone: undefined,
    jitter: 0,
    alignToClock: false,
  }
  t.equal(describeSchedule({ ...schedule, every: 5000 }), '5s')
  t.equal(describeSchedule({ ...schedule, every: 250 }), '0.25s')
  t.equal(describeSchedule({ ...schedule, cron: '0 9 * * 1-5' }), 'cron 0 9 * * 1-5')
  t.equal(
    describeSchedule({ ...schedule, cron: '0 9 * * 1-5', timeZone: 'Europe/Amsterdam' }),
    'cron 0 9 * * 1-5 (Europe/Amsterdam)',
  )
})
