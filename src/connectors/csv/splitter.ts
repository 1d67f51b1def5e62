import type { Buffer } from 'node:buffer'
import { lazy } from '../../base/libraries.js'
import type { TextEncoding } from '../files/text-encoding.js'
import type { CsvColumns, CsvRow } from './columns.js'
import { ScanState, scanRow, type ScannedRow } from './row-scanner.js'
import type { Cut, Piece, Splitter } from '../files/splitter.js'
import { fits, markLength, unitsOf, withoutReturn, type TextUnits } from '../files/text-units.js'

const csvParse = lazy<typeof import('csv-parse/sync')>('csv-parse/sync')

export interface CsvRules {
  readonly encoding: TextEncoding
  /** What stands between cells: one ASCII character. */
  readonly delimiter: string
  /** Whether the first row of a file names the columns. */
  readonly header: boolean
  readonly columns: CsvColumns
  /** Most bytes of a row, without its line end. */
  readonly maxRowLength: number
  readonly badRows: 'error' | 'skip'
}

/** What is known of a CSV file at a place between two rows. */
export interface CsvState {
  /** Number of the line that starts there, from 1. */
  readonly line: number
  /** Names of the columns; `null` before the header. */
  readonly names: readonly string[] | null
  /** Where the scan stands in a row that is too long, whose rest is skipped; `null` in no such row. */
  readonly inLongRow: ScanState | null
}

/** A row as it stands in the file. */
interface RawRow {
  readonly start: number
  readonly end: number
  readonly next: number
  /** Line on which it starts. */
  readonly line: number
  /** Line on which the next row starts. */
  readonly nextLine: number
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** A {@link Cut} in the making. */
type Progress = Mutable<CsvState> & Omit<Mutable<Cut<CsvRow, CsvState>>, 'records' | 'state'> & { records: CsvRow[] }

/** Cuts a CSV file into rows, and makes objects of them. Empty lines are no rows. */
export class CsvSplitter implements Splitter<CsvRow, CsvState> {
  readonly noun = 'rows'
  readonly initial: CsvState
  readonly #rules: CsvRules
  readonly #units: TextUnits
  readonly #delimiter: number

  constructor(rules: CsvRules) {
    this.#rules = rules
    this.#units = unitsOf(rules.encoding)
    this.#delimiter = rules.delimiter.charCodeAt(0)
    this.initial = { line: 1, names: rules.header ? null : (rules.columns.rules.names ?? []), inLongRow: null }
  }

  isState(value: unknown): value is CsvState {
    if (typeof value !== 'object' || value === null) return false
    const { line, names, inLongRow } = value as { readonly [key in keyof CsvState]?: unknown }
    return (
      Number.isSafeInteger(line) &&
      (names === null || (Array.isArray(names) && names.every((name) => typeof name === 'string'))) &&
      (inLongRow === null || Object.values<unknown>(ScanState).includes(inLongRow))
    )
  }

