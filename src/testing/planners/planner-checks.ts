import type { Check } from '../runner.js'
import { FAILURE_CHECKS } from './planner-failure-checks.js'
import type { PlannerHarness } from './planner-harness.js'
import { LIFECYCLE_CHECKS } from './planner-lifecycle-checks.js'
import { LINK_CHECKS } from './planner-link-checks.js'
import { PAUSES, SAYS_IT_CANNOT_PAUSE, SCHEDULING_CHECKS } from './planner-scheduling-checks.js'
import type { ResolvedPlannerSetup } from './planner-setup.js'

/** Checks of the contract of planners. */
export function plannerChecks(setup: ResolvedPlannerSetup): Check<PlannerHarness>[] {
  return [
    ...SCHEDULING_CHECKS,
    setup.pausable ? PAUSES : SAYS_IT_CANNOT_PAUSE,
    ...LINK_CHECKS,
    ...LIFECYCLE_CHECKS,
    ...FAILURE_CHECKS,
  ]
}
