import type { OneOrMany } from '../base/one-or-many.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { TransferReport } from '../core/report.js'
import type { PlannerCounts, PlannerEvents } from './planner-events.js'
import type { PlannerReading } from './planner-reading.js'
import type { PlannerState, PlannerStats } from './planner-stats.js'

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
  /** Figures for metrics, none of which takes time to work out. */
  reading(): PlannerReading
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
  /** Where the service listens, if it serves metrics and probes. */
  readonly endpoint?: HttpEndpoint
  /** Called when all links of the planner are known, before it is ready. */
  started?(): void
  /**
   * Ends the service. Called once, when nothing transfers any more.
   *
   * @param reason - error that stopped the planner, or kept it from starting; `undefined` when it was asked to stop
   */
  close(reason?: Error): Promise<void> | void
}

/** Where metrics and probes are served. */
export interface HttpEndpoint {
  /** Host that is listened on, as the option names it; `::` or `0.0.0.0` for all interfaces. */
  readonly host: string
  /** Port that is listened on, also when the option leaves it to the system. */
  readonly port: number
  /** Address for a browser or `curl`, without a path, such as `http://127.0.0.1:9464`. */
  readonly url: string
}
