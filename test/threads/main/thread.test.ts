import t from 'tap'
import { getLogger, setLogLevel } from '../../../src/base/log.js'
import type { Thread } from '../../../src/threads/main/thread.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { NotBegunError } from '../../../src/threads/main/run.js'
import { loopbackThread, runIn } from '../../helpers/loopback.js'
import { linkModule, measureThreads, openGate, tracesOf, until } from '../../helpers/threads.js'

measureThreads()

/** Opens the links of a module, under ids from 0. */
async function open(thread: Thread, module: URL): Promise<void> {
  const links = await thread.describe(module.href)
  await Promise.all(
    links.map(({ exportName, index }, id) => thread.open({ module: module.href, exportName, index, id })),
  )
}

t.test('a thread is ready when its worker has taken the channel, the log levels and its bound', async (t) => {
  captureLogs(t)
  const { thread, adopt } = loopbackThread(3, 17)
  t.teardown(() => thread.end())
  let ready = false
  void thread.ready.then(() => (ready = true))
  await turnOfTheLoop()
  t.notOk(ready)
  const { tasks, worker } = await adopt()
  await thread.ready
  t.equal(thread.worker, worker)
  t.match(tasks, [{ call: 'hello', setup: { thread: 3, transfersPerThread: 17, logLevels: [['databay', 'warn']] } }])
})

t.test('what is asked before it is ready waits until it is', async (t) => {
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  const asked = thread.describe(linkModule({ tags: 'early' }).href)
  await adopt()
  t.match(await asked, [{ id: 'early' }])
})

t.test('links of one tick are opened, and closed, by one message', async (t) => {
  captureLogs(t)
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  const loopback = await adopt()
  await open(thread, linkModule({ tags: 'a' }, { tags: 'b' }, { tags: 'c' }))
  t.equal(loopback.count('open'), 1)
  await Promise.all([thread.close(2), thread.close(1), thread.close(0)])
  t.equal(loopback.count('close'), 1)
})

t.test('one that fails to open or to close rejects with its error, and the others do not', async (t) => {
  captureLogs(t, 'silent')
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  await adopt()
  const module = linkModule({ tags: 'bad', failing: ['start'] }, { tags: 'worse', failing: ['shutdown'] }).href
  const openOne = (index: number) => thread.open({ module, exportName: 'links', index, id: index })
  const worse = openOne(1)
  await t.rejects(openOne(0), { name: 'CustomError', code: 'E_START', message: 'bad cannot start', stack: /nodes\.ts/ })
  await worse
  await t.rejects(thread.close(1), { name: 'CustomError', message: 'worse cannot shut down' })
})

t.test('transfers of one tick go in one message, of 256 at most; a full one goes at once', async (t) => {
  captureLogs(t, 'silent')
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  const loopback = await adopt()
  await open(thread, linkModule({ tags: 'many', acts: [{ give: [] }] }))
  const sizes = () => loopback.tasks.flatMap((task) => ('call' in task ? [] : [(task.length - 1) / 4]))

  await Promise.all(Array.from({ length: 3 }, (_, number) => runIn(thread, 0, number)))
  t.same(sizes(), [3])
  const runs = Array.from({ length: 600 }, (_, number) => runIn(thread, 0, number))
  t.equal(thread.load, 600)
  await Promise.all(runs)
  t.same(sizes(), [3, 256, 256, 88])
  t.equal(thread.load, 0)
})

t.test('a transfer resolves with its own report as soon as that comes, whatever else was sent with it', async (t) => {
  const logs = captureLogs(t, 'silent')
  captureLogs(t, 'warn')
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  await adopt()
  await open(thread, linkModule({ tags: 'slow', acts: ['gate'] }, { tags: 'quick', acts: [{ give: [1, 2] }] }))
  const slow = runIn(thread, 0)
  t.match(await runIn(thread, 1), { pulled: 2, failed: false })
  t.equal(thread.load, 1)
  t.ok(thread.busy)
  openGate('slow')
  t.match(await slow, { pulled: 1 })
  await until(() => !thread.busy)
  t.same(tracesOf(logs), [])
})

t.test('what fails in the thread rejects with that error', async (t) => {
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  await adopt()
  await t.rejects(thread.describe('file:///nowhere.js'), {
    name: 'LinkModuleError',
    code: 'DATABAY_LINK_MODULE',
    message: 'file:///nowhere.js: there is no such file',
    module: 'file:///nowhere.js',
  })
})

t.test('what cannot be delivered rejects, transfers too', async (t) => {
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  const loopback = await adopt()
  loopback.failure = new Error('not delivered')
  await t.rejects(thread.describe('x'), { message: 'not delivered' })
  const results = await Promise.allSettled([
    runIn(thread, 0),
    runIn(thread, 1),
    thread.open({ id: 1, module: '', exportName: '', index: 0 }),
  ])
  for (const result of results) t.match(result, { status: 'rejected', reason: { message: 'not delivered' } })
  t.equal(thread.load, 0)
  t.notOk(thread.busy)
})

t.test('log lines of a thread go where those of the main thread go', async (t) => {
  const logs = captureLogs(t)
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  const loopback = await adopt()
  loopback.tell({ event: 'log', line: '{"msg":"from the thread"}\n' })
  await until(() => logs.lines.length > 0)
  t.same(logs.messages(), ['from the thread'])
})

