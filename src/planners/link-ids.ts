import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'

/** Number of ids that one warning names. */
const SHOWN = 10

/**
 * Warns of ids that several links have, as logs, events, statistics and commands cannot tell such links apart.
 *
 * @param links - the links to look at
 * @param others - links that are in the planner already
 */
export function warnOfSharedIds(links: readonly PlannedLink[], others: readonly PlannedLink[] = []): void {
  const seen = new Set<string>()
  for (const { id } of others) if (id !== undefined) seen.add(id)
  const shared = new Set<string>()
  for (const { id } of links) {
    if (id === undefined) continue
    if (seen.has(id)) shared.add(id)
    seen.add(id)
  }
  if (shared.size === 0) return
  const named = [...shared].slice(0, SHOWN).join(', ')
  const more = shared.size > SHOWN ? `, and ${shared.size - SHOWN} more` : ''
  getLogger('databay.BasePlanner').warn(`several links have the id ${named}${more}: give each an id of its own`)
}
