import { groupByCommon, type Placeable } from './placement.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'

/** The links that threads host, and which of them have to be together. */
export class HostedLinks {
  /** The links, by their modules. */
  readonly #links = new Map<string, Set<ThreadLink>>()
  /** All of them; `undefined` when some have left since it was made. */
  #all: ThreadLink[] | undefined = []
  #ids = 0
  /** Link that uses an instance, of those that are in one thread only; `undefined` while that is to be found out. */
  #users: Map<number, ThreadLink> | undefined
  /** Links whose nodes failed to be moved. */
  #stuck = new WeakSet<ThreadLink>()

  /** All hosted links. */
  get all(): readonly ThreadLink[] {
    return (this.#all ??= [...this.#links.values()].flatMap((links) => [...links]))
  }

  /** The links of a module. */
  of(module: string): ThreadLink[] {
    return [...(this.#links.get(module) ?? [])]
  }

  /** Whether a module has links here. */
  hasLinksOf(module: string): boolean {
    return this.#links.has(module)
  }

  /** Links that are in one thread only, as they are not stateless. */
  get pinned(): ThreadLink[] {
    return this.all.filter(({ description }) => !description.settings.stateless)
  }

  /** Gives an id under which a link is opened in a thread. It is never used again. */
  nextId(): number {
    return this.#ids++
  }

  /** Adds links. */
  add(links: readonly ThreadLink[]): void {
    // one by one: arguments of a call have their place on the stack
    for (const link of links) {
      const before = this.#links.get(link.module)
      if (before === undefined) this.#links.set(link.module, new Set([link]))
      else before.add(link)
      this.#all?.push(link)
      if (this.#users !== undefined) noteUser(link, this.#users)
    }
  }

  /** Drops links. */
  drop(links: Iterable<ThreadLink>): void {
    for (const link of links) {
      const others = this.#links.get(link.module)
      if (others?.delete(link) !== true) continue
      if (others.size === 0) this.#links.delete(link.module)
      this.#all = undefined
      this.#users = undefined
    }
  }

  /** Drops all links, and gives them. */
  clear(): ThreadLink[] {
    this.#stuck = new WeakSet()
    this.#users = undefined
    const links = [...this.all]
    this.#links.clear()
    this.#all = []
    return links
  }

  /** Keeps a link where it is, as its nodes failed to be moved. */
  pin(link: ThreadLink): void {
    this.#stuck.add(link)
  }

  /** The links in a thread. */
  in(thread: Thread): ThreadLink[] {
    return this.all.filter((link) => link.threads.includes(thread))
  }

  /** Takes note that links were described again, and their instances have other numbers. */
  renumbered(): void {
    this.#users = undefined
  }

  /**
   * Index of the thread of a link that uses one of these instances, of those that are in one thread only; `undefined` when
   * there is none.
   */
  threadWith(instances: readonly number[], threads: number): number | undefined {
    if (this.#users === undefined) {
      this.#users = new Map()
      for (const link of this.all) noteUser(link, this.#users)
    }
    for (const instance of instances) {
      const user = this.#users.get(instance)
      const thread = user && indexOf(user, threads)
      if (thread !== undefined) return thread
    }
    return undefined
  }

  /** All links as placement sees them where they stay: those that are in one thread only, and the stateless ones. */
  settled(threads: number): { readonly pinned: readonly Placeable[]; readonly stateless: readonly Placeable[] } {
    const [pinned, stateless]: [Placeable[], Placeable[]] = [[], []]
    for (const link of this.all) {
      const settled = { lane: link.lane, thread: indexOf(link, threads), movable: false }
      ;(link.settings.stateless ? stateless : pinned).push(settled)
    }
    return { pinned, stateless }
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
      return {
        lane: link.lane,
        thread: indexOf(link, threads),
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
    for (const { description } of this.all) {
      for (const instance of description.instances) (seen.has(instance) ? shared : seen).add(instance)
    }
    return shared
  }
}

/** Index of the first thread of a link, by its number: a thread that leaves is not in the pool any more. */
function indexOf(link: ThreadLink, threads: number): number | undefined {
  const number = link.threads[0]?.number
  return number === undefined || number > threads ? undefined : number - 1
}

function noteUser(link: ThreadLink, users: Map<number, ThreadLink>): void {
  const { instances, settings } = link.description
  if (settings.stateless) return
  for (const instance of instances) if (!users.has(instance)) users.set(instance, link)
}
