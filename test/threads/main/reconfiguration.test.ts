import t, { type Test } from 'tap'
import { Hosting } from '../../../src/threads/main/hosting.js'
import type { Thread } from '../../../src/threads/main/thread.js'
import type { LinkSpec } from '../../fixtures/links.js'
import type { TransferReport } from '../../../src/core/report.js'
import { captureLogs } from '../../helpers/logs.js'
import { kindOf, loopbackThread, type Loopback } from '../../helpers/loopback.js'
import { linkModule, pushedTo, tracesOf, until } from '../../helpers/threads.js'

/** A pool of threads without workers, that can be changed. */
class LoopbackPool {
  threads: readonly Thread[] = []
  readonly retired: number[] = []
  readonly #t: Test
  readonly #loopbacks = new Map<Thread, Loopback>()

  constructor(t: Test) {
    this.#t = t
  }

  get size(): number {
    return this.threads.length
  }

  loopback(thread: Thread | undefined): Loopback | undefined {
    return thread === undefined ? undefined : this.#loopbacks.get(thread)
  }

  async resize(size: number): Promise<readonly Thread[]> {
    const leaving = this.threads.slice(size)
    const further = Array.from({ length: Math.max(0, size - this.size) }, (_, at) => this.#start(this.size + at + 1))
    this.threads = [...this.threads.slice(0, size), ...(await Promise.all(further))]
    return leaving
  }

  startReplacement(thread: Thread): Promise<Thread> {
    return this.#start(thread.number)
  }

  replace(old: Thread, fresh: Thread): void {
    this.threads = this.threads.map((thread) => (thread === old ? fresh : thread))
  }

  async retire(thread: Thread): Promise<void> {
    this.retired.push(thread.number)
    thread.end()
  }

  async #start(number: number): Promise<Thread> {
    const { thread, adopt } = loopbackThread(number)
    this.#t.teardown(() => thread.end())
    this.#loopbacks.set(thread, await adopt())
    return thread
  }
}

async function setUp(t: Test, size: number) {
  const logs = captureLogs(t, 'info')
  const pool = new LoopbackPool(t)
  await pool.resize(size)
  const drained: TransferReport[] = []
  let lost = 0
  const hosting = new Hosting(pool, { drained: (report) => drained.push(report), lost: (records) => (lost += records) })
  t.teardown(() => hosting.clear())
  const host = async (...specs: LinkSpec[]) => {
    const links = await hosting.host([linkModule(...specs).href])
    await Promise.all(links.map((link) => link.onStart()))
    return links
  }
  const where = (links: Awaited<ReturnType<typeof host>>) =>
    links.map(({ name, threads }) => `${name} ${threads.map(({ number }) => number).join('+')}`)
  return { logs, pool, reconfiguration: hosting.reconfiguration, hosting, host, where, drained, lost: () => lost }
}

