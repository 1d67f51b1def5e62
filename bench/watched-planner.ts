import { WorkerPlanner, type DueTime, type PlannedLink, type WorkerPlannerOptions } from 'databay'
import { systemClock, type Clock } from '../src/planners/clock/clock.js'
import { withInternals } from '../src/planners/planner-internals.js'

/** The clock of this machine, which also measures the time that its wake-ups take. */
class WatchedClock implements Clock {
  /** Time of the last wake-up, by `performance.now()`. */
  wokeAt = 0
  /** Time that the wake-ups took so far, in milliseconds. */
  busy = 0

  now(): number {
    return systemClock.now()
  }

  monotonic(): number {
    return systemClock.monotonic()
  }

  arm(wait: number, wake: () => void): () => void {
    return systemClock.arm(wait, () => {
      this.wokeAt = performance.now()
      wake()
      this.busy += performance.now() - this.wokeAt
    })
  }
}

/** A planner that records how late it dispatches each transfer. */
export class WatchedPlanner extends WorkerPlanner {
  readonly #clock: WatchedClock
  /** Lateness of each transfer at its dispatch, in milliseconds. */
  dispatched: number[] = []

  constructor(modules: URL | URL[], options: WorkerPlannerOptions) {
    const clock = new WatchedClock()
    super(modules, withInternals(options, { clock }))
    this.#clock = clock
  }

  /** Time that this planner took to find due links and dispatch them, in milliseconds. */
  get scheduling(): number {
    return this.#clock.busy
  }

  protected override dispatchDue(link: PlannedLink, due: DueTime): void {
    super.dispatchDue(link, due)
    // `due.lateness` is as of the wake-up
    this.dispatched.push(due.lateness + performance.now() - this.#clock.wokeAt)
  }
}