  split({ bytes, position, state, last, max }: Piece<CsvState>): Cut<CsvRow, CsvState> {
    const used = position === 0 ? markLength(bytes, this.#units) : 0
    const progress: Progress = { ...state, records: [], used, problem: undefined, damaged: 0, damage: undefined }
    while (progress.records.length < max && progress.problem === undefined) {
      if (progress.inLongRow !== null && !this.#skipLongRow(bytes, progress, progress.inLongRow)) break
      const before = progress.used
      const wanted = progress.names === null ? 1 : max - progress.records.length
      const { rows, tooLong } = this.#findRows(bytes, progress, wanted, last)
      if (!this.#takeRows(bytes, rows, progress)) break
      if (tooLong) this.#refuseLongRow(progress)
      else if (progress.used === before) break
    }
    const { line, names, inLongRow, ...cut } = progress
    return { ...cut, state: { line, names, inLongRow } }
  }

  /** The rows that come next, at most `max`, and whether one that is too long comes after them. */
  #findRows(bytes: Buffer, progress: Progress, max: number, last: boolean) {
    const rows: RawRow[] = []
    let { used: start, line } = progress
    while (rows.length < max) {
      const found = this.#scan(bytes, start, ScanState.CELL)
      const end = withoutReturn(
        bytes,
        start,
        found.next === undefined ? bytes.length : found.next - this.#units.size,
        this.#units,
      )
      if (end - start > this.#rules.maxRowLength) return { rows, tooLong: true }
      if (found.next === undefined && !(last && start < bytes.length)) break
      const next = found.next ?? bytes.length
      const nextLine = line + found.lines
      rows.push({ start, end, next, line, nextLine })
      start = next
      line = nextLine
    }
    return { rows, tooLong: false }
  }

  /** @returns whether all were taken or passed over */
  #takeRows(bytes: Buffer, rows: readonly RawRow[], progress: Progress): boolean {
    const full = rows.filter(({ start, end }) => end > start)
    const parsed = this.#parse(bytes, full)
    const fit = this.#fit(bytes, full)
    let index = 0
    for (const row of rows) {
      if (row.end > row.start) {
        const cells = parsed[index++] as readonly string[] | string
        const refused = progress.names === null ? this.#takeHeader(cells, progress) : this.#takeRow(cells, progress)
        if (refused !== undefined && !this.#passOver(`line ${row.line}${refused}`, progress)) return false
        if (refused === undefined && !fit && !this.#fit(bytes, [row])) {
          progress.damaged++
          progress.damage ??= `line ${row.line} has bytes that are not ${this.#rules.encoding}`
        }
      }
      progress.used = row.next
      progress.line = row.nextLine
    }
    return true
  }

  /** Whether all bytes from the first row to the last are of the encoding. */
  #fit(bytes: Buffer, rows: readonly RawRow[]): boolean {
    const [first, last] = [rows[0], rows.at(-1)]
    return first === undefined || last === undefined || fits(bytes, first.start, last.end, this.#units)
  }

  /** @returns what is wrong with it */
  #takeHeader(cells: readonly string[] | string, progress: Progress): string | undefined {
    const names = typeof cells === 'string' ? cells : this.#rules.columns.named(cells)
    if (typeof names === 'string') return names
    progress.names = names
    return undefined
  }

  /** @returns what is wrong with it */
  #takeRow(cells: readonly string[] | string, progress: Progress): string | undefined {
    const row = typeof cells === 'string' ? cells : this.#rules.columns.toObject(progress.names ?? [], cells)
    if (typeof row === 'string') return row
    progress.records.push(row)
    return undefined
  }

  /** @returns whether a row may be passed over. A header may not: the names of the columns would be values. */
  #passOver(what: string, progress: Progress): boolean {
    if (this.#rules.badRows === 'error' || progress.names === null) {
      progress.problem = what
      return false
    }
    progress.damaged++
    progress.damage ??= what
    return true
  }

  #refuseLongRow(progress: Progress): void {
    const what = `line ${progress.line}: the row is longer than maxRowLength, which is ${this.#rules.maxRowLength} bytes`
    if (this.#passOver(what, progress)) progress.inLongRow = ScanState.CELL
  }

  /** @returns whether the end of the row was found */
  #skipLongRow(bytes: Buffer, progress: Progress, from: ScanState): boolean {
    const { next, lines, state } = this.#scan(bytes, progress.used, from)
    progress.line += lines
    progress.used = next ?? bytes.length - (bytes.length % this.#units.size)
    progress.inLongRow = next === undefined ? state : null
    return next !== undefined
  }

  #scan(bytes: Buffer, at: number, state: ScanState): ScannedRow {
    return scanRow(bytes, at, state, this.#delimiter, this.#units)
  }

  /** The cells of rows, or what is wrong with a row. */
  #parse(bytes: Buffer, rows: readonly RawRow[]): (readonly string[] | string)[] {
    const first = rows[0]
    if (first === undefined) return []
    try {
      const all = this.#parseText(bytes, first.start, rows.at(-1)?.end ?? first.end)
      if (all.length === rows.length) return all
    } catch {
      // one of them is bad: which one shows below
    }
    return rows.map(({ start, end }) => {
      try {
        const [cells, more] = this.#parseText(bytes, start, end)
        return cells === undefined || more !== undefined ? ': it is no row' : cells
      } catch (error) {
        return `: ${reason(error)}`
      }
    })
  }

  #parseText(bytes: Buffer, start: number, end: number): string[][] {
    return csvParse().parse(bytes.toString(this.#rules.encoding, start, end), {
      delimiter: this.#rules.delimiter,
      record_delimiter: ['\n', '\r\n'],
      relax_column_count: true,
      // empty lines between rows
      skip_empty_lines: true,
    })
  }
}

/** What is wrong with a row. The library's own message would show what is in it. */
function reason(error: unknown): string {
  switch (error instanceof csvParse().CsvError ? error.code : undefined) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is not closed'
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'something follows a closing quote'
    case 'INVALID_OPENING_QUOTE':
      return 'there is a quote in a cell that does not start with one'
    default:
      return 'it cannot be parsed'
  }
}
