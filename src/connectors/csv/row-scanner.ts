import type { Buffer } from 'node:buffer'
import { afterReturn, NEWLINE, RETURN } from '../files/line-ends.js'
import { unitAt, type TextUnits } from '../files/text-units.js'

/** Place of a scan within a row: at the start of a cell, in a bare cell, in quotes, or just behind a quote in quotes. */
const CELL = 0
const BARE = 1
const QUOTED = 2
const QUOTE_IN_QUOTES = 3

/** Result of {@link scanRow}. */
export interface ScannedRow {
  /** End of the row, without its line end; the end of the bytes when the end of the row is missing. */
  readonly end: number
  /** Start of the next row; `undefined` when the end of this row is missing, or half its line end. */
  readonly next: number | undefined
  /** Number of line ends that were scanned. */
  readonly lines: number
  /** Whether the scan ended within quotes. */
  readonly quoted: boolean
  /** Whether something follows a closing quote in its cell. */
  readonly broken: boolean
  /** Whether the line end of the row is a carriage return alone, as far as that shows. */
  readonly isReturn: boolean
}

export const QUOTE = 0x22

/**
 * Finds the end of a row of CSV: the first line end outside quotes. (The library that parses rows needs to see what
 * follows a row, so it would hold the last one back until the file grows.)
 *
 * @param delimiter - character code of the delimiter of cells
 */
export function scanRow(bytes: Buffer, start: number, delimiter: number, units: TextUnits): ScannedRow {
  const { size } = units
  let state = CELL
  let lines = 0
  let broken = false
  const end = bytes.length - (bytes.length % size)
  for (let at = start; at < end; at += size) {
    const unit = size === 1 ? (bytes[at] as number) : unitAt(bytes, at, units)
    if (unit === NEWLINE) {
      lines++
      if (state !== QUOTED) return { end: at, next: at + size, lines, quoted: false, broken, isReturn: false }
    } else if (unit === QUOTE) {
      if (state === CELL || state === QUOTE_IN_QUOTES) state = QUOTED
      else if (state === QUOTED) state = QUOTE_IN_QUOTES
    } else if (unit === RETURN) {
      lines++
      const next = afterReturn(bytes, at, units)
      if (state !== QUOTED) {
        return { end: at, next, lines, quoted: false, broken, isReturn: next === undefined || next === at + size }
      }
      at = (next ?? at + size) - size
    } else if (state !== QUOTED) {
      if (unit === delimiter) state = CELL
      else {
        broken ||= state === QUOTE_IN_QUOTES
        state = BARE
      }
    }
  }
  return { end: bytes.length, next: undefined, lines, quoted: state === QUOTED, broken, isReturn: false }
}
