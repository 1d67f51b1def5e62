import { getLogger } from '../../base/log.js'
import type { TransferReport } from '../../core/report.js'
import { LaneLearner } from './lane-learner.js'
import type { KnownLane } from './placement.js'
import { Quarantine } from './quarantine.js'

/**
 * What is learned of a link from its transfers: what it mostly does, how much of a thread's time it takes, and whether
 * it has to be kept away from threads.
 */
export class LinkHealth {
  readonly #learner = new LaneLearner()
  #busy = 0
  /** Made when the link ends its thread for the first time. */
  #quarantine: Quarantine | undefined

  /** What the link mostly does, as far as that is known. */
  get lane(): KnownLane {
    return this.#learner.lane
  }

  /** Time that the link's transfers held their threads in all, in milliseconds. */
  get busy(): number {
    return this.#busy
  }

  /** Learns from a transfer that was made. Gives whether the lane has changed. */
  learn({ busy, startedAt, endedAt }: TransferReport): boolean {
    this.#busy += busy
    this.#quarantine?.pass(performance.now())
    return this.#learner.learn(busy, endedAt - startedAt)
  }

  /** Takes note that the link has ended its thread, or held it up so that it had to be ended. */
  crashed(name: string): void {
    this.#quarantine ??= new Quarantine()
    this.#quarantine.crashed(performance.now())
    const until = this.quarantinedUntil
    if (until === undefined) return
    const { crashCount } = this.#quarantine
    getLogger('databay.WorkerPlanner').error(
      `${name} has ended its thread ${crashCount} times in a row: it makes no transfers until ${new Date(until).toISOString()}`,
    )
  }

  /** Until when the link makes no transfers, in milliseconds since 1970; `undefined` when it may make them. */
  get quarantinedUntil(): number | undefined {
    if (this.#quarantine === undefined) return undefined
    const left = this.#quarantine.left(performance.now())
    return left === 0 ? undefined : Date.now() + Math.round(left)
  }
}
