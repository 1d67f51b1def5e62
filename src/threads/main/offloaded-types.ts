import type { ProcessorFunction } from '../../core/processor.js'
import type { OffloadOptions } from './offload.js'

/** Names of the exports of a module that are processor functions. */
export type ProcessorsOf<M> = M extends object
  ? keyof { [N in keyof M as IsProcessor<M[N]> extends true ? N : never]: never } & string
  : never

/** Whether a type is one of processor functions. One that says nothing, as that of a payload's field, is not. */
type IsProcessor<T> = [T] extends [(...args: never[]) => infer R]
  ? 0 extends 1 & R
    ? false
    : [T] extends [ProcessorFunction<never, unknown>]
      ? true
      : false
  : false

/** The processor that an export becomes, whose work is done in threads. */
export type OffloadedExport<F> = F extends ProcessorFunction<infer A, infer B> ? ProcessorFunction<A, B> : never

/**
 * Options of `planner.pool.processor()` where its types are those of payloads. A module is none: where `A` is one, no other
 * way to call it has fitted, and the export has to be one of its processors.
 */
export type OffloadArguments<A, B> = [ProcessorsOf<A>] extends [never]
  ? [options?: OffloadOptions]
  : [options: OffloadOptions & { readonly export: B extends ProcessorsOf<A> ? B : ProcessorsOf<A> }]
