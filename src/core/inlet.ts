import { checkName, checkObject } from '../base/check.js'
import { given, type Spec } from '../base/options.js'
import { MemoryCursor, type Cursor } from './cursor.js'
import { Node, nodeName } from './node.js'
import { NAME_OPTION, type NameOption } from './name-option.js'
import { Record, type Metadata } from './record.js'
import type { RoundCounts } from './round-counts.js'
import type { Update } from './update.js'

/** Marks inlets across copies of this package. */
const INLET = Symbol.for('databay.Inlet')

/** Metadata of inlets that are given none: the same for all. */
const NO_METADATA: Metadata = Object.freeze({})

/** Carries the type of an inlet's payloads; exists only for the compiler. */
declare const produces: unique symbol

/** Options that every inlet takes. */
export interface InletOptions extends NameOption {
  /**
   * Global metadata: attached to every record of this inlet. Local metadata given to {@link Inlet.newRecord}
   * overrides it. An inlet does not read it: what it needs to work, it takes as options of its own.
   * @default {}
   */
  readonly metadata?: Metadata
}

/** The options that every inlet takes; {@link Inlet} itself reads them. */
export const INLET_OPTIONS = { metadata: given<Metadata>('{}'), ...NAME_OPTION } satisfies Spec<InletOptions>

/**
 * What {@link Inlet.pull} may give: an array is many records, `[]` none, and anything else one. Elements of an
 * array may be records, raw values, or both. For one record that holds an array, nest it (`[[1, 2]]`) or use
 * {@link Inlet.newRecord}.
 */
export type Pulled<T> = T | Record<T> | readonly (T | Record<T>)[]

/** A step of a {@link PulledStream}: a list, which makes a round, or a single value or record, which makes one with others. */
export type PulledStep<T> = IteratorResult<Pulled<T> | PromiseLike<Pulled<T>>, void>

/**
 * What {@link Inlet.pull} may give to stream: a generator, an iterator or an async iterable. Each list that it yields is
 * processed, grouped and pushed before the next one is. Sets, maps, strings and typed arrays are data.
 */
export type PulledStream<T> =
  | { next(): PulledStep<T> | PromiseLike<PulledStep<T>>; return?(value?: never): unknown }
  | { [Symbol.asyncIterator](): { next(): PromiseLike<PulledStep<T>>; return?(value?: never): unknown } }

/**
 * Produces data. Extend it and implement {@link Inlet.pull}; options of your own go into your constructor, and
 * {@link InletOptions} on to `super`.
 *
 * ```ts
 * class RandomIntInlet extends Inlet<number> {
 *   pull() { return randomInt(0, 101) }
 * }
 * ```
 *
 * @typeParam T - type of the payloads
 * @typeParam C - type of the cursor's value, if the inlet has a cursor
 */
export abstract class Inlet<T = unknown, C = unknown> extends Node {
  /** The type of the payloads, for the compiler: nothing is here at run time. */
  declare readonly [produces]?: () => T

  /** Global metadata of this inlet, frozen. */
  readonly metadata: Metadata
  /**
   * Version of what the values of the cursor look like. With another number than that of the kept value, the link starts
   * only if {@link Inlet.migrateCursor} makes a new value of it.
   * @default undefined - as 1
   */
  readonly cursorVersion?: number
  #shared: Metadata | undefined
  #memory: MemoryCursor<C> | undefined

  /** @throws {@link InvalidOptionError} when the options or their `metadata` are no object, or their `name` is none */
  constructor(options: InletOptions = {}) {
    checkObject('options', options)
    super(checkName('name', options.name))
    if (options.metadata !== undefined) checkObject('metadata', options.metadata)
    this.metadata = options.metadata === undefined ? NO_METADATA : Object.freeze({ ...options.metadata })
  }

  /**
   * Produces data for one transfer: at once or as a promise, or list by list, as a generator does. The lists of a generator
   * are rounds of the transfer, which share its `update`: at most the next one is pulled while one is processed, grouped and
   * pushed, so that never all records are in memory. A generator ends early when its transfer does: its `return()` is
   * called, as `break` in a `for` loop does.
   *
   * @param update - identity of the transfer; `update.signal` aborts when the transfer is told to stop
   * @param cursor - how far the inlet has come, for one that reads on from there: see {@link Cursor}. Links give it always
   */
  abstract pull(update: Update, cursor?: Cursor<C>): Pulled<T> | PulledStream<T> | Promise<Pulled<T> | PulledStream<T>>

