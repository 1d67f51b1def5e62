import type { Buffer } from 'node:buffer'
import { endOfNuls } from '../files/nul-run.js'
import type { RowDialect } from './row-dialect.js'
import { scanRow } from './row-scanner.js'

/** Place of a row in the bytes. */
export interface RawRow {
  readonly start: number
  readonly end: number
  readonly next: number
  /** Number of the line on which the row starts. */
  readonly line: number
  /** Number of the line on which the next row starts. */
  readonly nextLine: number
  /** Whether its line end is a carriage return alone. */
  readonly isReturn: boolean
  /** Whether something follows a closing quote. */
  readonly broken: boolean
}

/** Rows that were found, and what is wrong with the one after them. */
export interface FoundRows {
  readonly rows: readonly RawRow[]
  readonly tooLong: string | undefined
}

/** Place from which on rows are looked for, and by which rules. */
export interface RowSearch {
  readonly bytes: Buffer
  /** Whether nothing follows the bytes. */
  readonly last: boolean
  /** Whether there may be NULs in the bytes. */
  readonly hasNul: boolean
  readonly dialect: RowDialect
  /** Most bytes of a row, without its line end. */
  readonly maxRowLength: number
  readonly start: number
  readonly line: number
  /** Whether the line before ended in a carriage return alone. */
  readonly afterReturn: boolean
}

/** Finds the next rows, at most `max`, and whether a row that is too long follows them. */
export function findRows(search: RowSearch, max: number): FoundRows {
  const { bytes, last, hasNul, dialect, maxRowLength } = search
  const { units } = dialect
  const delimiter = dialect.delimiter.charCodeAt(0)
  const rows: RawRow[] = []
  let { start, line, afterReturn } = search
  while (rows.length < max && start < bytes.length) {
    if (hasNul && rows.length > 0 && endOfNuls(bytes, start, units) > start) break
    const scanned = scanRow(bytes, start, delimiter, units)
    const { end, next: found, lines, quoted, isReturn, broken } = scanned
    // half of a character may have come so far
    if (end - start - ((end - start) % units.size) > maxRowLength) {
      const reason = quoted ? ', with a quote that is not closed' : ''
      return { rows, tooLong: `: the row is longer than maxRowLength, which is ${maxRowLength} bytes${reason}` }
    }
    // a carriage return at the end may be half a line end, unless the lines of the file end so
    const isHalf = found === undefined && isReturn
    if (found === undefined && !last && !(isHalf && afterReturn && end > start)) break
    // a row that cannot be parsed with others stands alone
    if (broken && rows.length > 0) break
    const next = found ?? (isHalf ? end + units.size : bytes.length)
    const nextLine = line + lines
    rows.push({ start, end, next, line, nextLine, isReturn, broken })
    if (broken) break
    start = next
    line = nextLine
    afterReturn = isReturn
  }
  return { rows, tooLong: undefined }
}
