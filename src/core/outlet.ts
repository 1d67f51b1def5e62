import { checkName, checkObject } from '../base/check.js'
import { given, type Spec } from '../base/options.js'
import { Node } from './node.js'
import { NAME_OPTION, type NameOption } from './name-option.js'
import { checkProcessors, type AnyProcessor, type Processor } from './processor.js'
import { toFrozen, type OneOrMany } from '../base/one-or-many.js'
import type { Record } from './record.js'
import type { Update } from './update.js'

/** Marks outlets across copies of this package. */
const OUTLET = Symbol.for('databay.Outlet')

/** Carries the type of an outlet's payloads; exists only for the compiler. */
declare const consumes: unique symbol

/**
 * Key under which an outlet looks for metadata of a record. To keep the keys of different outlets apart, it starts
 * with the outlet's name: `CsvOutlet.CSV_FILE`.
 */
export type MetadataKey = `${string}.${string}`

/** Options that every outlet takes. */
export interface OutletOptions<T = unknown> extends NameOption {
  /**
   * Processors of this outlet alone: applied to each batch that it is given, after the link's groupers.
   * @default []
   */
  readonly processors?: OneOrMany<Processor<T>>
}

/** The options that every outlet takes; {@link Outlet} itself reads them. */
export const OUTLET_OPTIONS = {
  processors: given<OneOrMany<Processor>>('[]'),
  ...NAME_OPTION,
} satisfies Spec<OutletOptions>

/**
 * Consumes data. Extend it and implement {@link Outlet.push}.
 *
 * ```ts
 * class PrintOutlet extends Outlet {
 *   push(records: Record[], update: Update) {
 *     for (const record of records) console.log(String(update), record.payload)
 *   }
 * }
 * ```
 *
 * @typeParam T - type of the payloads it can take; `unknown` takes any
 */
export abstract class Outlet<T = unknown> extends Node {
  /** The type of the payloads, for the compiler: nothing is here at run time. */
  declare readonly [consumes]?: (payload: T) => void

  /** Processors of this outlet. */
  readonly processors: readonly AnyProcessor[]

  /**
   * Whether {@link Outlet.push} leaves payloads as they are, and reads all that it needs of them before it first waits. An
   * outlet that only serializes does. It then gets the payloads themselves rather than copies, unless it has processors of
   * its own, which is faster.
   *
   * ```ts
   * class LogOutlet extends Outlet {
   *   override readonly readsOnly = true
   *   async push(records: Record[]) {
   *     const text = records.map(({ payload }) => JSON.stringify(payload)).join('\n') // before the first await
   *     await appendFile('log.jsonl', `${text}\n`)
   *   }
   * }
   * ```
   *
   * @default false
   */
  readonly readsOnly: boolean = false

  /** @throws {@link InvalidOptionError} when a processor is none, or the `name` */
  constructor(options: OutletOptions<T> = {}) {
    checkObject('options', options)
    super(checkName('name', options.name))
    this.processors = toFrozen<AnyProcessor>(options.processors, (some) => checkProcessors('processors', some))
  }

  /**
   * Takes one batch of records, at once or as a promise. Never called without records, and never again before the
   * batch before has ended, within one transfer.
   *
   * @param records - the batch: a list of this outlet's own, with copied payloads unless the link has `copyRecords: false`,
   * or this outlet is {@link Outlet.readsOnly}
   * @param update - identity of the transfer; `update.signal` aborts when the transfer is told to stop
   */
  abstract push(records: Record<T>[], update: Update): void | Promise<void>

  /**
   * Called instead of `push` at the end of a transfer that has no records for this outlet: inlets gave none, or processors
   * removed all. Not called when records were dropped, when something has failed, when buffers hold records, and when
   * buffers are drained. What fails at other outlets does not count.
   *
   * @param update - identity of the transfer
   */
  onEmptyTransfer?(update: Update): void | Promise<void>

  /**
   * Whether what a transfer pushes takes the place of what the outlet held before, as with `fileMode: 'w'`. A link with
   * `delivery` then needs `rounds: 'whole'`: of a transfer that goes on after a crash, the rounds before would be missing.
   * @default undefined - as `false`
   */
  readonly replacesContent?: boolean

  /**
   * Whether an outlet with {@link Outlet.onLastRound} keeps what it took of a transfer so far, whatever comes of the rest. A
   * link with `delivery: 'cursor'` then keeps its cursor after each round; without this method after the last one.
   */
  keepsRounds?(update: Update): boolean

  /**
   * Whether {@link Outlet.onLastRound} is called at the end of each transfer, also of one that has a single round. For an outlet
   * that must not show one batch without the others. A link with `delivery` also calls it once batches were pushed that had
   * waited since an earlier transfer.
   * @default undefined - as `false`
   */
  readonly endsTransfers?: boolean

  /**
   * Called when a transfer that has several rounds had its last one, see `update.hasRounds`. For an outlet that must not
   * show one round without the others, as a file that is replaced. Called also when the transfer was told to stop, and
   * waited for; from then on no longer than the planner's `timeoutGrace`.
   *
   * @param update - identity of the transfer
   * @param isComplete - whether the inlets gave all that they had, and nothing has ended the transfer before that
   * @returns number of records of the transfer that the outlet took and does not keep: they count as dropped, and none of
   * the rounds as delivered. When it throws, those are all records that it took
   */
  onLastRound?(update: Update, isComplete: boolean): number | undefined | Promise<number | undefined>

  /** @internal */
  get [OUTLET](): true {
    return true
  }
}

/**
 * An outlet that can take payloads of type `T`: an {@link Outlet} of which the compiler infers `T` from what it takes
 * alone, as method parameters would also let it infer what it gives.
 */
export type OutletFor<T> = Outlet<NoInfer<T>> & { readonly [consumes]?: (payload: T) => void }

/** Whether `value` is an {@link Outlet}, of this or of another copy of this package. */
export function isOutlet(value: unknown): value is Outlet {
  return typeof value === 'object' && value !== null && OUTLET in value
}
