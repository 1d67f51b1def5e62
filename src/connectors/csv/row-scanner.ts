import type { Buffer } from 'node:buffer'
import type { TextUnits } from '../files/text-units.js'

/**
 * Place of a scan within a row: at the start of a cell, in a bare cell, in quotes, or just behind a quote in quotes.
 */
export const ScanState = { CELL: 0, BARE: 1, QUOTED: 2, QUOTE: 3 } as const
/** Place of a scan within a row. */
export type ScanState = (typeof ScanState)[keyof typeof ScanState]

/** Result of {@link scanRow}. */
export interface ScannedRow {
  /** Start of the next row; `undefined` when the end of this row is missing. */
  readonly next: number | undefined
  /** Number of newlines that were scanned. */
  readonly lines: number
  /** Place of the scan, if the end of the row is missing. */
  readonly state: ScanState
}

const QUOTE = 0x22
const NEWLINE = 0x0a

/**
 * Finds the end of a row of CSV: the first newline outside quotes. (The library that parses rows needs to see what
 * follows a row, so it would hold the last one back until the file grows.)
 *
 * @param from - place within a row at which the scan begins
 * @param delimiter - character code of the delimiter of cells
 */
export function scanRow(
  bytes: Buffer,
  start: number,
  from: ScanState,
  delimiter: number,
  { size }: TextUnits,
): ScannedRow {
  let state = from
  let lines = 0
  const end = bytes.length - (bytes.length % size)
  for (let at = start; at < end; at += size) {
    let unit = bytes[at] as number
    if (size === 2) unit |= (bytes[at + 1] as number) << 8
    if (unit === NEWLINE) {
      lines++
      if (state !== ScanState.QUOTED) return { next: at + size, lines, state: ScanState.CELL }
    } else if (unit === QUOTE) {
      if (state === ScanState.CELL || state === ScanState.QUOTE) state = ScanState.QUOTED
      else if (state === ScanState.QUOTED) state = ScanState.QUOTE
    } else if (state !== ScanState.QUOTED) {
      state = unit === delimiter ? ScanState.CELL : ScanState.BARE
    }
  }
  return { next: undefined, lines, state }
}
