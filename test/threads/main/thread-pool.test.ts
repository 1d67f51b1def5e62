import { once } from 'node:events'
import t from 'tap'
import { Record } from '../../../src/core/record.js'
import { offload } from '../../../src/threads/main/offload.js'
import { ThreadPool } from '../../../src/threads/main/thread-pool.js'
import type { LostThread } from '../../../src/threads/main/thread-pool-options.js'
import type { Thread } from '../../../src/threads/main/thread.js'
import { Update } from '../../../src/core/update.js'
import { runIn } from '../../helpers/loopback.js'
import { captureLogs } from '../../helpers/logs.js'
import { fixture, linkModule, measureThreads, openGate, tracesOf, until } from '../../helpers/threads.js'

measureThreads()

/** Opens a module's links in a thread, under ids from 0. */
async function open(thread: Thread, module: URL): Promise<void> {
  const links = await thread.describe(module.href)
  await Promise.all(
    links.map(({ exportName, index }, id) => thread.open({ module: module.href, exportName, index, id })),
  )
}

const why = new Error('ended by a test')
const nextLost = async () => (await once(pool, 'lost'))[0] as LostThread

// threads start slowly under tap, so one pool does for most
const pool = new ThreadPool({ threads: 2, transfersPerThread: 1000 })
t.match(
  [pool.size, pool.threads, pool.running, pool.busy],
  [2, [], false, 0],
  'a pool that is not started has no threads',
)
await pool.start()
t.teardown(() => pool.destroy())
const [first, second] = pool.threads as [Thread, Thread]

t.test('a pool that runs has its threads, each a worker of its own', async (t) => {
  t.ok(pool.running)
  t.same(
    pool.threads.map(({ number }) => number),
    [1, 2],
  )
  t.not(first.worker?.threadId, second.worker?.threadId)
})

t.test('a task runs in the thread that it is for', async (t) => {
  const logs = captureLogs(t)
  await open(second, linkModule({ tags: 'here', acts: ['where'] }))
  await runIn(second, 0)
  t.same(tracesOf(logs).at(-1), `here gets [${second.worker?.threadId}]`)
  t.same(
    logs.entries().map(({ thread }) => thread),
    [2, 2, 2],
    'lines of a thread carry its number',
  )
  captureLogs(t, 'silent')
  t.match(await runIn(first, 0), { failed: true, errors: [{ message: 'link 0 is not open in this thread' }] })
})

t.test('a thread that has something to do is busy', async (t) => {
  const logs = captureLogs(t)
  await open(first, linkModule({ tags: 'busy', acts: ['gate'] }))
  await until(() => pool.busy === 0)
  const run = runIn(first, 0)
  t.equal(pool.busy, 1)
  await until(() => tracesOf(logs).includes('busy waits'))
  openGate('busy')
  await run
  await until(() => pool.busy === 0)
})

t.test('a processor does its work in the threads', async (t) => {
  const logs = captureLogs(t)
  const where = offload(pool, fixture('processors.ts'), { export: 'where', chunk: 1 })
  const records = await where([new Record(1), new Record(2)], new Update(['a'], 0))
  t.same(records.map(({ payload }) => payload).sort(), pool.threads.map(({ worker }) => worker?.threadId).sort())
  t.equal(tracesOf(logs).length, 2)

  t.test('records that cannot be cloned are named', async (t) => {
    const record = new Record({ rows: [1, () => 1] }, { __inlet__: 'TheInlet' })
    await t.rejects(async () => where([new Record(1), record], new Update(['a'], 0)), {
      code: 'DATABAY_UNCLONEABLE_RECORD',
      message: /of TheInlet cannot cross to a thread: payload\.rows\[1\] cannot be cloned/,
    })
  })

  t.test('records that come back and cannot be cloned are named too', async (t) => {
    const callbacks = offload(pool, fixture('processors.ts'), { export: 'returnsFunctions' })
    await t.rejects(async () => callbacks([new Record(1)], new Update(['a'], 0)), {
      code: 'DATABAY_UNCLONEABLE_RECORD',
      message: /payload\.callback cannot be cloned/,
    })
  })
})