  /**
   * Whether the inlet says by its cursor how far it has come, which a link with `delivery: 'cursor'` needs. An inlet does
   * when its `pull` is written with a second parameter, or when it has a {@link Inlet.cursorVersion}. Parameters with a default and
   * `...rest` do not count: such an inlet needs a version. One whose options decide overrides this.
   */
  get hasCursor(): boolean {
    return this.cursorVersion !== undefined || this.pull.length > 1
  }

  /**
   * Whether the inlet gives records again that were not delivered. By itself it does when it has an {@link Inlet.onTransferEnd},
   * as it may go back there. When an outlet refuses some records of one that does not, a transfer of a stream goes on with its
   * next rounds; of one that does, it ends, as the records come again.
   */
  get redelivers(): boolean {
    return this.onTransferEnd !== undefined
  }

  /**
   * What a pull does beside reading, in a few words, as in `takes messages off the queue`: `databay explain` then pulls the inlet
   * only with `--yes`. What happens in {@link Inlet.onTransferEnd} does not count: there it is told that nothing was delivered.
   * By itself `undefined`: a pull only reads.
   */
  get pullEffect(): string | undefined {
    return undefined
  }

  /**
   * Makes a value of the cursor of one that an earlier version of the inlet has kept.
   *
   * @param old - the kept value
   * @param version - its {@link Inlet.cursorVersion}
   */
  migrateCursor?(old: unknown, version: number): C | Promise<C>

  /**
   * Called once when it is known what came of a pull, also when the pull failed or its transfer was told to stop; the
   * pull may run on then. For an inlet that keeps a position, acknowledges what it gave, or the like.
   *
   * Mostly that is at the end of the transfer. When a buffer of the link or of an outlet holds records of the pull, it is
   * at the end of the transfer, or the draining, in which they leave the buffer; when they never do, as the process is
   * killed, it is not called. Meanwhile the inlet is pulled on: it gives what comes next, and goes back only when it is
   * told that a pull was not delivered. A delivered pull is told only when those before it are. Where transfers overlap,
   * as the inlet is shared or its link has `maxInstances`, `update` says which one it was.
   *
   * The transfer waits for a promise, but no longer than until it is told to stop. An error is one of the transfer, of
   * the stage `pull`.
   *
   * @param update - the one that `pull` was given; in another thread to which the link has moved since, one that reads
   * the same
   * @param delivered - whether this pull and all that came after it did what they should: every record was taken by
   * all outlets, or removed by a processor. `false` when anything was dropped or failed on the way; some outlets, or all,
   * may have taken records all the same. Another inlet's failed pull counts only for what it had dropped
   * @param rounds - how many lists of an inlet that streams were in rounds, and how many of them, from the first one on, were
   * delivered: these need not be given again, also when others were not delivered, or the pull failed later on. They are
   * counted as long as any inlet of the link gave lists, whatever its option `rounds` makes of them
   */
  onTransferEnd?(update: Update, delivered: boolean, rounds: RoundCounts): void | Promise<void>

  /**
   * Makes a record of this inlet: with its global metadata, and `__inlet__`, which says where the record comes
   * from (the inlet's `toString()`, read once).
   *
   * @param payload - data of the record
   * @param metadata - local metadata, overriding the global one where keys are the same
   */
  newRecord(payload: T, metadata?: Metadata): Record<T> {
    return new Record(
      payload,
      metadata === undefined
        ? this.#sharedMetadata()
        : Object.freeze({ ...this.metadata, ...metadata, __inlet__: this.#sharedMetadata()['__inlet__'] }),
    )
  }

  // made at the first record, when the subclass's constructor has run; one object for all records
  #sharedMetadata(): Metadata {
    return (this.#shared ??= Object.freeze({ ...this.metadata, __inlet__: nodeName(this) }))
  }

  /**
   * Cursor of the inlet in links without `delivery`.
   * @internal
   */
  get memoryCursor(): Cursor<C> {
    return (this.#memory ??= new MemoryCursor<C>())
  }

  /** @internal */
  get [INLET](): true {
    return true
  }
}

/** Whether `value` is an {@link Inlet}, of this or of another copy of this package. */
export function isInlet(value: unknown): value is Inlet {
  return typeof value === 'object' && value !== null && INLET in value
}
