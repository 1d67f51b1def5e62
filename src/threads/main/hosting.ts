import {
  ConfigError,
  InvalidOptionError,
  LinkModuleError,
  PlannerStateError,
  ThreadLostError,
} from '../../base/errors.js'
import type { PlannedLink } from '../../core/planned-link.js'
import { groupByCommon, place, threadsFor, type Placeable } from './placement.js'
import { INSTANCES, keyOf, nameOf, type LinkDescription } from '../protocol/link-description.js'
import { moduleError, type ReloadHooks } from './module-reload.js'
import { HostedLinks } from './hosted-links.js'
import type { Thread } from './thread.js'
import { ThreadLink, type LinkHooks } from './thread-link.js'
import type { LostThread } from './thread-pool-options.js'
import { Reconfiguration, type ChangingPool } from './reconfiguration.js'

/**
 * Number of links from which on a module is loaded by all threads at once: fewer take no time, and may be in one
 * thread.
 */
const MANY = 500

/** Links that the loss of a thread hit. */
export interface Hit {
  /** Names of the links that it hosted. */
  readonly names: string[]
  /**
   * Gives the number of records that they held in buffers. To be called once, when the reports that the thread had sent
   * before are heard: they are on their way to the links still.
   */
  readonly buffered: () => number
  /** The link that ended the thread; `undefined` when that is not known. */
  readonly culprit: ThreadLink | undefined
}

/**
 * Decides which thread hosts which link: loads link modules, gives their links a place, and tells which a loss has hit.
 */
export class Hosting {
  /** Changes threads, and moves links between them. */
  readonly reconfiguration: Reconfiguration
  readonly #pool: ChangingPool
  readonly #hosted = new HostedLinks()
  readonly #hooks: LinkHooks

  constructor(pool: ChangingPool, hooks: Omit<LinkHooks, 'laneKnown'> = {}) {
    this.#pool = pool
    this.#hooks = {
      ...hooks,
      laneKnown: () => {
        this.reconfiguration.separateSoon()
      },
    }
    this.reconfiguration = new Reconfiguration(pool, this.#hosted)
  }

  /** Whether a link is hosted by threads, of this planner or another. */
  isHosted(link: PlannedLink): link is ThreadLink {
    return link instanceof ThreadLink
  }

  /** The hosted links of a module. */
  linksOf(module: string): ThreadLink[] {
    return this.#hosted.of(module)
  }

  /** Whether a module has hosted links. */
  hasLinksOf(module: string): boolean {
    return this.#hosted.hasLinksOf(module)
  }

