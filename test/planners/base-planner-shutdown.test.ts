import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { Link } from '../../src/core/link.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, giving, KeepOutlet, turnOfTheLoop } from '../helpers/nodes.js'
import {
  handPlanner,
  HandPlanner,
  stateOf,
  StubLink,
  tracedLink,
  type Behaviour,
  type Trace,
} from '../helpers/planners.js'

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
})

/** Makes a link whose transfers end when the test says so, or when they are told to stop. */
function slowLink(name: string, trace: Trace = [], behaviour: Behaviour = {}) {
  const pushed = deferred()
  const signals: AbortSignal[] = []
  const link = tracedLink(name, trace, {
    push: (_, { signal }) => {
      signals.push(signal)
      signal.addEventListener('abort', () => trace.push(`${name} is told to stop`))
      return pushed.promise
    },
    ...behaviour,
  })
  return { link, pushed, signals }
}

/** Makes a link that holds its records back. */
const bufferedLink = (name: string, trace: Trace, behaviour: Behaviour = {}) =>
  tracedLink(name, trace, { processors: [new Buffer({ countThreshold: 100 })], ...behaviour })

t.test('a planner that does not run is shut down already', async (t) => {
  const planner = handPlanner(t, tracedLink('a'))
  const finished = stateOf(planner.finished)
  await planner.shutdown()
  await planner.shutdown({ wait: false, drain: false })
  t.equal(finished(), 'pending')
})

t.test('the options of a shutdown are checked', async (t) => {
  const planner = handPlanner(t)
  await t.rejects(planner.shutdown({ wait: 1 } as object), { code: 'DATABAY_INVALID_OPTION', message: /^wait: / })
  await t.rejects(planner.shutdown({ drain: 'no' } as object), { code: 'DATABAY_INVALID_OPTION', message: /^drain: / })
})

t.test('an idle planner shuts down in order: scheduling, then nodes in reverse', async (t) => {
  const trace: Trace = []
  const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace)], {}, trace)
  await planner.start()
  trace.length = 0
  await planner.shutdown()
  t.strictSame(trace, [
    'shutdown, wait true',
    'unschedule a',
    'unschedule b',
    'b out stops',
    'a out stops',
    'b in stops',
    'a in stops',
  ])
})

t.test('running transfers may end before nodes are shut down', async (t) => {
  const trace: Trace = []
  const { link, pushed, signals } = slowLink('a', trace)
  const planner = handPlanner(t, link, {}, trace)
  await planner.start()
  const transfer = planner.fire(link)
  await turnOfTheLoop()
  trace.length = 0
  const down = planner.shutdown()
  const finished = stateOf(planner.finished)
  t.notOk(planner.running)
  await turnOfTheLoop()
  t.strictSame(trace, ['shutdown, wait true', 'unschedule a'])
  t.equal(finished(), 'pending')
  pushed.resolve()
  await down
  t.notOk(signals[0]!.aborted)
  t.match(await transfer, { failed: false, outlets: [{ pushed: 1 }] })
  t.strictSame(trace.slice(2), ['a out stops', 'a in stops'])
  t.equal(finished(), 'resolved')
})

