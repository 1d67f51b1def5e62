import { describeSchedule } from '../core/schedule.js'
import { isDurable, type PlannedLink } from '../core/planned-link.js'
import type { LinkReading } from '../operate/planner-reading.js'
import { LinkCounters } from './link-counters.js'
import type { PlannerAccounts } from './planner-accounts.js'
import type { StartFailure } from './start-retries.js'

/** What a dispatcher knows of a link. */
interface LinkState {
  readonly running: number
  readonly paused: boolean
  readonly startFailure: StartFailure | undefined
  readonly counters: LinkCounters | undefined
}

/** Counts of links without any transfer. */
const NOTHING = new LinkCounters()

/** Figures of a link for a scrape: what takes time to work out, such as percentiles, is not among them. */
export function readLink(
  link: PlannedLink,
  { running, paused, startFailure, counters = NOTHING }: LinkState,
  accounts: PlannerAccounts,
  isBlocked: boolean,
): LinkReading {
  const isKept = isDurable(link)
  return {
    link: link.name,
    tags: link.tags,
    schedule: describeSchedule(link.schedule),
    transfers: counters.transfers,
    failed: counters.failed,
    skipped: counters.skipped,
    late: counters.late,
    missed: counters.missed,
    consecutiveFailures: counters.consecutiveFailures,
    lastSuccessAt: counters.lastSuccessAt,
    nextDueAt: undefined,
    running,
    lengths: counters.lengths,
    pulled: counters.pulled,
    pushed: counters.pushed,
    dropped: counters.dropped,
    buffered: accounts.held(link) ?? bufferedIn(link),
    waiting: isKept ? (accounts.undelivered(link).waiting ?? 0) : undefined,
    dead: isKept ? counters.dead : undefined,
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
