import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import type { DueTime } from './clock/trigger.js'

/**
 * Decides when links transfer. A planner hands it its links, starts and stops it; at a link's due time the scheduling calls
 * one of {@link DueLinks}.
 */
export interface Scheduling {
  /** Takes a link in. Called for each link before the start, and when a link is added or its schedule changes. */
  add(link: PlannedLink): void
  /** Takes a link out. Does nothing when the link is not in it. */
  remove(link: PlannedLink): void
  start(): void | Promise<void>
  /**
   * Stops: no link is due any more when this has ended.
   *
   * @param wait - whether running transfers will be waited for
   */
  stop(wait: boolean): void | Promise<void>
  /** Pauses: no link is due until {@link Scheduling.resume}. */
  pause(): void
  resume(): void
  /** Next due time of a link, in milliseconds since 1970; `undefined` when it has none, or that is not known. */
  nextDue?(link: PlannedLink): number | undefined
}

/** Calls of a scheduling to its planner, at the due times of links. */
export interface DueLinks {
  /** Makes one transfer; gives its report, or `undefined` when the link is skipped. Never rejects. */
  dispatch(link: PlannedLink): Promise<TransferReport | undefined>
  /** Makes one transfer whose report nobody waits for: no promise is made, which counts with thousands of links. */
  dispatchDue(link: PlannedLink, due: DueTime): void
}

/** Makes the scheduling of a planner. */
export type SchedulingFactory = (due: DueLinks) => Scheduling