t.test('notes do not wait behind tasks, and go nowhere while there is no worker', async (t) => {
  captureLogs(t)
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  thread.note({ note: 'logLevels', levels: [] })
  const loopback = await adopt()
  loopback.hangs = true
  thread.describe('x').catch(() => undefined)
  setLogLevel('info', 'databay.noteTest')
  thread.note({
    note: 'logLevels',
    levels: [
      ['databay', 'warn'],
      ['databay.noteTest', 'debug'],
    ],
  })
  await until(() => loopback.notes.length > 0)
  t.equal(loopback.notes.length, 1)
  t.equal(getLogger('databay.noteTest').level, 'debug')
})

t.test('it is watched closely from the next worker on, and the worker is told when that ends', async (t) => {
  captureLogs(t)
  const { thread, adopt } = loopbackThread()
  t.teardown(() => thread.end())
  thread.trace = true
  const loopback = await adopt()
  t.match(loopback.tasks, [{ call: 'hello', setup: { trace: true } }])
  thread.trace = false
  thread.trace = false
  await until(() => loopback.notes.length > 0)
  await turnOfTheLoop()
  t.same(loopback.notes, [{ note: 'endTrace' }])
  t.match(thread.lose(new Error('gone')), { traced: false })
  t.match((await adopt()).tasks, [{ call: 'hello', setup: { trace: false } }])
  thread.trace = true
  thread.lose(new Error('gone'))
  await adopt()
  t.match(thread.lose(new Error('gone')), { traced: true })
})

t.test('when the worker is lost', async (t) => {
  captureLogs(t, 'silent')

  t.test('as soon as it has taken the channel, it is not ready', async (t) => {
    const { thread, adopt } = loopbackThread()
    t.teardown(() => thread.end())
    const adopted = adopt()
    // its answer is in the channel, and is not heard yet
    await Promise.resolve()
    thread.lose(new Error('gone'))
    await adopted
    t.equal(thread.pulse, undefined)
    const asked = thread.describe(linkModule({ tags: 'next' }).href)
    await turnOfTheLoop()
    await adopt()
    t.match(await asked, [{ id: 'next' }])
  })

  t.test('all that was in it fails, saying why', async (t) => {
    const { thread, adopt } = loopbackThread(2)
    t.teardown(() => thread.end())
    const loopback = await adopt()
    loopback.hangs = true
    const inIt = [runIn(thread, 0), runIn(thread, 1), thread.open({ id: 1, module: '', exportName: '', index: 0 })]
    await until(() => loopback.count('open') === 1)
    const { pulse } = thread
    pulse!.begun = 1
    pulse!.inside = 7
    const cause = new Error('its worker exited with code 3')
    t.same(thread.lose(cause), { runs: [0], inside: 7, traced: false }, 'it tells which links were in it')
    const results = await Promise.allSettled(inIt)
    for (const result of results) {
      t.match(result, {
        status: 'rejected',
        reason: { code: 'DATABAY_THREAD_LOST', message: 'thread 2 was lost: its worker exited with code 3', cause },
      })
    }
    const notBegun = results.map((result) => 'reason' in result && result.reason instanceof NotBegunError)
    t.same(notBegun, [false, true, false], 'what it had not begun can be made again')
    t.equal(thread.worker, undefined)
    t.equal(thread.load, 0)
  })

  t.test('what comes then waits for the worker that takes its place', async (t) => {
    const { thread, adopt } = loopbackThread()
    t.teardown(() => thread.end())
    const first = await adopt()
    thread.lose(new Error('gone'))
    const asked = open(thread, linkModule({ tags: 'later' }))
    await turnOfTheLoop()
    const second = await adopt()
    await asked
    t.match(await runIn(thread, 0), { failed: false })
    t.equal(first.tasks.length, 1)
    t.equal(thread.worker, second.worker)
  })

  t.test('what it had told by then is heard: such transfers did not fail', async (t) => {
    const logs = captureLogs(t)
    const { thread, adopt } = loopbackThread()
    t.teardown(() => thread.end())
    const loopback = await adopt()
    await open(thread, linkModule({ tags: 'told' }, { tags: 'stays', acts: ['gate'] }))
    const told = runIn(thread, 0)
    const stays = runIn(thread, 1)
    await told
    loopback.tell({ event: 'log', line: '{"msg":"my last words"}\n' })
    t.match(thread.lose(new Error('gone')), { runs: [1] })
    t.ok(logs.messages().includes('my last words'))
    await t.rejects(stays, { code: 'DATABAY_THREAD_LOST' })
    openGate('stays')
  })

  t.test('a task that is sent in the moment between fails', async (t) => {
    const { thread, adopt } = loopbackThread()
    t.teardown(() => thread.end())
    await adopt()
    const asked = thread.describe('x')
    thread.lose(new Error('gone'))
    await t.rejects(asked, { code: 'DATABAY_THREAD_LOST', message: 'thread 1 was lost' })
  })
})

t.test('when the thread ends with its planner, whatever waits for it fails', async (t) => {
  const { thread } = loopbackThread(4)
  const waiting = [thread.describe('x'), runIn(thread, 0)]
  await turnOfTheLoop()
  thread.end()
  for (const result of await Promise.allSettled(waiting)) {
    t.match(result, { reason: { code: 'DATABAY_THREAD_LOST', message: /thread 4 .*has ended with its planner/ } })
  }
  await t.rejects(thread.describe('x'), { code: 'DATABAY_THREAD_LOST' }, 'and what comes later')
})
