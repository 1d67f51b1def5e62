import { ThreadLostError, toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { balance, place, separate, threadsFor, type Load, type Placeable } from './placement.js'
import { Reload, type ReloadHooks } from './module-reload.js'
import { migrate, migrateAll, replicate, removeReplica } from './migration.js'
import type { HostedLinks } from './hosted-links.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'
import type { ThreadPool } from './thread-pool.js'

/** Time from when a link's lane is known until links are moved, in milliseconds: more lanes may become known. */
const SETTLE = 200

/** Least share of a link: so that links which took no time are spread evenly at least. */
const LEAST_SHARE = 1e-6

/** The part of the pool that a reconfiguration changes. */
export type ChangingPool = Pick<ThreadPool, 'threads' | 'size' | 'resize' | 'startReplacement' | 'replace' | 'retire'>

/**
 * Changes threads while links transfer, and moves links between them: one change at a time. What is asked for again while
 * it waits for its turn is done once. A link moves with the state that its instances hand off.
 */
export class Reconfiguration {
  readonly #pool: ChangingPool
  readonly #hosted: HostedLinks
  #changing: Promise<unknown> = Promise.resolve()
  /** Changes that wait for their turn, by what they do. */
  readonly #waiting = new Map<unknown, Promise<void>>()
  /** The recycling of all threads that was asked for last, but for its error. */
  #recycling: Promise<unknown> = Promise.resolve()
  /** Number of threads that was asked for last. */
  #size = 0
  #separating: NodeJS.Timeout | undefined
  /** Links of which a log line has said that they are in the way, and stay. */
  #said = new WeakSet<ThreadLink>()
  /** Time that each link's transfers had taken at the last look. */
  readonly #measured = new WeakMap<ThreadLink, { readonly at: number; readonly busy: number }>()

  constructor(pool: ChangingPool, hosted: HostedLinks) {
    this.#pool = pool
    this.#hosted = hosted
  }

  /**
   * Sets the number of threads. Links go to further ones by the time that they take, and leave threads that end. Of several
   * numbers that wait for their turn, the last one counts.
   */
  resize(size: number): Promise<void> {
    this.#size = size
    return this.#once('resize', async () => {
      const leaving = await this.#pool.resize(this.#size)
      await this.#replicateAll()
      await Promise.all(leaving.map((thread) => this.#evacuate(thread)))
      await this.#rebalance()
    })
  }

  /**
   * Puts a fresh thread in the place of another: it loads the link modules again, and takes over the links. When it
   * cannot load them, all stays as it is.
   *
   * @throws {@link LinkModuleError}
   */
  recycle(thread: Thread): Promise<void> {
    return this.#once(thread, async () => {
      if (!this.#pool.threads.includes(thread)) return
      const { given } = thread
      const fresh = await this.#pool.startReplacement(thread)
      try {
        const modules = this.#hosted.in(thread).map(({ description }) => description.module)
        await Promise.all([...new Set(modules)].map((module) => fresh.describe(module)))
      } catch (thrown) {
        await this.#pool.retire(fresh)
        throw thrown
      }
      this.#pool.replace(thread, fresh)
      await migrateAll(this.#groupsIn(thread), (group) => migrate(group, thread, fresh, false))
      await this.#replicateAll()
      await this.#pool.retire(thread)
      getLogger('databay.WorkerPlanner').info(`thread ${thread.number} was recycled after ${given} transfers`)
    })
  }

  /** Recycles all threads, one after the other; other changes may come between: see {@link Reconfiguration.recycle}. */
  recycleAll(): Promise<void> {
    const recycle = async () => {
      for (const thread of this.#pool.threads) await this.recycle(thread)
    }
    const recycled =
      this.#waiting.get('recycle') ??
      this.#recycling.then(() => {
        this.#waiting.delete('recycle')
        return recycle()
      })
    this.#waiting.set('recycle', recycled)
    this.#recycling = recycled.catch(() => undefined)
    return recycled
  }

  /** Loads the new version of a module: see {@link Reload}. */
  reload(module: string, hooks: ReloadHooks): Promise<void> {
    return this.#once(module, () => new Reload(this.#pool, this.#hosted, module, hooks).run())
  }

  /** Moves links from busy threads to others, by the time that their transfers took since the last look. */
  rebalance(): Promise<void> {
    return this.#once('rebalance', () => this.#rebalance())
  }

  /** Soon moves links so that waiting and computing ones are in different threads. */
  separateSoon(): void {
    this.#separating ??= setTimeout(() => {
      this.#separating = undefined
      this.#once('separate', () => this.#separate()).catch((error: unknown) => {
        getLogger('databay.WorkerPlanner').error({ err: toError(error) }, 'links could not be moved between threads')
      })
    }, SETTLE).unref()
  }

  /** Ends what is still to come. To be called when all links are gone. */
  clear(): void {
    clearTimeout(this.#separating)
    this.#separating = undefined
    this.#said = new WeakSet()
  }

  /**
   * Makes a change when those before it are made. When the same change waits for its turn already, it is made once for both.
   *
   * @param what - what the change does
   */
  #once(what: unknown, change: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(what)
    if (waiting !== undefined) return waiting
    const changed = this.#changing.then(() => {
      this.#waiting.delete(what)
      return change()
    })
    this.#waiting.set(what, changed)
    this.#changing = changed.catch(() => undefined)
    return changed
  }

  #groupsIn(thread: Thread): ThreadLink[][] {
    return this.#hosted.groups(this.#hosted.pinned.filter((link) => link.threads.includes(thread)))
  }

  /** Links as placement sees them: see {@link HostedLinks.placeables}. */
  #placeables(links: readonly ThreadLink[], together = false): Placeable[] {
    return this.#hosted.placeables(links, this.#pool.threads.length, together)
  }

  /** Has stateless links hosted by all threads of their lanes, and by no thread that leaves. */
  async #replicateAll(): Promise<void> {
    const links = this.#hosted.all
    const stateless = links.filter(({ settings }) => settings.stateless)
    if (stateless.length === 0) return
    const lanes = threadsFor(this.#placeables(links), this.#pool.threads.length)
    await migrateAll(stateless, (link) => this.#replicate(link, lanes(link.lane)))
  }

  /** Has a stateless link hosted by the threads of these indices, and by no thread that leaves. */
  async #replicate(link: ThreadLink, indices: readonly number[]): Promise<void> {
    const { threads } = this.#pool
    for (const index of indices) {
      const thread = threads[index]
      if (thread !== undefined && !link.threads.includes(thread)) await replicate(link, thread, this.#hosted, threads)
    }
    for (const thread of link.threads) if (!threads.includes(thread)) await removeReplica(link, thread)
  }

  /** Moves all links of a thread that leaves to the others, and ends the thread. */
  async #evacuate(thread: Thread): Promise<void> {
    const { threads } = this.#pool
    const groups = this.#groupsIn(thread)
    const staying = this.#placeables(this.#hosted.pinned.filter((link) => !link.threads.includes(thread)))
    const leaving = this.#placeables(groups.flat()).map((placeable) => ({ ...placeable, thread: undefined }))
    let at = staying.length
    const indices = groups.map((group) => group.map(() => at++))
    const places = place(indices, [...staying, ...leaving], threads.length)
    const moves = groups.map((group, index) => ({ group, to: threads[places[index] ?? 0] }))
    await migrateAll(moves, async ({ group, to }) => {
      if (to !== undefined) await migrate(group, thread, to, false)
    })
    await this.#pool.retire(thread)
  }

  async #rebalance(): Promise<void> {
    const { threads } = this.#pool
    const groups = this.#hosted.groups(this.#hosted.pinned)
    const loads = groups.map((group): Load => {
      const members = this.#placeables(group, true)
      return {
        lane: members.some(({ lane }) => lane === 'cpu') ? 'cpu' : members[0]?.lane,
        thread: members[0]?.thread ?? 0,
        movable: members.every(({ movable }) => movable),
        share: group.reduce((sum, link) => sum + this.#shareOf(link), 0),
      }
    })
    await this.#move(
      balance(loads, threads.length).flatMap(({ link, thread }) => {
        const group = groups[link]
        return group === undefined ? [] : [{ group, thread }]
      }),
    )
  }

  /** Share of a thread's time that a link took since the last look. */
  #shareOf(link: ThreadLink): number {
    const now = performance.now()
    const before = this.#measured.get(link) ?? { at: link.since, busy: 0 }
    this.#measured.set(link, { at: now, busy: link.busy })
    return LEAST_SHARE + (link.busy - before.busy) / Math.max(1, now - before.at)
  }

  /** Moves links so that waiting and computing ones are in different threads. */
  async #separate(): Promise<void> {
    const { threads } = this.#pool
    const links = this.#hosted.pinned
    if (!links.some(({ lane }) => lane === 'cpu')) return
    const placeables = this.#placeables(links)
    this.#sayStuck(links, placeables)
    await this.#move(
      separate(placeables, threads.length).flatMap(({ link: index, thread }) => {
        const link = links[index]
        return link === undefined ? [] : [{ group: [link], thread }]
      }),
    )
  }

  async #move(moves: readonly { readonly group: readonly ThreadLink[]; readonly thread: number }[]): Promise<void> {
    await Promise.all(moves.map(({ group, thread }) => this.#moveGroup(group, this.#pool.threads[thread])))
  }

  /** Moves links that must be together. */
  async #moveGroup(group: readonly ThreadLink[], to: Thread | undefined): Promise<void> {
    const from = group[0]?.threads[0]
    if (from === undefined || to === undefined) return
    const error = await migrate(group, from, to, true)
    const names = group.map(({ name }) => name).join(', ')
    if (error === undefined) {
      getLogger('databay.WorkerPlanner').info(`${names} moved to thread ${to.number}`)
      return
    }
    getLogger('databay.WorkerPlanner').warn({ err: error }, `${names} could not be moved`)
    if (error instanceof ThreadLostError) {
      this.separateSoon()
      return
    }
    for (const link of group) {
      this.#hosted.pin(link)
      this.#said.add(link) // it has just been said
    }
  }

  /** Logs once for each link that it is in the way of others, and stays. */
  #sayStuck(links: readonly ThreadLink[], placeables: readonly Placeable[]): void {
    const waiting = new Set(placeables.filter(({ lane }) => lane !== 'cpu').map(({ thread }) => thread))
    for (const [index, { lane, movable, thread }] of placeables.entries()) {
      const link = links[index]
      if (lane !== 'cpu' || movable || link?.description.settings.lane !== 'auto') continue
      if (!waiting.has(thread) || this.#pool.size < 2 || this.#said.has(link)) continue
      this.#said.add(link)
      getLogger('databay.WorkerPlanner').info(
        `${link.name} computes in a thread with links that wait, and cannot be moved as its nodes hand over no state: set its lane to 'cpu', or give its nodes saveState()`,
      )
    }
  }
}
