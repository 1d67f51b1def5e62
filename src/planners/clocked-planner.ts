import type { PlannedLink } from '../core/planned-link.js'
import type { OneOrMany } from '../base/one-or-many.js'
import { BasePlanner } from './base-planner.js'
import { systemClock, type Clock } from './clock/clock.js'
import type { PlannerOptions } from './planner-options.js'
import { Trigger } from './clock/trigger.js'

/** A planner that schedules by a {@link Trigger}: one wake-up for all links. */
export abstract class ClockedPlanner extends BasePlanner {
  readonly #trigger: Trigger<PlannedLink>

  /** @param grid - wake only at whole multiples of this many milliseconds; 0 for whenever a link is due */
  constructor(
    links: OneOrMany<PlannedLink> | undefined,
    options: PlannerOptions,
    known: readonly string[],
    grid = 0,
    clock: Clock = systemClock,
  ) {
    super(links, options, known)
    this.#trigger = new Trigger({
      clock,
      grid,
      onDue: (due) => {
        for (const one of due) this.dispatchDue(one.item, one)
      },
    })
  }

  protected schedule(link: PlannedLink): void {
    this.#trigger.add(link, link.schedule)
  }

  protected unschedule(link: PlannedLink): void {
    this.#trigger.remove(link)
  }

  protected startPlanner(): void {
    this.#trigger.start()
  }

  protected shutdownPlanner(): void {
    this.#trigger.stop()
  }

  protected override pausePlanner(): void {
    this.#trigger.stop()
  }

  protected override resumePlanner(): void {
    this.#trigger.resume()
  }
}