t.test('without waiting, transfers are told to stop, and then nodes are shut down', async (t) => {
  const trace: Trace = []
  const { link, signals } = slowLink('a', trace)
  const planner = handPlanner(t, link, {}, trace)
  await planner.start()
  const transfer = planner.fire(link)
  await turnOfTheLoop()
  trace.length = 0
  await planner.shutdown({ wait: false })
  t.ok(signals[0]!.aborted)
  t.match(signals[0]!.reason, { code: 'DATABAY_TRANSFER_CANCELLED' })
  t.strictSame(trace, ['a is told to stop', 'shutdown, wait false', 'unschedule a', 'a out stops', 'a in stops'])
  t.match(await transfer, { failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  await planner.finished
  t.pass('that a transfer was told to stop is no error')
})

t.test('without waiting, what else went wrong with a transfer is still told', async (t) => {
  const full = new KeepOutlet(() => Promise.reject(new Error('disk full')))
  const hanging = new KeepOutlet(() => new Promise(() => undefined))
  const link = new Link({ inlets: giving(1), outlets: [full, hanging], interval: 10 })
  const planner = handPlanner(t, link)
  await planner.start()
  void planner.fire(link)
  await turnOfTheLoop()
  await t.rejects(planner.shutdown({ wait: false }), { code: 'DATABAY_TRANSFER_FAILED', message: /disk full/ })
  await t.rejects(planner.finished, { message: /disk full/ })
})

t.test('buffers', async (t) => {
  t.test('release what they hold through the outlets, before nodes are shut down', async (t) => {
    const trace: Trace = []
    const link = bufferedLink('a', trace)
    const planner = handPlanner(t, link, {}, trace)
    const reports: number[] = []
    planner.on('transfer', ({ pulled, grouped }) => reports.push(pulled, grouped))
    await planner.start()
    await planner.fire(link)
    await planner.fire(link)
    trace.length = 0
    await planner.shutdown()
    t.strictSame(trace, ['shutdown, wait true', 'unschedule a', 'a gets 0,1', 'a out stops', 'a in stops'])
    t.strictSame(reports, [1, 0, 1, 0, 0, 2], 'and that is told of as a transfer')
  })

  for (const [how, options, shutdown] of [
    ['the planner', { drain: false }, {}],
    ['the shutdown', {}, { drain: false }],
  ] as const) {
    t.test(`release nothing when ${how} says so`, async (t) => {
      const trace: Trace = []
      const link = bufferedLink('a', trace)
      const planner = handPlanner(t, link, options)
      await planner.start()
      await planner.fire(link)
      await planner.shutdown(shutdown)
      t.notOk(trace.some((text) => text.startsWith('a gets')))
    })
  }

  t.test('release what they hold when the shutdown says so and the planner does not', async (t) => {
    const trace: Trace = []
    const link = bufferedLink('a', trace)
    const planner = handPlanner(t, link, { drain: false })
    await planner.start()
    await planner.fire(link)
    await planner.shutdown({ drain: true })
    t.ok(trace.includes('a gets 0'))
  })

  t.test('release what they hold also when nobody waits for transfers', async (t) => {
    const trace: Trace = []
    const link = bufferedLink('a', trace)
    const planner = handPlanner(t, link)
    await planner.start()
    await planner.fire(link)
    await planner.shutdown({ wait: false })
    t.ok(trace.includes('a gets 0'))
  })

  t.test('that cannot release make shutdown() and finished reject, when all else is shut down', async (t) => {
    const trace: Trace = []
    const link = bufferedLink('a', trace, { push: () => Promise.reject(new Error('disk full')) })
    const other = bufferedLink('b', trace)
    const planner = handPlanner(t, [link, other])
    await planner.start()
    await planner.forceTransfer()
    await t.rejects(planner.shutdown(), { code: 'DATABAY_TRANSFER_FAILED', message: /disk full/ })
    await t.rejects(planner.finished, { message: /disk full/ })
    t.ok(trace.includes('b gets 0'))
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 4)
  })

  t.test('that cannot release are only logged when exceptions are ignored', async (t) => {
    const link = bufferedLink('a', [], { push: () => Promise.reject(new Error('disk full')) })
    const planner = handPlanner(t, link, { ignoreExceptions: true })
    await planner.start()
    await planner.fire(link)
    await planner.shutdown()
    await planner.finished
    t.match(planner.counts, { failed: 1 })
  })
})

t.test('a second shutdown waits for the same end', async (t) => {
  const trace: Trace = []
  const { link, pushed } = slowLink('a', trace)
  const planner = handPlanner(t, link)
  await planner.start()
  void planner.fire(link)
  await turnOfTheLoop()
  const both = [planner.shutdown(), planner.shutdown()]
  const second = stateOf(both[1]!)
  await turnOfTheLoop()
  t.equal(second(), 'pending')
  pushed.resolve()
  await Promise.all(both)
  t.equal(trace.filter((text) => text === 'a in stops').length, 1)
})

t.test('a second shutdown that does not wait tells what runs to stop', async (t) => {
  const { link, signals } = slowLink('a')
  const planner = handPlanner(t, link)
  await planner.start()
  void planner.fire(link)
  await turnOfTheLoop()
  const first = planner.shutdown()
  await turnOfTheLoop()
  t.notOk(signals[0]!.aborted)
  await planner.shutdown({ wait: false })
  t.ok(signals[0]!.aborted)
  await first
})

t.test('a second shutdown that does not wait ends a drain too', async (t) => {
  const trace: Trace = []
  const link = bufferedLink('a', trace, { push: () => new Promise(() => undefined) })
  const planner = handPlanner(t, link)
  await planner.start()
  await planner.fire(link)
  const first = planner.shutdown()
  first.catch(() => undefined)
  await turnOfTheLoop()
  t.equal(trace.at(-1), 'a gets 0')
  await t.rejects(planner.shutdown({ wait: false }), { code: 'DATABAY_TRANSFER_FAILED' })
  await t.rejects(first, { code: 'DATABAY_TRANSFER_FAILED' }, 'what was not released is told')
  t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
})

t.test('a listener may shut the planner down', async (t) => {
  const trace: Trace = []
  const link = tracedLink('a', trace)
  const planner = handPlanner(t, link, {}, trace)
  planner.on('transfer', () => void planner.shutdown())
  await planner.start()
  await planner.fire(link)
  await planner.finished
  t.strictSame(trace.slice(-3), ['unschedule a', 'a out stops', 'a in stops'])
})

t.test('a listener may shut the planner down at its first transfer', async (t) => {
  const planner = handPlanner(t, [tracedLink('a'), tracedLink('b')], { immediateTransfer: true })
  const downs: Promise<void>[] = []
  planner.on('transfer', () => downs.push(planner.shutdown()))
  await t.rejects(planner.start(), { code: 'DATABAY_PLANNER_STATE' })
  await Promise.all(downs)
  t.notOk(planner.running)
})

t.test('a node that fails to shut down', async (t) => {
  const failing = (trace: Trace) =>
    tracedLink('bad', trace, { onShutdown: () => Promise.reject(new Error('would not close')) })

  t.test('makes shutdown() and finished reject, when all else is shut down', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [tracedLink('a', trace), failing(trace), tracedLink('c', trace)])
    await planner.start()
    const finished = stateOf(planner.finished)
    await t.rejects(planner.shutdown(), { message: 'would not close' })
    t.match(finished(), { message: 'would not close' })
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 6)
    t.notOk(planner.running)
    await planner.shutdown()
    await planner.start()
    t.ok(planner.running, 'and the planner can start again')
    await planner.shutdown().catch(() => undefined)
  })

  t.test('is told together with others', async (t) => {
    const planner = handPlanner(t, [
      failing([]),
      bufferedLink('a', [], { push: () => Promise.reject(new Error('full')) }),
    ])
    await planner.start()
    await planner.fire(planner.links[1]!)
    await t.rejects(planner.shutdown(), {
      name: 'AggregateError',
      message: /^several things failed while the planner shut down: .*full.*; would not close$/,
    })
  })

  t.test('is only logged when exceptions are ignored', async (t) => {
    const { messages } = captureLogs(t, 'error')
    const planner = handPlanner(t, failing([]), { ignoreExceptions: true })
    await planner.start()
    await planner.shutdown()
    t.strictSame(messages(), ['HandPlanner failed to shut down in part: would not close'])
  })
})

