import type { Buffer } from 'node:buffer'
import { guessUtf16 } from '../unicode.js'
import { LineEnds, NEWLINE, withoutNewline } from '../files/line-ends.js'
import { endOfNuls } from '../files/nul-run.js'
import type { Cut, Piece } from '../files/splitter.js'
import { unitAt, type TextUnits } from '../files/text-units.js'
import { otherDelimiter } from './delimiter.js'
import { findRows, type RawRow, type RowSearch } from './find-rows.js'
import type { RowDialect } from './row-dialect.js'
import { holdsRows } from './rows-in-row.js'
import { QUOTE } from './row-scanner.js'
import type { CsvRules, CsvState } from './csv-state.js'
import type { CsvRow } from './types.js'
import { WellFormedRows } from './well-formed-rows.js'

/** Number of rows below which it does not pay to look for well-formed ones. */
const FEW = 16

const BROKEN = ': something follows a closing quote'

/**
 * Cuts a piece of a CSV file into rows. A bad row that may be skipped ends with its first line when its quotes are
 * wrong, or it is too long, or two lines within are rows: a quote too many would make one row of all that follows.
 */
export class RowCutter {
  readonly #rules: CsvRules
  readonly #dialect: RowDialect
  readonly #units: TextUnits
  readonly #bytes: Buffer
  readonly #position: number
  readonly #state: CsvState
  readonly #last: boolean
  /** Whether there may be NULs in the bytes. */
  readonly #hasNul: boolean
  readonly #ends: LineEnds
  /** End of the bytes in which rows may be well formed; 0 when that cannot be said of any. */
  readonly #wholeEnd: number
  /** Reader of the rows that are well formed; `undefined` before the header. */
  #wellFormed: WellFormedRows | undefined
  /** Number of rows that the library looks at, once one is not well formed. */
  #wary = 1
  readonly #records: CsvRow[] = []
  #used: number
  #line: number
  #names: readonly string[] | null
  #inLongLine: boolean
  #inNuls: boolean
  #afterReturn: boolean
  #problem: string | undefined
  #damaged = 0
  #damage: string | undefined

  constructor(rules: CsvRules, dialect: RowDialect, { bytes, position, state, last }: Omit<Piece<CsvState>, 'max'>) {
    this.#rules = rules
    this.#dialect = dialect
    this.#units = dialect.units
    this.#bytes = bytes
    this.#position = position
    this.#state = state
    this.#last = last
    this.#hasNul = dialect.units.size === 2 || state.inNuls === true || bytes.includes(0)
    this.#ends = new LineEnds(bytes, dialect.units, true)
    const newline = dialect.units.size === 1 && !this.#hasNul ? bytes.lastIndexOf(NEWLINE) + 1 : 0
    this.#wholeEnd = dialect.units.fits(bytes, 0, newline) ? newline : 0
    this.#used = state.afterReturn === true ? withoutNewline(bytes, 0, dialect.units) : 0
    this.#line = state.line
    this.#names = state.names
    this.#inLongLine = state.inLongLine
    this.#inNuls = state.inNuls ?? false
    this.#afterReturn = state.afterReturn === true && this.#used === 0
  }

