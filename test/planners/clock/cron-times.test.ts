import t from 'tap'
import { CronTimes } from '../../../src/planners/clock/cron-times.js'

t.test('cron times come after the time that is asked', async (t) => {
  const times = new CronTimes('*/10 * * * * *', 'UTC')
  const noon = Date.UTC(2026, 0, 1, 12)
  t.equal(times.after(noon), noon + 10_000, 'strictly after')
  t.equal(times.after(noon), noon + 10_000, 'the same answer when asked again')
  t.equal(times.after(noon + 9999), noon + 10_000)
  t.equal(times.after(noon + 10_000), noon + 20_000)
  t.equal(times.after(noon), noon + 10_000, 'and going back is no trouble')
})

t.test('cron times follow their time zone over a change of the clock', async (t) => {
  const nineInAmsterdam = new CronTimes('0 9 * * *', 'Europe/Amsterdam')
  // the clock went forward on 29 March 2026
  t.equal(nineInAmsterdam.after(Date.UTC(2026, 2, 28, 12)), Date.UTC(2026, 2, 29, 7))
  t.equal(nineInAmsterdam.after(Date.UTC(2026, 2, 27, 12)), Date.UTC(2026, 2, 28, 8))
})

t.test('cron times without a time zone are those of the process', async (t) => {
  const start = new Date(2026, 5, 1, 8, 30)
  t.equal(new CronTimes('0 9 * * *', undefined).after(start.getTime()), new Date(2026, 5, 1, 9).getTime())
})

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 16)}Z`

/** The first times of an expression after a time. */
function timesAfter(cron: string, timeZone: string | undefined, from: string, count: number): string[] {
  const times = new CronTimes(cron, timeZone)
  const found: number[] = []
  for (let time = Date.parse(from); found.length < count;) found.push((time = times.after(time)))
  return found.map(iso)
}

t.test('a time in a gap comes once, when the gap is over', async (t) => {
  for (const [cron, timeZone, from, due] of [
    ['30 2 * * *', 'Europe/Amsterdam', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['0 0 * * *', 'America/Santiago', '2026-09-05T12:00Z', '2026-09-06T04:00Z'],
    ['0 0 * * *', 'Africa/Cairo', '2026-04-23T12:00Z', '2026-04-23T22:00Z'],
    ['0 0 * * *', 'Asia/Beirut', '2026-03-28T12:00Z', '2026-03-28T22:00Z'],
    ['0 0 * * *', 'America/Havana', '2026-03-07T12:00Z', '2026-03-08T05:00Z'],
    ['30 0 * * *', 'Atlantic/Azores', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['30 23 * * *', 'America/Nuuk', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-03T15:30Z'],
    ['15 1 * * *', 'Antarctica/Troll', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['0 2 * * 0', 'Europe/Amsterdam', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['*/20 2 * * *', 'Europe/Amsterdam', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['*/10 30 2 * * *', 'Europe/Amsterdam', '2026-03-28T12:00Z', '2026-03-29T01:00Z'],
    ['0 0 6 9 *', 'America/Santiago', '2026-01-01T12:00Z', '2026-09-06T04:00Z'],
  ] as const) {
    const [first = '', second = ''] = timesAfter(cron, timeZone, from, 2)
    t.equal(first, due, `${cron} in ${timeZone}`)
    t.ok(Date.parse(second) - Date.parse(first) > 20 * 3_600_000, `and not again before the next day: ${second}`)
  }
})

t.test('in an hour that comes twice a fixed time comes at the first pass, whatever the seconds are', async (t) => {
  t.strictSame(timesAfter('0,30 1-3 * * *', 'Europe/Amsterdam', '2026-10-24T22:00Z', 7), [
    '2026-10-24T23:00Z',
    '2026-10-24T23:30Z',
    '2026-10-25T00:00Z', // 02:00
    '2026-10-25T00:30Z',
    '2026-10-25T02:00Z', // 03:00
    '2026-10-25T02:30Z',
    '2026-10-26T00:00Z',
  ])
  t.strictSame(timesAfter('*/30 30 2 * * *', 'Europe/Amsterdam', '2026-10-24T12:00Z', 3), [
    '2026-10-25T00:30Z',
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ])
  t.strictSame(timesAfter('30 23 * * *', 'America/Nuuk', '2026-10-24T12:00Z', 2), [
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ])
})

t.test('in an hour that comes twice, minutes or hours that begin with * keep their pace', async (t) => {
  const pace = ['2026-10-24T23:30Z', '2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z']
  for (const cron of ['*/30 1-3 * * *', '0,30 * * * *', '*/30 * * * *', '0 */30 1-3 * * *']) {
    t.strictSame(timesAfter(cron, 'Europe/Amsterdam', '2026-10-24T23:00Z', 6), [...pace, '2026-10-25T02:00Z'], cron)
  }
})

t.test('the time zone of the process has the same rules, also when it changes', async (t) => {
  const before = process.env['TZ']
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  })
  for (const [timeZone, from] of [
    ['Africa/Cairo', '2026-04-22T12:00Z'],
    ['Australia/Lord_Howe', '2026-04-03T12:00Z'],
  ] as const) {
    process.env['TZ'] = timeZone
    for (const cron of ['0 0 * * *', '*/30 * * * *', '45 1 * * *']) {
      t.strictSame(timesAfter(cron, undefined, from, 60), timesAfter(cron, timeZone, from, 60), `${cron}, ${timeZone}`)
    }
  }
})

t.test('a time that no calendar has never comes', async (t) => {
  t.equal(new CronTimes('0 0 30 2 *', 'Europe/Amsterdam').after(0), Infinity)
  t.equal(new CronTimes('* * 30 2 *', 'Europe/Amsterdam').after(0), Infinity)
})
