/** Planners of the main thread keep the contract: ours, and a planner of a third party. */
import t from 'tap'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { BasePlanner } from '../../src/planners/base-planner.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { PlannerTester } from '../../src/testing/index.js'

t.test('SchedulePlanner', (t) =>
  new PlannerTester((links, options) => new SchedulePlanner(links, { ...options, refreshInterval: 0.01 })).run(t),
)

/** Planner with no more than a third party has to write. */
class IntervalPlanner extends BasePlanner {
  readonly #timers = new Map<PlannedLink, NodeJS.Timeout | undefined>()
  #runs = false

  protected schedule(link: PlannedLink) {
    this.#timers.set(link, this.#runs ? this.#begin(link) : undefined)
  }

  protected unschedule(link: PlannedLink) {
    clearInterval(this.#timers.get(link))
    this.#timers.delete(link)
  }

  protected startPlanner() {
    this.#runs = true
    for (const link of this.#timers.keys()) this.#timers.set(link, this.#begin(link))
  }

  protected shutdownPlanner() {
    this.#runs = false
    for (const timer of this.#timers.values()) clearInterval(timer)
  }

  #begin(link: PlannedLink) {
    return setInterval(() => void this.dispatch(link), link.schedule.every)
  }
}

t.test('a planner with scheduling of its own, which cannot be paused', (t) =>
  new PlannerTester({ create: (links, options) => new IntervalPlanner(links, options), pausable: false }).run(t),
)
