import t, { type Test } from 'tap'
import { Link } from '../../../src/core/link.js'
import type { TransferReport } from '../../../src/core/report.js'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { Attribution } from '../../../src/threads/worker/attribution.js'
import type { OpenLink } from '../../../src/threads/worker/open-links.js'
import { TimeLimits } from '../../../src/threads/worker/time-limits.js'
import { TransferMaker } from '../../../src/threads/worker/transfer-maker.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, FromInlet, KeepOutlet, turnOfTheLoop } from '../../helpers/nodes.js'

/** Makes transfers of one link, open under the id 7, with an inlet that pulls by a function. */
function setUp(t: Test, pull: () => unknown, options: { timeout?: number; ignoreExceptions?: boolean } = {}) {
  captureLogs(t, 'silent')
  const pulse = new Pulse()
  const attribution = new Attribution(pulse, false)
  const link = new Link({ inlets: new FromInlet(pull), outlets: new KeepOutlet(), interval: 1, ...options }) as Link
  const open: OpenLink = { link, inside: attribution.insideOf(7), busy: 0, stopped: undefined, endedUpTo: -1 }
  const links = { get: (id: number) => (id === 7 ? open : undefined) }
  const maker = new TransferMaker(3, links, new TimeLimits(pulse), attribution, pulse, () => undefined)
  const message = { left: 1, done: () => undefined }
  let runs = 0
  const make = (id = 7, alone = true) =>
    maker.make(
      { run: runs, link: id, transferNumber: runs++, scheduledAt: 1234, drain: false, retry: false, message },
      alone,
    )
  return { pulse, open, maker, make }
}

function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

t.test('a transfer that keeps nobody waiting is made at once, inside its link', async (t) => {
  const seen: unknown[] = []
  const { pulse, make } = setUp(t, () => seen.push(pulse.inside, pulse.begun))
  const report = make()
  t.match(report, { transferNumber: 0, thread: 3, scheduledAt: 1234, pulled: 1, failed: false })
  t.same(seen, [7, 1])
  t.equal(pulse.inside, undefined)
})

t.test('all the time of one that keeps nobody waiting counts as held', async (t) => {
  const { maker, make } = setUp(t, () => spin(5))
  t.equal(maker.busyOf(7), 0)
  const { busy, startedAt, endedAt } = make() as TransferReport
  t.ok(busy >= 5 && busy <= endedAt - startedAt)
  t.equal(maker.busyOf(7), busy)
  t.equal(maker.busyOf(8), 0, 'a link that is not open')
})

t.test('what a transfer computes after a wait counts when it was alone in the thread', async (t) => {
  const pull = async () => {
    await turnOfTheLoop()
    spin(20)
    return []
  }
  const { make } = setUp(t, pull)
  t.ok((await make()).busy >= 20)
  t.ok((await make(7, false)).busy < 20, 'not when others ran')
  const [first, second] = await Promise.all([make(7, true), make(7, false)])
  t.ok(first.busy < 20, 'not when another began')
  t.ok(second.busy < 20)
})

t.test('the pulse shows the deadline of a link with a timeout until its transfer has ended', async (t) => {
  const gate = deferred()
  const { pulse, make } = setUp(t, () => gate.promise, { timeout: 60 })
  const making = make()
  t.ok(pulse.deadline < Infinity)
  gate.resolve()
  await making
  t.equal(pulse.deadline, Infinity)
})

t.test('a transfer that was told to stop before it began pulls nothing', async (t) => {
  const { open, make } = setUp(t, () => t.fail('it is not pulled'))
  open.stopped = { upTo: 1, reason: new Error('enough') }
  for (const _ of [1, 2]) t.match(make(), { pulled: 0, failed: true, errors: [{ message: 'enough' }] })
  t.equal(open.stopped.upTo, 1)
})

t.test('a link that is not open, throws or rejects makes a failed report', async (t) => {
  const { open, make } = setUp(t, () => 1, { ignoreExceptions: true })
  t.match(make(99), {
    failed: true,
    thread: 3,
    errors: [{ code: 'DATABAY_IMPLEMENTATION', message: 'link 99 is not open in this thread' }],
  })
  open.link.begin = () => {
    throw new Error('at once')
  }
  t.match(make(), { failed: false, errors: [{ message: 'at once' }] })
  open.link.begin = () => Promise.reject(new Error('later'))
  t.match(await make(), { failed: false, errors: [{ message: 'later' }] })
})