t.test('a thread is recycled: a fresh one takes over its links, with what they hand over', async (t) => {
  const { logs, pool, reconfiguration, host, where } = await setUp(t, 1)
  const links = await host(
    { tags: 'held', movable: true, buffer: 3 },
    { tags: 'fresh' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  const [old] = pool.threads
  const recycled = reconfiguration.recycle(old!)
  const waiting = links.map((link) => link.transfer())
  await recycled
  t.not(pool.threads[0], old)
  t.same(pool.retired, [1])
  t.same(where(links), ['held 1', 'fresh 1', 'any 1'])
  t.ok(links.every(({ threads }) => threads[0] === pool.threads[0]))
  t.match(await Promise.all(waiting), [{ failed: false, buffered: 2 }, { failed: false }, { failed: false }])
  t.match(await links[0]!.transfer(), { outlets: [{ pushed: 3 }] })
  t.same(pushedTo('held', tracesOf(logs)), [1, 2, 3], 'nothing of the buffer is lost')
  await reconfiguration.recycle(old!)
  t.same(pool.retired, [1], 'one that has left is not recycled again')
})

t.test('a thread whose modules cannot be loaded anew stays as it is', async (t) => {
  const { pool, reconfiguration, host } = await setUp(t, 1)
  const [link] = await host({ tags: 'stays' })
  const [old] = pool.threads
  const start = pool.startReplacement.bind(pool)
  pool.startReplacement = async (thread) => {
    const fresh = await start(thread)
    pool.loopback(fresh)!.failure = new Error('cannot load')
    return fresh
  }
  await t.rejects(reconfiguration.recycle(old!), { message: /cannot load/ })
  t.equal(pool.threads[0], old)
  t.same(pool.retired, [1], 'the fresh one is ended')
  t.match(await link!.transfer(), { failed: false })
})

t.test(
  'what cannot be handed over is given up when its thread ends: its link begins anew in the fresh one',
  async (t) => {
    const { logs, pool, reconfiguration, host } = await setUp(t, 1)
    const [link] = await host({ tags: 'unsavable', movable: true })
    await link!.transfer()
    const [old] = pool.threads
    await reconfiguration.recycle(old!)
    t.same(pool.retired, [1])
    t.match(await link!.transfer(), { failed: false })
    t.equal(link!.threads[0], pool.threads[0])
    t.equal(pool.loopback(old)!.count('close'), 1, 'it is shut down where it was')
    t.match(
      logs.messages().filter((text) => text.startsWith('links')),
      [/^links of thread 1 begin anew, as they could not hand over what they have: cannot save/],
    )
  },
)

t.test(
  'what buffers hold and cannot be handed over is released through the outlets before their thread ends',
  async (t) => {
    const { logs, pool, reconfiguration, host, drained, lost } = await setUp(t, 1)
    const [link] = await host({ tags: 'uncloneable', movable: true, buffer: 5 })
    await link!.transfer()
    await reconfiguration.recycle(pool.threads[0]!)
    t.match(drained, [{ link: 'uncloneable', pulled: 0, buffered: 0, outlets: [{ pushed: 1 }] }])
    t.same([pushedTo('uncloneable', tracesOf(logs)), lost(), link!.buffered], [[1], 0, 0])
    t.match(await link!.transfer(), { failed: false, buffered: 1 })
  },
)

t.test('what can be neither handed over nor released is counted as lost', async (t) => {
  const { logs, pool, reconfiguration, host, drained, lost } = await setUp(t, 1)
  const [link] = await host({ tags: 'uncloneable', movable: true, buffer: 6 })
  await link!.transfer()
  const loopback = pool.loopback(pool.threads[0])!
  const handle = loopback.handle.bind(loopback)
  loopback.handle = (task) => (kindOf(task) === 'transfer' ? Promise.reject(new Error('not now')) : handle(task))
  await reconfiguration.recycle(pool.threads[0]!)
  t.match(drained, [{ link: 'uncloneable', errors: [{ message: 'not now' }] }])
  t.same([lost(), link!.buffered], [1, 0])
  t.ok(logs.messages().some((text) => text.endsWith('; 1 buffered record is lost')))
})

/** Has a thread refuse to open links while the returned flag is set. */
function refuse(loopback: Loopback | undefined) {
  const state = { refuses: true }
  const handle = loopback!.handle.bind(loopback)
  loopback!.handle = (task) =>
    kindOf(task) === 'open' && state.refuses ? Promise.reject(new Error('no room')) : handle(task)
  return state
}

t.test('a stateless link that cannot be opened in the fresh thread is tried again there when it is due', async (t) => {
  const { logs, pool, reconfiguration, host, where } = await setUp(t, 1)
  const links = await host({ tags: 'any', stateless: true }, { tags: 'held', movable: true })
  const [old] = pool.threads
  const start = pool.startReplacement.bind(pool)
  let state = { refuses: false }
  pool.startReplacement = async (thread) => {
    const fresh = await start(thread)
    state = refuse(pool.loopback(fresh))
    return fresh
  }
  await reconfiguration.recycle(old!)
  t.same(pool.retired, [1], 'the old thread has ended all the same')
  t.ok(logs.messages().includes('any could not be opened in thread 1 too: no room'))
  t.match(await links[0]!.transfer(), { failed: true, errors: [{ message: 'no room' }] })
  state.refuses = false
  for (const link of links) t.match(await link.transfer(), { failed: false, thread: 1 })
  t.same(where(links), ['any 1', 'held 1'])
})

t.test('a stateless link that cannot be opened in a further thread goes on in the others', async (t) => {
  const { logs, pool, reconfiguration, host, where } = await setUp(t, 1)
  const links = await host({ tags: 'any', stateless: true }, { tags: 'anyToo', stateless: true })
  const start = pool.resize.bind(pool)
  pool.resize = async (size) => {
    const leaving = await start(size)
    refuse(pool.loopback(pool.threads[1]))
    return leaving
  }
  await reconfiguration.resize(2)
  t.same(where(links), ['any 1', 'anyToo 1'])
  t.equal(logs.messages().filter((text) => text.includes('could not be opened in thread 2 too')).length, 2)
  for (const link of links) t.match(await link.transfer(), { failed: false, thread: 1 })
})

t.test('a stateless link that fails to shut down leaves threads that end all the same', async (t) => {
  const { logs, pool, reconfiguration, host, where } = await setUp(t, 2)
  const links = await host({ tags: 'clings', stateless: true, failing: ['shutdown'] }, { tags: 'any', stateless: true })
  await reconfiguration.resize(1)
  t.same(where(links), ['clings 1', 'any 1'])
  t.same(pool.retired, [2])
  t.ok(logs.messages().includes('clings failed to shut down in thread 2, which leaves: clings cannot shut down'))
})

t.test('modules that are added while the thread that loads them is recycled are loaded in the fresh one', async (t) => {
  const { pool, hosting, reconfiguration } = await setUp(t, 1)
  const [old] = pool.threads
  const modules = Array.from({ length: 20 }, (_, at) => linkModule({ tags: `late${at}` }).href)
  const added = hosting.host(modules)
  await reconfiguration.recycle(old!)
  const links = await added
  t.equal(links.length, 20)
  t.ok(links.every(({ threads }) => threads[0] === pool.threads[0]))
  t.ok(pool.loopback(old)!.count('load') > 0, 'the old one had begun to')
})

t.test('further threads take links that can be moved, by the time that they take', async (t) => {
  const { pool, reconfiguration, host, where } = await setUp(t, 1)
  const links = await host(
    { tags: 'busy', movable: true, acts: [{ spin: 60 }], lane: 'io' },
    { tags: 'busyToo', movable: true, acts: [{ spin: 50 }], lane: 'io' },
    { tags: 'idle', movable: true },
    { tags: 'stays' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  await reconfiguration.resize(2)
  t.equal(pool.size, 2)
  const [busy, busyToo, , stays, any] = where(links)
  t.same([busy, busyToo].map((text) => text?.at(-1)).sort(), ['1', '2'], 'one in each thread')
  t.equal(stays, 'stays 1', 'its nodes hand over no state')
  t.equal(any, 'any 1+2')
  for (const link of links) t.match(await link.transfer(), { failed: false })
})

t.test('links leave threads that end, together with those that they share an instance with', async (t) => {
  const { pool, reconfiguration, host, where } = await setUp(t, 3)
  const links = await host(
    { tags: 'a' },
    { tags: 'b', shares: 'leaving' },
    { tags: 'c', shares: 'leaving' },
    { tags: 'd' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  await reconfiguration.resize(1)
  t.same(where(links), ['a 1', 'b 1', 'c 1', 'd 1', 'any 1'])
  t.same(pool.retired.sort(), [2, 3])
  for (const link of links) t.match(await link.transfer(), { failed: false, thread: 1 })
})

t.test('changes are made one after the other', async (t) => {
  const { pool, reconfiguration, host, where } = await setUp(t, 1)
  const links = await host({ tags: 'a', movable: true }, { tags: 'b', movable: true })
  await Promise.all([
    reconfiguration.resize(3),
    reconfiguration.recycle(pool.threads[0]!),
    reconfiguration.resize(2),
    reconfiguration.rebalance(),
  ])
  t.equal(pool.size, 2)
  t.same(
    where(links)
      .map((text) => text.at(-1))
      .sort(),
    ['1', '2'],
  )
  await until(() => links.every(({ running }) => running === 0))
  for (const link of links) t.match(await link.transfer(), { failed: false })
})

t.test('of changes that wait for their turn, those that do the same are made once', async (t) => {
  const { pool, reconfiguration, host, where } = await setUp(t, 2)
  const links = await host({ tags: 'a', movable: true }, { tags: 'b', movable: true })
  const sizes: number[] = []
  const resize = pool.resize.bind(pool)
  pool.resize = (size) => {
    sizes.push(size)
    return resize(size)
  }
  const first = reconfiguration.resize(3)
  await new Promise((resolve) => setImmediate(resolve))
  const calls = Array.from({ length: 50 }, (_, at) => [
    reconfiguration.resize(1 + (at % 4)),
    reconfiguration.recycleAll(),
    reconfiguration.recycle(pool.threads[0]!),
    reconfiguration.rebalance(),
  ])
  await Promise.all([first, ...calls.flat()])
  t.same(sizes, [3, 2], 'the one that was under way, and the last one that was asked for')
  t.equal(pool.size, 2)
  t.ok(pool.retired.length <= 6, `threads that were ended: ${pool.retired.join(', ')}`)
  t.equal(where(links).length, 2)
  for (const link of links) t.match(await link.transfer(), { failed: false })
  await reconfiguration.resize(1)
  t.same(sizes, [3, 2, 1], 'what is asked for afterwards is done again')
})

t.test('all threads are recycled once more when that is asked for while it is under way', async (t) => {
  const { pool, reconfiguration } = await setUp(t, 2)
  const before = pool.threads
  const first = reconfiguration.recycleAll()
  await new Promise((resolve) => setImmediate(resolve))
  const others = [reconfiguration.recycleAll(), reconfiguration.recycleAll()]
  await first
  const between = pool.threads
  t.notOk(between.some((thread) => before.includes(thread)))
  await Promise.all(others)
  t.notOk(pool.threads.some((thread) => between.includes(thread)))
  t.same(pool.retired, [1, 2, 1, 2])
})

t.test('a change that fails fails for all who asked for it while it waited, and for nobody else', async (t) => {
  const { pool, reconfiguration } = await setUp(t, 1)
  const resize = pool.resize.bind(pool)
  const first = reconfiguration.resize(2)
  await new Promise((resolve) => setImmediate(resolve))
  pool.resize = () => Promise.reject(new Error('no more threads'))
  const asked = await Promise.allSettled([reconfiguration.resize(3), reconfiguration.resize(4)])
  t.match(asked, [{ status: 'rejected', reason: { message: 'no more threads' } }, { status: 'rejected' }])
  await first
  pool.resize = resize
  await reconfiguration.resize(1)
  t.equal(pool.size, 1)
})
