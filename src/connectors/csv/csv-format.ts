import type { Serialize } from '../serialize.js'

/** Format in which payloads become rows. */
export interface CsvFormat {
  readonly delimiter: string
  readonly guardFormulas: boolean
  readonly ignoreExtraColumns: boolean
  readonly allowMissingColumns: boolean
  readonly serialize?: Serialize | undefined
}