t.test('a worker that ends is told of, and another takes its place', async (t) => {
  const logs = captureLogs(t)
  const module = linkModule(
    { tags: 'exits', acts: [{ logThenExit: 500 }] },
    { tags: 'throws', acts: ['throwLater'] },
    { tags: 'spins', acts: [{ spin: 1e9 }] },
    { tags: 'waits', acts: ['untilAborted'] },
  )
  await open(second, linkModule({ tags: 'untouched' }))
  const untouched = second.worker

  await t.test('by process.exit: what ran in it fails, and what it logged is not lost', async (t) => {
    await open(first, module)
    const before = first.worker
    const lost = nextLost()
    const runs = Promise.allSettled([runIn(first, 3), runIn(first, 0)])
    t.match(await lost, { thread: first, error: { message: 'its worker exited with code 3' }, runs: [3, 0] })
    for (const result of await runs) t.match(result, { reason: { code: 'DATABAY_THREAD_LOST' } })
    t.equal(tracesOf(logs).filter((text) => text.startsWith('line ')).length, 500)
    await first.ready
    t.not(first.worker, before)
  })

  await t.test('by an error that nobody catches: that is why', async (t) => {
    await open(first, module)
    const lost = nextLost()
    t.match(await runIn(first, 1), { failed: false, pulled: 1 })
    t.match(await lost, { thread: first, error: { message: 'thrown when nobody listens' }, runs: [] })
    await first.ready
  })

  await t.test('by force, also in an endless loop: what is sent in that moment fails too', async (t) => {
    await open(first, module)
    const lost = nextLost()
    const spinning = runIn(first, 2)
    spinning.catch(() => undefined)
    await until(() => first.pulse?.inside === 2)
    const ended = pool.endWorker(first, why)
    await t.rejects(first.describe(module.href), { code: 'DATABAY_THREAD_LOST' })
    await ended
    t.match(await lost, { thread: first, error: why, runs: [2], inside: 2 })
    await t.rejects(spinning, { code: 'DATABAY_THREAD_LOST' })
    await first.ready
    t.match(await first.describe(module.href), [{ id: 'exits' }, {}, {}, {}])
  })

  await t.test('while it processes records: that fails', async (t) => {
    const gated = offload(pool, fixture('processors.ts'), { export: 'gatedFirst' })
    const processing = Promise.resolve(gated([new Record('gated')], new Update(['a'], 0)))
    processing.catch(() => undefined)
    await until(() => tracesOf(logs).includes('processor waits'))
    await pool.endWorker(first, why)
    await t.rejects(processing, { code: 'DATABAY_THREAD_LOST' })
    await first.ready
  })

  await t.test('the others go on as if nothing had happened', async (t) => {
    t.equal(second.worker, untouched)
    t.match(await runIn(second, 0), { failed: false })
    t.same(tracesOf(logs).at(-1), 'untouched gets [1]')
  })
})

t.test('whatever is in the threads fails when the pool is destroyed, and it can be started again', async (t) => {
  const logs = captureLogs(t)
  let lost = 0
  pool.on('lost', () => lost++)
  await open(second, linkModule({ tags: 'deaf', acts: ['deaf'] }))
  const run = runIn(second, 0)
  run.catch(() => undefined)
  await until(() => tracesOf(logs).includes('deaf waits'))
  await pool.destroy()
  await t.rejects(run, { code: 'DATABAY_THREAD_LOST' })
  t.equal(lost, 0, 'that is no loss')
  t.match([pool.threads, pool.running, second.worker], [[], false, undefined])
  await pool.destroy()
  await pool.endWorker(second, why) // there is none to end

  await pool.start()
  t.match(
    pool.threads.map(({ number }) => number),
    [1, 2],
  )
  t.match(await pool.threads[0]?.describe(linkModule({ tags: 'again' }).href), [{ id: 'again' }])
})

t.test('a thread that leaves does what it was asked to do before, and ends then', async (t) => {
  const logs = captureLogs(t)
  const [old] = pool.threads as [Thread]
  const gated = offload(pool, fixture('processors.ts'), { export: 'gatedFirst' })
  const processing = gated([new Record('gated')], new Update(['a'], 0))
  await until(() => tracesOf(logs).includes('processor waits'))
  const leaving = pool.threads.find(({ busy }) => busy)!
  const fresh = await pool.startReplacement(leaving)
  pool.replace(leaving, fresh)
  const retired = pool.retire(leaving)
  await until(() => leaving.busy)
  openGate('processor')
  t.equal((await processing).length, 1)
  await retired
  t.equal(leaving.worker, undefined)
  await t.rejects(leaving.call('describe', { module: 'x' }), {
    code: 'DATABAY_THREAD_LOST',
    message: `thread ${leaving.number} was retired`,
  })
  t.ok(old === leaving || pool.threads.includes(old))
})

t.test('a worker that is to take the place of a lost one, and ends before it can, is tried again', async (t) => {
  const logs = captureLogs(t, 'error')
  const thread = pool.threads[1]!
  process.once('worker', (worker) => void worker.terminate())
  await pool.endWorker(thread, why)
  await until(() => logs.messages().length > 0)
  t.match(logs.messages(), [/^the worker that was to take the place of thread 2 has ended at once/])
  t.match(await thread.describe(linkModule({ tags: 'revived' }).href), [{ id: 'revived' }])
})

t.test('a worker that takes long to end is ended once, however often that is asked for', async (t) => {
  const thread = pool.threads[0]!
  const worker = thread.worker!
  const listeners = worker.listenerCount('exit')
  const [other] = [new Error('another reason')]
  const lost = nextLost()
  const ended = [why, other, other].map((reason) => pool.endWorker(thread, reason))
  t.equal(worker.listenerCount('exit'), listeners + 1)
  await Promise.all(ended)
  t.match(await lost, { error: why })
  await thread.ready
})

t.test('a thread that takes the place of one that is watched closely is so too', async (t) => {
  captureLogs(t)
  const thread = pool.threads[1]!
  thread.trace = true
  const fresh = await pool.startReplacement(thread)
  t.ok(fresh.trace)
  thread.trace = false
  await pool.retire(fresh)
})

t.test('a pool that does not run starts no thread in the place of another', async (t) => {
  const stopped = new ThreadPool({ threads: 1, transfersPerThread: 1 })
  await t.rejects(stopped.startReplacement(first), { code: 'DATABAY_THREAD_LOST' })
})

t.test('a thread that ends before it takes tasks fails the start', async (t) => {
  const doomed = new ThreadPool({ threads: 1, transfersPerThread: 1 })
  t.teardown(() => doomed.destroy())
  const starting = doomed.start()
  await until(() => doomed.threads[0]?.worker !== undefined)
  await Promise.all([
    t.rejects(starting, { code: 'DATABAY_THREAD_LOST', message: /^thread 1 could not be started: / }),
    doomed.threads[0]?.worker?.terminate(),
  ])
})
