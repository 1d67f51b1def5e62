import { WorkerPlanner, type DueTime, type PlannedLink, type WorkerPlannerOptions } from 'databay'
import { systemClock, type Clock } from '../src/planners/clock/clock.js'
import { withInternals } from '../src/planners/planner-internals.js'

/** The clock of this machine, that tells how long what it wakes takes. */
class WatchedClock implements Clock {
  /** When it woke the planner last. */
  wokeAt = 0
  /** How long what it woke took so far, in milliseconds. */
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

/** A planner that notes how late it dispatches each transfer. */
export class WatchedPlanner extends WorkerPlanner {
  readonly #clock: WatchedClock
  /** How late each transfer was dispatched, in milliseconds. */
  dispatched: number[] = []

  constructor(modules: URL | URL[], options: WorkerPlannerOptions) {
    const clock = new WatchedClock()
    super(modules, withInternals(options, { clock }))
    this.#clock = clock
  }

  /** How long it was busy with finding out what is due and dispatching that, in milliseconds. */
  get scheduling(): number {
    return this.#clock.busy
  }

  protected override dispatchDue(link: PlannedLink, due: DueTime): void {
    super.dispatchDue(link, due)
    // `due.lateness` is as of the moment when the planner was woken
    this.dispatched.push(due.lateness + performance.now() - this.#clock.wokeAt)
  }
}
