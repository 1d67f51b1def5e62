import { toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { Reconfiguration } from '../threads/main/reconfiguration.js'
import type { Thread } from '../threads/main/thread.js'

/** Time until the next try to recycle a thread after one has failed, in milliseconds. */
const RETRY_RECYCLING = 60_000

/** What maintenance needs of its planner. */
export interface MaintainedPlanner {
  isRunning(): boolean
  /** The threads that are there now. */
  threads(): readonly Thread[]
  readonly reconfiguration: Pick<Reconfiguration, 'rebalance' | 'recycle'>
}

/** Changes that a planner makes to its threads unasked. That a shutdown ends them is no failure. */
export class ThreadMaintenance {
  readonly #planner: MaintainedPlanner
  readonly #now: () => number
  #rebalancing = false
  /** When the next thread may be recycled. */
  #nextRecycling = 0

  /** @param now - a clock in milliseconds that never jumps */
  constructor(planner: MaintainedPlanner, now: () => number = () => performance.now()) {
    this.#planner = planner
    this.#now = now
  }

  /** Moves links off busy threads, unless that is under way: it waits for transfers of the links that move. */
  async rebalance(): Promise<void> {
    if (!this.#planner.isRunning() || this.#rebalancing) return
    this.#rebalancing = true
    try {
      await this.#planner.reconfiguration.rebalance()
    } catch (error) {
      this.#log(error, 'links could not be moved between threads')
    } finally {
      this.#rebalancing = false
    }
  }

  /** Recycles a thread that has made its transfers, unless one is being recycled or has just failed to be. */
  async recycle(thread: Thread): Promise<void> {
    if (!this.#planner.isRunning() || this.#now() < this.#nextRecycling) return
    this.#nextRecycling = Infinity
    try {
      await this.#planner.reconfiguration.recycle(thread)
    } catch (error) {
      this.#log(error, `thread ${thread.number} could not be recycled`)
    } finally {
      const isStillThere = this.#planner.threads().includes(thread)
      this.#nextRecycling = this.#now() + (isStillThere ? RETRY_RECYCLING : 0)
    }
  }

  #log(error: unknown, message: string): void {
    if (this.#planner.isRunning()) getLogger('databay.WorkerPlanner').error({ err: toError(error) }, message)
  }
}
