import { LinkModuleError, toError } from '../errors.js'
import { getLogger } from '../log.js'
import type { PlannedLink } from '../planned-link.js'
import { groupByCommon, place, separate, type Placeable } from './placement.js'
import type { LinkDescription } from './protocol.js'
import type { Thread } from './thread.js'
import { ThreadLink } from './thread-link.js'
import type { ThreadPool } from './thread-pool.js'

/** How long to wait after a link's lane became known before links are moved, in milliseconds: more may follow. */
const SETTLE = 200

/**
 * Which thread hosts which link: loads link modules, gives their links a place, and keeps what waits and what computes
 * apart.
 */
export class Hosting {
  readonly #pool: ThreadPool
  readonly #links: ThreadLink[] = []
  #ids = 0
  #separating: NodeJS.Timeout | undefined
  readonly #saidStuck = new Set<ThreadLink>()

  constructor(pool: ThreadPool) {
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
    // in one thread, so that instances which modules share are seen to be the same
    const results = await Promise.allSettled(modules.map((module) => describing.call('describe', { module })))
    const errors = results.flatMap((result, index) =>
      result.status === 'rejected' ? [moduleError(modules[index] ?? '', result.reason)] : [],
    )
    const [error] = errors
    if (error !== undefined) throw errors.length === 1 ? error : new AggregateError(errors, errors.join('; '))
    const descriptions = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
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
    this.#saidStuck.clear()
    return this.#links.splice(0)
  }

  /** A thread was lost: its links are opened in the one that takes its place. Gives whom it hit. */
  lost(thread: Thread): { readonly names: string[]; readonly buffered: number } {
    const hit = this.#links.filter((link) => link.threads.includes(thread))
    const buffered = hit.reduce((sum, link) => sum + link.buffered, 0)
    for (const link of hit) link.lost(thread)
    return { names: hit.map(({ name }) => name), buffered }
  }

  #place(descriptions: readonly LinkDescription[]): ThreadLink[] {
    const { threads } = this.#pool
    // those that have a place already come first: a new link may share an instance with one of them
    const known = this.#links.map((link) => link.description)
    const all = [...known, ...descriptions]
    const placeable = [...this.#placeables(), ...descriptions.map(newcomer)]
    const groups = groupByCommon(all.map(({ instances }) => instances))
    const placed = place(groups, placeable, threads.length)
    const threadOf = new Map(groups.flatMap((group, at) => group.map((index) => [index, placed[at]] as const)))
    return descriptions.map((description, at) => {
      const index = threadOf.get(known.length + at) ?? 0
      const hosts = description.stateless ? threads : threads.slice(index, index + 1)
      return new ThreadLink(
        description,
        hosts.map((thread) => ({ thread, id: this.#ids++ })),
        () => {
          this.#laneKnown()
        },
      )
    })
  }

  #placeables(): Placeable[] {
    const shared = this.#sharedInstances()
    return this.#links.map((link) => {
      const { movable, stateless, instances } = link.description
      const [thread] = link.threads
      return {
        lane: link.lane,
        thread: stateless || thread === undefined ? undefined : this.#pool.threads.indexOf(thread),
        movable: movable && !stateless && !instances.some((instance) => shared.has(instance)),
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
    const { threads } = this.#pool
    if (!this.#links.some(({ lane }) => lane === 'cpu')) return
    const placeables = this.#placeables()
    this.#sayStuck(placeables)
    for (const { link: index, thread: to } of separate(placeables, threads.length)) {
      const link = this.#links[index]
      const thread = threads[to]
      if (link === undefined || thread === undefined) continue
      const moved = await link.moveTo(thread)
      if (moved) getLogger('databay.WorkerPlanner').info(`${link.name} moved to thread ${thread.number}`)
      else this.#laneKnown() // it was transferring: later
      // what is between is not what was planned for
      if (this.#links[index] !== link) return
    }
  }

  /** Says once of a link that it is in the way, and stays. */
  #sayStuck(placeables: readonly Placeable[]): void {
    for (const [index, { lane, movable, thread }] of placeables.entries()) {
      const link = this.#links[index]
      if (lane !== 'cpu' || movable || thread === undefined || link?.description.lane !== 'auto') continue
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
