import t from 'tap'
import { checkCron, CronPattern } from '../../src/core/cron.js'

t.test('cron expressions of five and six fields are taken', async (t) => {
  t.doesNotThrow(() => checkCron('*/5 * * * *', undefined))
  t.doesNotThrow(() => checkCron('  */5 *  * * * * ', undefined))
  t.doesNotThrow(() => checkCron('0 9 * * 1-5', 'Europe/Amsterdam'))
})

t.test('another cron expression is refused, with what came', async (t) => {
  const wrong = ['', '* * * *', '* * * * * * *', '@daily', '61 * * * *', 'a b c d e', 5, null]
  for (const cron of wrong as string[]) {
    t.throws(
      () => checkCron(cron, undefined),
      { code: 'DATABAY_INVALID_OPTION', option: 'cron', message: /^cron: expected a cron expression .+, got / },
      `cron ${cron}`,
    )
  }
})

t.test('a cron expression that never fires is refused', async (t) => {
  t.throws(() => checkCron('0 0 30 2 *', undefined), { option: 'cron', message: /^cron: expected / })
})

t.test('the reason of the cron parser is kept as the cause', async (t) => {
  t.throws(() => checkCron('61 * * * *', undefined), { cause: Error, message: /61/ })
})

t.test('a time zone that does not exist is refused', async (t) => {
  for (const timeZone of ['Europe/Atlantis', '', 5 as unknown as string]) {
    t.throws(() => checkCron('* * * * *', timeZone), {
      option: 'timeZone',
      message: /^timeZone: expected an IANA time zone like 'Europe\/Amsterdam', got /,
    })
  }
})

t.test('a step beyond its range is refused, and what was probably meant is said', async (t) => {
  const wrong: [cron: string, message: RegExp][] = [
    [
      '*/90 * * * *',
      /'\*\/90' does not: minutes go from 0 to 59 .+: for one at 0 alone, write '0'; .+ \{ minutes: 90 \}/,
    ],
    ['*/60 * * * *', /'\*\/60' does not: minutes go from 0 to 59 .+ interval: \{ minutes: 60 \} instead$/],
    ['*/90 * * * * *', /seconds go from 0 to 59 .+ interval: \{ seconds: 90 \} instead$/],
    ['0/120 * * * *', /'0\/120' does not: minutes go from 0 to 59/],
    ['0 */36 * * *', /hours go from 0 to 23 .+ interval: \{ hours: 36 \} instead$/],
    ['0 */24 * * *', /hours go from 0 to 23/],
    ['0 9-17/9 * * *', /hours go from 9 to 17 .+ write '9'/],
    ['15,50/10 * * * *', /'50\/10' does not: minutes go from 50 to 59/],
    ['0 0 */31 * *', /days of the month go from 1 to 31 .+ \{ days: 31 \} instead$/],
    ['0 0 1 */12 *', /months go from 1 to 12 there, got '0 0 1 \*\/12 \*': for one at 1 alone, write '1'$/],
    ['0 0 * * */7', /days of the week go from 0 to 6/],
    ['0 0 * * mon-fri/5', /days of the week go from mon to fri .+ write 'mon'/],
  ]
  for (const [cron, message] of wrong) {
    t.throws(() => checkCron(cron, undefined), { code: 'DATABAY_INVALID_OPTION', option: 'cron', message }, cron)
  }
})

t.test('a step that fits its range is taken', async (t) => {
  for (const cron of [
    '*/59 * * * *',
    '30/29 * * * *',
    '0 9-17/8 * * *',
    '0 */23 * * *',
    '0 0 */30 * *',
    '0 0 1 */11 *',
    '0 0 * * */6',
    '0 0 * * 5-7/2',
    '0 0 * * fri-sun/2',
    '0 0 * * mon-fri/4',
    '0 0 * * fri/2',
    '0 0 1 jan-dec/3 *',
  ]) {
    t.doesNotThrow(() => checkCron(cron, undefined), cron)
  }
})

t.test('a nickname is refused, with what to write instead', async (t) => {
  t.throws(() => checkCron('@daily', undefined), { message: / got '@daily': write '0 0 \* \* \*'$/ })
})

t.test("'?' stands for every day, and for nothing else", async (t) => {
  t.doesNotThrow(() => checkCron('0 9 ? * 1', undefined))
  t.doesNotThrow(() => checkCron('0 9 1 * ?', undefined))
  t.throws(() => checkCron('0 ? * * *', undefined), { option: 'cron', message: /'\?' for days only, not in the hours/ })
})

/** The first local times after the start of 2026, a Thursday. */
function localTimes(cron: string, count: number): string[] {
  const times: string[] = []
  let local = Date.UTC(2026, 0, 1) - 1
  while (times.length < count)
    times.push(new Date((local = new CronPattern(cron).after(local))).toISOString().slice(0, 16))
  return times
}

t.test('all that a field can say', async (t) => {
  const cases: [cron: string, times: string[]][] = [
    ['0 9 * * mon', ['2026-01-05T09:00', '2026-01-12T09:00']],
    ['0 9 * * 7', ['2026-01-04T09:00', '2026-01-11T09:00']],
    ['0 9 * * 6-7', ['2026-01-03T09:00', '2026-01-04T09:00', '2026-01-10T09:00']],
    ['0 9 * * 5/2', ['2026-01-02T09:00', '2026-01-04T09:00', '2026-01-09T09:00']],
    ['0 9 L * *', ['2026-01-31T09:00', '2026-02-28T09:00']],
    ['0 9 * * 5L', ['2026-01-30T09:00', '2026-02-27T09:00']],
    ['0 9 * * 1#2', ['2026-01-12T09:00', '2026-02-09T09:00']],
    ['0 9 1 FEB,nov *', ['2026-02-01T09:00', '2026-11-01T09:00']],
    ['10/20 0 1 1 *', ['2026-01-01T00:10', '2026-01-01T00:30', '2026-01-01T00:50']],
    ['0 0 29 2 *', ['2028-02-29T00:00']],
  ]
  for (const [cron, times] of cases) t.strictSame(localTimes(cron, times.length), times, cron)
})

t.test('days of the month and of the week are either of both, unless one of them is every day', async (t) => {
  t.strictSame(localTimes('0 0 10 * 1', 3), ['2026-01-05T00:00', '2026-01-10T00:00', '2026-01-12T00:00'])
  for (const every of ['*', '?', '*/1', '1-31']) {
    t.strictSame(localTimes(`0 0 ${every} * 1`, 2), ['2026-01-05T00:00', '2026-01-12T00:00'], every)
  }
  for (const every of ['*', '?', '*/1', '0-6', '0-7', '1-7', 'MON-SUN']) {
    t.strictSame(localTimes(`0 0 10 * ${every}`, 2), ['2026-01-10T00:00', '2026-02-10T00:00'], every)
  }
})
