import { getLogger } from '../../base/log.js'
import type { CheckedRequest } from './protocol.js'

/** Most names of links in a line of the log. */
const MOST_NAMES = 5

/** Logs an action, so that what somebody else did to a process is seen where the process is looked at. */
export function logAction(what: string, links: readonly string[], by: CheckedRequest['by']): void {
  const who = by === undefined ? 'a client of the control socket' : `${by.user} (process ${by.pid})`
  const named = links.length === 0 ? '' : ` ${someOf(links)}`
  getLogger('databay.Control').warn(`${who} ${what}${named}`)
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown
}
