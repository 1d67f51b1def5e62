import type { PlannedLink } from '../../core/planned-link.js'
import type { OneOrMany } from '../../base/one-or-many.js'
import { WorkerPlanner } from '../../planners/worker-planner.js'
import type { LinkOrModule } from '../../planners/planner-modules.js'
import type { WorkerPlannerOptions } from '../../planners/worker-planner-options.js'

/** How long a link waits that makes no transfer when it should, such as a quarantined one, in milliseconds. */
const PAUSE = 100

export interface ClosedLoopOptions extends Pick<WorkerPlannerOptions, 'threads' | 'transfersPerThread'> {
  /** Whether outlets are given what their links transfer; otherwise it is counted, and goes nowhere. */
  readonly push: boolean
}

/**
 * Has each link transfer again as soon as it has ended, whatever its interval: as many transfers at once as its
 * `maxInstances` allows. To see how much threads can do.
 */
export class ClosedLoopPlanner extends WorkerPlanner {
  readonly #looping = new Set<PlannedLink>()
  #going = false

  constructor(links: OneOrMany<LinkOrModule>, { push, ...options }: ClosedLoopOptions) {
    // a transfer counts in full, however long it takes to its end
    super(links, { ...options, immediateTransfer: false, shutdownTimeout: Infinity }, undefined, !push)
  }

  protected override schedule(link: PlannedLink): void {
    this.#looping.add(link)
    if (this.#going) this.#loop(link)
  }

  protected override unschedule(link: PlannedLink): void {
    this.#looping.delete(link)
  }

  protected override startPlanner(): void {
    this.#going = true
    for (const link of this.#looping) this.#loop(link)
  }

  protected override shutdownPlanner(): void {
    this.#going = false
  }

  #loop(link: PlannedLink): void {
    // there is never more room than in all threads together
    const instances = Math.min(link.maxInstances, this.threads * this.transfersPerThread)
    for (let instance = 0; instance < instances; instance++) void this.#repeat(link)
  }

  async #repeat(link: PlannedLink): Promise<void> {
    while (this.#going && this.#looping.has(link)) {
      const report = await this.dispatch(link)
      if (report === undefined) await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }
}
