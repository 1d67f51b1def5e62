import { groupByCommon, type Placeable } from './placement.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'

/** The links that threads host, and what of them matters to where they are. */
export class HostedLinks {
  #links: ThreadLink[] = []
  #ids = 0
  /** Links whose nodes did not let them be moved. */
  #stuck = new WeakSet<ThreadLink>()

  get all(): readonly ThreadLink[] {
    return this.#links
  }

  /** The links that are in one thread only. */
  get pinned(): ThreadLink[] {
    return this.#links.filter(({ description }) => !description.settings.stateless)
  }

  /** A number under which a link is opened in a thread: never used again. */
  nextId(): number {
    return this.#ids++
  }

  add(links: readonly ThreadLink[]): void {
    this.#links.push(...links)
  }

  drop(links: ReadonlySet<unknown>): void {
    this.#links = this.#links.filter((link) => !links.has(link))
  }

  clear(): ThreadLink[] {
    this.#stuck = new WeakSet()
    const links = this.#links
    this.#links = []
    return links
  }

  /** Says of a link that its nodes do not let it be moved. */
  stick(link: ThreadLink): void {
    this.#stuck.add(link)
  }

  in(thread: Thread): ThreadLink[] {
    return this.#links.filter((link) => link.threads.includes(thread))
  }

  /** Groups of links that share an instance, so that they must be in the same thread. */
  groups(links: readonly ThreadLink[]): ThreadLink[][] {
    const groups = groupByCommon(links.map(({ description }) => description.instances))
    return groups.map((group) => group.flatMap((index) => links[index] ?? []))
  }

  /**
   * Links as placement sees them.
   *
   * @param threads - how many threads there are
   * @param together - whether links that share an instance are moved together; otherwise they stay
   */
  placeables(links: readonly ThreadLink[], threads: number, together = false): Placeable[] {
    const shared = together ? new Set<number>() : this.#sharedInstances()
    return links.map((link) => {
      const { movable, instances } = link.description
      const number = link.threads[0]?.number
      return {
        lane: link.lane,
        // by its number: one that leaves is no thread of the pool any more
        thread: number === undefined || number > threads ? undefined : number - 1,
        movable: movable && !this.#stuck.has(link) && !instances.some((instance) => shared.has(instance)),
      }
    })
  }

  /** Instances that several links use, so that none of these links can go elsewhere alone. */
  #sharedInstances(): Set<number> {
    const seen = new Set<number>()
    const shared = new Set<number>()
    for (const { description } of this.#links) {
      for (const instance of description.instances) (seen.has(instance) ? shared : seen).add(instance)
    }
    return shared
  }
}
