import { setTimeout as wait } from 'node:timers/promises'
import { LinkModuleError, StartTimeoutError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Link } from '../../core/link.js'
import { LinkOverrides, type LinkOverride } from '../../core/link-overrides.js'
import { nameOf, type LinkAddress } from '../protocol/link-description.js'
import { loadLinks, type ExportedLink } from './link-module.js'
import type { TimeLimits } from './time-limits.js'

/** The links of a module by their names in it. */
export type LinksByName = ReadonlyMap<string, ExportedLink>

/**
 * Time after which a module that is not loaded yet is taken to wait, so that the next one begins to load, in
 * milliseconds. While it computes, no timer fires.
 */
const WAITS = 20

/** Loads link modules, each once however many of its links are opened. */
export class LoadedModules {
  readonly #limits: Pick<TimeLimits, 'within'>
  readonly #timeout: number
  readonly #overrides: LinkOverrides
  readonly #prepare: ((link: Link) => Promise<void>) | undefined
  /** Modules that are loaded, and those on their way. */
  readonly #modules = new Map<string, MaybePromise<LinksByName>>()
  /** Resolves when the next module may begin to load. */
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * @param timeout - time that {@link LoadedModules.loadInTime} gives a module, in milliseconds
   * @param prepare - changes each link before it is used
   * @param overrides - settings that a configuration has for links
   */
  constructor(
    limits: Pick<TimeLimits, 'within'>,
    timeout: number,
    prepare?: (link: Link) => Promise<void>,
    overrides?: readonly LinkOverride[],
  ) {
    this.#limits = limits
    this.#timeout = timeout
    this.#prepare = prepare
    this.#overrides = new LinkOverrides(overrides)
  }

  /** Loads a module; gives its links at once when it is there. Rejects with a {@link LinkModuleError}. */
  load(module: string): MaybePromise<LinksByName> {
    const known = this.#modules.get(module)
    if (known !== undefined) return known
    const loading = this.#loadLinks(module)
    this.#modules.set(module, loading)
    loading.then(
      (links) => this.#modules.set(module, links),
      // it may be mended by the time it is asked for again
      () => this.#modules.delete(module),
    )
    return loading
  }

  /**
   * As {@link LoadedModules.load}. Rejects with a {@link StartTimeoutError} when that takes too long. Modules that
   * compute load one after the other, and the time of each begins with it; one that waits holds up no other.
   */
  loadInTime(module: string): MaybePromise<LinksByName> {
    const known = this.#modules.get(module)
    if (known !== undefined && !(known instanceof Promise)) return known
    const late = () => new StartTimeoutError(`${module}: it did not load within ${this.#timeout} ms`)
    const loading = this.#turn.then(() => this.#limits.within(this.#timeout, late, () => this.load(module)))
    this.#turn = this.#turn.then(() => Promise.race([loading.catch(() => undefined), wait(WAITS)]))
    return loading
  }

  async #loadLinks(module: string): Promise<LinksByName> {
    const links = await loadLinks(module, this.#overrides)
    if (this.#prepare !== undefined) for (const { link } of links) await this.#prepare(link)
    return new Map(links.map((one) => [nameOf(one), one]))
  }
}

/**
 * The link of an address.
 *
 * @param links - the links of its module
 * @throws {@link LinkModuleError} when the module does not export it
 */
export function findLink(links: LinksByName, address: LinkAddress): Link {
  const name = nameOf(address)
  const found = links.get(name)
  if (found === undefined) {
    throw new LinkModuleError(address.module, `exports no link ${name} in this thread, as it did in another`)
  }
  return found.link
}
