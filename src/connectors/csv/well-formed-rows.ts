import type { Buffer } from 'node:buffer'
import { NEWLINE, RETURN } from '../files/line-ends.js'
import type { TextUnits } from '../files/text-units.js'
import type { RowReader } from './row-reader.js'
import { QUOTE } from './row-scanner.js'
import type { CsvRow } from './types.js'

/**
 * Bytes of rows, about, that are decoded at once. Each long cell keeps the text alive that it is a part of, so this is
 * also what a cell may hold in memory that somebody keeps alone. Fewer would make slow what more do not make faster.
 */
const BLOCK = 1024

/** Place of a cell that is missing. */
const MISSING = -1

/** Place in a piece, between two rows. */
export interface RowBoundary {
  readonly at: number
  /** Number of the line that begins there. */
  readonly line: number
}

/**
 * Reads rows that are well formed, many times as fast as the library does: whole rows with LF or CRLF at their end, quotes
 * in their places, the right number of cells, and values that fit. It stops before any other row, and leaves it to those
 * who say what is wrong. A block of rows is scanned for the places of its cells, then decoded, then cut.
 */
export class WellFormedRows {
  readonly #units: TextUnits
  readonly #delimiter: number
  readonly #reader: RowReader
  readonly #maxRowLength: number
  /** Whether a character may have more bytes than one. */
  readonly #isUtf8: boolean
  readonly #cells: (string | undefined)[]
  /** Most rows of a block. */
  readonly #mostRows: number
  /** Start and end of each cell in the text of the block. The end of one with quotes in it is inverted. */
  readonly #places: Int32Array

  /**
   * @param units - layout with one byte for an ASCII character
   * @param delimiter - character code of the delimiter of cells
   * @param maxRowLength - most bytes of a row, without its line end
   */
  constructor(units: TextUnits, delimiter: number, reader: RowReader, maxRowLength: number) {
    const columns = reader.names.length
    this.#units = units
    this.#delimiter = delimiter
    this.#reader = reader
    this.#maxRowLength = maxRowLength
    this.#isUtf8 = units.encoding === 'utf-8' || units.encoding === 'utf8'
    this.#cells = reader.names.map(() => undefined)
    // a whole row has at least a byte for each cell
    this.#mostRows = Math.ceil(BLOCK / columns)
    this.#places = new Int32Array(2 * columns * this.#mostRows)
  }

  /**
   * Reads the rows at the start of some bytes, up to the first that is not well formed.
   *
   * @param end - end of the bytes: behind a newline
   * @param max - most rows to read
   * @param records - gets the rows
   */
  read(bytes: Buffer, from: RowBoundary, end: number, max: number, records: CsvRow[]): RowBoundary {
    let here = from
    for (const last = records.length + max; records.length < last;) {
      const { rows, after } = this.#scan(bytes, here, end, Math.min(last - records.length, this.#mostRows))
      if (after.at === here.at) break
      const made = this.#make(this.#units.decode(bytes, here.at, after.at), rows, records)
      if (made < rows) return this.#scan(bytes, here, end, made).after
      here = after
    }
    return here
  }

  /** Scans a block: finds the places of the cells of its rows, at most `max`. */
  #scan(bytes: Buffer, from: RowBoundary, end: number, max: number): { rows: number; after: RowBoundary } {
    const places = this.#places
    const delimiter = this.#delimiter
    const isUtf8 = this.#isUtf8
    const columns = this.#reader.names.length
    const until = Math.min(end, from.at + BLOCK)
    let { at, line } = from
    let after = from
    let rows = 0
    let place = 0
    // the place of a byte in the text is `at - shift`
    let shift = at
    block: while (rows < max && at < until) {
      const start = at
      let unit = bytes[at] as number
      if (unit === RETURN && bytes[at + 1] === NEWLINE) unit = bytes[++at] as number
      if (unit === NEWLINE) {
        after = { at: ++at, line: ++line }
        continue
      }
      let column = 0
      let length = 0
      for (let more = true; more; column++, place += 2) {
        if (column === columns) break block
        if (unit === QUOTE) {
          places[place] = ++at - shift
          let hasQuotes = false
          for (unit = bytes[at] as number; unit !== QUOTE || bytes[at + 1] === QUOTE; unit = bytes[++at] as number) {
            if (at >= end) break block
            if (unit > 0x7f) shift += isUtf8 ? shiftOf(unit) : 0
            else if (unit === NEWLINE) line++
            else if (unit === RETURN && bytes[at + 1] !== NEWLINE) break block
            else if (unit === QUOTE) {
              hasQuotes = true
              at++
            }
          }
          if (at >= end) break block
          places[place + 1] = hasQuotes ? ~(at - shift) : at - shift
          unit = bytes[++at] as number
          if (unit !== delimiter && unit !== NEWLINE && unit !== RETURN) break block
        } else {
          places[place] = at - shift
          while (unit !== delimiter && unit !== NEWLINE && unit !== RETURN) {
            if (unit > 0x7f && isUtf8) shift += shiftOf(unit)
            unit = bytes[++at] as number
          }
          places[place + 1] = at - shift
        }
        length = at - start
        if (unit === RETURN) {
          unit = bytes[++at] as number
          if (unit !== NEWLINE) break block
        }
        more = unit === delimiter
        unit = bytes[++at] as number
      }
      if (length > this.#maxRowLength || (column < columns && !this.#reader.fillsShortRows)) break
      for (; column < columns; column++, place += 2) places[place] = MISSING
      rows++
      after = { at, line: ++line }
    }
    return { rows, after }
  }

  /** Makes records of the rows of a block, up to one whose values do not fit. Returns the number of records. */
  #make(text: string, rows: number, records: CsvRow[]): number {
    const cells = this.#cells
    const places = this.#places
    let place = 0
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < cells.length; column++, place += 2) {
        const start = places[place] as number
        const end = places[place + 1] as number
        if (start === MISSING) cells[column] = undefined
        else cells[column] = end < 0 ? text.slice(start, ~end).replaceAll('""', '"') : text.slice(start, end)
      }
      const record = this.#reader.toObject(cells)
      if (typeof record === 'string') return row
      records.push(record)
    }
    return rows
  }
}

/** Number by which the place of what follows a byte of UTF-8 differs more from its place in the text. */
function shiftOf(byte: number): number {
  if (byte < 0xc0) return 1
  // a character of four bytes is two units of text
  return byte >= 0xf0 ? -1 : 0
}
