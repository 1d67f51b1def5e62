import { isDeepStrictEqual } from 'node:util'
import { importLater } from '../../base/libraries.js'
import { flag, resolveOptions, word, type Spec } from '../../base/options.js'
import { Outlet, OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import { copyPayload } from '../../core/transfer/copy.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../files/text-encoding.js'
import type { Update } from '../../core/update.js'
import type { CsvStyle } from './bytes.js'
import { columnNames } from './columns.js'
import { delimiter } from './delimiter.js'
import { TARGET_OPTIONS, type TargetOptions } from '../files/target-options.js'
import { Targets } from '../files/targets.js'
import { SERIALIZE_OPTIONS, type SerializeOptions } from '../serialize.js'

const importBytes = () => import('./bytes.js')

/** Options of {@link CsvOutlet}. */
export interface CsvOutletOptions extends OutletOptions, SerializeOptions, TargetOptions {
  /**
   * Names of the columns, in order.
   * @default undefined - those in the file's header, and for a new file the keys of its first record
   */
  readonly columns?: readonly string[]
  /**
   * Treatment of a key that is no column: refuse the batch, or leave out the value.
   * @default 'error'
   */
  readonly extraColumns?: 'error' | 'ignore'
  /**
   * Treatment of a payload without a key for a column: refuse the batch, or leave the cell empty. A key whose value is
   * null or undefined is an empty cell in any case.
   * @default 'error'
   */
  readonly missingColumns?: 'error' | 'empty'
  /**
   * Whether strings that a spreadsheet would run as formulas get an apostrophe in front. These are strings and names
   * of columns that start with `=`, `+`, `-`, `@`, their full-width forms, a tab, a line feed or a carriage return, if
   * need be behind apostrophes. Numbers stay as they are, and so do strings that are one, such as `-122.4`. CsvInlet
   * takes the apostrophe off again.
   * @default true
   */
  readonly guardFormulas?: boolean
  /**
   * Character between cells: one character, but no quote, no line end and no NUL.
   * @default ','
   */
  readonly delimiter?: string
  /**
   * Encoding of the file. A character that it does not have is an error; in `utf-8`, that is half of a surrogate pair.
   * @default 'utf-8'
   */
  readonly encoding?: TextEncoding
}

/** Table of the options of {@link CsvOutlet}. */
export const CSV_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  columns: columnNames("undefined - those in the file's header, and for a new file the keys of its first record"),
  extraColumns: word(['error', 'ignore'], 'error'),
  missingColumns: word(['error', 'empty'], 'error'),
  guardFormulas: flag(true),
  delimiter: delimiter(),
  encoding: word(TEXT_ENCODINGS, 'utf-8'),
  ...SERIALIZE_OPTIONS,
  ...TARGET_OPTIONS,
} satisfies Spec<CsvOutletOptions>

/**
 * Writes each record as a row of a CSV file. Payloads are flat objects: strings, numbers, bigints, booleans, dates, what
 * a `toJSON()` makes one of these, values of BSON, and null or undefined, which are empty cells. Any other value is
 * refused, unless the option `serialize` says what to write.
 *
 * Columns go by name: a value is in the column of its key, whatever the order of the keys. A new file gets a header; in
 * an existing file, the header defines the columns. The records of a batch that go to the same file are written at
 * once, or none of them. Outlets that write one file take turns, by whatever path, in the main thread and in the
 * threads of planners.
 *
 * A record can choose its file and mode in its metadata, under {@link CsvOutlet.CSV_FILE} and
 * {@link CsvOutlet.FILE_MODE}. It can only choose files in `baseFolder`. Names are taken as they are: no `.csv` is
 * added.
 */
export class CsvOutlet extends Outlet {
  /** Metadata key: path of the file to write to. A relative path starts from `baseFolder`. */
  static readonly CSV_FILE: MetadataKey = 'CsvOutlet.CSV_FILE'
  /** Metadata key: `a` or `w`, see `fileMode`. */
  static readonly FILE_MODE: MetadataKey = 'CsvOutlet.FILE_MODE'

  /** Whether payloads are only read: not where a class that extends this one has a push of its own. */
  override readonly readsOnly: boolean
  override readonly replacesContent: boolean
  readonly #filepath: string
  readonly #style: CsvStyle
  readonly #targets: Targets
  /** Code of the pushes, once it is loaded. */
  #code: typeof import('./bytes.js') | undefined

