import t, { type Test } from 'tap'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { clockScheduling } from '../../src/planners/clock-scheduling.js'
import { withInternals } from '../../src/planners/planner-internals.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import type { PlannerOptions } from '../../src/planners/planner-options.js'
import type { LateEvent } from '../../src/operate/planner-events.js'
import type { OneOrMany } from '../../src/base/one-or-many.js'
import type { TransferReport } from '../../src/core/report.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'
import { tracedLink, type Trace } from '../helpers/planners.js'

const START = Date.UTC(2026, 0, 1, 10, 30)
const MINUTE = 60_000
const HOUR = 3_600_000

/** Makes a planner without first transfers, on a clock that is moved by hand. */
function setUp(t: Test, links?: OneOrMany<PlannedLink>, options: PlannerOptions = {}, grid = 0) {
  captureLogs(t, 'fatal')
  const clock = new FakeClock(START)
  const planner = new SchedulePlanner(
    links,
    withInternals(
      { immediateTransfer: false, refreshInterval: 0.001, ...options },
      { scheduling: clockScheduling(grid, clock) },
    ),
  )
  const reports: TransferReport[] = []
  const late: LateEvent[] = []
  planner.on('transfer', (report) => reports.push(report))
  planner.on('late', (event) => late.push(event))
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  /** Due times of the transfers since the last call, in milliseconds from the start. */
  const take = () => reports.splice(0).map(({ link, scheduledAt }) => `${link} ${scheduledAt - START}`)
  return { clock, planner, reports, late, take }
}

const every = (name: string, seconds: number, trace?: Trace) => tracedLink(name, trace, {}, { interval: seconds })

t.test('each link transfers at its interval', async (t) => {
  const { clock, planner, take } = setUp(t, [every('a', 1), every('b', 2.5)])
  await planner.start()
  await clock.pass(5000)
  t.strictSame(take(), ['a 1000', 'a 2000', 'b 2500', 'a 3000', 'a 4000', 'a 5000', 'b 5000'])
  t.match(planner.counts, { transfers: 7, late: 0, missed: 0, skipped: 0 })
})

t.test('first transfers do not move the due times', async (t) => {
  const { clock, planner, reports } = setUp(t, every('a', 1), { immediateTransfer: true })
  await planner.start()
  t.equal(reports.length, 1)
  await clock.pass(1000)
  t.equal(reports.length, 2)
  t.equal(reports[1]!.scheduledAt, START + 1000)
})

t.test('a stall makes up one transfer, and what was missed is told and counted', async (t) => {
  const { clock, planner, late, take } = setUp(t, every('a', 1))
  await planner.start()
  clock.stall(10_300)
  await clock.pass(1000)
  t.strictSame(take(), ['a 1000', 'a 11000'])
  t.strictSame(late, [{ link: 'a', scheduledAt: START + 1000, lateness: 9300, missed: 9 }])
  t.match(planner.counts, { transfers: 2, late: 1, missed: 9, skipped: 0 })
})

t.test('a link that still transfers when it is due is skipped, and goes on later', async (t) => {
  const pushed = deferred()
  const link = tracedLink('a', [], { push: () => pushed.promise }, { interval: 1 })
  const { clock, planner, take } = setUp(t, link)
  await planner.start()
  await clock.pass(3500)
  t.match(planner.counts, { transfers: 0, skipped: 2 })
  pushed.resolve()
  await clock.pass(1500)
  t.strictSame(take(), ['a 1000', 'a 4000', 'a 5000'])
})

t.test('links are added and removed while it runs', async (t) => {
  const trace: Trace = []
  const a = every('a', 1, trace)
  const { clock, planner, take } = setUp(t, a)
  await planner.start()
  await clock.pass(1500)
  await planner.addLinks(every('b', 1, trace))
  await clock.pass(1000)
  t.strictSame(take(), ['a 1000', 'a 2000', 'b 2500'])
  await planner.removeLinks(a)
  await clock.pass(1000)
  t.strictSame(take(), ['b 3500'])
  t.strictSame(
    trace.filter((text) => text.startsWith('a') && text.endsWith('stops')),
    ['a out stops', 'a in stops'],
  )
})

