import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Worker } from 'node:worker_threads'
import type { Thread } from './thread.js'

/** How one worker thread does. */
export interface ThreadStats {
  /** Its number, from 1. */
  readonly thread: number
  /**
   * Share of the time, from 0 to 1, in which its event loop was busy since `stats()` was last called, or since it was
   * started; 0 while it is being replaced.
   */
  readonly utilization: number
  /** Transfers that run in it, those that wait for something of their own too. */
  readonly running: number
  /** Transfers that wait for their turn in it, or are on their way to it. */
  readonly waiting: number
  /** Transfers that have ended in it since it was started, was replaced or was recycled. */
  readonly transfers: number
  /** Memory that its JavaScript objects take, in bytes, as of a tenth of a second before; what is no more used and not yet collected counts too. */
  readonly heapUsed: number
  /** Memory outside of its heap that is held by its objects, such as buffers of bytes, in bytes. */
  readonly external: number
}

type Measured = Pick<Thread, 'number' | 'worker' | 'load' | 'waiting' | 'given' | 'pulse'>

/** Reads how threads do. */
export class ThreadMeter {
  readonly #before = new WeakMap<Worker, EventLoopUtilization>()

  read(threads: readonly Measured[]): ThreadStats[] {
    return threads.map((thread) => {
      const { load, pulse } = thread
      const waiting = Math.min(load, thread.waiting)
      return {
        thread: thread.number,
        utilization: this.#utilization(thread.worker),
        running: load - waiting,
        waiting,
        transfers: Math.max(0, thread.given - load),
        heapUsed: pulse?.heapUsed ?? 0,
        external: pulse?.external ?? 0,
      }
    })
  }

  #utilization(worker: Worker | undefined): number {
    if (worker === undefined) return 0
    const { performance } = worker
    const now = performance.eventLoopUtilization()
    const before = this.#before.get(worker)
    this.#before.set(worker, now)
    const { utilization } = before === undefined ? now : performance.eventLoopUtilization(now, before)
    // of a thread that only waits, Node gives a little less than nothing
    return Math.min(1, Math.max(0, utilization))
  }
}
