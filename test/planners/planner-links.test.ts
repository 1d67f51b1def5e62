import t, { type Test } from 'tap'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { Dispatcher } from '../../src/planners/dispatcher.js'
import { PlannerLinks } from '../../src/planners/planner-links.js'
import { resolvePlannerOptions } from '../../src/planners/planner-options.js'
import { StartRetries } from '../../src/planners/start-retries.js'
import { Shutdown } from '../../src/planners/shutdown.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { emptyReport, stateOf, StubLink, tracedLink, type Trace } from '../helpers/planners.js'

const DUE = { scheduledAt: 0, lateness: 0, missed: 0 }

/** Makes the links of a planner whose state the test sets. */
function linksOf(t: Test, options = {}) {
  captureLogs(t, 'silent')
  const trace: Trace = []
  const events: string[] = []
  const resolved = resolvePlannerOptions(options)
  const dispatcher = new Dispatcher(resolved, {
    notify: (event, ..._payload) => {
      events.push(event)
    },
    onFailure: (error) => {
      events.push(error.message)
    },
    onUsedUp: () => {},
    onAllUsedUp: () => {},
  })
  const scheduling = {
    add: ({ name }: PlannedLink) => trace.push(`schedule ${name}`),
    remove: ({ name }: PlannedLink) => trace.push(`unschedule ${name}`),
  }
  const life = { running: true, changing: false, settled: () => Promise.resolve() }
  const retries = new StartRetries(Infinity, {
    failed: () => t.fail(),
    failedLate: () => t.fail(),
    recovered: () => t.fail(),
  })
  const links = new PlannerLinks(dispatcher, scheduling, life, resolved, retries, {
    prepare: () => Promise.resolve(),
  })
  const names = () => links.all.map(({ name }) => name)
  return { links, names, life, dispatcher, scheduling, trace, events }
}

t.test('links that are not started are taken in as they are', async (t) => {
  const { links, names, trace, life } = linksOf(t)
  const [a, b] = [new StubLink('a', trace), new StubLink('b', trace)]
  links.admit([a])
  life.running = false
  await links.add([b])
  t.strictSame([names(), trace], [['a', 'b'], []])
  t.throws(() => links.admit([b]), { code: 'DATABAY_INVALID_OPTION', option: 'links[0]' })
  await t.rejects(links.add([new StubLink('c'), {} as PlannedLink]), { message: /^links\[1\]: expected a Link, got / })
  const twice = new StubLink('twice')
  await t.rejects(links.add([twice, twice]), {
    message: /^links\[1\]: expected a link that is not in this planner yet/,
  })
  t.strictSame(names(), ['a', 'b'], 'none is added')
  await links.remove([b])
  t.strictSame([names(), trace], [['a'], []])
})

t.test('those that are asked for must be in the planner, and count once', async (t) => {
  const { links } = linksOf(t)
  const a = new StubLink('a')
  links.admit([a])
  t.strictSame(links.known([a, a]), [a])
  t.throws(() => links.known([a, new StubLink('b')]), { code: 'DATABAY_MISSING_LINK', message: /StubLink\(b\)/ })
})

t.test('in a running planner, links are started, then scheduled; and all that is undone in reverse', async (t) => {
  const { links, names, trace } = linksOf(t)
  const a = new StubLink('a', trace)
  await links.add([a])
  t.strictSame(trace.splice(0), ['a starts', 'schedule a'])
  await links.remove([a])
  t.strictSame([names(), trace], [[], ['unschedule a', 'a stops']])
})

t.test('a link that cannot be scheduled is shut down again', async (t) => {
  const { links, names, trace, scheduling } = linksOf(t)
  scheduling.add = () => {
    throw new Error('too quick')
  }
  await t.rejects(links.add([new StubLink('a', trace)]), { message: 'too quick' })
  t.strictSame([names(), trace], [[], ['a starts', 'unschedule a', 'a stops']])
})

t.test('a planner that is shut down while links start does not take them in', async (t) => {
  const { links, names, trace, life } = linksOf(t)
  const a = new StubLink('a', trace)
  const gate = deferred()
  a.onStart = () => gate.promise
  const added = links.add([a])
  life.running = false
  gate.resolve()
  await t.rejects(added, { code: 'DATABAY_PLANNER_STATE', message: 'the planner was shut down while links were added' })
  t.strictSame([names(), trace], [[], ['a stops']])
})

