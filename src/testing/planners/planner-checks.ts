import type { PlannerHarness } from './planner-harness.js'
import type { ResolvedPlannerSetup } from './planner-setup.js'
import { FAILURES, LIFECYCLE } from './planner-lifecycle-checks.js'
import { LINKS } from './planner-link-checks.js'
import { PAUSES, SAYS_IT_CANNOT_PAUSE, SCHEDULING } from './planner-scheduling-checks.js'
import type { Check } from '../runner.js'

/** What of the contract is checked. */
export function plannerChecks(setup: ResolvedPlannerSetup): Check<PlannerHarness>[] {
  return [...SCHEDULING, setup.pausable ? PAUSES : SAYS_IT_CANNOT_PAUSE, ...LINKS, ...LIFECYCLE, ...FAILURES]
}
