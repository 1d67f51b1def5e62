import t from 'tap'
import type { LinkSettings } from '../../src/core/link-options.js'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { withInternals } from '../../src/planners/planner-internals.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'
import { tracedLink, type Trace } from '../helpers/planners.js'

const linkOf = (name: string, settings: LinkSettings, trace?: Trace) => tracedLink(name, trace, {}, settings)

t.test('it looks for due links once a second unless told otherwise', async (t) => {
  t.equal(new SchedulePlanner().refreshInterval, 1)
  const planner = new SchedulePlanner(undefined, { refreshInterval: 0.25 })
  t.equal(planner.refreshInterval, 0.25)
  t.equal(String(planner), 'SchedulePlanner(refreshInterval:0.25)')
})

t.test('links transfer at the first look after they are due', async (t) => {
  const clock = new FakeClock()
  const origin = clock.monotonic()
  const planner = new SchedulePlanner(
    linkOf('a', { interval: 3 }),
    withInternals({ refreshInterval: 2, immediateTransfer: false }, { clock }),
  )
  const at: number[] = []
  planner.on('transfer', () => at.push(clock.monotonic() - origin))
  await planner.start()
  await clock.pass(13_000)
  t.strictSame(at, [4000, 6000, 10_000, 12_000])
  t.match(planner.counts, { late: 0, missed: 0, skipped: 0 })
  await planner.shutdown()
  t.equal(clock.armed, 0)
})

t.test('links with the interval of its looks transfer at each, whenever they were added', async (t) => {
  const clock = new FakeClock()
  clock.lag = 2
  const links = Array.from({ length: 20 }, (_, index) => linkOf(`${index}`, { interval: 1 }))
  const planner = new SchedulePlanner(links, withInternals({ immediateTransfer: false }, { clock }))
  await planner.start()
  for (const [index, phase] of [1, 3, 400, 597].entries()) {
    await clock.pass(phase)
    await planner.addLinks(linkOf(`late ${index}`, { interval: 1 }))
  }
  await clock.pass(60_000)
  t.match(planner.counts, { late: 0, missed: 0, skipped: 0 })
  t.ok(planner.counts.transfers >= 24 * 59)
  await planner.shutdown()
})

t.test('a link with an interval smaller than the time between two looks is refused', async (t) => {
  const quick = linkOf('quick', { interval: 0.5 })
  const refused = {
    code: 'DATABAY_SCHEDULE_INTERVAL',
    name: 'ScheduleIntervalError',
    message: 'the interval of quick, 0.5 s, is smaller than the refresh interval of 1 s',
  }
  t.throws(() => new SchedulePlanner([linkOf('slow', { interval: 5 }), quick]), refused)
  const planner = new SchedulePlanner()
  await t.rejects(planner.addLinks([linkOf('slow', { interval: 5 }), quick]), refused)
  t.strictSame(planner.links, [], 'none is added')
  t.doesNotThrow(() => new SchedulePlanner(quick, { refreshInterval: 0.5 }))
  t.doesNotThrow(() => new SchedulePlanner(linkOf('a', { interval: 1, alignToClock: true })))
})

t.test('a cron expression with times closer than that is refused', async (t) => {
  const cases: [cron: string, refreshInterval: number, seconds?: number][] = [
    ['* * * * * *', 1],
    ['* * * * * *', 2, 1],
    ['*/5 * * * * *', 5],
    ['*/5 * * * * *', 6, 5],
    ['0,50 * * * * *', 30, 10],
    ['0,1 0 9 * * 1-5', 2, 1],
    ['* * * * *', 60],
    ['* * * * *', 61, 60],
    ['  0  9 * * 1-5 ', 60],
    ['0 9 * * 1-5', 3600],
  ]
  for (const [cron, refreshInterval, seconds] of cases) {
    const make = () => new SchedulePlanner(linkOf('a', { cron, timeZone: 'UTC' }), { refreshInterval })
    if (seconds === undefined) t.doesNotThrow(make, `${cron} looked at every ${refreshInterval} s`)
    else {
      const message = `the interval of a, ${seconds} s, is smaller than the refresh interval of ${refreshInterval} s`
      t.throws(make, { code: 'DATABAY_SCHEDULE_INTERVAL', message })
    }
  }
})

t.test('cron expressions cost nothing to check where no time could be too close', async (t) => {
  const link = linkOf('a', { cron: '0 9 29 2 1', timeZone: 'Europe/Amsterdam' }) // each time takes long to work out
  const before = process.cpuUsage()
  for (let planner = 0; planner < 100; planner++) new SchedulePlanner(link)
  t.ok(process.cpuUsage(before).user < 1_000_000)
})

t.test('bad options are refused by name', async (t) => {
  for (const refreshInterval of [0, -1, Number.NaN, Infinity, '1', null]) {
    t.throws(() => new SchedulePlanner([], { refreshInterval } as object), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^refreshInterval: expected /,
    })
  }
  t.throws(() => new SchedulePlanner([], { refresh: 1 } as object), {
    message: /^refresh: expected one of the options/,
  })
  for (const options of [null, 5, []]) {
    t.throws(() => new SchedulePlanner([], options as unknown as object), { message: /^options: expected an object/ })
  }
})

t.test('what is no link is refused, when it is made and later', async (t) => {
  const planner = new SchedulePlanner()
  for (const value of [null, 5, 'links.js', {}]) {
    const expected = { code: 'DATABAY_INVALID_OPTION', message: /^links\[0\]: expected a Link, got / }
    t.throws(() => new SchedulePlanner(value as PlannedLink), expected)
    await t.rejects(planner.addLinks(value as PlannedLink), expected)
  }
})

t.test('in real time it transfers, pauses, and leaves nothing behind', async (t) => {
  captureLogs(t, 'fatal')
  const before = process.getActiveResourcesInfo().length
  const trace: Trace = []
  const enough = deferred()
  const planner = new SchedulePlanner(linkOf('a', { interval: 0.05 }, trace), { refreshInterval: 0.05 })
  const lateness: number[] = []
  planner.on('transfer', ({ scheduledAt, startedAt, transferNumber }) => {
    lateness.push(startedAt - scheduledAt)
    if (transferNumber === 6) enough.resolve()
  })
  const started = Date.now()
  await planner.start()
  t.equal(planner.counts.transfers, 1, 'a first transfer is made at once')
  await enough.promise
  t.ok(Date.now() - started >= 290, 'six intervals have passed')
  t.ok(
    lateness.every((late) => late >= -1),
    'none came early',
  )
  planner.pause()
  const { transfers } = planner.counts
  await new Promise((resolve) => setTimeout(resolve, 150))
  t.equal(planner.counts.transfers, transfers)
  planner.resume()
  await planner.shutdown()
  t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
  t.equal(process.getActiveResourcesInfo().length, before)
})
