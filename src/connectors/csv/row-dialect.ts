import type { TextUnits } from '../files/text-units.js'
import type { RowParser } from './row-parser.js'

/** Dialect of a file, as far as rows go by it. */
export interface RowDialect {
  readonly units: TextUnits
  readonly delimiter: string
  readonly parser: RowParser
}
