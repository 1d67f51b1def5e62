import { InvalidOptionError } from '../../../base/errors.js'
import { custom, resolveOptions, word, type Spec } from '../../../base/options.js'
import { OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../../core/outlet.js'
import { SERIALIZE_OPTIONS, type Serialize, type SerializeOptions } from '../../serialize.js'
import {
  POSTGRES_CONNECTION_OPTIONS,
  resolveConnection,
  type PostgresConnectionOptions,
  type PostgresConnectionSettings,
} from '../connection-options.js'
import { checkColumns, checkTable, type PostgresTable, type TableName } from '../identifiers.js'

/** Metadata key: table to write to. */
export const TABLE_KEY: MetadataKey = 'PostgresOutlet.POSTGRES_TABLE'

/**
 * Ways in which {@link PostgresOutlet} writes: `insert` adds rows, `upsert` replaces the values of the row with the
 * same keys, and `copy` adds rows by COPY, which is the fastest for many; with keys it replaces as `upsert` does.
 */
export type PostgresMode = 'insert' | 'upsert' | 'copy'
const MODES: readonly PostgresMode[] = ['insert', 'upsert', 'copy']

/** What becomes of fields for which the table has no column: their records are refused, or the fields are dropped. */
export type PostgresExtraColumns = 'refuse' | 'drop'
const EXTRA: readonly PostgresExtraColumns[] = ['refuse', 'drop']

/** What a string is for a column of the type `json` or `jsonb`: a value, or the text of one. */
export type PostgresJsonStrings = 'value' | 'text'
const JSON_STRINGS: readonly PostgresJsonStrings[] = ['value', 'text']

/** Options of {@link PostgresOutlet}. */
export interface PostgresOutletOptions extends OutletOptions, SerializeOptions, PostgresConnectionOptions {
  /** Table for records that choose none: `'orders'`, `'shop.orders'` or `{ schema, name }`. Capital letters count. */
  readonly table: PostgresTable
  /**
   * How rows are written: `insert` adds them, `upsert` replaces rows with the same `keys`, `copy` adds many by COPY.
   * @default 'insert'
   */
  readonly mode?: PostgresMode
  /**
   * Columns that identify a row, such as `['id']`; they need a unique index. The mode `upsert` replaces the values of a
   * row with the same keys, and so does `copy`; `insert` leaves such a row as it is. A record whose key is null is
   * refused.
   * @default none
   */
  readonly keys?: readonly string[]
  /**
   * Columns that are written. Fields of records for other columns are extra ones.
   * @default those that the record has
   */
  readonly columns?: readonly string[]
  /**
   * Whether a record with a field for which there is no column is refused, or the field is dropped.
   * @default 'refuse'
   */
  readonly extraColumns?: PostgresExtraColumns
  /**
   * Whether a string for a column of the type json is a value, or the text of a value.
   * @default 'value'
   */
  readonly jsonStrings?: PostgresJsonStrings
}

/** Table of the options of {@link PostgresOutlet}. */
export const POSTGRES_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  table: custom(checkTable),
  mode: word(MODES, 'insert'),
  keys: custom(readColumns, 'none'),
  columns: custom(readColumns, 'those that the record has'),
  extraColumns: word(EXTRA, 'refuse'),
  jsonStrings: word(JSON_STRINGS, 'value'),
  ...SERIALIZE_OPTIONS,
  ...POSTGRES_CONNECTION_OPTIONS,
} satisfies Spec<PostgresOutletOptions>

/** {@link PostgresOutletOptions}, resolved. */
export interface PostgresOutletSettings {
  readonly table: TableName
  readonly mode: PostgresMode
  /** Columns that identify a row; `undefined` when rows are only added. */
  readonly keys: readonly string[] | undefined
  readonly columns: ReadonlySet<string> | undefined
  readonly extraColumns: PostgresExtraColumns
  readonly jsonStrings: PostgresJsonStrings
  readonly serialize?: Serialize | undefined
  readonly connection: PostgresConnectionSettings
}

/**
 * Checks and resolves {@link PostgresOutletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveOutletOptions(options: PostgresOutletOptions): PostgresOutletSettings {
  const read = resolveOptions('PostgresOutlet', options, POSTGRES_OUTLET_OPTIONS)
  const { table, mode, keys, columns, extraColumns, jsonStrings, serialize } = read
  if (mode === 'upsert' && keys === undefined) {
    throw new InvalidOptionError('PostgresOutlet.keys', "a list of columns for the mode 'upsert'", keys)
  }
  const missing = columns && keys?.find((key) => !columns.includes(key))
  if (missing !== undefined) throw new InvalidOptionError('PostgresOutlet.columns', 'all of the keys, too', columns)
  return Object.freeze({
    table,
    mode,
    keys,
    columns: columns && new Set(columns),
    extraColumns,
    jsonStrings,
    serialize,
    connection: resolveConnection('PostgresOutlet', read),
  })
}

function readColumns(name: string, columns: readonly string[] | undefined): readonly string[] | undefined {
  return columns === undefined ? undefined : checkColumns(name, columns)
}
