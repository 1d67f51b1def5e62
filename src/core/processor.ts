import { classAdvice, InvalidOptionError } from '../base/errors.js'
import type { Record } from './record.js'
import type { RoundCounts } from './round-counts.js'
import type { Update } from './update.js'
import { type OneOrMany, toArray } from '../base/one-or-many.js'

/** A function that takes records and returns records: filtered, changed, or both. May be asynchronous. */
export type ProcessorFunction<A = unknown, B = A> = (
  records: Record<A>[],
  update: Update,
) => readonly Record<B>[] | Promise<readonly Record<B>[]>

/**
 * A processor with a memory. {@link Buffer} and {@link Distinct} are the built-in ones.
 */
export interface StatefulProcessor<A = unknown, B = A> {
  /** Processes records as a {@link ProcessorFunction}. A property, so that the compiler checks its parameters strictly. */
  readonly process: ProcessorFunction<A, B>
  /** Name in logs, reports and dead letters, where a link has several of one class. */
  readonly name?: string | undefined
  /** Number of records it holds back. They count as buffered, not as filtered. */
  readonly size?: number
  /** Set to `true` by the engine when everything is to come out at the next call, as before a shutdown. */
  flush?: boolean
  /**
   * Called once when it is known what came of a transfer in which `process` was called. For a processor that must not
   * rely on what it has seen before that has arrived, as {@link Distinct} must not.
   *
   * Mostly that is at the end of the transfer. When a buffer holds records of the transfer, it is when they have left it,
   * and all transfers before are settled too; when they never do, as the process is killed, it is not called. A draining
   * is a transfer as well. Where links share the processor, `update` says which transfer it was.
   *
   * The transfer waits for a promise, but no longer than until it is told to stop. An error is one of the transfer, of
   * the stage `process`.
   *
   * @param update - the one that `process` was given; in another thread to which the link has moved since, one that reads
   * the same
   * @param delivered - whether all went well with the transfer's records: every one was taken by all outlets of the link,
   * or removed by a processor. `false` when anything was dropped or failed on the way; then the inlets may give them again
   * @param rounds - number of rounds that the transfer began, and of those that were delivered, from the first one on. In each
   * of them, `process` was called with the same `update`
   */
  onTransferEnd?(update: Update, delivered: boolean, rounds: RoundCounts): void | Promise<void>
  /** Forgets what it holds. Called when that was handed over. */
  reset?(): void
  /** Hands over its state: see `Node.saveState`. */
  saveState?(): unknown
  /**
   * Takes over a state, in addition to what it may hold already, as links can share it. Called when the nodes of its link
   * have started. When it throws, the link goes on without: the records in that state are counted as lost, and logged.
   */
  restoreState?(state: unknown): void | Promise<void>
}

/**
 * A step of the pipeline that alters what inlets produced before outlets consume it.
 *
 * On a link it sees all records of the transfer, before the groupers; on an outlet only what that outlet is given,
 * batch by batch, after them. It is called on transfers without records too, so that what is held back can come out.
 */
export type Processor<A = unknown, B = A> = ProcessorFunction<A, B> | StatefulProcessor<A, B>

/** Any processor with a memory, whatever it takes and gives. */
export type AnyStatefulProcessor = StatefulProcessor<never, unknown>

/** Any processor, whatever it takes and gives. */
export type AnyProcessor = Processor<never, unknown>

/** Any grouper, whatever it groups. */
export type AnyGrouper = (
  batches: Record<never>[][],
  update: Update,
) => readonly (readonly Record[])[] | Promise<readonly (readonly Record[])[]>

/**
 * Turns a list of batches into a list of batches of another shape. The first grouper gets one batch with all records.
 * It only groups: records are neither changed, added nor left out.
 */
export type Grouper<T = unknown> = (
  batches: Record<T>[][],
  update: Update,
) => readonly (readonly Record<T>[])[] | Promise<readonly (readonly Record<T>[])[]>
/** Names that JavaScript gives a function that is the value of the option, as in `processors: (records) => ...`. */
const NAMES_OF_OPTIONS: readonly unknown[] = ['processors', 'groupers']

/** Name of a processor or grouper in errors, logs and dead letters: its own, that of its function or class, or else its place. */
export function nameOf(kind: 'processor' | 'grouper', value: object, index: number): string {
  return `${kind} ${ownName(value) ?? index}`
}

function ownName(value: object): string | undefined {
  try {
    if (typeof value === 'object' && 'name' in value && typeof value.name === 'string' && value.name !== '')
      return value.name
    const named = (typeof value === 'function' ? value : value.constructor) as { name?: unknown } | undefined
    const name = named?.name
    const isOwn = typeof name === 'string' && name !== '' && named !== Object && !NAMES_OF_OPTIONS.includes(name)
    return isOwn ? name : undefined
  } catch {
    return undefined // its getter failed
  }
}

/** @throws {@link InvalidOptionError} unless every element is a function or has a `process` method */
export function checkProcessors<P>(option: string, processors: OneOrMany<P> | undefined): P[] {
  const list = toArray(processors)
  list.forEach((processor: unknown, index) => {
    const isObject = typeof processor === 'object' && processor !== null
    const hint = classAdvice(processor)
    if (typeof processor === 'function' && hint === undefined) return
    if (isObject && 'process' in processor && typeof processor.process === 'function') return
    const expected = 'a function, or an object with a method process()'
    throw new InvalidOptionError(`${option}[${index}]`, expected, processor, { hint })
  })
  return list
}

/** @throws {@link InvalidOptionError} unless every element is a function */
export function checkGroupers<G>(option: string, groupers: OneOrMany<G> | undefined): G[] {
  const list = toArray(groupers)
  list.forEach((grouper: unknown, index) => {
    const hint = typeof grouper === 'function' ? classAdvice(grouper) : undefined
    if (typeof grouper !== 'function' || hint !== undefined)
      throw new InvalidOptionError(`${option}[${index}]`, 'a function', grouper, { hint })
  })
  return list
}