  /**
   * Loads modules in a thread, and gives their links a place. They are not opened yet.
   *
   * @throws {@link LinkModuleError} naming the module that cannot be used, or an `AggregateError` of several
   * @throws {@link ConfigError} when a link cannot have the settings of the configuration
   */
  async host(modules: readonly string[]): Promise<ThreadLink[]> {
    if (modules.length === 0) return []
    for (;;) {
      const [thread] = this.#pool.threads
      if (thread === undefined) throw new PlannerStateError('the planner was shut down while link modules were loaded')
      const { descriptions, errors } = await this.#describe(modules, thread)
      // one line of a configuration may be wrong for many modules
      const ofConfig = errors.find((error) => error instanceof ConfigError)
      if (ofConfig !== undefined) throw ofConfig
      const [error] = errors
      if (error === undefined) {
        const links = this.#place(descriptions)
        this.#hosted.add(links)
        return links
      }
      // a thread that was retired meanwhile takes no more tasks: another one does
      const [now] = this.#pool.threads
      if (now === undefined || this.#pool.threads.includes(thread))
        throw errors.length === 1 ? error : new AggregateError(errors, errors.join('; '))
    }
  }

  /**
   * Loads the new version of a module, and takes in the links that it did not export before.
   *
   * @param start - adds links to the planner
   * @throws {@link LinkModuleError} when the new version cannot be loaded or started: then the old one runs on
   */
  reload(module: string, hooks: Omit<ReloadHooks, 'add'>, start: (link: ThreadLink) => Promise<void>): Promise<void> {
    const add = async (description: LinkDescription, thread: Thread) => {
      const link = this.#make(description, [thread])
      this.#hosted.add([link])
      try {
        await start(link)
      } catch (error) {
        this.drop([link])
        throw error
      }
      return link
    }
    return this.reconfiguration.reload(module, { ...hooks, add })
  }

  /**
   * Hosts links again that were dropped, where they were.
   *
   * @throws {@link InvalidOptionError} when a thread of one is no more; then none is
   */
  takeBack(links: readonly ThreadLink[]): void {
    for (const link of links) {
      if (link.threads.every((thread) => this.#pool.threads.includes(thread))) continue
      const expected = 'a link whose thread has not been replaced since it was removed: add its module in place of it'
      throw new InvalidOptionError('links', expected, link.name)
    }
    this.#hosted.add(links)
  }

  /** Drops links that were removed. */
  drop(links: readonly PlannedLink[]): void {
    this.#hosted.drop(links.filter((link) => this.isHosted(link)))
  }

  /** Drops all links, and gives them. */
  clear(): ThreadLink[] {
    this.reconfiguration.clear()
    return this.#hosted.clear()
  }

  /** Takes note that a thread was lost: its links are opened in the worker that takes the place. */
  lost({ thread, runs, inside, traced }: LostThread): Hit {
    const hit = this.#hosted.in(thread)
    // no other link transferred there; though another one may have left something behind
    const suspect = inside ?? (runs.length === 1 && !traced ? runs[0] : undefined)
    const culprit = suspect === undefined ? undefined : hit.find((link) => link.hasId(suspect))
    culprit?.crashed()
    const losses = hit.map((link) => link.lost(thread))
    const buffered = () => losses.reduce((sum, loss) => sum + loss(), 0)
    return { names: hit.map(({ name }) => name), buffered, culprit }
  }

  /**
   * Loads modules: in one thread, so that instances which modules share are seen to be the same; all at once, so that
   * none waits for a slow one. When one ends the thread, those that were not loaded are loaded one by one, so that it is
   * told from the others.
   */
  async #describe(modules: readonly string[], thread: Thread) {
    const descriptions: LinkDescription[] = []
    const errors: Error[] = []
    const loaded = await Promise.allSettled(modules.map((module) => this.#load(module, thread)))
    const wasLost = loaded.some((result) => result.status === 'rejected' && result.reason instanceof ThreadLostError)
    for (const [at, module] of modules.entries()) {
      try {
        const result = loaded[at]
        if (wasLost) await this.#load(module, thread)
        else if (result?.status === 'rejected') throw result.reason
        const described = await thread.describe(module)
        await this.#identify(thread, described)
        this.#checkOnce(described, descriptions)
        descriptions.push(...described)
      } catch (thrown) {
        errors.push(thrown instanceof ConfigError ? thrown : moduleError(module, whileLoading(thrown)))
      }
    }
    return { descriptions, errors }
  }

  /** Loads a module in a thread. When it has many links, the other threads load it while this one describes them. */
  async #load(module: string, thread: Thread): Promise<void> {
    const links = await thread.call('load', { module })
    if (links < MANY) return
    for (const other of this.#pool.threads) {
      // should it fail, so does opening the links there
      if (other !== thread) other.call('load', { module }).catch(() => undefined)
    }
  }

  /**
   * Numbers the instances of links that have a place already as another thread does: instances are known by the number
   * that a thread gives them, and these were numbered by a worker that is gone.
   */
  async #identify(thread: Thread, [first]: readonly LinkDescription[]): Promise<void> {
    if (first === undefined) return
    const namer = namerOf(first)
    const unknown = this.#hosted.all.filter(({ description }) => namerOf(description) !== namer)
    const renumber = async (module: string) => {
      // it was loaded before; should that fail now, its links are still what they were
      const now = await thread.describe(module).catch((): LinkDescription[] => [])
      const byKey = new Map(now.map((one) => [keyOf(one), one]))
      for (const link of unknown.filter(({ description }) => description.module === module)) {
        const { description } = link
        const { identity, instances } = byKey.get(keyOf(description)) ?? description
        link.redescribe({ ...description, identity, instances })
      }
    }
    await Promise.all([...new Set(unknown.map(({ description }) => description.module))].map(renumber))
    if (unknown.length > 0) this.#hosted.renumbered()
  }

  /**
   * Checks that no link is in two modules: it would transfer twice.
   *
   * @throws {@link LinkModuleError}
   */
  #checkOnce(described: readonly LinkDescription[], others: readonly LinkDescription[]): void {
    const fresh = new Map(described.map((link) => [link.identity, link]))
    const check = (other: LinkDescription) => {
      const link = fresh.get(other.identity)
      if (link === undefined) return
      throw new LinkModuleError(
        link.module,
        `exports as ${nameOf(link)} the link that ${other.module} exports as ${nameOf(other)}: export it once`,
      )
    }
    for (const { description } of this.#hosted.all) check(description)
    for (const other of others) check(other)
  }

  #place(descriptions: readonly LinkDescription[]): ThreadLink[] {
    const { threads } = this.#pool
    const known = this.#hosted.settled(threads.length)
    const fresh = descriptions.filter(({ settings }) => !settings.stateless)
    const groups = groupByCommon(fresh.map(({ instances }) => instances))
    const newcomers = fresh.map((link): Placeable => {
      // it may share an instance with one that has a place already
      return { ...newcomer(link), thread: this.#hosted.threadWith(link.instances, threads.length) }
    })
    const before = known.pinned.length
    const indices = groups.map((group) => group.map((index) => before + index))
    const placed = place(indices, [...known.pinned, ...newcomers], threads.length)
    const threadOf = new Map<LinkDescription, number>()
    for (const [at, group] of groups.entries()) {
      for (const index of group) threadOf.set(fresh[index] as LinkDescription, placed[at] as number)
    }
    const lanes = threadsFor([...known.pinned, ...known.stateless, ...descriptions.map(newcomer)], threads.length)
    return descriptions.map((description) => {
      const indices = description.settings.stateless
        ? lanes(newcomer(description).lane)
        : [threadOf.get(description) ?? 0]
      return this.#make(
        description,
        indices.map((index) => threads[index] as Thread),
      )
    })
  }

  #make(description: LinkDescription, threads: readonly Thread[]): ThreadLink {
    const places = threads.map((thread) => ({ thread, id: this.#hosted.nextId() }))
    return new ThreadLink(description, places, this.#hooks)
  }
}

/** Says when a thread was lost: it may have been ended by a link that was there already. */
function whileLoading(thrown: unknown): unknown {
  if (!(thrown instanceof ThreadLostError)) return thrown
  return new ThreadLostError(`${thrown.message}, while it loaded this module`, { cause: thrown })
}

/** Id of the worker that has numbered a link and its instances. */
function namerOf({ identity }: LinkDescription): number {
  return Math.floor(identity / INSTANCES)
}

/** A link without a place, as placement sees it. */
function newcomer({ settings: { lane } }: LinkDescription): Placeable {
  return { lane: lane === 'auto' ? undefined : lane, thread: undefined, movable: false }
}