  /**
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: CsvOutletOptions = {}) {
    const settings = resolveOptions('CsvOutlet', options, CSV_OUTLET_OPTIONS)
    super(options)
    const { columns, delimiter, encoding, guardFormulas } = settings
    const format = {
      delimiter,
      guardFormulas,
      ignoreExtraColumns: settings.extraColumns === 'ignore',
      allowMissingColumns: settings.missingColumns === 'empty',
      serialize: settings.serialize,
    }
    // which keys are left out is known later, and what they hold is not looked at
    const isLate = format.ignoreExtraColumns && columns === undefined
    // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
    this.readsOnly = Object.is(this.push, CsvOutlet.prototype.push) && !isLate
    this.replacesContent = settings.fileMode === 'w'
    this.#filepath = filepath
    this.#style = { columns, dialect: { delimiter, encoding }, format, streams: new Map() }
    const keys = { path: CsvOutlet.CSV_FILE, mode: CsvOutlet.FILE_MODE }
    this.#targets = new Targets('CsvOutlet', keys, filepath, settings)
  }

  override async onStart(): Promise<void> {
    await this.#load()
    this.#targets.start()
  }

  /**
   * Writes a batch.
   *
   * @throws {@link FileError} when a file cannot be written, or has other columns; it is then as it was before, or
   * empty where it had to be replaced in place (see `fileMode`)
   * @throws {@link InvalidPayloadError} on a payload that does not fit; then nothing is written to its file
   * @throws {@link PartialPushError} when only some of several files were written
   */
  async push(records: Record[], update: Update): Promise<void> {
    // an outlet that was not started waits for its code, and payloads may change meanwhile
    const isLate = this.#code === undefined
    const kept = isLate ? records.map(copied) : records
    const { takeRows, withRows, csvBytes, noteWritten } = this.#code ?? (await this.#load())
    // before the first wait: the payloads are no copies
    const rows = takeRows(kept, this.#style)
    const targets = await this.#targets.group(records, update)
    await this.#targets.write(
      withRows(targets, rows),
      update,
      (target, added) => csvBytes(target, this.#style, added),
      (target, isKept) => noteWritten(target, isKept, this.#style),
    )
  }

  /** With `whenEmpty: 'clear'`, leaves the header alone in the outlet's own file. */
  override onEmptyTransfer(update: Update): void | Promise<void> {
    return this.#targets.clearsWhenEmpty ? this.#clear(update) : undefined
  }

  /** Has what a transfer wrote in rounds replace the content of its files. */
  override onLastRound(update: Update, isComplete: boolean): Promise<number> {
    return this.#targets.endRounds(update, isComplete)
  }

  /** Whether what a transfer wrote so far is in its files, and not to replace their content at its end. */
  override keepsRounds(update: Update): boolean {
    return !this.#targets.replaces(update)
  }

  override onShutdown(): Promise<void> {
    return this.#targets.end()
  }

  /** Columns of the pipes that have got a header. */
  override saveState(): unknown {
    const { streams } = this.#style
    return streams.size === 0 ? undefined : [...streams].map(([file, { columns }]) => [file, columns])
  }

  /** Takes note of the pipes that another instance has written to, unless this one has other columns. */
  override restoreState(state: unknown): void {
    const { columns: own, streams } = this.#style
    for (const entry of Array.isArray(state) ? (state as unknown[]) : []) {
      const [file, columns] = Array.isArray(entry) ? (entry as unknown[]) : []
      if (typeof file !== 'string' || !isColumns(columns)) continue
      if (own === undefined || isDeepStrictEqual(own, columns)) {
        streams.set(file, { columns, quoted: false, endsLine: true })
      }
    }
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  async #clear(update: Update): Promise<void> {
    const { csvBytesOfNone } = await this.#load()
    const targets = [await this.#targets.ofNone()]
    await this.#targets.write(targets, update, (target) => csvBytesOfNone(target, this.#style))
  }

  /** Loads the code of pushes at the first start: every thread loads the outlet, and most threads run none. */
  async #load(): Promise<typeof import('./bytes.js')> {
    if (this.#code !== undefined) return this.#code
    const code = await importLater(importBytes)
    code.loadLibrary()
    return (this.#code = code)
  }
}

/** Record with a copy of its payload, if that can be copied: if not, it is mostly no row. */
function copied(record: Record): Record {
  try {
    return record.with({ payload: copyPayload(record.payload) })
  } catch {
    return record
  }
}

function isColumns(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}
