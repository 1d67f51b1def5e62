import type { ThreadStats } from '../threads/main/thread-stats.js'
import type { Distribution } from './histogram.js'

/** How a planner's links and threads do, as plain data. Lengths of time are in milliseconds. */
export interface PlannerStats {
  /** In the order of `planner.links`, for as long as each is in the planner. */
  readonly links: readonly LinkStats[]
  /** In the order of their numbers; none where the planner has no threads, or they are not up. */
  readonly threads: readonly ThreadStats[]
}

/** What one link did since it came into the planner; a link of a module comes into it at each start. */
export interface LinkStats {
  /** The link's name. */
  readonly link: string
  /** Transfers that run now. */
  readonly running: number
  /** Transfers that have ended, without those that only drain buffers. */
  readonly transfers: number
  /** Transfers with an error, ignored ones too. */
  readonly failed: number
  /** Due times at which it was still transferring, or was quarantined. */
  readonly skipped: number
  /** Until when it makes no transfers, in milliseconds since 1970, as it is quarantined; left out when it is not. */
  readonly quarantinedUntil?: number
  /** Transfers that were reported as late. */
  readonly late: number
  /** Due times that passed unnoticed, as after a stall. */
  readonly missed: number
  /** How long its transfers took, in their thread. */
  readonly durations: Distribution
  /** How long after their due time its transfers began, in their thread: what they waited there counts too. */
  readonly lateness: Distribution
}
