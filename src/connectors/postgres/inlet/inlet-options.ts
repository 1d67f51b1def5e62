import type { Duration } from '../../../base/duration.js'
import { InvalidOptionError, sortOf } from '../../../base/errors.js'
import {
  count,
  custom,
  flag,
  given,
  optionalTime,
  resolveOptions,
  type Resolved,
  type Spec,
} from '../../../base/options.js'
import { isSecret, revealed } from '../../../base/secret.js'
import { INLET_OPTIONS, type InletOptions } from '../../../core/inlet.js'
import {
  POSTGRES_CONNECTION_OPTIONS,
  resolveConnection,
  type PostgresConnectionOptions,
  type PostgresConnectionSettings,
} from '../connection-options.js'
import { checkColumn, checkColumns, checkTable, type PostgresTable, type TableName } from '../identifiers.js'
import { checkTypes, type PostgresTypes, type TypeSettings } from './type-options.js'

/** Options of {@link PostgresInlet}. */
export interface PostgresInletOptions extends InletOptions, PostgresConnectionOptions {
  /**
   * Table or view to read, such as `'orders'` or `'shop.orders'`. Either this or `query` is needed.
   * @default undefined
   */
  readonly table?: PostgresTable
  /**
   * Query to read, such as `SELECT * FROM orders WHERE region = $1`. With a `cursorColumn`, it is a part of a longer query.
   * @default undefined
   */
  readonly query?: string
  /**
   * Values of `$1`, `$2` and so on in the `query` or in `where`. They are sent apart from its text.
   * @default []
   */
  readonly parameters?: readonly unknown[]
  /**
   * Columns of the table to read. With a `cursorColumn`, they must include it and the `keys`.
   * @default all
   */
  readonly columns?: readonly string[]
  /**
   * Condition of the rows of the table, in SQL: `region = $1 AND NOT deleted`.
   * @default undefined - all rows
   */
  readonly where?: string
  /**
   * Column whose value only grows with time, such as `id` or `updated_at`. Each transfer then reads only rows that are new
   * since the last one, in its order. It needs an index, together with the `keys`: `(updated_at, id)`.
   * @default undefined - each transfer reads all rows
   */
  readonly cursorColumn?: string
  /**
   * Columns that tell rows with the same value of the `cursorColumn` apart. They are never null.
   * @default the primary key of the table
   */
  readonly keys?: readonly string[]
  /**
   * Value of the `cursorColumn` after which the first transfer begins.
   * @default undefined - from the first on
   */
  readonly startAfter?: string | number | bigint | Date
  /**
   * Time for which rows wait until they are read, in seconds or as a duration, as some with smaller values may be committed after
   * them. Transactions that have written to the table already are waited for in any case.
   * @default 5 where the `cursorColumn` is a time, otherwise 0
   */
  readonly settle?: number | Duration
  /**
   * Most rows that one transfer reads. `Infinity` is all.
   * @default 1000 with a `cursorColumn`, otherwise all
   */
  readonly limit?: number
  /**
   * Most rows of a list. More than one list stream, so that they take little memory. Lists of large rows are shorter, as they
   * end at some 8 MiB.
   * @default 1024
   */
  readonly batchSize?: number
  /**
   * Whether rows that were not delivered are read again, with a `cursorColumn`. After a failed transfer, the next one
   * begins where that one did. Then rows come at least once, in order: a row that an outlet always refuses holds up the
   * others. Otherwise they come at most once, and what was not delivered is dropped.
   * @default true
   */
  readonly redeliver?: boolean
  /**
   * What values of some types become: `bigint`, `numeric`, `timestamptz`, `timestamp`, `date`, `json` and `bytea`.
   * @default {} - nothing is lost, and a `bigint` that a number cannot hold is an error
   */
  readonly types?: PostgresTypes
}

/** Table of the options of {@link PostgresInlet}. */
export const POSTGRES_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  table: custom(readTable, 'undefined'),
  query: custom(readSql, 'undefined'),
  parameters: custom(readParameters, '[]'),
  columns: custom(readColumns, 'all'),
  where: custom(readSql, 'undefined - all rows'),
  cursorColumn: custom(readColumn, 'undefined - each transfer reads all rows'),
  keys: custom(readColumns, 'the primary key of the table'),
  startAfter: given<string | number | bigint | Date>('undefined - from the first on'),
  settle: custom(readSettle, '5 where the `cursorColumn` is a time, otherwise 0'),
  limit: count(undefined, { orInfinity: true, shown: '1000 with a `cursorColumn`, otherwise all' }),
  batchSize: count(1024),
  redeliver: flag(undefined, 'true'),
  types: custom(checkTypes, '{} - nothing is lost, and a `bigint` that a number cannot hold is an error'),
  ...POSTGRES_CONNECTION_OPTIONS,
} satisfies Spec<PostgresInletOptions>

type ReadOptions = Resolved<typeof POSTGRES_INLET_OPTIONS>