t.test('when the scheduling fails to stop, transfers are waited for and nodes shut down all the same', async (t) => {
  const trace: Trace = []
  const { link, pushed } = slowLink('a', trace)
  const planner = handPlanner(t, link, {}, trace)
  planner.onScheduling = async (what) => {
    if (what === 'shutdown') throw new Error('would not stop')
  }
  await planner.start()
  void planner.fire(link)
  await turnOfTheLoop()
  const down = planner.shutdown()
  down.catch(() => undefined)
  await turnOfTheLoop()
  t.notOk(trace.some((text) => text.endsWith('stops')))
  pushed.resolve()
  await t.rejects(down, { message: 'would not stop' })
  t.strictSame(trace.slice(-3), ['unschedule a', 'a out stops', 'a in stops'])
})

t.test('a transfer that fails while the planner shuts down makes it reject', async (t) => {
  const { link, pushed } = slowLink('a')
  const planner = handPlanner(t, link)
  await planner.start()
  void planner.fire(link)
  await turnOfTheLoop()
  const down = planner.shutdown()
  pushed.reject(new Error('disk full'))
  await t.rejects(down, { code: 'DATABAY_TRANSFER_FAILED', message: /disk full/ })
  await t.rejects(planner.finished, { message: /disk full/ })
})

t.test('a link of a third party that rejects what it never should holds nothing up', async (t) => {
  const trace: Trace = []
  const bad = new StubLink('bad', trace)
  bad.drain = () => Promise.reject(new Error('broken'))
  const planner = handPlanner(t, [bad, tracedLink('a', trace)])
  await planner.start()
  await t.rejects(planner.shutdown(), { message: 'broken' })
  t.ok(trace.includes('bad stops') && trace.includes('a in stops'))
})

