import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { Check } from '../runner.js'
import type { PlannerHarness } from './planner-harness.js'

/** Checks of transfers and starts that fail. */
export const FAILURE_CHECKS: Check<PlannerHarness>[] = [
  {
    name: 'stops when a transfer fails, and says why',
    holds: async (harness) => {
      const failing = harness.frequent({ pull: () => Promise.reject(new Error('a failing pull')) })
      const other = harness.frequent()
      const planner = await harness.started([failing, other])
      const finished = await harness.calls.outcome(`${nameOf(planner)}, when a transfer fails,`, () => planner.finished)
      claim('error' in finished, `${nameOf(planner)}.finished resolved though a transfer failed`)
      claim(
        failing.shutDown === 1 && other.shutDown === 1,
        `${nameOf(planner)} did not shut down all nodes when a transfer failed`,
      )
      await harness.quiet(other, `${nameOf(planner)} transferred a link after a failure had stopped it`)
    },
  },
  {
    name: 'goes on when a transfer fails that is to be ignored',
    holds: async (harness) => {
      const failing = harness.frequent({ pull: () => Promise.reject(new Error('a failing pull')) })
      const planner = await harness.started([failing], { ignoreExceptions: true })
      await harness.transferred(
        failing,
        3,
        `${nameOf(planner)} with ignoreExceptions did not go on after a failed transfer`,
      )
      claim(planner.running, `${nameOf(planner)} with ignoreExceptions was stopped by a failed transfer`)
      await harness.shutdown(planner)
    },
  },
  {
    name: 'refuses to start when a node does, and undoes what it has started',
    holds: async (harness) => {
      const good = harness.frequent()
      const bad = harness.frequent({ onStart: () => Promise.reject(new Error('a failing start')) })
      const planner = await harness.make([good, bad])
      const outcome = await harness.calls.outcome(`${nameOf(planner)}.start`, () => planner.start())
      claim('error' in outcome, `${nameOf(planner)}.start resolved though a node failed to start`)
      claim(!planner.running, `${nameOf(planner)} runs though a node failed to start`)
      claim(good.shutDown === good.started, `${nameOf(planner)} left nodes started when another failed to start`)
      await harness.quiet(good, `${nameOf(planner)} transferred a link though it could not be started`)
    },
  },
]
