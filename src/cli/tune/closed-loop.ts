import { setTimeout as delay } from 'node:timers/promises'
import type { OneOrMany } from '../../base/one-or-many.js'
import type { LinkOverride } from '../../core/link-overrides.js'
import type { PlannedLink } from '../../core/planned-link.js'
import { Deferred } from '../../planners/deferred.js'
import { withInternals } from '../../planners/planner-internals.js'
import type { LinkOrModule } from '../../planners/planner-modules.js'
import type { DueLinks, Scheduling } from '../../planners/scheduling.js'
import { WorkerPlanner } from '../../planners/worker-planner.js'
import type { WorkerPlannerOptions } from '../../planners/worker-planner-options.js'

/** Time until the next try of a link that was skipped, such as a quarantined link, in milliseconds. */
const PAUSE = 100

/**
 * Scheduling in which each link transfers again as soon as its transfer has ended, whatever its interval: as many transfers at
 * once as its `maxInstances` allows.
 */
export class ClosedLoop implements Scheduling {
  readonly #due: Pick<DueLinks, 'dispatch'>
  readonly #room: () => number
  /** The links, each with a token that is new whenever the link is added: loops with an older token end. */
  readonly #links = new Map<PlannedLink, object>()
  #going = false
  /** Settled when the loops go on; `undefined` unless they are paused. */
  #paused: Deferred | undefined

  /** @param room - number of transfers that all threads together make at once: more loops of a link are of no use */
  constructor(due: Pick<DueLinks, 'dispatch'>, room: () => number) {
    this.#due = due
    this.#room = room
  }

  add(link: PlannedLink): void {
    const token = {}
    this.#links.set(link, token)
    if (this.#going) this.#begin(link, token)
  }

  remove(link: PlannedLink): void {
    this.#links.delete(link)
  }

  start(): void {
    this.#going = true
    for (const [link, token] of this.#links) this.#begin(link, token)
  }

  stop(): void {
    this.#going = false
    this.resume()
  }

  pause(): void {
    this.#paused ??= new Deferred()
  }

  resume(): void {
    this.#paused?.resolve()
    this.#paused = undefined
  }

  #begin(link: PlannedLink, token: object): void {
    const loops = Math.min(link.settings.maxInstances, this.#room())
    for (let loop = 0; loop < loops; loop++) void this.#repeat(link, token)
  }

  async #repeat(link: PlannedLink, token: object): Promise<void> {
    while (this.#going && this.#links.get(link) === token) {
      if (this.#paused === undefined) {
        const report = await this.#due.dispatch(link)
        if (report === undefined) await delay(PAUSE)
      } else {
        await this.#paused.promise
      }
    }
  }
}

/** Options of a {@link closedLoopPlanner}. */
export interface ClosedLoopOptions extends Omit<WorkerPlannerOptions, 'immediateTransfer' | 'shutdownTimeout'> {
  /** Whether outlets are given the records of their links; otherwise these are only counted. */
  readonly push: boolean
  /** Settings that a configuration has for links. */
  readonly overrides?: readonly LinkOverride[]
}

/** Makes a planner whose links transfer in a {@link ClosedLoop}, to see how much its threads can do. */
export function closedLoopPlanner(links: OneOrMany<LinkOrModule>, options: ClosedLoopOptions): WorkerPlanner {
  const { push, overrides = [], ...settings } = options
  const planner: WorkerPlanner = new WorkerPlanner(
    links,
    withInternals(
      // a transfer counts in full, however long it takes to its end
      { ...settings, immediateTransfer: false, shutdownTimeout: Infinity },
      {
        scheduling: (due) => new ClosedLoop(due, () => planner.threads * planner.transfersPerThread),
        dryRun: !push,
        overrides,
        printsToError: true,
      },
    ),
  )
  return planner
}
