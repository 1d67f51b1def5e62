import type { BasePlanner } from '../../planners/base-planner.js'
import type { PlannerOptions } from '../../planners/planner-options.js'
import type { Duration } from '../../base/duration.js'
import type { PlannedLink } from '../../core/planned-link.js'
import type { SuiteOptions } from '../configurations.js'
import type { ResolvedSuiteOptions } from '../harness.js'

/** Makes a planner for a check, not started, with these links and options. */
export type CreatePlanner = (links: PlannedLink[], options: PlannerOptions) => BasePlanner | Promise<BasePlanner>

/** How `PlannerTester` gets at planners of yours. */
export interface PlannerSetup extends SuiteOptions {
  /** Makes a new planner. */
  readonly create: CreatePlanner
  /**
   * Interval of the links, in seconds or as a duration: as short as the planner can keep it, as checks wait for it.
   * @default 0.02
   */
  readonly interval?: number | Duration
  /**
   * Whether the planner can be paused.
   * @default true
   */
  readonly pausable?: boolean
}

/** A `PlannerSetup`, checked and complete. */
export interface ResolvedPlannerSetup extends ResolvedSuiteOptions {
  readonly create: CreatePlanner
  /** In milliseconds. */
  readonly interval: number
  readonly pausable: boolean
}
