import type { OneOrMany } from '../base/one-or-many.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import type { PlannerCounts, PlannerEvents } from './planner-events.js'
import type { PlannerStats } from './planner-stats.js'

/** State of a planner. One that is paused is `running`. */
export type PlannerState = 'idle' | 'starting' | 'running' | 'stopping'

/** What a service sees of its planner. */
export interface ObservedPlanner {
  readonly state: PlannerState
  /** Whether the planner as a whole is paused. */
  readonly paused: boolean
  /** Names of the links that could not be started, and are tried again. */
  readonly unstarted: readonly string[]
  readonly counts: PlannerCounts
  /** Number of worker threads; `undefined` for a planner without threads. */
  readonly threads?: number
  stats(): PlannerStats
  on<K extends keyof PlannerEvents>(event: K, listener: (...payload: PlannerEvents[K]) => unknown): unknown
  off<K extends keyof PlannerEvents>(event: K, listener: (...payload: PlannerEvents[K]) => unknown): unknown
}

/** What a service that steers its planner may do, too. See `BasePlanner`. */
export interface SteeredPlanner extends ObservedPlanner {
  readonly links: PlannedLink[]
  /** URLs of the link modules; `undefined` for a planner without threads. */
  readonly modules?: readonly string[]
  forceTransfer(links?: OneOrMany<PlannedLink>): Promise<TransferReport[]>
  pause(links?: OneOrMany<PlannedLink>): void
  resume(links?: OneOrMany<PlannedLink>): void
}

/** Something that runs beside a planner, from the beginning of its start to the end of its shutdown. */
export interface Service {
  /** Ends the service. Called once, when nothing transfers any more. */
  close(): Promise<void> | void
}
