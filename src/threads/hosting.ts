import { LinkModuleError, ThreadLostError, toError } from '../errors.js'
import { getLogger } from '../log.js'
import type { PlannedLink } from '../planned-link.js'
import { nameOf } from './link-module.js'
import { groupByCommon, place, separate, threadsFor, type Placeable } from './placement.js'
import type { LinkDescription } from './protocol.js'
import { relocate } from './relocation.js'
import type { Thread } from './thread.js'
import { ThreadLink } from './thread-link.js'
import type { LostThread } from './thread-pool.js'

/** How long to wait after a link's lane became known before links are moved, in milliseconds: more may follow. */
const SETTLE = 200

/** Where links can be hosted. */
interface Threads {
  /** The threads; none while they do not run. */
  readonly threads: readonly Thread[]
  /** How many there are while they run. */
  readonly size: number
}

/** What the loss of a thread did. */
export interface Hit {
  /** The links that it hosted. */
  readonly names: string[]
  /** How many records they held in buffers. */
  readonly buffered: number
  /** The link that ended it; `undefined` when that is not known. */
  readonly culprit: ThreadLink | undefined
}

/**
 * Which thread hosts which link: loads link modules, gives their links a place, and keeps what waits and what computes
 * apart.
 */
export class Hosting {
  readonly #pool: Threads
  readonly #links: ThreadLink[] = []
  #ids = 0
  #separating: NodeJS.Timeout | undefined
  /** Links whose nodes did not let them be moved. */
  #moving = false
  readonly #stuck = new Set<ThreadLink>()
  readonly #saidStuck = new Set<ThreadLink>()

  constructor(pool: Threads) {
    this.#pool = pool
  }

  /** The hosted links of a module. */
  linksOf(module: string): ThreadLink[] {
    return this.#links.filter((link) => link.description.module === module)
  }

  /**
   * Loads modules in a thread, and gives their links a place. They are not opened yet.
   *
   * @throws {@link LinkModuleError} naming the module that cannot be used, or an `AggregateError` of several
   */
  async host(modules: readonly string[]): Promise<ThreadLink[]> {
    const [describing] = this.#pool.threads
    if (describing === undefined || modules.length === 0) return []
    const descriptions: LinkDescription[] = []
    const errors: Error[] = []
    // in one thread, so that instances which modules share are seen to be the same; one by one, so that a module which
    // ends the thread is told from the others
    for (const module of modules) {
      try {
        const described = await describing.call('describe', { module })
        this.#checkOnce(described, descriptions)
        descriptions.push(...described)
      } catch (thrown) {
        errors.push(moduleError(module, thrown))
      }
    }
    const [error] = errors
    if (error !== undefined) throw errors.length === 1 ? error : new AggregateError(errors, errors.join('; '))
    const links = this.#place(descriptions)
    this.#links.push(...links)
    return links
  }

  /** Forgets links that were removed. */
  drop(links: readonly PlannedLink[]): void {
    const dropped = new Set(links)
    const kept = this.#links.filter((link) => !dropped.has(link))
    this.#links.splice(0, this.#links.length, ...kept)
  }

