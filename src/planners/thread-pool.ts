import type { Url } from '../base/node-types.js'
import type { ProcessorFunction } from '../core/processor.js'
import { offload, type OffloadOptions } from '../threads/main/offload.js'
import type { Thread } from '../threads/main/thread.js'

/** The worker threads of a planner, as far as programs use them: `planner.pool`. */
export interface ThreadPool {
  /**
   * Makes a processor for a link that runs on the main thread: it ships the records to the threads, chunk by chunk over all
   * of them, has a processor of a module do the work there, and ships them back in their order.
   *
   * The processor sees one chunk at a time, so it may not look across records; and what crosses must survive a structured
   * clone. It pays when the work on a record takes longer than its way there and back: some microseconds.
   *
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor(module: Url | string, options?: OffloadOptions): ProcessorFunction
}

/**
 * Makes what programs see of a planner's threads.
 *
 * @param threads - gives the threads that are there; none while the planner does not run
 * @internal
 */
export function threadPool(threads: () => readonly Pick<Thread, 'call'>[]): ThreadPool {
  const pool = {
    get threads() {
      return threads()
    },
  }
  return Object.freeze({
    processor: (module: URL | string, options?: OffloadOptions) => offload(pool, module, options),
  })
}
