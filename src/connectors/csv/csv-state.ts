import type { TextEncoding } from '../files/text-encoding.js'
import type { CsvColumns } from './columns.js'

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
  /** Whether the rest of a line that was too long comes next. */
  readonly inLongLine: boolean
  /** Whether a run of NULs goes on. */
  readonly inNuls?: boolean | undefined
  /** Whether the line before ended in a carriage return, so that a newline that comes next belongs to it. */
  readonly afterReturn?: boolean | undefined
  /** Encoding that the byte order mark of the file tells; `undefined` without a mark. */
  readonly encoding?: TextEncoding | undefined
  /** Delimiter that the first line of the file tells; `undefined` without such a line. */
  readonly delimiter?: string | undefined
}
