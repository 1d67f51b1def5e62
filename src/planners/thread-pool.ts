import type { Url } from '../base/node-types.js'
import type { Untyped } from '../base/untyped.js'
import type { ProcessorFunction } from '../core/processor.js'
import { offload, type OffloadOptions } from '../threads/main/offload.js'
import type { OffloadArguments, OffloadedExport, ProcessorsOf } from '../threads/main/offloaded-types.js'
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
   * Without types it fits any link: what it takes and gives is not checked.
   *
   * @example
   * ```ts
   * planner.pool.processor(new URL('./squares.js', import.meta.url), { export: 'squares', chunk: 100 })
   * ```
   *
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor(module: Url | string, options?: OffloadOptions): ProcessorFunction<unknown, Untyped>
  /**
   * Makes a processor for a link that runs on the main thread, whose work the default export of a module does in the threads.
   *
   * @example
   * ```ts
   * planner.pool.processor<typeof import('./squares.js')>(new URL('./squares.js', import.meta.url))
   * ```
   *
   * @typeParam M - type of the module: `typeof import('./squares.js')`, which loads nothing
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor<M extends { readonly default: ProcessorFunction<never, unknown> }>(
    module: Url | string,
    options?: OffloadOptions & { readonly export?: 'default' },
  ): OffloadedExport<M['default']>
  /**
   * Makes a processor for a link that runs on the main thread, whose work a named export of a module does in the threads.
   *
   * @example
   * ```ts
   * const url = new URL('./squares.js', import.meta.url)
   * planner.pool.processor<typeof import('./squares.js'), 'squares'>(url, { export: 'squares' })
   * ```
   *
   * @typeParam M - type of the module: `typeof import('./squares.js')`, which loads nothing
   * @typeParam N - name of the export; may be left out where the module exports one processor
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor<M extends object, N extends ProcessorsOf<M> = ProcessorsOf<M>>(
    module: Url | string,
    options: OffloadOptions & { readonly export: N },
  ): OffloadedExport<M[N]>
  /**
   * Makes a processor for a link that runs on the main thread, whose work an export of a module does in the threads. Its
   * types are believed, not checked.
   *
   * @example
   * ```ts
   * const url = new URL('./squares.js', import.meta.url)
   * planner.pool.processor<number, string>(url, { export: 'squares', chunk: 100 })
   * ```
   *
   * @typeParam A - type of the payloads that the processor takes
   * @typeParam B - type of the payloads that it gives
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor<A, B = A>(module: Url | string, ...options: OffloadArguments<A, B>): ProcessorFunction<A, B>
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