t.test('what comes due in a pause is left out, and not counted', async (t) => {
  const { clock, planner, take, late } = setUp(t, every('a', 1))
  await planner.start()
  await clock.pass(1500)
  planner.pause()
  t.equal(clock.armed, 0)
  await planner.addLinks(every('b', 1))
  await clock.pass(5000)
  t.strictSame(take(), ['a 1000'])
  t.equal((await planner.forceTransfer(planner.links[0])).length, 1, 'a forced transfer is made')
  take()
  planner.resume()
  await clock.pass(1000)
  t.strictSame(take(), ['a 7000', 'b 7500'])
  t.strictSame(late, [])
  t.match(planner.counts, { missed: 0, skipped: 0 })
})

t.test('after the shutdown nothing is due and no alarm is set; a start begins anew', async (t) => {
  const { clock, planner, take } = setUp(t, every('a', 1))
  await planner.start()
  await clock.pass(1500)
  take()
  await planner.shutdown()
  t.equal(clock.armed, 0)
  await clock.pass(5000)
  t.strictSame(take(), [])
  await planner.start()
  await clock.pass(2000)
  t.strictSame(take(), ['a 7500', 'a 8500'])
})

t.test('a start that fails leaves no alarm', async (t) => {
  const bad = tracedLink('bad', [], { pull: () => Promise.reject(new Error('no data')) })
  const { clock, planner } = setUp(t, [every('a', 1), bad], { immediateTransfer: true })
  await t.rejects(planner.start(), { code: 'DATABAY_TRANSFER_FAILED' })
  t.equal(clock.armed, 0)
})

t.test('a transfer that fails stops all links', async (t) => {
  const bad = tracedLink('bad', [], { pull: () => Promise.reject(new Error('no data')) }, { interval: 2.5 })
  const { clock, planner, take } = setUp(t, [every('a', 1), bad])
  await planner.start()
  const finished = t.rejects(planner.finished, { code: 'DATABAY_TRANSFER_FAILED' })
  await clock.pass(10_000)
  await finished
  t.strictSame(take(), ['a 1000', 'a 2000', 'bad 2500'])
  t.equal(clock.armed, 0)
})

t.test('a listener that shuts it down ends what is due with it', async (t) => {
  const { clock, planner, reports } = setUp(t, [every('a', 1), every('b', 1)])
  planner.once('transfer', () => void planner.shutdown())
  await planner.start()
  await clock.pass(10_000)
  await planner.finished
  t.ok(reports.length <= 2)
  t.equal(clock.armed, 0)
})

t.test('a limited number of transfers ends it', async (t) => {
  const { clock, planner, take } = setUp(t, [every('a', 1), every('b', 2)], { transfers: 2 })
  await planner.start()
  await clock.pass(10_000)
  await planner.finished
  t.strictSame(take(), ['a 1000', 'a 2000', 'b 2000', 'b 4000'])
  t.equal(clock.armed, 0)
})

t.test('cron links follow the wall clock, intervals do not', async (t) => {
  const cron = tracedLink('cron', [], {}, { cron: '*/20 * * * *', timeZone: 'UTC' })
  const { clock, planner, reports } = setUp(t, [cron, every('a', 1800)])
  await planner.start()
  await clock.pass(MINUTE)
  clock.step(-HOUR) // from 10:31 to 09:31
  await clock.pass(HOUR)
  t.strictSame(
    reports.map(({ link, scheduledAt }) => `${link} ${new Date(scheduledAt).toISOString().slice(11, 16)}`),
    ['cron 09:40', 'cron 10:00', 'a 10:00', 'cron 10:20', 'a 10:30'],
  )
})

t.test('1,000 links miss nothing', async (t) => {
  const links = Array.from({ length: 1000 }, (_, index) => every(`${index}`, 1))
  const { clock, planner } = setUp(t, links)
  await planner.start()
  await clock.pass(3000)
  t.strictSame(planner.counts, { transfers: 3000, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 })
  t.equal(clock.armed, 1)
})

t.test('on a grid, links wait for the next look', async (t) => {
  const { clock, planner, reports, late } = setUp(t, every('a', 1.5), { lateAfter: 0.1 }, 1000)
  const looks: number[] = []
  const origin = clock.monotonic()
  planner.on('transfer', () => looks.push(clock.monotonic() - origin))
  await planner.start()
  await clock.pass(6000)
  t.strictSame(looks, [2000, 3000, 5000, 6000])
  t.equal(reports[0]!.scheduledAt, START + 1500)
  t.strictSame(late, [], 'which is not being late')
})
