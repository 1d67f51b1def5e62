import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Worker } from 'node:worker_threads'

/** Number of looks of which the utilization is the mean. */
const LOOKS = 5
/** Number of means in a row in which one thread must be saturated while another idles. */
const AGREEING = 5
const SATURATED = 0.95
const IDLE = 0.5

/** A thread whose utilization is measured. */
export interface Utilized {
  readonly worker: Pick<Worker, 'performance'> | undefined
}

/** Measures the share of the time in which the threads' event loops are busy. */
export class Utilization {
  #looks = 0
  #agreeing = 0
  #before = new Map<object, EventLoopUtilization>()

  /**
   * Looks at the threads once. To be called at equal intervals.
   *
   * @returns whether one thread has been saturated for a while, and another idle
   */
  look(threads: readonly Utilized[]): boolean {
    this.#looks++
    if (this.#looks < LOOKS) return false
    this.#looks = 0
    const shares = this.#measure(threads)
    const unbalanced = Math.max(...shares) >= SATURATED && Math.min(...shares) <= IDLE
    this.#agreeing = unbalanced ? this.#agreeing + 1 : 0
    if (this.#agreeing < AGREEING) return false
    this.#agreeing = 0
    return true
  }

  /** Shares of the time since the last look in which threads were busy; only of workers that were there then. */
  #measure(threads: readonly Utilized[]): number[] {
    const now = new Map<object, EventLoopUtilization>()
    const shares: number[] = []
    for (const { worker } of threads) {
      if (worker === undefined) continue
      const utilization = worker.performance.eventLoopUtilization()
      now.set(worker, utilization)
      const before = this.#before.get(worker)
      if (before !== undefined) shares.push(worker.performance.eventLoopUtilization(utilization, before).utilization)
    }
    this.#before = now
    return shares
  }
}
