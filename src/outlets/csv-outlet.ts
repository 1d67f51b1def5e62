import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { checkBoolean, checkOptions, checkWord } from '../check.js'
import { FileError, InvalidOptionError, show, toError } from '../errors.js'
import { Outlet, type MetadataKey, type OutletOptions } from '../outlet.js'
import type { Record } from '../record.js'
import type { Update } from '../update.js'
import { append } from './append.js'
import { readHeader, type CsvHeader } from './csv-header.js'
import { columnsOf, guarded, headerText, rowsText, type CsvFormat } from './csv-rows.js'
import { TARGET_OPTIONS, Targets, type Target, type TargetOptions } from './targets.js'

export interface CsvOutletOptions extends OutletOptions, TargetOptions {
  /**
   * Names of the columns, in order.
   * @default undefined - those in the file's header, and for a new file the keys of its first record
   */
  readonly columns?: readonly string[]
  /**
   * What to do about a key that is no column: refuse the batch, or leave out the value.
   * @default 'error'
   */
  readonly extraColumns?: 'error' | 'ignore'
  /**
   * Whether a string that starts with `=`, `+`, `-`, `@`, a tab or a carriage return gets an apostrophe in front, so
   * that no spreadsheet runs it as a formula. Numbers stay as they are.
   * @default true
   */
  readonly guardFormulas?: boolean
}

const OPTIONS = ['processors', 'columns', 'extraColumns', 'guardFormulas', ...TARGET_OPTIONS] as const

/**
 * Writes each record as a row of a CSV file, in UTF-8. Payloads are flat objects: strings, numbers, bigints, booleans,
 * dates, and null or undefined, which are empty cells.
 *
 * Columns go by name: a value stands in the column of its key, whatever the order of the keys. A new file gets a
 * header; in a file that is there, the header says which columns there are. The records of a batch that go to the
 * same file are written at once, or none of them.
 *
 * A record can choose its file and mode in its metadata, under {@link CsvOutlet.CSV_FILE} and
 * {@link CsvOutlet.FILE_MODE}. It can only choose files in `baseFolder`. The names are taken as they are: no `.csv` is
 * added.
 */
export class CsvOutlet extends Outlet {
  /** Metadata: path of the file to write to. A relative one starts from `baseFolder`. */
  static readonly CSV_FILE: MetadataKey = 'CsvOutlet.CSV_FILE'
  /** Metadata: `a` or `w`, see `fileMode`. */
  static readonly FILE_MODE: MetadataKey = 'CsvOutlet.FILE_MODE'

  readonly #filepath: string
  readonly #columns: readonly string[] | undefined
  readonly #format: CsvFormat
  readonly #targets: Targets

  /**
   * @param filepath - file of the records that choose none
   * @throws {@link InvalidOptionError}
   */
  constructor(filepath: string, options: CsvOutletOptions = {}) {
    super(checkOptions('CsvOutlet', options, OPTIONS))
    const keys = { path: CsvOutlet.CSV_FILE, mode: CsvOutlet.FILE_MODE }
    const extra = checkWord('CsvOutlet.extraColumns', options.extraColumns, ['error', 'ignore'], 'error')
    this.#filepath = filepath
    this.#columns = checkColumns(options.columns)
    this.#format = {
      guardFormulas: checkBoolean('CsvOutlet.guardFormulas', options.guardFormulas, true),
      ignoreExtraColumns: extra === 'ignore',
    }
    this.#targets = new Targets('CsvOutlet', keys, filepath, options)
  }

  /**
   * @throws {@link FileError} when a file cannot be written, or has other columns
   * @throws {@link InvalidPayloadError} on a payload that does not fit; nothing is written to its file then
   */
  async push(records: Record[], update: Update): Promise<void> {
    const targets = await this.#targets.group(records)
    await this.#targets.each(targets, async (target) => {
      const header = target.truncate ? undefined : await this.#readHeader(target.file)
      const text = this.#toText(target, header)
      update.signal.throwIfAborted()
      await append('CsvOutlet', target.file, Buffer.from(text), target.truncate)
    })
  }

  override saveState(): unknown {
    return undefined
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#filepath})`
  }

  /** What is to be added to a file, whose header is given if it has one. */
  #toText(target: Target<unknown>, header: CsvHeader | undefined): string {
    const payloads = target.records.map((record) => record.payload)
    if (header !== undefined) {
      return `${header.endsLine ? '' : '\n'}${rowsText(payloads, header.columns, this.#format)}`
    }
    const columns = this.#columns ?? columnsOf(payloads[0])
    return headerText(columns, this.#format) + rowsText(payloads, columns, this.#format)
  }

  async #readHeader(file: string): Promise<CsvHeader | undefined> {
    try {
      const header = await readHeader(file)
      if (header !== undefined) this.#checkHeader(header.columns)
      return header
    } catch (cause) {
      throw new FileError(file, `CsvOutlet: cannot add to ${file}: ${toError(cause).message}`, { cause })
    }
  }

  #checkHeader(names: readonly string[]): void {
    const wanted = this.#columns
    if (new Set(names).size !== names.length) throw new Error('its header has a name twice')
    if (wanted === undefined) return
    const sorted = (list: readonly string[]) => guarded(list, this.#format).toSorted()
    if (!isDeepStrictEqual(sorted(wanted), sorted(names))) {
      throw new Error(`it has the columns ${show(names)}, not ${show(wanted)}`)
    }
  }
}

function checkColumns(columns: unknown): readonly string[] | undefined {
  if (columns === undefined) return undefined
  if (!isNameList(columns) || columns.length === 0 || new Set(columns).size !== columns.length) {
    throw new InvalidOptionError('CsvOutlet.columns', 'a list of different names', columns)
  }
  return Object.freeze([...columns])
}

function isNameList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
}
