import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { captureLogs } from '../helpers/logs.js'
import {
  linkModule,
  liveLink,
  measureThreads,
  pushedTo,
  reportsOf,
  tracesOf,
  until,
  workerPlanner,
} from '../helpers/threads.js'
import { threadPoolOf } from '../../src/planners/worker-planner.js'

measureThreads()

t.test('when a link fails to start, start() rejects, and what was started is shut down in reverse', async (t) => {
  const logs = captureLogs(t)
  const live = liveLink('live')
  const module = linkModule({ tags: 'ok1' }, { tags: 'bad', failing: ['start'] }, { tags: 'ok2' })
  const planner = workerPlanner(t, [live, module], { threads: 1 })
  await t.rejects(planner.start(), { name: 'CustomError', code: 'E_START', message: /bad cannot start/ })
  t.match([planner.running, planner.links, threadPoolOf(planner).running], [false, [live], false])
  const shutDown = tracesOf(logs).filter((text) => /^\w+ shuts down$/.test(text))
  t.same(
    shutDown.filter((text) => !text.startsWith('live')),
    ['ok2 shuts down', 'ok1 shuts down'],
  )
  t.ok(shutDown.includes('live shuts down'))
  await t.rejects(planner.finished, { code: 'E_START' })
})

t.test('a transfer that fails in a thread stops the planner', async (t) => {
  const logs = captureLogs(t)
  const module = linkModule({ tags: 'fails', acts: ['count', { fail: 'withFields' }] }, { tags: 'held', buffer: 5 })
  const planner = workerPlanner(t, module, { threads: 1, immediateTransfer: true })
  await planner.start()
  void planner.forceTransfer(planner.links[0])
  await t.rejects(planner.finished, {
    name: 'TransferError',
    code: 'DATABAY_TRANSFER_FAILED',
    message: 'transfer fails.1 failed: ActInlet failed to pull: refused',
    report: { link: 'fails', thread: 1, errors: [{ code: 'E_REFUSED', node: 'ActInlet', stage: 'pull' }] },
    cause: { message: 'refused', code: 'E_REFUSED', status: 403 },
  })
  t.same(pushedTo('held', tracesOf(logs)), [1], 'buffers are drained all the same')
  t.equal(tracesOf(logs).at(-1), 'fails shuts down')
  t.equal(planner.running, false)

  await t.test('and when it is a first one, start() rejects', async (t) => {
    const first = workerPlanner(t, linkModule({ tags: 'first', acts: [{ fail: 'null' }] }), {
      threads: 1,
      immediateTransfer: true,
    })
    await t.rejects(first.start(), {
      code: 'DATABAY_TRANSFER_FAILED',
      cause: { message: 'something other than an Error was thrown: null' },
    })
  })
})

t.test('shutdown({ wait: false }) tells transfers to stop, those on their way too', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const module = linkModule(
    { tags: 'running', acts: ['untilAborted'] },
    { tags: 'coming', acts: ['untilAborted'] },
    { tags: 'moving', acts: ['untilAborted'], stateless: true },
  )
  const planner = workerPlanner(t, module, { threads: 1, transfersPerThread: 2 })
  const reports = reportsOf(planner)
  await planner.start()
  const [running, ...coming] = planner.links
  void planner.forceTransfer(running)
  await until(() => tracesOf(logs).includes('running waits'))
  void planner.forceTransfer(coming)
  await planner.shutdown({ wait: false })
  t.equal(reports.length, 3)
  for (const report of reports) t.match(report, { errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] })
  t.ok(
    tracesOf(logs).includes('running is told to stop: TransferCancelledError: the planner shuts down without waiting'),
  )
  await planner.finished
})

t.test('a link that fails to shut down as its module is loaded anew is removed all the same', async (t) => {
  const logs = captureLogs(t, 'error')
  const version = (...names: string[]) => `
    import { Inlet, Link, NullOutlet } from 'databay'
    class Stuck extends Inlet { pull() { return 1 } onShutdown() { throw new Error('cannot shut down') } }
    ${names.map((name) => `export const ${name} = new Link({ inlets: new Stuck(), outlets: new NullOutlet(), interval: 1000, tags: '${name}' })`).join('\n')}`
  const module = path.join(t.testdir({ 'links.mjs': version('stays', 'goes') }), 'links.mjs')
  const planner = workerPlanner(t, module, { threads: 1, ignoreExceptions: true })
  await planner.start()
  writeFileSync(module, version('stays'))
  await planner.reload(module)
  t.same(
    planner.links.map(({ name }) => name),
    ['stays'],
  )
  t.ok(logs.messages().some((text) => /a link failed to shut down as its module was loaded anew/.test(text)))
  writeFileSync(module, version('stays', 'goes'))
  await planner.reload(module)
  t.same(
    planner.links.map(({ name }) => name),
    ['stays', 'goes'],
  )
})

t.test('a planner whose threads have ended for good does not say that it is running', async (t) => {
  captureLogs(t, 'silent')
  const live = liveLink('live')
  const planner = workerPlanner(t, [live, linkModule({ tags: 'ended.a' })], { ignoreExceptions: true })
  await planner.start()
  const finished = t.rejects(planner.finished, {
    code: 'DATABAY_THREAD_LOST',
    message: 'the threads have ended while the planner was running',
  })
  await threadPoolOf(planner).destroy()
  t.notOk(planner.running)
  t.throws(
    () => {
      planner.pause()
    },
    { code: 'DATABAY_PLANNER_STATE' },
  )
  await finished
  t.same(planner.links, [live], 'and its links are shut down')
  await planner.start()
  t.ok(planner.running, 'the next start has threads again')
  t.equal((await planner.forceTransfer()).length, 2)
})

t.test('a planner whose threads are all lost at once runs on with the threads that replace them', async (t) => {
  captureLogs(t, 'silent')
  const planner = workerPlanner(t, linkModule({ tags: 'ended.b' }), { ignoreExceptions: true })
  await planner.start()
  let lost = 0
  planner.on('threadLost', () => lost++)
  for (const { worker } of threadPoolOf(planner).threads) void worker?.terminate()
  await until(() => lost === 2)
  t.ok(planner.running)
  t.match(await planner.forceTransfer(), [{ link: 'ended.b', failed: false }])
})

for (const when of ['at once', 'while it loads its threads']) {
  t.test(`a planner that is shut down ${when}, without waiting, starts no threads`, async (t) => {
    captureLogs(t, 'silent')
    const planner = workerPlanner(t, linkModule({ tags: 'forced' }), { threads: 1 })
    const started = planner.start()
    if (when !== 'at once') await Promise.resolve()
    const stopped = planner.shutdown({ wait: false })
    await t.rejects(started, { code: 'DATABAY_PLANNER_STATE', message: 'the planner was shut down while it started' })
    await stopped
    t.same([planner.running, planner.links, planner.stats().threads], [false, [], []])
    await planner.start()
    t.match(await planner.forceTransfer(), [{ link: 'forced', failed: false }])
  })
}