/** {@link PostgresInletOptions}, resolved. */
export interface PostgresInletSettings {
  readonly source: Source
  readonly limit: number
  readonly batchSize: number
  readonly types: TypeSettings
  /** Way in which new rows are found; `undefined` when each transfer reads all rows. */
  readonly cursor: CursorSettings | undefined
  readonly connection: PostgresConnectionSettings
}

/** What is read. */
export interface Source {
  readonly table: TableName | undefined
  /** Columns of the table; `undefined`: all. */
  readonly columns: readonly string[] | undefined
  /** Condition of the rows of the table. */
  readonly where: string | undefined
  readonly query: string | undefined
  readonly parameters: readonly unknown[]
}

/** Way in which new rows are found. */
export interface CursorSettings {
  readonly column: string
  /** `undefined`: those of the table. */
  readonly keys: readonly string[] | undefined
  /** Text of the value. */
  readonly startAfter: string | undefined
  /** In milliseconds; `undefined`: by the type of the column. */
  readonly settle: number | undefined
  readonly redeliver: boolean
}

/**
 * Checks and resolves {@link PostgresInletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveInletOptions(options: PostgresInletOptions): PostgresInletSettings {
  const read = resolveOptions('PostgresInlet', options, POSTGRES_INLET_OPTIONS)
  const { table, query, parameters, columns, where, limit, batchSize, types } = read
  if ((table === undefined) === (query === undefined)) {
    const got = table === undefined ? undefined : 'both'
    throw new InvalidOptionError('PostgresInlet.table', 'either a table or a query', got)
  }
  if (query !== undefined) forbid({ columns, where }, 'beside a query')
  if (query === undefined && where === undefined && parameters.length > 0) {
    throw new InvalidOptionError('PostgresInlet.parameters', 'none without a query or where', parameters)
  }
  const cursor = cursorOf(read)
  if (cursor !== undefined && columns !== undefined) {
    const missing = [cursor.column, ...(cursor.keys ?? [])].find((column) => !columns.includes(column))
    if (missing !== undefined) throw new InvalidOptionError('PostgresInlet.columns', `${missing} among them`, columns)
  }
  return Object.freeze({
    source: { table, columns, where, query, parameters },
    limit: limit ?? (cursor === undefined ? Infinity : 1000),
    batchSize,
    types,
    cursor,
    connection: resolveConnection('PostgresInlet', read),
  })
}

function cursorOf({ cursorColumn, keys, startAfter, settle, redeliver }: ReadOptions): CursorSettings | undefined {
  if (cursorColumn === undefined) {
    forbid({ keys, startAfter, settle, redeliver }, 'without a cursorColumn')
    return undefined
  }
  return {
    column: cursorColumn,
    keys,
    startAfter: startAfter === undefined ? undefined : textOf('PostgresInlet.startAfter', startAfter),
    settle,
    redeliver: redeliver ?? true,
  }
}

function forbid(options: { readonly [name: string]: unknown }, where: string): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) throw new InvalidOptionError(`PostgresInlet.${name}`, `none ${where}`, value)
  }
}

function textOf(option: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  throw new InvalidOptionError(option, 'a string, a number, a bigint or a valid Date', value)
}

function readSettle(name: string, settle: number | Duration | undefined): number | undefined {
  return settle === 0 ? 0 : optionalTime.read(name, settle)
}

function readTable(name: string, table: PostgresTable | undefined): TableName | undefined {
  return table === undefined ? undefined : checkTable(name, table)
}

function readColumn(name: string, column: string | undefined): string | undefined {
  return column === undefined ? undefined : checkColumn(name, column)
}

function readColumns(name: string, columns: readonly string[] | undefined): readonly string[] | undefined {
  return columns === undefined ? undefined : checkColumns(name, columns)
}

function readSql(name: string, sql: string | undefined): string | undefined {
  if (sql === undefined) return undefined
  // it is a part of a longer text
  const text = typeof sql === 'string' ? sql.replace(/[;\s]+$/, '') : ''
  if (text.trim() === '' || text.includes('\0')) throw new InvalidOptionError(name, 'SQL', sql)
  return text
}

function readParameters(name: string, parameters: readonly unknown[] | undefined): readonly unknown[] {
  if (parameters === undefined) return []
  if (!Array.isArray(parameters)) throw new InvalidOptionError(name, 'a list of values', typeof parameters)
  return Object.freeze((parameters as readonly unknown[]).map((value, at) => readParameter(`${name}[${at}]`, value)))
}

/** Value of a parameter; the driver would send some text for what has none. */
function readParameter(name: string, given: unknown): unknown {
  const value = isSecret(given) ? revealed(given) : given
  if (!isParameter(value)) {
    throw new InvalidOptionError(
      name,
      'null, a text, number, boolean, bigint, date, bytes, list or plain object',
      sortOf(value),
    )
  }
  return value
}

function isParameter(value: unknown): boolean {
  if (typeof value !== 'object') return !['undefined', 'function', 'symbol'].includes(typeof value)
  if (value === null || value instanceof Uint8Array) return true
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  if (Array.isArray(value)) return value.every(isParameter)
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
