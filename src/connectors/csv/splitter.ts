import type { Buffer } from 'node:buffer'
import type { TextEncoding } from '../files/text-encoding.js'
import type { CsvColumns, CsvRow } from './columns.js'
import { RowParser } from './row-parser.js'
import { ScanState, scanRow, type ScannedRow } from './row-scanner.js'
import type { Cut, Piece, Splitter } from '../files/splitter.js'
import { fits, markLength, unitsOf, withoutReturn, type TextUnits } from '../files/text-units.js'

/** Rules by which a CSV file is read. */
export interface CsvRules {
  readonly encoding: TextEncoding
  /** Character between cells: one ASCII character. */
  readonly delimiter: string
  /** Whether the first row of a file names the columns. */
  readonly header: boolean
  readonly columns: CsvColumns
  /** Most bytes of a row, without its line end. */
  readonly maxRowLength: number
  readonly badRows: 'error' | 'skip'
}

/** State of a CSV file at a place between two rows. */
export interface CsvState {
  /** Number of the line that starts at this place, from 1. */
  readonly line: number
  /** Names of the columns; `null` before the header. */
  readonly names: readonly string[] | null
  /** Place of the scan within a row that is too long, whose rest is skipped; `null` outside such a row. */
  readonly inLongRow: ScanState | null
}

/** Place of a row in the bytes. */
interface RawRow {
  readonly start: number
  readonly end: number
  readonly next: number
  /** Number of the line on which the row starts. */
  readonly line: number
  /** Number of the line on which the next row starts. */
  readonly nextLine: number
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** {@link Cut} in the making. */
type Progress = Mutable<CsvState> & Omit<Mutable<Cut<CsvRow, CsvState>>, 'records' | 'state'> & { records: CsvRow[] }

/** Cuts a CSV file into rows, and makes objects of them. Empty lines are not rows. */
export class CsvSplitter implements Splitter<CsvRow, CsvState> {
  readonly noun = 'rows'
  readonly initial: CsvState
  readonly #rules: CsvRules
  readonly #units: TextUnits
  readonly #delimiter: number
  readonly #parser: RowParser

  constructor(rules: CsvRules) {
    this.#rules = rules
    this.#units = unitsOf(rules.encoding)
    this.#delimiter = rules.delimiter.charCodeAt(0)
    this.#parser = new RowParser(rules.encoding, rules.delimiter)
    this.initial = { line: 1, names: rules.header ? null : (rules.columns.rules.names ?? []), inLongRow: null }
  }

  load(): void {
    this.#parser.load()
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

  /** Finds the next rows, at most `max`, and whether a row that is too long follows them. */
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

  /**
   * Takes rows as records.
   *
   * @returns whether all rows were taken or skipped
   */
  #takeRows(bytes: Buffer, rows: readonly RawRow[], progress: Progress): boolean {
    const full = rows.filter(({ start, end }) => end > start)
    const parsed = this.#parser.parse(bytes, full)
    const fit = this.#fit(bytes, full)
    let index = 0
    for (const row of rows) {
      if (row.end > row.start) {
        const cells = parsed[index++] as readonly string[] | string
        const refused = progress.names === null ? this.#takeHeader(cells, progress) : this.#takeRow(cells, progress)
        if (refused !== undefined && !this.#skip(`line ${row.line}${refused}`, progress)) return false
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

  /** Takes a row as the header. Returns what is wrong with it. */
  #takeHeader(cells: readonly string[] | string, progress: Progress): string | undefined {
    const names = typeof cells === 'string' ? cells : this.#rules.columns.named(cells)
    if (typeof names === 'string') return names
    progress.names = names
    return undefined
  }

  /** Takes a row as a record. Returns what is wrong with it. */
  #takeRow(cells: readonly string[] | string, progress: Progress): string | undefined {
    const row = typeof cells === 'string' ? cells : this.#rules.columns.toObject(progress.names ?? [], cells)
    if (typeof row === 'string') return row
    progress.records.push(row)
    return undefined
  }

  /** Skips a row, if it may be skipped. A header may not: the names of the columns would be values. */
  #skip(what: string, progress: Progress): boolean {
    if (this.#rules.badRows === 'error' || progress.names === null) {
      progress.problem = what
      return false
    }
    progress.damaged++
    progress.damage ??= what
    return true
  }

  /** Skips a row that is too long, if it may be skipped; its rest is skipped once it is there. */
  #refuseLongRow(progress: Progress): void {
    const what = `line ${progress.line}: the row is longer than maxRowLength, which is ${this.#rules.maxRowLength} bytes`
    if (this.#skip(what, progress)) progress.inLongRow = ScanState.CELL
  }

  /** Skips the rest of a row that is too long. Returns whether its end was found. */
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
}
