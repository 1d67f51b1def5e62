import type { BasePlanner } from '../../planners/base-planner.js'
import type { PlannerOptions } from '../../planners/planner-options.js'
import type { Duration } from '../../base/duration.js'
import { flag, timer, type Resolved, type Spec } from '../../base/options.js'
import type { PlannedLink } from '../../core/planned-link.js'
import { needed, SUITE_OPTIONS, type SuiteOptions } from '../configurations.js'

/** Function that makes a planner for a check, not started, with these links and options. */
export type CreatePlanner = (links: PlannedLink[], options: PlannerOptions) => BasePlanner | Promise<BasePlanner>

/** Set-up of a `PlannerTester`: how it makes your planners. */
export interface PlannerSetup extends SuiteOptions {
  /** Function that makes a new planner. */
  readonly create: CreatePlanner
  /**
   * Interval of the links, in seconds or as a duration. It should be as short as the planner can keep it, as checks
   * wait for it.
   * @default 0.02
   */
  readonly interval?: number | Duration
  /**
   * Whether the planner can be paused.
   * @default true
   */
  readonly pausable?: boolean
}

/** Table of the options of a {@link PlannerSetup}. */
export const PLANNER_SETUP = {
  create: needed<CreatePlanner>(),
  ...SUITE_OPTIONS,
  interval: timer(20),
  pausable: flag(true),
} satisfies Spec<PlannerSetup>

/** {@link PlannerSetup}, resolved. Lengths of time are in milliseconds. */
export type ResolvedPlannerSetup = Resolved<typeof PLANNER_SETUP>
