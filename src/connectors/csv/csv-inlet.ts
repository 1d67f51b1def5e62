import { checkObject, checkPath, checkWord } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { count, custom, flag, resolveOptions, word, type Spec } from '../../base/options.js'
import { Inlet, INLET_OPTIONS, type InletOptions, type Pulled, type PulledStream } from '../../core/inlet.js'
import type { Cursor } from '../../core/cursor.js'
import type { RoundCounts } from '../../core/round-counts.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../files/text-encoding.js'
import type { Update } from '../../core/update.js'
import { BIG_INTEGERS_OPTIONS, type BigIntegers, type BigIntegersOptions } from '../big-integers.js'
import { columnNames, CsvColumns } from './columns.js'
import type { CsvState } from './csv-state.js'
import { CsvSplitter } from './splitter.js'
import type { AllText, CsvRowOf, CsvTypes, CsvTyping, ShortRows } from './typed-rows.js'
import { CSV_TYPES, type CsvRow, type CsvType } from './types.js'
import { FOLLOW_OPTIONS, resolveFollow, type FollowOptions } from '../files/follow-options.js'
import { Following } from '../files/following.js'

/** Options of {@link CsvInlet}. */
export interface CsvInletOptions extends InletOptions, BigIntegersOptions, FollowOptions {
  /**
   * Encoding of the file. A byte order mark at its start decides, whatever is said here. `latin1` is read as on the Web,
   * which means `windows-1252` by it.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
  /**
   * Character between cells: one ASCII character, but no quote, no line end and no NUL. A first line like `sep=;` decides,
   * whatever is said here. A header of one cell without quotes, with another usual delimiter in it, is refused, unless
   * `columns` names one column.
   * @default ','
   */
  readonly delimiter?: string
  /**
   * Whether the first row of a file names its columns.
   * @default true
   */
  readonly header?: boolean
  /**
   * Names of the columns, in order. They replace those of the header, and are needed where there is none.
   * @default undefined - those in the header
   */
  readonly columns?: readonly string[]
  /**
   * Types of the columns, by name: `{ price: 'number', at: 'date', ok: 'boolean' }`. An empty cell is then `null`,
   * except in a column of strings.
   *
   * - `number`: decimal; `bigIntegers` says what becomes of an integer that would turn into another one
   * - `bigint`: an integer
   * - `boolean`: `true`, `false`, `1` or `0`
   * - `date`: of ISO 8601, like `2020-07-30T19:51:41.5+02`; UTC without a time zone
   * @default {} - all are strings
   */
  readonly types?: CsvTypes
  /**
   * Whether the apostrophe is taken off with which CsvOutlet guards formulas. It is one in front of a cell or name that
   * then starts with `=`, `+`, `-`, `@`, their full-width forms, a tab, a line feed or a carriage return.
   * @default true
   */
  readonly guardFormulas?: boolean
  /**
   * Treatment of a row with fewer cells than columns: it is a bad row, or the missing cells are `null`. A row with more
   * cells is always a bad row.
   * @default 'error'
   */
  readonly shortRows?: ShortRows
  /**
   * Treatment of bad rows, such as a row with a value that does not fit. They fail the transfer, at each attempt, once
   * the rows before them are transferred; or they are skipped, and counted in the log. Where quotes are wrong, a row is too
   * long, or two lines within it are rows by themselves, one line is skipped, and the next line that is a row comes.
   * Half a row at the end of a rotated file fails one transfer, and is counted, too: the next transfer goes on with the
   * next file.
   * @default 'error'
   */
  readonly badRows?: 'error' | 'skip'
  /**
   * Most rows that one transfer reads, each of which becomes a record. `Infinity` is all that the file has: it streams, so
   * that a large file takes little memory.
   * @default Infinity
   */
  readonly rowsPerTransfer?: number
  /**
   * Most bytes of a row, without its line end. A longer one is a bad row. The inlet holds at most about twice as much
   * of a file in memory, apart from the rows of a transfer.
   * @default 1048576 - 1 MiB
   */
  readonly maxRowLength?: number
}

/** Table of the options of {@link CsvInlet}. */
export const CSV_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  delimiter: custom(readDelimiter, "','"),
  header: flag(true),
  columns: columnNames('undefined - those in the header'),
  types: custom(readTypes, '{} - all are strings'),
  guardFormulas: flag(true),
  shortRows: word(['error', 'fill'], 'error'),
  badRows: word(['error', 'skip'], 'error'),
  rowsPerTransfer: count(Infinity, { orInfinity: true }),
  maxRowLength: count(1_048_576, { shown: '1048576 - 1 MiB' }),
  ...BIG_INTEGERS_OPTIONS,
  ...FOLLOW_OPTIONS,
} satisfies Spec<CsvInletOptions>

/**
 * Reads a CSV file: each row is a record, an object of values by column. Cells may be quoted; quoted cells may hold
 * line ends. A quote in a cell that does not start with one is text. Empty lines are skipped.
 *
 * The file is followed as by {@link FileInlet} in the mode `line`: as it grows, when it is rotated, and when it is
 * rewritten. A last row without a line end waits until it has one, unless `follow` is false. Each file has a header of its own.
 *
 * @typeParam T - type of the rows
 */
