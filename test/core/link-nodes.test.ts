import t, { type Test } from 'tap'
import { Inlet } from '../../src/core/inlet.js'
import { LinkNodes } from '../../src/core/link-nodes.js'
import { Outlet } from '../../src/core/outlet.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'

/** Nodes that say when they start and stop, and fail or wait where they are told to. */
function setUp(t: Test) {
  const trace: string[] = []
  const waits = new Map<string, Promise<void>>()
  const failing = new Set<string>()
  const step = (what: string) => {
    trace.push(what)
    if (failing.has(what)) throw new Error(`no ${what}`)
    return waits.get(what)
  }
  class TracedInlet extends Inlet {
    constructor(readonly called: string) {
      super()
    }
    pull = () => []
    override onStart = () => step(`start ${this.called}`)
    override onShutdown = () => step(`stop ${this.called}`)
  }
  class TracedOutlet extends Outlet {
    constructor(readonly called: string) {
      super()
    }
    push = () => {}
    override onStart = () => step(`start ${this.called}`)
    override onShutdown = () => step(`stop ${this.called}`)
  }
  const logs = captureLogs(t, 'error')
  return {
    trace,
    waits,
    failing,
    logs,
    inlet: (name: string) => new TracedInlet(name),
    outlet: (name: string) => new TracedOutlet(name),
  }
}

const nothingWrong = () => []

t.test('inlets start before outlets, and all stop in reverse', async (t) => {
  const { trace, inlet, outlet } = setUp(t)
  const nodes = new LinkNodes([inlet('a'), inlet('b')], outlet('c'))
  t.equal(nodes.isStarted, false)
  t.equal(nodes.start(), undefined, 'at once, when no node keeps it waiting')
  t.equal(nodes.isStarted, true)
  await nodes.stop(nothingWrong)
  t.same(trace, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
})

t.test('a node that fails to start stops those before it, and the link can be started again', async (t) => {
  const { trace, failing, inlet, outlet } = setUp(t)
  const nodes = new LinkNodes([inlet('a'), inlet('b')], outlet('c'))
  failing.add('start b')
  await t.rejects(Promise.resolve(nodes.start()), { message: 'no start b' })
  t.same(trace, ['start a', 'start b', 'stop a'])
  t.equal(nodes.isStarted, false)
  failing.clear()
  await nodes.start()
  t.same(trace.slice(3), ['start a', 'start b', 'start c'])
})

t.test('starting and stopping wait for each other', async (t) => {
  const { trace, waits, inlet, outlet } = setUp(t)
  const nodes = new LinkNodes(inlet('a'), outlet('b'))
  const { promise, resolve } = deferred<undefined>()
  waits.set('start a', promise)
  const starting = nodes.start()
  const stopping = nodes.stop(nothingWrong)
  t.equal(nodes.stop(nothingWrong), stopping, 'stopped once, however often it is asked for')
  const again = nodes.start()
  resolve(undefined)
  await Promise.all([starting, stopping, again])
  t.same(trace, ['start a', 'start b', 'stop b', 'stop a', 'start a', 'start b'])
})

t.test('what is wrong before nodes stop, and what fails as they do, is thrown together', async (t) => {
  const { trace, failing, inlet, outlet } = setUp(t)
  const nodes = new LinkNodes(inlet('a'), outlet('b'))
  await nodes.start()
  failing.add('stop b')
  await t.rejects(
    nodes.stop(() => [new Error('unwell')]),
    { message: 'several nodes failed: unwell; no stop b' },
  )
  t.same(trace.slice(2), ['stop b', 'stop a'])
  await nodes.stop(() => [new Error('it is stopped already')])
})

t.test('a node that is added to a started link is started first, and one that is removed is stopped', async (t) => {
  const { trace, failing, inlet, outlet } = setUp(t)
  const [a, b, c] = [inlet('a'), inlet('b'), outlet('c')]
  const nodes = new LinkNodes(a, c)
  await nodes.start()
  await nodes.add('inlet', b, () => trace.push('added'))
  t.same(nodes.inlets, [a, b])
  failing.add('start d')
  await t.rejects(
    nodes.add('outlet', [outlet('e'), outlet('d')], () => t.fail('none is added')),
    { message: 'no start d' },
  )
  t.same(nodes.outlets, [c], 'none is added when one fails')
  await nodes.remove('inlet', a, () => trace.push('removed'))
  t.same(nodes.inlets, [b])
  t.same(trace.slice(2), ['start b', 'added', 'start e', 'start d', 'stop e', 'removed', 'stop a'])
})

t.test('what cannot be in the link is refused, and nothing changes', async (t) => {
  const { inlet, outlet } = setUp(t)
  const [a, b] = [inlet('a'), outlet('b')]
  const nodes = new LinkNodes(a, b)
  t.throws(() => new LinkNodes([a, a], b), { message: 'inlets[1]: TracedInlet is in this link already' })
  t.throws(() => new LinkNodes(b, b), { message: 'inlets[0]: expected an inlet, got TracedOutlet' })
  t.throws(() => new LinkNodes(a, 5), { message: 'outlets[0]: expected an outlet, got 5' })
  await t.rejects(
    nodes.add('inlet', a, () => t.fail('none is added')),
    { code: 'DATABAY_INVALID_NODE' },
  )
  await t.rejects(
    nodes.remove('outlet', outlet('other'), () => t.fail('nothing is removed')),
    { message: 'outlet TracedOutlet is not in this link' },
  )
  t.same(nodes.all, [a, b])
})
