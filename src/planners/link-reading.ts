import { isDurable, type PlannedLink } from '../core/planned-link.js'
import type { LinkReading } from '../operate/planner-reading.js'
import { LinkCounters } from './link-counters.js'
import type { PlannerAccounts } from './planner-accounts.js'
import type { StartFailure } from './start-retries.js'

/** State of a link, as far as its figures come from it. */
export interface ReadState {
  readonly running: number
  readonly paused: boolean
  readonly startFailure: StartFailure | undefined
  readonly counters: LinkCounters | undefined
}

/** Counts of links without any transfer. */
export const NOTHING = new LinkCounters()

/** Figures of a link for a scrape: what takes time to work out, such as percentiles, is not among them. */
export function readLink(
  link: PlannedLink,
  { running, paused, startFailure, counters = NOTHING }: ReadState,
  accounts: PlannerAccounts,
  { isBlocked, nextDueAt }: Pick<LinkReading, 'isBlocked' | 'nextDueAt'>,
): LinkReading {
  const isKept = isDurable(link)
  const sums = accounts.sums(link)
  return {
    link: link.name,
    tags: link.tags,
    schedule: link.schedule,
    transfers: counters.transfers,
    failed: counters.failed,
    skipped: counters.skipped,
    late: counters.late,
    missed: counters.missed,
    consecutiveFailures: counters.consecutiveFailures,
    lastSuccessAt: counters.lastSuccessAt,
    nextDueAt,
    running,
    lengths: counters.lengths,
    pulled: sums?.pulled ?? 0,
    pushed: sums?.pushed ?? 0,
    dropped: sums?.dropped ?? 0,
    buffered: accounts.held(link) ?? bufferedIn(link),
    waiting: isKept ? (accounts.undelivered(link).waiting ?? 0) : undefined,
    dead: isKept ? (sums?.dead ?? 0) : undefined,
    isPaused: paused,
    isBlocked,
    isQuarantined: link.quarantinedUntil !== undefined,
    startFailure: startFailure && codeOf(startFailure.error),
  }
}

/** Number of records in a link's buffers; 0 for a processor that cannot tell its size, which fails its transfers. */
export function bufferedIn(link: PlannedLink): number {
  try {
    return link.buffered ?? 0
  } catch {
    return 0
  }
}

function codeOf(error: Error & { readonly code?: unknown }): string {
  return typeof error.code === 'string' ? error.code : ''
}
