import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { freeLocksOf, shareLocks, withLock } from '../../src/base/locks.js'
import { deferred } from '../helpers/nodes.js'

const locks = new URL('../../src/base/locks.js', import.meta.url).href

function startThread(t: Test, fixture: string, workerData: object): Worker {
  shareLocks()
  const thread = new Worker(new URL(`../fixtures/${fixture}.mjs`, import.meta.url), {
    workerData: { locks, ...workerData },
  })
  t.teardown(() => thread.terminate())
  return thread
}

/** A thread that does as it is told with a lock. */
async function startHolder(t: Test) {
  const thread = startThread(t, 'lock-thread', {})
  await once(thread, 'message')
  const tell = async (order: string) => {
    const heard = once(thread, 'message')
    thread.postMessage(order)
    return ((await heard) as string[])[0]
  }
  return { thread, tell }
}

t.test('works under one name take turns, in the order of their calls, whether or not one fails', async (t) => {
  const steps: string[] = []
  const gate = deferred()
  const first = withLock('/a', async () => {
    steps.push('first starts')
    await gate.promise
    steps.push('first ends')
    throw new Error('broken')
  })
  const second = withLock('/a', async () => {
    steps.push('second')
    return 2
  })
  const third = withLock('/a', async () => steps.push('third'))
  await withLock('/b', async () => steps.push('another name'))
  t.same(steps, ['first starts', 'another name'])
  gate.resolve()
  await t.rejects(first, { message: 'broken' })
  t.equal(await second, 2)
  await third
  t.same(steps, ['first starts', 'another name', 'first ends', 'second', 'third'])
})

t.test('a lock that another thread holds is waited for', async (t) => {
  const { tell } = await startHolder(t)
  t.equal(await tell('/a'), 'held')
  const steps: string[] = []
  const ours = withLock('/a', async () => steps.push('ours'))
  await withLock('/b', async () => steps.push('another name'))
  t.same(steps, ['another name'])
  t.equal(await tell('free it'), 'freed')
  await ours
  t.same(steps, ['another name', 'ours'])
})

t.test('what a thread held when it died is freed', async (t) => {
  const { thread, tell } = await startHolder(t)
  const id = thread.threadId
  t.equal(await tell('/a'), 'held')
  let held = false
  const ours = withLock('/a', async () => {
    held = true
  })
  thread.postMessage('crash')
  await once(thread, 'exit')
  t.notOk(held, 'it is still taken')
  freeLocksOf(id)
  await ours
  t.ok(held)
})

t.test('a thread that dies while it waits is waited for no longer', async (t) => {
  const { thread } = await startHolder(t)
  const id = thread.threadId
  const isWaitedFor = () => shareLocks().waiting.some((one) => one !== 0)
  await withLock('/a', async () => {
    thread.postMessage('/a')
    while (!isWaitedFor()) await setImmediate()
    await thread.terminate()
    freeLocksOf(id)
    t.notOk(isWaitedFor())
  })
})

t.test('no turn is lost and none is taken twice, however many threads want one', async (t) => {
  const counter = new SharedArrayBuffer(4)
  const rounds = 200
  const threads = Array.from({ length: 4 }, () => startThread(t, 'count-thread', { counter, rounds }))
  await Promise.all(threads.map((thread) => once(thread, 'message')))
  t.equal(new Int32Array(counter)[0], 4 * rounds)
})
