import { once } from 'node:events'
import t, { type Test } from 'tap'
import { Link } from '../../src/core/link.js'
import { setLogDestination, setLogLevel } from '../../src/base/log.js'
import type { ThreadLostEvent } from '../../src/operate/planner-events.js'
import type { FAILURES } from '../fixtures/nodes.js'
import type { LinkSpec } from '../fixtures/links.js'
import { captureLogs } from '../helpers/logs.js'
import { giving, KeepOutlet } from '../helpers/nodes.js'
import {
  fixture,
  linkModule,
  measureThreads,
  openGate,
  pushedTo,
  reportsOf,
  tracesOf,
  until,
  workerPlanner,
} from '../helpers/threads.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

measureThreads()

// threads take long to start, so all tests share one planner
const planner = workerPlanner(t, [], { ignoreExceptions: true })
await planner.start()
const reports = reportsOf(planner)

/** Adds links to the running planner, in a module of their own. They are removed when the test ends. */
async function add(t: Test, ...specs: LinkSpec[]) {
  const module = linkModule(...specs)
  const before = planner.links.length
  await planner.addLinks(module)
  t.teardown(() => planner.removeLinks(module))
  return planner.links.slice(before)
}

t.test('errors arrive as they were thrown, with their node and stage', async (t) => {
  captureLogs(t, 'silent')
  const here = { node: 'ActInlet', stage: 'pull' }
  const expected: { [K in keyof typeof FAILURES]: object } = {
    error: { name: 'Error', message: 'no such thing', stack: /nodes\.ts/, ...here },
    typeError: {
      name: 'TypeError',
      message: 'not of that kind',
      cause: { name: 'RangeError', message: 'out of range' },
    },
    withFields: { message: 'refused', code: 'E_REFUSED', fields: { status: 403, fatal: false }, ...here },
    aggregate: {
      name: 'AggregateError',
      message: 'both',
      errors: [
        { name: 'Error', message: 'one' },
        { name: 'TypeError', message: 'two', code: 2 },
      ],
    },
    uncloneable: { name: 'Error', message: /^something other than an Error was thrown: \{ run: \[Function/, ...here },
    uncloneableCause: { message: 'outer', cause: undefined },
    null: { message: 'something other than an Error was thrown: null', ...here },
    undefined: { message: 'something other than an Error was thrown: undefined', ...here },
    text: { message: "something other than an Error was thrown: 'just text'", ...here },
  }
  const kinds = Object.keys(expected) as (keyof typeof FAILURES)[]
  const links = await add(t, ...kinds.map((fail) => ({ tags: fail, acts: [{ fail }] })))
  const made = await planner.forceTransfer(links)
  for (const [at, kind] of kinds.entries()) {
    t.match(made[at], { link: kind, failed: true, pulled: 0, errors: [expected[kind]] }, kind)
    t.equal(made[at]?.errors.length, 1)
  }
  t.ok(planner.running, 'the planner ignores them')
})

t.test('an error of a link that ignores exceptions is in its report, which has not failed', async (t) => {
  captureLogs(t, 'silent')
  const links = await add(t, { tags: 'ignoring', acts: [{ fail: 'error' }], ignoreExceptions: true })
  t.match(await planner.forceTransfer(links), [{ failed: false, errors: [{ message: 'no such thing' }] }])
})

t.test('links are spread over the threads, and run in them', async (t) => {
  const logs = captureLogs(t)
  const acts = ['where'] as const
  const links = await add(t, ...['a', 'b', 'c', 'd'].map((tags) => ({ tags, acts })))
  const made = await planner.forceTransfer(links)
  t.same(
    made.map(({ thread }) => thread),
    [1, 2, 1, 2],
  )
  const ids = threadPoolOf(planner).threads.map(({ worker }) => worker?.threadId)
  t.same(
    ['a', 'b'].map((tags) => pushedTo(tags, tracesOf(logs))),
    [[ids[0]], [ids[1]]],
  )
})

t.test('links that share an instance are in one thread, and it is started and shut down once', async (t) => {
  const logs = captureLogs(t)
  const module = linkModule({ tags: 'x', shares: 'one' }, { tags: 'between' }, { tags: 'y', shares: 'one' })
  const other = linkModule({ tags: 'z', shares: 'one' })
  await planner.addLinks([module, other])
  const made = await planner.forceTransfer()
  t.equal(new Set(made.filter(({ link }) => link !== 'between').map(({ thread }) => thread)).size, 1)
  t.same(['x', 'y', 'z'].flatMap((tags) => pushedTo(tags, tracesOf(logs))).sort(), [1, 2, 3], 'one instance for all')
  await planner.removeLinks(module)
  t.notOk(tracesOf(logs).includes('one shuts down'), 'another link still has it')
  t.match(await planner.forceTransfer(), [{ link: 'z', failed: false }])
  await planner.removeLinks(other)
  t.equal(tracesOf(logs).filter((text) => text === 'one starts').length, 1)
  t.equal(tracesOf(logs).filter((text) => text === 'one shuts down').length, 1)
})

t.test('a stateless link runs in any thread, several times at once up to maxInstances', async (t) => {
  const logs = captureLogs(t)
  const links = await add(t, { tags: 'anywhere', acts: ['gate'], stateless: true, maxInstances: 2 })
  const transfers = [planner.forceTransfer(links), planner.forceTransfer(links)]
  await until(() => tracesOf(logs).filter((text) => text === 'anywhere waits').length === 2)
  const skipped = once(planner, 'skipped')
  t.same(await planner.forceTransfer(links), [])
  t.match(await skipped, [{ link: 'anywhere', running: 2 }])
  openGate('anywhere')
  const made = await Promise.all(transfers)
  t.same(
    made.flat().map(({ thread }) => thread),
    [1, 2],
  )
})

t.test('reports come as transfers end, slow ones do not hold back others of their thread', async (t) => {
  const logs = captureLogs(t)
  const links = await add(t, { tags: 'slow', acts: ['gate'] }, { tags: 'other' }, { tags: 'quick' })
  const before = reports.length
  const all = planner.forceTransfer(links)
  await until(() => reports.length === before + 2 && tracesOf(logs).includes('slow waits'))
  t.same(
    reports
      .slice(before)
      .map(({ link }) => link)
      .sort(),
    ['other', 'quick'],
  )
  openGate('slow')
  t.match(await all, [{ link: 'slow', thread: 1 }, { thread: 2 }, { link: 'quick', thread: 1 }])
})

t.test('log levels apply in threads, whether they were set before or are set now', async (t) => {
  const logs = captureLogs(t)
  setLogLevel('debug', 'databay.test')
  const links = await add(t, { tags: 'logs', acts: ['log'] })
  const lines = () =>
    logs.entries().flatMap(({ name, msg, thread }) => (name === 'databay.test' ? [`${thread}: ${msg}`] : []))
  await planner.forceTransfer(links)
  t.same(lines(), ['1: a debug line', '1: a info line', '1: a warn line', '1: a error line'])
  setLogLevel('error', 'databay.test')
  await planner.forceTransfer(links) // by now the threads know
  const known = lines().length
  await planner.forceTransfer(links)
  t.same(lines().slice(known), ['1: a error line'])
})

t.test('log lines of a transfer come before its report', async (t) => {
  captureLogs(t)
  const order: string[] = []
  setLogDestination({
    write: (line) => {
      order.push((JSON.parse(line) as { msg: string }).msg)
    },
  })
  const links = await add(t, { tags: 'ordered' })
  const onTransfer = () => order.push('report')
  planner.on('transfer', onTransfer)
  for (let times = 0; times < 3; times++) await planner.forceTransfer(links)
  planner.off('transfer', onTransfer)
  t.same(order.slice(2), ['ordered gets [1]', 'report', 'ordered gets [2]', 'report', 'ordered gets [3]', 'report'])
})

t.test('a transfer in a thread that takes too long is told to stop', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const links = await add(t, { tags: 'timed', acts: ['untilAborted'], timeout: 0.05 })
  t.match(await planner.forceTransfer(links), [
    { failed: true, errors: [{ code: 'DATABAY_TRANSFER_TIMEOUT', stage: 'pull' }] },
  ])
  t.match(tracesOf(logs).at(-1), /^timed is told to stop: TransferTimeoutError: timed\.0 did not end within 50 ms$/)
})

t.test('links whose lanes are set are kept apart', async (t) => {
  captureLogs(t)
  const links = await add(
    t,
    { tags: 'waits', lane: 'io' },
    { tags: 'computes', lane: 'cpu' },
    { tags: 'too', lane: 'cpu' },
  )
  t.match(await planner.forceTransfer(links), [{ thread: 1 }, { thread: 2 }, { thread: 2 }])
})

t.test('a link that turns out to compute moves to another thread, and no record is lost or doubled', async (t) => {
  const logs = captureLogs(t, 'info')
  const links = await add(
    t,
    { tags: 'waits1' },
    { tags: 'waits2' },
    { tags: 'computes', acts: [{ spin: 20 }], movable: true, buffer: 1000 },
  )
  const [, , computes] = links
  let transfers = 0
  const moved = () => logs.messages().includes('computes moved to thread 2')
  // the link moves between transfers, some time after it is known to compute
  for (; !moved(); transfers++) {
    await planner.forceTransfer(computes)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.match(await planner.forceTransfer(computes), [{ thread: 2, buffered: transfers + 1 }])
  t.match(await computes?.drain(), { buffered: 0, outlets: [{ pushed: transfers + 1 }] })
  t.equal(pushedTo('computes', tracesOf(logs)).length, transfers + 1)
})

t.test('a live link has its records processed in the threads', async (t) => {
  captureLogs(t, 'silent')
  const outlet = new KeepOutlet()
  const processor = (name: string) => planner.pool.processor(fixture('processors.ts'), { export: name, chunk: 3 })
  const process = async (name: string, ...values: unknown[]) => {
    const link = new Link({
      inlets: giving(...values),
      outlets: outlet,
      processors: [processor(name)],
      interval: 1000,
      tags: name,
    })
    await planner.addLinks(link)
    const [report] = await planner.forceTransfer(link)
    await planner.removeLinks(link)
    return report
  }
  t.match(await process('default', 1, 2, 3, 4, 5, 6, 7), {
    thread: 0,
    pulled: 7,
    failed: false,
    outlets: [{ pushed: 7 }],
  })
  t.same(outlet.payloads, [[2, 4, 6, 8, 10, 12, 14]])
  t.match(await process('odd', 1, 2, 3), { filtered: 1 })
  t.match(await process('fails', 1), {
    dropped: 1,
    errors: [{ name: 'TypeError', code: 'E_TAKE', node: 'processor fails', stage: 'process' }],
  })
  t.match(await process('missing', 1), { errors: [{ code: 'DATABAY_LINK_MODULE', node: 'processor missing' }] })
  t.match(await process('default', 1, { at: () => 1 }), {
    errors: [{ code: 'DATABAY_UNCLONEABLE_RECORD', message: /record 1 of FromInlet .* payload\.at cannot be cloned/ }],
  })
})

t.test('when a thread is lost', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const links = await add(
    t,
    { tags: 'gated', acts: ['gate', 'count'] },
    { tags: 'elsewhere', buffer: 9 },
    { tags: 'holds', buffer: 9 },
    { tags: 'exits', acts: ['exit', 'count'] },
    { tags: 'any', stateless: true },
  )
  const [gated, elsewhere, holds, exits] = links
  t.match(await planner.forceTransfer(links.slice(1, 3)), [{ thread: 2 }, { thread: 1, buffered: 1 }])

  await t.test('its transfers fail, and it is told whom it hit', async (t) => {
    const transfer = planner.forceTransfer(gated)
    await until(() => tracesOf(logs).includes('gated waits'))
    const lost = once(planner, 'threadLost')
    await threadPoolOf(planner).endWorker(threadPoolOf(planner).threads[0]!, new Error('ended by a test'))
    const [event] = (await lost) as [ThreadLostEvent]
    t.match(event, { thread: 1, links: ['gated', 'holds', 'any'], transfers: 1, buffered: 1 })
    t.match(await transfer, [
      {
        link: 'gated',
        update: 'gated.0',
        thread: 1,
        failed: true,
        errors: [{ code: 'DATABAY_THREAD_LOST', node: 'thread 1' }],
      },
    ])
    t.ok(planner.running)
  })

  await t.test('its links carry on in the one that takes its place, with fresh instances', async (t) => {
    const transfers = planner.forceTransfer([gated!, holds!])
    await until(() => tracesOf(logs).filter((text) => text === 'gated waits').length === 2)
    openGate('gated')
    t.match(await transfers, [
      { update: 'gated.1', thread: 1, failed: false },
      { update: 'holds.1', thread: 1, buffered: 1 },
    ])
    t.equal(tracesOf(logs).filter((text) => text === 'holds starts').length, 2)
  })

  await t.test('others have noticed nothing', async (t) => {
    t.match(await planner.forceTransfer(elsewhere), [{ update: 'elsewhere.1', thread: 2, buffered: 2 }])
    t.equal(tracesOf(logs).filter((text) => text === 'elsewhere starts').length, 1)
  })

  await t.test('by a node that ends the process, too', async (t) => {
    const lost = once(planner, 'threadLost')
    t.match(await planner.forceTransfer(exits), [{ failed: true, errors: [{ code: 'DATABAY_THREAD_LOST' }] }])
    t.match(await lost, [{ thread: 2, links: ['elsewhere', 'exits', 'any'], buffered: 2 }])
    t.match(await planner.forceTransfer(elsewhere), [{ update: 'elsewhere.2', thread: 2, buffered: 1 }])
  })
})
