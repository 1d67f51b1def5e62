import { groupByCommon, type Placeable } from './placement.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'

/** The links that threads host, and which of them have to be together. */
export class HostedLinks {
  #links: ThreadLink[] = []
  #ids = 0
  /** Links whose nodes failed to be moved. */
  #stuck = new WeakSet<ThreadLink>()

  /** All hosted links. */
  get all(): readonly ThreadLink[] {
    return this.#links
  }

  /** Links that are in one thread only, as they are not stateless. */
  get pinned(): ThreadLink[] {
    return this.#links.filter(({ description }) => !description.settings.stateless)
  }

  /** Gives an id under which a link is opened in a thread. It is never used again. */
  nextId(): number {
    return this.#ids++
  }

  /** Adds links. */
  add(links: readonly ThreadLink[]): void {
    this.#links.push(...links)
  }

  /** Drops links. */
  drop(links: ReadonlySet<unknown>): void {
    this.#links = this.#links.filter((link) => !links.has(link))
  }

  /** Drops all links, and gives them. */
  clear(): ThreadLink[] {
    this.#stuck = new WeakSet()
    const links = this.#links
    this.#links = []
    return links
  }

  /** Keeps a link where it is, as its nodes failed to be moved. */
  pin(link: ThreadLink): void {
    this.#stuck.add(link)
  }

  /** The links in a thread. */
  in(thread: Thread): ThreadLink[] {
    return this.#links.filter((link) => link.threads.includes(thread))
  }

  /** Groups links that share an instance: the links of a group must be in the same thread. */
  groups(links: readonly ThreadLink[]): ThreadLink[][] {
    const groups = groupByCommon(links.map(({ description }) => description.instances))
    return groups.map((group) => group.flatMap((index) => links[index] ?? []))
  }

  /**
   * Links as placement sees them.
   *
   * @param threads - number of threads
   * @param together - whether links that share an instance are moved together; otherwise they stay where they are
   */
  placeables(links: readonly ThreadLink[], threads: number, together = false): Placeable[] {
    const shared = together ? new Set<number>() : this.#sharedInstances()
    return links.map((link) => {
      const { movable, instances } = link.description
      const number = link.threads[0]?.number
      return {
        lane: link.lane,
        // by its number: a thread that leaves is not in the pool any more
        thread: number === undefined || number > threads ? undefined : number - 1,
        // a stream would be cut off: it moves when it has to
        movable:
          movable && !link.isStreaming && !this.#stuck.has(link) && !instances.some((instance) => shared.has(instance)),
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
