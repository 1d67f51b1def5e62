import { LinkModuleError, toError } from '../../base/errors.js'
import { keyOf, type LinkDescription } from '../protocol/link-description.js'
import { migrate, migrateAll, replicate, removeReplica } from './migration.js'
import type { HostedLinks } from './hosted-links.js'
import type { Thread } from './thread.js'
import type { ThreadLink } from './thread-link.js'
import type { ThreadPool } from './thread-pool.js'

/** What a planner does about the new version of a module. */
export interface ReloadHooks {
  /** Removes links that the module does not export any more. */
  remove(links: readonly ThreadLink[]): Promise<void>
  /** Tells whether a link that it did not export before is to be added: it may have been removed. */
  wants(link: LinkDescription): boolean
  /** Adds a link, to be opened in a thread. */
  add(description: LinkDescription, thread: Thread): Promise<ThreadLink>
}

/** A thread that hosts links of the module, and the thread that takes its place. */
interface Renewal {
  readonly old: Thread
  readonly fresh: Thread
  /** Links of the modules that the fresh thread has loaded, by their keys. */
  readonly descriptions: ReadonlyMap<string, LinkDescription>
}

type Pool = Pick<ThreadPool, 'threads' | 'startReplacement' | 'replace' | 'retire'>

/**
 * Loads the new version of a link module: in fresh threads, as a thread loads a file once. They take the places of the
 * threads that host its links, and take over all links there. When it cannot be loaded or started, all goes back to
 * where it was.
 */
export class Reload {
  readonly #pool: Pool
  readonly #hosted: HostedLinks
  readonly #module: string
  readonly #hooks: ReloadHooks
  /** Groups of links that were moved, to go back if the rest fails. */
  readonly #moved: { readonly group: readonly ThreadLink[]; readonly renewal: Renewal }[] = []
  /** Stateless links that were opened in a fresh thread. */
  readonly #replicated: { readonly link: ThreadLink; readonly renewal: Renewal }[] = []
  readonly #added: ThreadLink[] = []

  constructor(pool: Pool, hosted: HostedLinks, module: string, hooks: ReloadHooks) {
    this.#pool = pool
    this.#hosted = hosted
    this.#module = module
    this.#hooks = hooks
  }

  /**
   * Loads the new version and puts it in the place of the old one.
   *
   * @throws {@link LinkModuleError} when it cannot be loaded or started: then the old one runs on
   */
  async run(): Promise<void> {
    const renewals = await this.#load()
    const gone = this.#gone(renewals)
    for (const { old, fresh } of renewals) this.#pool.replace(old, fresh)
    try {
      for (const renewal of renewals) await this.#begin(renewal, gone)
      await this.#addNew(renewals)
    } catch (thrown) {
      await this.#goBack(renewals)
      throw moduleError(this.#module, thrown)
    }
    for (const { old, fresh } of renewals)
      await migrateAll(this.#groupsIn(old, gone), (group) => migrate(group, old, fresh, false))
    for (const renewal of renewals) await this.#replicateRest(renewal, gone)
    await this.#hooks.remove([...gone])
    try {
      this.#redescribe(renewals)
    } finally {
      for (const { old } of renewals) await this.#pool.retire(old)
    }
  }

  /** Starts fresh threads, and loads all modules there of which the old ones host links. */
  async #load(): Promise<Renewal[]> {
    const renewals: Renewal[] = []
    const fresh: Thread[] = []
    try {
      for (const old of this.#pool.threads.filter((thread) => this.#modulesIn(thread).has(this.#module))) {
        const thread = await this.#pool.startReplacement(old)
        fresh.push(thread)
        const descriptions = new Map<string, LinkDescription>()
        const described = await Promise.all([...this.#modulesIn(old)].map((module) => thread.describe(module)))
        for (const one of described.flat()) descriptions.set(keyOf(one), one)
        renewals.push({ old, fresh: thread, descriptions })
      }
      return renewals
    } catch (thrown) {
      for (const thread of fresh) await this.#pool.retire(thread)
      throw moduleError(this.#module, thrown)
    }
  }

  /** Moves the links of the module, and all that share an instance with them; throws when one cannot be started. */
  async #begin(renewal: Renewal, gone: ReadonlySet<ThreadLink>): Promise<void> {
    const { old, fresh } = renewal
    await this.#each(
      this.#groupsIn(old, gone).filter((group) => group.some((link) => this.#isOurs(link))),
      async (group) => {
        const changed = group.filter((link) => hasChanged(link, renewal))
        const error = await migrate(group, old, fresh, 'unlessRetried', new Set(changed))
        if (error !== undefined) {
          const names = group.map(({ name }) => name).join(', ')
          throw new Error(`${names} could not be moved to its new version: ${error.message}`, { cause: error })
        }
        this.#moved.push({ group, renewal })
      },
    )
    await this.#each(
      this.#statelessIn(old, gone).filter((link) => this.#isOurs(link)),
      async (link) => {
        this.#replicated.push({ link, renewal })
        await link.replicateTo(fresh, this.#hosted.nextId(), false)
        await removeReplica(link, old)
      },
    )
  }

  /**
   * Does something with all items, some at once. When it fails with one, no more are begun.
   *
   * @throws what failed first, once those that were begun have ended
   */
  async #each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    const errors: Error[] = []
    await migrateAll(items, async (item) => {
      if (errors.length > 0) return
      await work(item).catch((thrown: unknown) => errors.push(toError(thrown)))
    })
    const [error] = errors
    if (error !== undefined) throw error
  }

  /** Undoes what was done so far. */
  async #goBack(renewals: readonly Renewal[]): Promise<void> {
    await this.#hooks.remove(this.#added)
    for (const { group, renewal } of this.#moved) await migrate(group, renewal.fresh, renewal.old, false)
    for (const { old, fresh } of renewals) this.#pool.replace(fresh, old)
    for (const { link, renewal } of this.#replicated) {
      if (!link.threads.includes(renewal.old)) await replicate(link, renewal.old, this.#hosted, this.#pool.threads)
      await removeReplica(link, renewal.fresh)
    }
    for (const { fresh } of renewals) await this.#pool.retire(fresh)
  }

  /** Opens the stateless links of other modules in a fresh thread too. */
  async #replicateRest(renewal: Renewal, gone: ReadonlySet<ThreadLink>): Promise<void> {
    await migrateAll(this.#statelessIn(renewal.old, gone), async (link) => {
      await replicate(link, renewal.fresh, this.#hosted, this.#pool.threads)
      await removeReplica(link, renewal.old)
    })
  }

  /** Gives links the descriptions of the new version. */
  #redescribe(renewals: readonly Renewal[]): void {
    for (const { fresh, descriptions } of renewals) {
      for (const link of this.#hosted.in(fresh)) {
        const description = descriptions.get(keyOf(link.description))
        if (description !== undefined) link.redescribe(description)
      }
    }
    this.#hosted.renumbered()
  }

