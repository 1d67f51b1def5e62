import type { ThreadSettings } from '../protocol/messages.js'
import type { Lost } from './thread.js'
import type { Thread } from './thread.js'

/** Options of a `ThreadPool`. */
export interface ThreadPoolOptions extends Partial<ThreadSettings> {
  /** Number of threads. */
  readonly threads: number
  /** Number of transfers that may run at once in one thread. */
  readonly transfersPerThread: number
  /** Most memory for JavaScript objects of a thread, in MiB. Default: what V8 allows. */
  readonly memoryLimit?: number | undefined
  /**
   * Nice value of the threads relative to the main thread: see `WorkerPlannerOptions`.
   * @default 0
   */
  readonly niceIncrement?: number | undefined
  /**
   * Time that a thread may be held up beyond the deadline of a transfer, and that a stream has to end, in milliseconds.
   * @default 1000
   */
  readonly grace?: number
  /**
   * Time that a thread may be held up in any case, in milliseconds.
   * @default Infinity
   */
  readonly hangTimeout?: number
  /**
   * Number of transfers after which a thread should be recycled.
   * @default Infinity
   */
  readonly maxTransfersPerThread?: number
  /** URL of the module that workers run. Default: the file of this package. */
  readonly workerUrl?: string | undefined
}

/** A thread whose worker has ended by itself or was ended, and what was in the worker. */
export interface LostThread extends Lost {
  readonly thread: Thread
  readonly error: Error
}

/** Events of a `ThreadPool`. */
export interface ThreadPoolEvents {
  /** A thread's worker has ended by itself, or was ended as it did not answer. */
  readonly lost: [lost: LostThread]
  /** A thread has made as many transfers as it may. Emitted at each look until it is recycled. */
  readonly dueForRecycling: [thread: Thread]
  /** One thread has been busy all the time for a while, and another mostly idle. */
  readonly unbalanced: []
  /** The pool is destroyed: no thread is left, and none comes. */
  readonly ended: []
}