  /** Forgets all links, and gives them. */
  clear(): ThreadLink[] {
    clearTimeout(this.#separating)
    this.#separating = undefined
    this.#stuck.clear()
    this.#saidStuck.clear()
    return this.#links.splice(0)
  }

  /** A thread was lost: its links are opened in the one that takes its place. Gives whom it hit, and who did it. */
  lost({ thread, runs, inside }: LostThread): Hit {
    const hit = this.#links.filter((link) => link.threads.includes(thread))
    const buffered = hit.reduce((sum, link) => sum + link.buffered, 0)
    // nobody else was there
    const suspect = inside ?? (runs.length === 1 ? runs[0] : undefined)
    const culprit = suspect === undefined ? undefined : hit.find((link) => link.hasHost(suspect))
    culprit?.strike()
    for (const link of hit) link.lost(thread)
    return { names: hit.map(({ name }) => name), buffered, culprit }
  }

  /** @throws {@link LinkModuleError} when a link is in another module too: it would transfer twice */
  #checkOnce(described: readonly LinkDescription[], others: readonly LinkDescription[]): void {
    const known = new Map(
      [...this.#links.map(({ description }) => description), ...others].map((one) => [one.identity, one]),
    )
    for (const { identity, module, exportName, index } of described) {
      const other = known.get(identity)
      if (other === undefined) continue
      const [name, otherName] = [nameOf(exportName, index), nameOf(other.exportName, other.index)]
      throw new LinkModuleError(
        module,
        `exports as ${name} the link that ${other.module} exports as ${otherName}: export it once`,
      )
    }
  }

  #place(descriptions: readonly LinkDescription[]): ThreadLink[] {
    const { threads } = this.#pool
    // those that have a place already come first: a new link may share an instance with one of them
    const known = this.#pinned()
    const fresh = descriptions.filter(({ stateless }) => !stateless)
    const all = [...known.map(({ description }) => description), ...fresh]
    const groups = groupByCommon(all.map(({ instances }) => instances))
    const placed = place(groups, [...this.#placeables(known), ...fresh.map(newcomer)], threads.length)
    const threadOf = new Map(groups.flatMap((group, at) => group.map((index) => [all[index], placed[at]] as const)))
    const lanes = threadsFor([...this.#placeables(this.#links), ...descriptions.map(newcomer)], threads.length)
    return descriptions.map((description) => {
      const indices = description.stateless ? lanes(newcomer(description).lane) : [threadOf.get(description) ?? 0]
      const hosts = indices.flatMap((index) => threads[index] ?? [])
      return new ThreadLink(
        description,
        hosts.map((thread) => ({ thread, id: this.#ids++ })),
        () => {
          this.#laneKnown()
        },
      )
    })
  }

  /** The links that are in one thread only. */
  #pinned(): ThreadLink[] {
    return this.#links.filter((link) => !link.description.stateless)
  }

  #placeables(links: readonly ThreadLink[]): Placeable[] {
    const shared = this.#sharedInstances()
    return links.map((link) => {
      const { movable, instances } = link.description
      const [thread] = link.threads
      return {
        lane: link.lane,
        thread: thread === undefined ? undefined : this.#pool.threads.indexOf(thread),
        movable: movable && !this.#stuck.has(link) && !instances.some((instance) => shared.has(instance)),
      }
    })
  }

  /** Instances that several links use, so that none of these links can go elsewhere alone. */
  #sharedInstances(): Set<string> {
    const seen = new Set<string>()
    const shared = new Set<string>()
    for (const { description } of this.#links) {
      for (const instance of description.instances) (seen.has(instance) ? shared : seen).add(instance)
    }
    return shared
  }

  #laneKnown(): void {
    this.#separating ??= setTimeout(() => {
      this.#separating = undefined
      this.#separate().catch((error: unknown) => {
        getLogger('databay.WorkerPlanner').error({ err: toError(error) }, 'links could not be moved between threads')
      })
    }, SETTLE).unref()
  }

  /** Moves links so that those that wait and those that compute are in different threads. */
  async #separate(): Promise<void> {
    if (this.#moving) {
      this.#laneKnown() // one at a time
      return
    }
    this.#moving = true
    try {
      await this.#separateNow()
    } finally {
      this.#moving = false
    }
  }

  async #separateNow(): Promise<void> {
    const { threads } = this.#pool
    const links = this.#pinned()
    if (!links.some(({ lane }) => lane === 'cpu')) return
    const placeables = this.#placeables(links)
    this.#sayStuck(links, placeables)
    const moves = separate(placeables, threads.length).map(({ link, thread }) =>
      this.#move(links[link], threads[thread]),
    )
    await Promise.all(moves)
  }

  /** Moves a link that can go elsewhere alone. */
  async #move(link: ThreadLink | undefined, to: Thread | undefined): Promise<void> {
    const [from] = link?.threads ?? []
    if (link === undefined || from === undefined || to === undefined) return
    const error = await relocate([link], from, to, true)
    if (error === undefined) {
      getLogger('databay.WorkerPlanner').info(`${link.name} moved to thread ${to.number}`)
      return
    }
    getLogger('databay.WorkerPlanner').warn({ err: error }, `${link.name} could not be moved`)
    if (error instanceof ThreadLostError) {
      this.#laneKnown()
      return
    }
    this.#stuck.add(link)
    this.#saidStuck.add(link) // it has just been said
  }

  /** Says once of a link that it is in the way, and stays. */
  #sayStuck(links: readonly ThreadLink[], placeables: readonly Placeable[]): void {
    for (const [index, { lane, movable, thread }] of placeables.entries()) {
      const link = links[index]
      if (lane !== 'cpu' || movable || link?.description.lane !== 'auto') continue
      const waits = placeables.some((other) => other.thread === thread && other.lane !== 'cpu')
      if (!waits || this.#pool.size < 2 || this.#saidStuck.has(link)) continue
      this.#saidStuck.add(link)
      getLogger('databay.WorkerPlanner').info(
        `${link.name} computes in a thread with links that wait, and cannot be moved as its nodes hand over no state: set its lane to 'cpu', or give its nodes saveState()`,
      )
    }
  }
}

function newcomer({ lane }: LinkDescription): Placeable {
  return { lane: lane === 'auto' ? undefined : lane, thread: undefined, movable: false }
}

/** The thread's error as the main thread's own class. */
function moduleError(module: string, thrown: unknown): Error {
  const error = toError(thrown)
  const prefix = `${module}: `
  const message = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message
  return new LinkModuleError(module, message, { cause: error.cause ?? error })
}
