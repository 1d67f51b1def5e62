import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'

/** Number of ids that one warning names. */
const SHOWN = 10

/**
 * Ids that several links have, as far as a link of the first list is among them.
 *
 * @param links - the links to look at
 * @param others - links that are there already
 */
export function sharedIds(
  links: readonly { readonly id?: string | undefined }[],
  others: readonly { readonly id?: string | undefined }[] = [],
): string[] {
  const seen = new Set<string>()
  for (const { id } of others) if (id !== undefined) seen.add(id)
  const shared = new Set<string>()
  for (const { id } of links) {
    if (id === undefined) continue
    if (seen.has(id)) shared.add(id)
    seen.add(id)
  }
  return [...shared]
}

/**
 * Warns of ids that several links have, as logs, events, statistics and commands cannot tell such links apart.
 *
 * @param links - the links to look at
 * @param others - links that are in the planner already
 */
export function warnOfSharedIds(links: readonly PlannedLink[], others: readonly PlannedLink[] = []): void {
  const shared = sharedIds(links, others)
  if (shared.length === 0) return
  const named = shared.slice(0, SHOWN).join(', ')
  const more = shared.length > SHOWN ? `, and ${shared.length - SHOWN} more` : ''
  getLogger('databay.BasePlanner').warn(`several links have the id ${named}${more}: give each an id of its own`)
}
