import type { Schedule } from '../core/schedule.js'
import type { ThreadReading } from '../threads/main/thread-stats.js'
import type { PlannerCounts } from './planner-events.js'
import type { TransferLengths } from './transfer-lengths.js'

/** Figures of a planner as metrics show them. A scrape reads them every few seconds: none of them takes time to work out. */
export interface PlannerReading {
  readonly counts: PlannerCounts
  readonly links: readonly LinkReading[]
  /** Lengths of the transfers of links that have left the planner. */
  readonly removed: TransferLengths
  readonly threads: readonly ThreadReading[]
}

/** Figures of one link, since it came into the planner. Times are in milliseconds since 1970. */
export interface LinkReading {
  /** Name of the link. Links without an id may share one. */
  readonly link: string
  readonly tags: readonly string[]
  readonly schedule: Schedule
  /** Transfers that have ended. */
  readonly transfers: number
  /** Transfers with an error. */
  readonly failed: number
  readonly skipped: number
  readonly late: number
  readonly missed: number
  readonly consecutiveFailures: number
  readonly lastSuccessAt: number | undefined
  readonly nextDueAt: number | undefined
  /** Transfers that run now. */
  readonly running: number
  /** Lengths of the link's transfers; `undefined` before the first. */
  readonly lengths: TransferLengths | undefined
  readonly pulled: number
  readonly pushed: number
  /** Records that were dropped, once for each outlet that did not get them. */
  readonly dropped: number
  /** Records in buffers. */
  readonly buffered: number
  /** Records that wait for outlets; `undefined` for a link without `delivery`. */
  readonly waiting: number | undefined
  /** Dead letters; `undefined` for a link without `delivery`. */
  readonly dead: number | undefined
  readonly isPaused: boolean
  readonly isBlocked: boolean
  readonly isQuarantined: boolean
  /** Code of the error for which the link could not be started, as text; `undefined` when it was. */
  readonly startFailure: string | undefined
}
