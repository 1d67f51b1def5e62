import type { EventLoopUtilization } from 'node:perf_hooks'
import type { Worker } from 'node:worker_threads'
import type { Thread } from './thread.js'

/** Figures of one worker thread. */
export interface ThreadStats {
  /** Number of the thread, from 1. */
  readonly thread: number
  /**
   * Share of the time, from 0 to 1, in which the thread's event loop was busy since `stats()` was last called, or since
   * the thread was started; 0 while it is being replaced.
   */
  readonly utilization: number
  /** Number of transfers that run in the thread, also while they wait for something of their own. */
  readonly running: number
  /** Number of transfers that wait for their turn in the thread, or are on their way to it. */
  readonly waiting: number
  /** Number of transfers that have ended in the thread since it was started, replaced or recycled. */
  readonly transfers: number
  /**
   * Memory of the thread's JavaScript objects, in bytes, as of a tenth of a second before, with what is not collected
   * yet.
   */
  readonly heapUsed: number
  /** Memory outside of the heap that the thread's objects hold, such as buffers of bytes, in bytes. */
  readonly external: number
}

/** Figures of one worker thread that nobody's reading changes. */
export interface ThreadReading extends Pick<ThreadStats, 'thread' | 'running' | 'waiting' | 'heapUsed' | 'external'> {
  /** Time in which the thread's event loop was busy since it was started or replaced, in milliseconds. */
  readonly busy: number
}

type Measured = Pick<Thread, 'number' | 'worker' | 'load' | 'waiting' | 'given' | 'pulse'>

/**
 * Reads the figures of threads.
 * @internal
 */
export class ThreadMeter {
  readonly #before = new WeakMap<Worker, EventLoopUtilization>()

  /** Reads the figures of each thread. Utilization counts from the read before. */
  read(threads: readonly Measured[]): ThreadStats[] {
    return threads.map((thread) => ({
      ...figuresOf(thread),
      utilization: this.#utilization(thread.worker),
      transfers: Math.max(0, thread.given - thread.load),
    }))
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

/**
 * Reads the figures of threads that no reading changes.
 * @internal
 */
export function readThreads(threads: readonly Measured[]): ThreadReading[] {
  return threads.map((thread) => ({ ...figuresOf(thread), busy: busyTime(thread.worker) }))
}

/** Longest time that each worker was seen to be busy. */
const busyTimes = new WeakMap<Worker, number>()

/** Time in which the event loop of a worker was busy. Seen from here it may shrink a little, which a sum must not. */
function busyTime(worker: Worker | undefined): number {
  if (worker === undefined) return 0
  const time = Math.max(busyTimes.get(worker) ?? 0, worker.performance.eventLoopUtilization().active)
  busyTimes.set(worker, time)
  return time
}

function figuresOf({ number, load, waiting: given, pulse }: Measured) {
  const waiting = Math.min(load, given)
  const { heapUsed = 0, external = 0 } = pulse ?? {}
  return { thread: number, running: load - waiting, waiting, heapUsed, external }
}
