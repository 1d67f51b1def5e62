import type { Buffer } from 'node:buffer'
import type { TextUnits } from '../files/text-units.js'

/** Where in a row a scan stands: at the start of a cell, in a bare one, in quotes, or just behind a quote in quotes. */
export const ScanState = { CELL: 0, BARE: 1, QUOTED: 2, QUOTE: 3 } as const
export type ScanState = (typeof ScanState)[keyof typeof ScanState]

/** What {@link scanRow} found. */
export interface ScannedRow {
  /** Where the next row starts, `undefined` when the end of this one is not there. */
  readonly next: number | undefined
  /** Lines that begin in what was scanned. */
  readonly lines: number
  /** Where the scan stands if there is no end. */
  readonly state: ScanState
}

const QUOTE = 0x22
const NEWLINE = 0x0a

/**
 * Finds the end of a row of CSV: the first newline that stands in no quotes. (The library that parses rows needs to see
 * what follows a row, so it would hold the last one back until the file grows.)
 *
 * @param delimiter - character code of what stands between cells
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
