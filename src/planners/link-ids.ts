import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'

/** Number of ids that one warning names. */
const SHOWN = 10

/** Ids of the links in a planner, kept up to date: thousands of links may be added one by one. */
export class LinkIds {
  /** Number of links that have an id. */
  readonly #links = new Map<string, number>()

  /** Whether a link has an id. */
  has(id: string): boolean {
    return this.#links.has(id)
  }

  /** Adds the id of a link. */
  add(id: string | undefined): void {
    if (id !== undefined) this.#links.set(id, (this.#links.get(id) ?? 0) + 1)
  }

  /** Removes the id of a link. */
  remove(id: string | undefined): void {
    if (id === undefined) return
    const links = (this.#links.get(id) ?? 0) - 1
    if (links > 0) this.#links.set(id, links)
    else this.#links.delete(id)
  }
}

/**
 * Ids that several links have, as far as a link of the first list is among them.
 *
 * @param links - the links to look at
 * @param others - ids of links that are there already
 */
export function sharedIds(
  links: readonly { readonly id?: string | undefined }[],
  others: Pick<LinkIds, 'has'> = new Set(),
): string[] {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const { id } of links) {
    if (id === undefined) continue
    if (seen.has(id) || others.has(id)) shared.add(id)
    seen.add(id)
  }
  return [...shared]
}

/**
 * Warns of ids that several links have, as logs, events, statistics and commands cannot tell such links apart.
 *
 * @param links - the links to look at
 * @param others - ids of links that are in the planner already
 */
export function warnOfSharedIds(links: readonly PlannedLink[], others?: Pick<LinkIds, 'has'>): void {
  const shared = sharedIds(links, others)
  if (shared.length === 0) return
  const named = shared.slice(0, SHOWN).join(', ')
  const more = shared.length > SHOWN ? `, and ${shared.length - SHOWN} more` : ''
  getLogger('databay.BasePlanner').warn(`several links have the id ${named}${more}: give each an id of its own`)
}
