import t, { type Test } from 'tap'
import { Hosting } from '../../src/threads/hosting.js'
import type { Thread } from '../../src/threads/thread.js'
import type { LinkSpec } from '../fixtures/links.js'
import { captureLogs } from '../helpers/logs.js'
import { loopbackThread, type Loopback } from '../helpers/loopback.js'
import { linkModule, pushedTo, tracesOf, until } from '../helpers/threads.js'

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
  const hosting = new Hosting(pool)
  t.teardown(() => hosting.clear())
  const host = async (...specs: LinkSpec[]) => {
    const links = await hosting.host([linkModule(...specs).href])
    await Promise.all(links.map((link) => link.onStart()))
    return links
  }
  const where = (links: Awaited<ReturnType<typeof host>>) =>
    links.map(({ name, threads }) => `${name} ${threads.map(({ number }) => number).join('+')}`)
  return { logs, pool, upkeep: hosting.upkeep, hosting, host, where }
}

t.test('a thread is recycled: a fresh one takes over its links, with what they hand over', async (t) => {
  const { logs, pool, upkeep, host, where } = await setUp(t, 1)
  const links = await host(
    { tags: 'held', movable: true, buffer: 3 },
    { tags: 'fresh' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  const [old] = pool.threads
  const recycled = upkeep.recycle(old!)
  const waiting = links.map((link) => link.transfer())
  await recycled
  t.not(pool.threads[0], old)
  t.same(pool.retired, [1])
  t.same(where(links), ['held 1', 'fresh 1', 'any 1'])
  t.ok(links.every(({ threads }) => threads[0] === pool.threads[0]))
  t.match(await Promise.all(waiting), [{ failed: false, buffered: 2 }, { failed: false }, { failed: false }])
  t.match(await links[0]!.transfer(), { outlets: [{ pushed: 3 }] })
  t.same(pushedTo('held', tracesOf(logs)), [1, 2, 3], 'nothing of the buffer is lost')
  await upkeep.recycle(old!)
  t.same(pool.retired, [1], 'one that has left is not recycled again')
})

t.test('a thread whose modules cannot be loaded anew stays as it is', async (t) => {
  const { pool, upkeep, host } = await setUp(t, 1)
  const [link] = await host({ tags: 'stays' })
  const [old] = pool.threads
  const start = pool.startReplacement.bind(pool)
  pool.startReplacement = async (thread) => {
    const fresh = await start(thread)
    pool.loopback(fresh)!.failure = new Error('cannot load')
    return fresh
  }
  await t.rejects(upkeep.recycle(old!), { message: /cannot load/ })
  t.equal(pool.threads[0], old)
  t.same(pool.retired, [1], 'the fresh one is ended')
  t.match(await link!.transfer(), { failed: false })
})

t.test(
  'what cannot be handed over is given up when its thread ends: its link begins anew in the fresh one',
  async (t) => {
    const { logs, pool, upkeep, host } = await setUp(t, 1)
    const [link] = await host({ tags: 'unsavable', movable: true })
    await link!.transfer()
    const [old] = pool.threads
    await upkeep.recycle(old!)
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

t.test('further threads take links that can be moved, by the time that they take', async (t) => {
  const { pool, upkeep, host, where } = await setUp(t, 1)
  const links = await host(
    { tags: 'busy', movable: true, acts: [{ spin: 60 }], lane: 'io' },
    { tags: 'busyToo', movable: true, acts: [{ spin: 50 }], lane: 'io' },
    { tags: 'idle', movable: true },
    { tags: 'stays' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  await upkeep.resize(2)
  t.equal(pool.size, 2)
  const [busy, busyToo, , stays, any] = where(links)
  t.same([busy, busyToo].map((text) => text?.at(-1)).sort(), ['1', '2'], 'one in each thread')
  t.equal(stays, 'stays 1', 'its nodes hand over no state')
  t.equal(any, 'any 1+2')
  for (const link of links) t.match(await link.transfer(), { failed: false })
})

t.test('links leave threads that end, together with those that they share an instance with', async (t) => {
  const { pool, upkeep, host, where } = await setUp(t, 3)
  const links = await host(
    { tags: 'a' },
    { tags: 'b', shares: 'leaving' },
    { tags: 'c', shares: 'leaving' },
    { tags: 'd' },
    { tags: 'any', stateless: true },
  )
  for (const link of links) await link.transfer()
  await upkeep.resize(1)
  t.same(where(links), ['a 1', 'b 1', 'c 1', 'd 1', 'any 1'])
  t.same(pool.retired.sort(), [2, 3])
  for (const link of links) t.match(await link.transfer(), { failed: false, thread: 1 })
})

t.test('changes are made one after the other', async (t) => {
  const { pool, upkeep, host, where } = await setUp(t, 1)
  const links = await host({ tags: 'a', movable: true }, { tags: 'b', movable: true })
  await Promise.all([upkeep.resize(3), upkeep.recycle(pool.threads[0]!), upkeep.resize(2), upkeep.rebalance()])
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
