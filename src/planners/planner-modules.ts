import { InvalidOptionError, MissingLinkError } from '../base/errors.js'
import type { Url } from '../base/node-types.js'
import type { PlannedLink } from '../core/planned-link.js'
import { keyOf, type LinkAddress } from '../threads/protocol/link-description.js'
import { moduleUrl } from '../threads/protocol/module-url.js'

/** Links as a planner with threads takes them: live links, and URLs or paths of link modules. */
export type LinkOrModule = PlannedLink | Url | string

/**
 * Link modules of a planner, by their URLs, and their links that were removed.
 * @internal
 */
export class PlannerModules {
  readonly #modules: Set<string>
  /** Modules that are being added to a running planner. */
  readonly #joining = new Set<string>()
  /** Keys of links that were removed, by modules of which others stay: they do not come back at the next start. */
  readonly #removed = new Map<string, Set<string>>()

  constructor(modules: readonly string[]) {
    this.#modules = new Set(modules)
  }

  /** URLs of the modules: a copy of the list. */
  get all(): string[] {
    return [...this.#modules]
  }

  /** Whether a module is in the planner. */
  has(module: string): boolean {
    return this.#modules.has(module)
  }

  /** @throws {@link MissingLinkError} when one is not in the planner */
  checkKnown(modules: readonly string[]): void {
    for (const module of modules) {
      if (!this.#modules.has(module)) throw new MissingLinkError(`link module ${module} is not in this planner`)
    }
  }

  /**
   * Notes modules that are being added to a running planner: no other call can add them meanwhile.
   *
   * @throws {@link InvalidOptionError} when one is in the planner already; then none is noted
   */
  join(modules: readonly string[]): void {
    this.#checkNew(modules)
    for (const module of modules) this.#joining.add(module)
  }

  /**
   * Adds modules, also modules that are joining.
   *
   * @throws {@link InvalidOptionError} when one is in the planner already; then none is added
   */
  add(modules: readonly string[]): void {
    this.#checkNew(modules.filter((module) => !this.#joining.has(module)))
    for (const module of modules) this.#modules.add(module)
    this.leave(modules)
  }

  /** Ends the joining of modules, whether they were added or not. */
  leave(modules: readonly string[]): void {
    for (const module of modules) this.#joining.delete(module)
  }

  /** Removes a module. */
  remove(module: string): void {
    this.#modules.delete(module)
    this.#removed.delete(module)
  }

  /** Notes that a link of a module was removed. The module goes with the last of its links. */
  removeLink(link: LinkAddress, othersStay: boolean): void {
    if (!this.#modules.has(link.module)) return
    if (!othersStay) {
      this.remove(link.module)
      return
    }
    const removed = this.#removed.get(link.module)
    if (removed === undefined) this.#removed.set(link.module, new Set([keyOf(link)]))
    else removed.add(keyOf(link))
  }

  /**
   * Checks that a link was removed, and can be taken back: others of its module are in the planner.
   *
   * @throws {@link InvalidOptionError} when it cannot
   */
  checkRemoved(link: LinkAddress, name: string): void {
    if (this.#removed.get(link.module)?.has(keyOf(link)) === true) return
    throw new InvalidOptionError('links', 'a live link, or the URL of a link module', `${name} of ${link.module}`)
  }

  /** Takes a link back that was removed. */
  takeBack(link: LinkAddress): void {
    this.#removed.get(link.module)?.delete(keyOf(link))
  }

  /** Whether a link that a module exports belongs to the planner: its module is there, and the link was not removed. */
  wants(link: LinkAddress): boolean {
    return this.#modules.has(link.module) && this.#removed.get(link.module)?.has(keyOf(link)) !== true
  }

  #checkNew(modules: readonly string[]): void {
    for (const module of modules) {
      if (this.#modules.has(module) || this.#joining.has(module)) {
        throw new InvalidOptionError('links', 'a link module that is not in this planner yet', module)
      }
    }
  }
}

/**
 * Tells live links from modules.
 *
 * @returns the live links, and the URLs of the modules
 * @throws {@link InvalidOptionError} when one is no module, or is there twice
 * @internal
 */
export function divide(links: readonly LinkOrModule[]): { live: PlannedLink[]; modules: string[] } {
  const live: PlannedLink[] = []
  const modules = new Set<string>()
  links.forEach((link, index) => {
    if (!(typeof link === 'string' || link instanceof URL)) {
      live.push(link)
      return
    }
    const url = moduleUrl(`links[${index}]`, link)
    if (modules.has(url)) throw new InvalidOptionError(`links[${index}]`, 'each link module once', url)
    modules.add(url)
  })
  return { live, modules: [...modules] }
}