export interface CsvInlet<T extends object = CsvRow> extends Inlet<T> {
  /** @throws {@link FileError} when the file is missing, unless it is awaited, or cannot be opened */
  onStart(): Promise<void>
  /** @throws {@link FileError} when the file cannot be read, or has a bad header or row */
  pull(update: Update, cursor?: Cursor): Promise<Pulled<T> | PulledStream<T>>
  /** Notes whether a pull was delivered. To redeliver, the next pull goes back to where that one began. */
  onTransferEnd(update: Update, delivered: boolean): MaybePromise<void>
  onShutdown(): Promise<void>
  /** Position up to which the file was read and, to redeliver, all was delivered; and the columns. */
  saveState(): unknown
  restoreState(state: unknown): void
}

/** How inlets of CSV files are made: their rows have the types that the options name, or those that are said. */
interface CsvInletConstructor {
  /**
   * Makes an inlet of a CSV file, whose rows have the types that `types` and `columns` name where they are written out.
   *
   * @example
   * ```ts
   * // rows of { price: number | null, at: Date | null } and further columns
   * new CsvInlet('prices.csv', { types: { price: 'number', at: 'date' } })
   * ```
   *
   * @param filepath - path of the file
   * @throws {@link InvalidOptionError}
   */
  new <const C extends readonly string[], S extends ShortRows, B extends BigIntegers, Y extends CsvTypes = AllText>(
    filepath: string,
    options: CsvInletOptions & CsvTyping<C, S, B, Y>,
  ): CsvInlet<CsvRowOf<NoInfer<C>, NoInfer<S>, NoInfer<B>, NoInfer<Y>>>
  /**
   * Makes an inlet of a CSV file. The type of its rows is believed, not checked.
   *
   * @example
   * ```ts
   * new CsvInlet<Price>('prices.csv', { types: { price: 'number', at: 'date' } })
   * ```
   *
   * @typeParam T - type of the rows
   * @param filepath - path of the file
   * @throws {@link InvalidOptionError}
   */
  new <T extends object = CsvRow>(filepath: string, options?: CsvInletOptions): CsvInlet<T>
  readonly prototype: CsvInlet
}

export const CsvInlet: CsvInletConstructor = class CsvInlet<T extends object> extends Inlet<T> {
  readonly #filepath: string
  readonly #rowsPerTransfer: number
  readonly #rows: Following<CsvRow, CsvState>

  constructor(filepath: string, options: CsvInletOptions = {}) {
    const resolved = resolveOptions('CsvInlet', options, CSV_INLET_OPTIONS)
    super(options)
    const { encoding, delimiter, header, columns: names, types, maxRowLength, badRows } = resolved
    const { bigIntegers, guardFormulas } = resolved
    this.#filepath = checkPath('CsvInlet.filepath', filepath)
    this.#rowsPerTransfer = resolved.rowsPerTransfer
    if (!header && names === undefined) {
      throw new InvalidOptionError('CsvInlet.columns', 'a list of names, as there is no header', undefined)
    }
    const other = names && [...types.keys()].find((column) => !names.includes(column))
    if (other !== undefined) throw new InvalidOptionError(`CsvInlet.types.${other}`, 'one of the columns', other)
    const columns = new CsvColumns({
      names,
      types,
      fillShortRows: resolved.shortRows === 'fill',
      bigIntegers,
      guardFormulas,
    })
    const splitter = new CsvSplitter({ encoding, delimiter, header, columns, maxRowLength, badRows })
    this.#rows = new Following('CsvInlet', filepath, splitter, resolveFollow('CsvInlet', filepath, resolved))
  }

  override onStart(): Promise<void> {
    return this.#rows.start(this.holder)
  }

  pull(update: Update, cursor?: Cursor): Promise<T[] | PulledStream<T>> {
    return this.#rows.pull(this.#rowsPerTransfer, update, cursor) as Promise<
      object[] | PulledStream<object>
    > as Promise<T[] | PulledStream<T>>
  }

  override get redelivers(): boolean {
    return this.#rows.redelivers
  }

  /**
   * Notes what was delivered of a pull. To redeliver, the next pull goes back to where that one began, or where the first of
   * its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): MaybePromise<void> {
    return this.#rows.ended(update, delivered, rounds?.deliveredRounds)
  }

  override onShutdown(): Promise<void> {
    return this.#rows.stop()
  }

  override saveState(): unknown {
    return this.#rows.save()
  }

  override restoreState(state: unknown): void {
    this.#rows.restore(state)
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }
}

function readDelimiter(name: string, delimiter: unknown): string {
  if (delimiter === undefined) return ','
  if (typeof delimiter !== 'string' || !/^[\x01-\x7f]$/.test(delimiter) || '"\r\n'.includes(delimiter)) {
    throw new InvalidOptionError(name, 'one ASCII character, but no quote, no line end and no NUL', delimiter)
  }
  return delimiter
}

function readTypes(name: string, types: CsvInletOptions['types'] = {}): ReadonlyMap<string, CsvType> {
  checkObject(name, types)
  const entries = Object.entries(types)
  return new Map(entries.map(([column, type]) => [column, checkWord(`${name}.${column}`, type, CSV_TYPES, 'string')]))
}