  /** Adds the links that the module did not export before. */
  async #addNew([first]: readonly Renewal[]): Promise<void> {
    if (first === undefined) return
    const known = new Set(this.#hosted.all.map(({ description }) => keyOf(description)))
    const isNew = ([key, description]: readonly [string, LinkDescription]) =>
      description.module === this.#module && !known.has(key) && this.#hooks.wants(description)
    await this.#each([...first.descriptions].filter(isNew), async ([, description]) => {
      this.#added.push(await this.#hooks.add(description, first.fresh))
    })
  }

  /**
   * Links of the module that its new version does not export, or that are stateless now and were not, or the other way.
   */
  #gone([first]: readonly Renewal[]): ReadonlySet<ThreadLink> {
    const links = this.#hosted.all.filter((link) => this.#isOurs(link))
    return new Set(
      links.filter(({ description }) => {
        const now = first?.descriptions.get(keyOf(description))
        return now === undefined || now.settings.stateless !== description.settings.stateless
      }),
    )
  }

  #isOurs({ description }: ThreadLink): boolean {
    return description.module === this.#module
  }

  #modulesIn(thread: Thread): Set<string> {
    return new Set(this.#hosted.in(thread).map(({ description }) => description.module))
  }

  #groupsIn(thread: Thread, gone: ReadonlySet<ThreadLink>): ThreadLink[][] {
    const here = this.#hosted.pinned.filter((link) => link.threads.includes(thread) && !gone.has(link))
    return this.#hosted.groups(here)
  }

  #statelessIn(thread: Thread, gone: ReadonlySet<ThreadLink>): ThreadLink[] {
    return this.#hosted.in(thread).filter((link) => link.description.settings.stateless && !gone.has(link))
  }
}

/** Whether the parts of a link have changed: what they have no place for would be lost. */
function hasChanged({ description }: ThreadLink, { descriptions }: Renewal): boolean {
  const parts = descriptions.get(keyOf(description))?.parts
  return parts !== undefined && parts.join() !== description.parts.join()
}

/** Makes an error of a thread one of the main thread's own class. */
export function moduleError(module: string, thrown: unknown): LinkModuleError {
  const error = toError(thrown)
  const prefix = `${module}: `
  const message = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message
  return new LinkModuleError(module, message, { cause: error.cause ?? error })
}
