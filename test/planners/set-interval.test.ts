import t from 'tap'
import { Link } from '../../src/core/link.js'
import { withInternals } from '../../src/planners/planner-internals.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { captureLogs } from '../helpers/logs.js'
import { giving, KeepOutlet } from '../helpers/nodes.js'

function setUp(interval: number) {
  const outlet = new KeepOutlet()
  const link = new Link({ inlets: giving(1), outlets: outlet, interval, tags: 'a' })
  const clock = new FakeClock()
  const planner = new SchedulePlanner(
    link,
    withInternals({ immediateTransfer: false, refreshInterval: 0.1 }, { clock }),
  )
  return { link, planner, clock, transfers: () => outlet.batches.length }
}

t.test('an interval that is changed while the planner runs counts from then', async (t) => {
  const { link, planner, clock, transfers } = setUp(10)
  await planner.start()
  await clock.pass(11_000)
  t.equal(transfers(), 1)
  link.setInterval(2)
  await clock.pass(10_000)
  t.equal(transfers(), 6)
  link.setInterval({ minutes: 1 })
  await clock.pass(59_000)
  t.equal(transfers(), 6)
  await clock.pass(2000)
  t.equal(transfers(), 7)
  t.match(String(link), 'interval:60s')
  await planner.shutdown()
})

t.test('one that the planner cannot keep is refused, and the old one is kept', async (t) => {
  const { link, planner, clock, transfers } = setUp(1)
  await planner.start()
  t.throws(() => link.setInterval(0.05), { code: 'DATABAY_SCHEDULE_INTERVAL' })
  await clock.pass(1100)
  t.equal(transfers(), 1)
  await planner.shutdown()
})

t.test('before the start, after the end, and once it is removed, nobody minds', async (t) => {
  captureLogs(t, 'silent')
  const { link, planner, clock, transfers } = setUp(10)
  link.setInterval(1)
  await planner.start()
  await clock.pass(1100)
  t.equal(transfers(), 1)
  await planner.removeLinks(link)
  link.setInterval(0.01)
  await clock.pass(5000)
  await planner.shutdown()
  t.equal(transfers(), 1)
})