  cut(max: number): Cut<CsvRow, CsvState> {
    while (this.#records.length < max && this.#problem === undefined) {
      if (this.#inLongLine && !this.#skipLine()) break
      if (this.#hasNul && !this.#skipNuls()) break
      const before = this.#used
      this.#takeWellFormed(max)
      const { rows, tooLong } = findRows(this.#place, Math.min(max - this.#records.length, this.#atOnce))
      if (!this.#takeRows(rows)) continue
      if (tooLong !== undefined) this.#skipLongRow(tooLong)
      else if (this.#used === before) break
    }
    const state: CsvState = {
      line: this.#line,
      names: this.#names,
      inLongLine: this.#inLongLine,
      inNuls: this.#inNuls,
      afterReturn: this.#afterReturn,
      encoding: this.#state.encoding,
      delimiter: this.#state.delimiter,
    }
    return {
      records: this.#records,
      used: this.#used,
      state,
      problem: this.#problem,
      damaged: this.#damaged,
      damage: this.#damage,
      unsettled: this.#inNuls,
    }
  }

  /** Most rows for the library to look at together. */
  get #atOnce(): number {
    if (this.#names === null) return 1
    if (this.#used >= this.#wholeEnd) return Infinity
    return this.#line === 1 ? 1 : this.#wary
  }

  get #place(): RowSearch {
    return {
      bytes: this.#bytes,
      last: this.#last,
      hasNul: this.#hasNul,
      dialect: this.#dialect,
      maxRowLength: this.#rules.maxRowLength,
      start: this.#used,
      line: this.#line,
      afterReturn: this.#afterReturn,
    }
  }

  /** Takes rows that are well formed, up to the first that is not. */
  #takeWellFormed(max: number): void {
    const names = this.#names
    // the first row may show that the delimiter is another one
    if (names === null || this.#line === 1 || this.#used >= this.#wholeEnd) return
    const { columns, maxRowLength } = this.#rules
    const { delimiter } = this.#dialect
    this.#wellFormed ??= new WellFormedRows(this.#units, delimiter.charCodeAt(0), columns.reader(names), maxRowLength)
    const before = this.#records.length
    const from = { at: this.#used, line: this.#line }
    const { at, line } = this.#wellFormed.read(this.#bytes, from, this.#wholeEnd, max - before, this.#records)
    this.#afterReturn &&= at === this.#used
    this.#used = at
    this.#line = line
    // rows of a kind come together: a file of bad ones is not tried row by row
    this.#wary = this.#records.length - before < FEW ? this.#wary * 2 : 1
  }

  /**
   * Takes rows as records.
   *
   * @returns whether all rows were taken or skipped, and what follows them is to be read
   */
  #takeRows(rows: readonly RawRow[]): boolean {
    const full = rows.filter(({ start, end }) => end > start)
    const parsed = this.#dialect.parser.parse(this.#bytes, full)
    const fit = this.#fit(full)
    for (const row of rows) {
      if (row.end > row.start) {
        const cells = row.broken ? BROKEN : (parsed.next().value as readonly string[] | string)
        if (this.#isOfOtherDelimiter(cells, row)) return false
        const refused = this.#take(cells, row)
        if (refused !== undefined) {
          if (!this.#skip(`line ${row.line}${refused}`)) return false
          if (row.nextLine > row.line + 1 && (typeof cells === 'string' || this.#holdsRows(row))) {
            this.#skipLine()
            return false
          }
        } else if (!fit && !this.#fit([row])) {
          this.#note(`line ${row.line} has bytes that are not ${this.#units.encoding}`)
        }
      }
      this.#used = row.next
      this.#line = row.nextLine
      this.#afterReturn = row.isReturn
    }
    return true
  }

  /** Whether two lines within a row are rows by themselves, see {@link holdsRows}. */
  #holdsRows({ start, end }: RawRow): boolean {
    const names = this.#names
    if (names === null) return false
    return holdsRows(this.#bytes.subarray(start, end), this.#dialect, this.#rules.columns.reader(names))
  }

  /** Whether all bytes from the first row to the last are of the encoding. */
  #fit(rows: readonly RawRow[]): boolean {
    const [first, last] = [rows[0], rows.at(-1)]
    return first === undefined || last === undefined || this.#units.fits(this.#bytes, first.start, last.end)
  }

  /** Takes a row. Returns what is wrong with it. */
  #take(cells: readonly string[] | string, row: RawRow): string | undefined {
    if (this.#hasNul && this.#units.size === 1) {
      const guess = guessUtf16(this.#bytes.subarray(row.start, row.end), false)
      if (guess !== undefined) return ` has NULs as if it were ${guess} rather than ${this.#units.encoding}`
    }
    if (typeof cells === 'string') return cells
    if (this.#names === null) return this.#takeHeader(cells, row)
    const record = this.#rules.columns.reader(this.#names).toObject(cells)
    if (typeof record === 'string') return record
    this.#records.push(record)
    return undefined
  }

  /** Takes a row as the header. Returns what is wrong with it. */
  #takeHeader(cells: readonly string[], row: RawRow): string | undefined {
    const { columns } = this.#rules
    // who names one column wants one
    const other = columns.rules.names?.length === 1 ? undefined : this.#otherDelimiter(cells, row)
    if (other !== undefined) return `: the header has ${other}`
    const names = columns.named(cells)
    if (typeof names === 'string') return names
    this.#names = names
    return undefined
  }

  /** Whether the first row shows that the file has another delimiter. It has then no header to show it. */
  #isOfOtherDelimiter(cells: readonly string[] | string, row: RawRow): boolean {
    if (this.#rules.header || row.line > 1 || (this.#names ?? []).length < 2 || typeof cells === 'string') return false
    const other = this.#otherDelimiter(cells, row)
    if (other !== undefined) this.#problem = `line ${row.line}: the row has ${other}`
    return other !== undefined
  }

  /** Says that a row has another delimiter. What is in quotes is a cell, whatever is in it. */
  #otherDelimiter(cells: readonly string[], { start }: RawRow): string | undefined {
    const isQuoted = unitAt(this.#bytes, start, this.#units) === QUOTE
    return isQuoted ? undefined : otherDelimiter(cells, this.#dialect.delimiter)
  }

  /** Skips a row, if it may be skipped. A header may not: the names of the columns would be values. */
  #skip(what: string): boolean {
    if (this.#rules.badRows === 'error' || this.#names === null) {
      this.#problem = what
      return false
    }
    this.#note(what)
    return true
  }

  #note(what: string): void {
    this.#damaged++
    this.#damage ??= what
  }

  /** Skips the first line of a row that is too long, if it may be skipped. */
  #skipLongRow(what: string): void {
    if (this.#skip(`line ${this.#line}${what}`)) this.#skipLine()
  }

  /** Skips a line, or the rest of it. Returns whether its end was found. */
  #skipLine(): boolean {
    const { size } = this.#units
    const found = this.#ends.find(this.#used)
    const { start } = this.#ends
    const next = found ? (this.#ends.next ?? (this.#last ? start + size : undefined)) : undefined
    this.#inLongLine = next === undefined
    this.#used = next ?? (found ? start : this.#bytes.length - (this.#bytes.length % size))
    this.#afterReturn = next !== undefined && this.#ends.isReturn
    if (next === undefined) return false
    this.#line++
    return true
  }

  /** Skips a run of NULs, which is counted once its end is there. Returns whether what follows can be looked at. */
  #skipNuls(): boolean {
    const end = endOfNuls(this.#bytes, this.#used, this.#units)
    const isOpen = end + this.#units.size > this.#bytes.length && !this.#last
    // what precedes the run is settled, and the run is not
    if (isOpen && this.#used > 0 && end > this.#used) return false
    this.#inNuls ||= end > this.#used
    this.#used = end
    if (!this.#inNuls || isOpen) return true
    this.#note(`NULs before byte ${this.#position + end} are left out`)
    this.#inNuls = false
    return true
  }
}