t.test('a removal that does not end does not keep a shutdown from ending in its time', async (t) => {
  for (const hung of ['transfer', 'drain', 'onShutdown'] as const) {
    const trace: Trace = []
    const stub = new StubLink('hung')
    stub[hung] = () => new Promise<never>(() => undefined)
    const planner = handPlanner(t, [stub, tracedLink('a', trace)], { shutdownTimeout: 0.2 })
    await planner.start()
    void planner.fire(stub)
    await turnOfTheLoop()
    const removed = planner.removeLinks(stub)
    removed.catch(() => undefined)
    const started = performance.now()
    await planner.shutdown()
    t.ok(performance.now() - started < 5000, hung)
    t.ok(trace.includes('a in stops'))
    await t.rejects(removed, { code: 'DATABAY_SHUTDOWN_TIMEOUT' }, hung)
  }
})

t.test('a shutdown that does not wait tells the transfers of a link that is being removed to stop', async (t) => {
  const trace: Trace = []
  const { link } = slowLink('a', trace, { push: () => new Promise(() => undefined) })
  const planner = handPlanner(t, link, { ignoreExceptions: true })
  await planner.start()
  const transfer = planner.fire(link)
  await turnOfTheLoop()
  const removed = planner.removeLinks(link)
  await turnOfTheLoop()
  await planner.shutdown({ wait: false })
  await removed
  t.match(await transfer, { errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  t.ok(trace.includes('a in stops'))
})

t.test('one link that cannot tell what it holds does not keep others from draining', async (t) => {
  const trace: Trace = []
  const bad = new StubLink('bad', trace)
  bad.drain = () => Promise.reject(new Error('broken'))
  const slow = bufferedLink('slow', trace, { push: () => new Promise((resolve) => setTimeout(resolve, 20)) })
  const planner = handPlanner(t, [bad, slow])
  await planner.start()
  await planner.fire(slow)
  trace.length = 0
  await t.rejects(planner.shutdown(), { message: 'broken' })
  t.ok(trace.indexOf('slow gets 0') < trace.indexOf('slow out stops'))
  t.equal(planner.counts.transfers, 2, 'the drain has ended')
})

t.test('a planner is shut down at the end of its block', async (t) => {
  const trace: Trace = []
  const planner = new HandPlanner(tracedLink('a', trace))
  await planner.start()
  await planner[Symbol.asyncDispose]()
  t.notOk(planner.running)
  t.equal(trace.at(-1), 'a in stops')
  await planner.finished
})

t.test('a paused planner shuts down, and is not paused when it starts again', async (t) => {
  const planner = handPlanner(t, tracedLink('a'))
  await planner.start()
  planner.pause()
  await planner.shutdown()
  t.notOk(planner.paused)
  await planner.start()
  t.notOk(planner.paused)
})