t.test('while the planner changes, links wait for it', async (t) => {
  const { links, names, life } = linksOf(t)
  const gate = deferred()
  life.changing = true
  life.settled = () => gate.promise
  const [a, b] = [new StubLink('a'), new StubLink('b')]
  links.admit([a])
  const done = stateOf(Promise.all([links.add([b]), links.remove([a])]))
  await turnOfTheLoop()
  t.strictSame([names(), done()], [['a'], 'pending'])
  life.changing = false
  gate.resolve()
  await turnOfTheLoop()
  t.strictSame([names(), done()], [['b'], 'resolved'])
  life.changing = true
  life.settled = () => Promise.reject(new Error('it stops'))
  await t.rejects(links.add([a]), { message: 'it stops' })
  life.changing = false
  await links.add([a])
})

t.test('a link that is being added is removed once it is in', async (t) => {
  const { links, names, trace } = linksOf(t)
  const a = new StubLink('a', trace)
  const gate = deferred()
  a.onStart = () => gate.promise
  const added = links.add([a])
  await t.rejects(links.add([a]), { code: 'DATABAY_INVALID_OPTION' }, 'and cannot be added twice')
  const removed = links.remove([a])
  gate.resolve()
  await Promise.all([added, removed])
  t.strictSame([names(), trace], [[], ['schedule a', 'unschedule a', 'a stops']])
})

t.test('a removal lets transfers end and drains buffers; what fails is told, and the link is gone', async (t) => {
  const { links, names, trace, dispatcher, events } = linksOf(t)
  const a = new StubLink('a', trace)
  const transferred = deferred<ReturnType<typeof emptyReport>>()
  a.transfer = () => transferred.promise
  a.drain = () => Promise.resolve({ ...emptyReport('a'), failed: true })
  a.onShutdown = () => Promise.reject(new Error('would not close'))
  await links.add([a])
  void dispatcher.dispatch(a, DUE)
  const removed = links.remove([a])
  const state = stateOf(removed)
  await turnOfTheLoop()
  t.equal(state(), 'pending')
  t.equal(await dispatcher.dispatch(a, DUE), undefined, 'it makes no more transfers')
  transferred.resolve(emptyReport('a'))
  await t.rejects(removed, { errors: [{ code: 'DATABAY_TRANSFER_FAILED' }, { message: 'would not close' }] })
  t.strictSame([names(), events], [[], ['transfer', 'transfer']])
})

t.test('a removal takes no longer than a shutdown may', async (t) => {
  const { links, names, trace, dispatcher } = linksOf(t, { shutdownTimeout: 0.04 })
  const a = new StubLink('a', trace)
  a.transfer = () => new Promise(() => {})
  await links.add([a])
  void dispatcher.dispatch(a, DUE)
  await t.rejects(links.remove([a]), {
    code: 'DATABAY_SHUTDOWN_TIMEOUT',
    message: /^links that were removed: .* before transfers of a, the shutdown of a had ended$/,
  })
  t.same(names(), [])
  t.ok(trace.includes('a cancelled'))
})

t.test('a shutdown waits for removals and transfers, and drains', async (t) => {
  const { links, dispatcher, events } = linksOf(t)
  const [a, b] = [new StubLink('a'), new StubLink('b')]
  const [gate, transferred] = [deferred(), deferred<ReturnType<typeof emptyReport>>()]
  a.onShutdown = () => gate.promise
  b.transfer = () => transferred.promise
  b.drain = () => Promise.resolve(emptyReport('b'))
  await links.add([a, b])
  void dispatcher.dispatch(b, DUE)
  const removed = links.remove([a])
  const shutdown = new Shutdown(true, () => {})
  const ended = stateOf(links.endRemovals(shutdown))
  await turnOfTheLoop()
  t.equal(ended(), 'pending')
  gate.resolve()
  await removed
  await turnOfTheLoop()
  t.equal(ended(), 'resolved')
  const idle = stateOf(links.endTransfers(shutdown))
  await turnOfTheLoop()
  t.equal(idle(), 'pending')
  transferred.resolve(emptyReport('b'))
  await turnOfTheLoop()
  t.equal(idle(), 'resolved')
  await links.drain(shutdown)
  t.strictSame(events, ['transfer', 'transfer'])
  shutdown.request({ drain: false })
  await links.drain(shutdown)
  t.equal(events.length, 2, 'unless it is not to')
  shutdown.request({ drain: true })
  b.drain = () => Promise.resolve({ ...emptyReport('b'), failed: true })
  await t.rejects(links.drain(shutdown), { code: 'DATABAY_TRANSFER_FAILED' })
})

t.test('a schedule that changes is gone by, until the link is dismissed', async (t) => {
  const { links, trace, life } = linksOf(t)
  const a = tracedLink('a', trace)
  links.admit([a])
  a.setInterval(5)
  t.strictSame(trace.splice(0), ['unschedule a', 'schedule a'])
  life.running = false
  a.setInterval(6)
  life.running = true
  links.dismiss(a, 'it is removed')
  a.setInterval(7)
  t.strictSame(trace, [])
})
