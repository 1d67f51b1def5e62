import type { CsvFormat } from '../../csv/csv-format.js'
import type { Serialize } from '../../serialize.js'

/** Formats of objects. */
export type S3OutletFormat = 'jsonl' | 'csv' | 'json' | 'text'

/** How payloads become the content of objects. */
export interface ContentStyle {
  readonly format: S3OutletFormat
  readonly serialize: Serialize | undefined
  readonly csv: CsvFormat
  /** Names of the columns; `undefined` for the keys of the first record of an object. */
  readonly columns: readonly string[] | undefined
}
