import type { OutletAccount } from '../core/link-accounts.js'
import type { Blocked, CountsSoFar, ReportedError, TransferReport } from '../core/report.js'
import type { ThreadStats } from '../threads/main/thread-stats.js'
import type { Distribution } from './histogram.js'
import type { PlannerCounts } from './planner-events.js'

/** State of a planner. One that is paused is `running`. */
export type PlannerState = 'idle' | 'starting' | 'running' | 'stopping'

/** State of a planner, its links and its threads, as plain data. Lengths of time are in milliseconds. */
export interface PlannerStats {
  readonly state: PlannerState
  /** Whether the planner is paused as a whole. */
  readonly paused: boolean
  /** Totals since the planner was made. */
  readonly counts: PlannerCounts
  /** Stats of the links that are in the planner now, in the order of `planner.links`. */
  readonly links: readonly LinkStats[]
  /**
   * Accounts of links that have left the planner, by their names: links that were removed, and links of modules at each
   * shutdown. Of the 1,000 names that left last.
   */
  readonly removed: readonly RemovedLinkStats[]
  /** Stats of the threads, in the order of their numbers; empty when the planner has no threads, or they are not up. */
  readonly threads: readonly ThreadStats[]
}

/** Stats of one link since it came into the planner; a link of a module comes into it at each start. */
export interface LinkStats {
  /** Name of the link. */
  readonly link: string
  /** Identifies the link in its planner; left out for a live link without one. */
  readonly id?: string
  /** Labels of the link. */
  readonly tags: readonly string[]
  /** URL of the module that exports the link; left out for a live link. */
  readonly module?: string
  /** Numbers of the threads that host the link, from 1; empty for a link on the main thread. */
  readonly threads: readonly number[]
  /** What the link mostly does: waits, or computes; left out while that is not known. */
  readonly lane?: 'io' | 'cpu'
  /** Schedule in words, like `every 5 s`. */
  readonly schedule: string
  /**
   * Next due time, in milliseconds since 1970; left out when there is none: the link or the planner is paused, the planner does
   * not run, or the link has made all its transfers.
   */
  readonly nextDueAt?: number
  /** Whether the link is paused by itself. */
  readonly paused: boolean
  /** Report of the transfer that ended last; left out before the first. */
  readonly lastReport?: TransferReport
  /**
   * First error of the last transfer with one, or what blocks the link since; left out before the first. It stays when transfers
   * succeed again.
   */
  readonly lastError?: LastError
  /** Transfers that run now. */
  readonly running: number
  /** What the rounds did that have ended, of each transfer that streams now; left out when none does. */
  readonly streaming?: readonly CountsSoFar[]
  /** Transfers that have ended, without those that only drain buffers. */
  readonly transfers: number
  /** Transfers with an error, including ignored errors. */
  readonly failed: number
  /** Transfers with an error since the last one without; 0 after one without. For health checks, as `failed` never falls. */
  readonly consecutiveFailures: number
  /** End of the last transfer without an error, in milliseconds since 1970; left out before the first. */
  readonly lastSuccessAt?: number
  /** Due times at which the link did not transfer: it was still transferring, quarantined, blocked, paused, or not started. */
  readonly skipped: number
  /** End of the link's quarantine, in milliseconds since 1970; left out when it is not quarantined. */
  readonly quarantinedUntil?: number
  /** Why the link is blocked, since when, and when it is tried again; left out when it is not. */
  readonly blocked?: Blocked
  /** Records that wait for outlets, as these are unavailable; left out when there are none. */
  readonly waiting?: number
  /** Dead letters of the link; left out when there are none. */
  readonly dead?: number
  /** Records of dead letters that were run again; left out when there are none. */
  readonly replayed?: number
  /** Why the link could not be started, while it is tried again; left out otherwise. */
  readonly startFailure?: StartFailureStats
  /** Transfers that were reported as late. */
  readonly late: number
  /** Due times that passed unnoticed, as after a stall. */
  readonly missed: number
  /** Records that its inlets produced. */
  readonly pulled: number
  /** Records that its outlets took; one that two outlets took counts twice. */
  readonly pushed: number
  /** Records in the link's buffers; of a link in a thread, as of its last report. */
  readonly buffered: number
  /** What became of the link's records, for each of its outlets; empty before the first record. */
  readonly outlets: readonly OutletAccount[]
  /** Durations of the link's transfers, in their thread. */
  readonly durations: Distribution
  /** Delays between the due times of transfers and their start in their thread, including the wait for their turn there. */
  readonly lateness: Distribution
}

/** What went wrong last in a link's transfers. */
export interface LastError extends Pick<ReportedError, 'node' | 'stage' | 'message'> {
  /** Code of the error, where it has one. */
  readonly code?: string
  /** End of the transfer, in milliseconds since 1970. */
  readonly at: number
}

/** Why a link could not be started. */
export interface StartFailureStats {
  /** Message of the error. */
  readonly message: string
  /** Number of tries that have failed in a row. */
  readonly attempts: number
  /** When the link is tried again, in milliseconds since 1970. In the past while that is under way. */
  readonly retryAt: number
}

/** Accounts of a link that has left the planner, the sum of all times that a link of this name was in it. */
export interface RemovedLinkStats {
  /** Name of the link. */
  readonly link: string
  /** What became of the link's records, for each of its outlets. */
  readonly outlets: readonly OutletAccount[]
}
