import type { FieldDef, PoolClient } from 'pg'
import { InvalidOptionError } from '../../../base/errors.js'
import { DatabaseError } from '../../errors.js'
import { shownTable, type TableName } from '../identifiers.js'
import { missingColumn } from '../missing.js'
import { describeTable, type TableDescription } from './catalog.js'
import type { CursorSettings, PostgresInletSettings, Source } from './inlet-options.js'
import { BEGIN } from './row-reader.js'
import { selectCollation, selectNone, type Order } from './select.js'
import { TIMESTAMP, TIMESTAMPTZ } from './value-types.js'

/** What an inlet has to know of what it reads. */
export interface Description {
  /** Order of the rows; `undefined` without a cursor column. */
  readonly order: Order | undefined
  /** Least age of values that are read, in milliseconds. */
  readonly settle: number
  /** Whether the age of values is known, as they are points in time. */
  readonly hasTimes: boolean
  /** Whether rows may have no value in the cursor column, so that they are never read. */
  readonly isNullable: boolean
  /** Whether the server is a standby, which does not know who writes. */
  readonly isStandby: boolean
}

/** Time for which rows wait whose order is that of a time, in milliseconds. */
const SETTLE = 5000

/** Types whose values are the same when their texts are, so that rows can be ordered without keys. */
const PLAIN = new Set([18, 19, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1700, 2950])

/** Types of texts, which have a collation. */
const TEXTS = new Set([19, 25, 1042, 1043])

/** Number of the type `character`. */
const CHARACTER = 1042

/** Whether values of a column are the same only when their texts are: a collation may ignore case, for instance. */
async function isPlainColumn(client: PoolClient, source: Source, { name, dataTypeID, dataTypeModifier }: FieldDef) {
  if (!TEXTS.has(dataTypeID)) return PLAIN.has(dataTypeID)
  // without a length, spaces at the end make no difference
  if (dataTypeID === CHARACTER && dataTypeModifier === -1) return false
  const { text, values } = selectCollation(source, name)
  const { rows } = await client.query<{ plain: boolean }>({ text, values: [...values] })
  return rows[0]?.plain === true
}

/**
 * Finds out what an inlet reads, and checks its options by that.
 *
 * @throws {@link InvalidOptionError} on options that do not fit
 */
export async function describe(client: PoolClient, settings: PostgresInletSettings): Promise<Description> {
  const { source, cursor } = settings
  await client.query(BEGIN)
  const table = source.table && (await describeTable(client, 'PostgresInlet', source.table))
  const where = source.table === undefined ? 'the query' : shownTable(source.table)
  if (table !== undefined) checkColumns(where, table, [...(source.columns ?? []), ...columnsOf(cursor)])
  const { text, values } = selectNone(source)
  const { fields } = await client.query({ text, values: [...values] })
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby')
  const field = fields.find(({ name }) => name === cursor?.column)
  const isPlain = field !== undefined && (await isPlainColumn(client, source, field))
  await client.query('ROLLBACK')
  const isStandby = rows[0]?.standby === true
  if (cursor === undefined) {
    return { order: undefined, settle: 0, hasTimes: false, isNullable: false, isStandby }
  }
  const { column } = cursor
  const names = fields.map(({ name }) => name)
  const type = field?.dataTypeID
  if (type === undefined) throw missingColumn('PostgresInlet', where, column, names)
  const keys = keysOf(cursor, source.table, table)
  const missing = keys?.find((key) => !names.includes(key))
  if (missing !== undefined && source.columns !== undefined) {
    throw new InvalidOptionError('PostgresInlet.columns', `${missing} among them`, source.columns)
  }
  if (missing !== undefined) throw missingColumn('PostgresInlet', where, missing, names)
  if (keys === undefined && !isPlain) {
    const expected = `columns that tell rows with the same ${column} apart, which the values of its type do not`
    throw new InvalidOptionError('PostgresInlet.keys', expected, undefined)
  }
  return {
    order: { column, keys, isPlain },
    settle: cursor.settle ?? (type === TIMESTAMPTZ || type === TIMESTAMP ? SETTLE : 0),
    hasTimes: type === TIMESTAMPTZ,
    isNullable: table?.isTable === true && !isNeverNull(table, column),
    isStandby,
  }
}

function columnsOf(cursor: CursorSettings | undefined): readonly string[] {
  return cursor === undefined ? [] : [cursor.column, ...(cursor.keys ?? [])]
}

function checkColumns(where: string, { columns }: TableDescription, wanted: readonly string[]): void {
  const names = columns.map(({ name }) => name)
  const missing = wanted.find((column) => !names.includes(column))
  if (missing !== undefined) throw missingColumn('PostgresInlet', where, missing, names)
}

/** Columns beside the cursor column that tell rows apart; `undefined` where none are known. */
function keysOf(
  { column, keys }: CursorSettings,
  name: TableName | undefined,
  table: TableDescription | undefined,
): readonly string[] | undefined {
  const others = (columns: readonly string[]) => columns.filter((one) => one !== column)
  if (table?.isTable !== true || name === undefined) return keys && others(keys)
  const unique = (columns: readonly string[]) =>
    columns.every((one) => isNeverNull(table, one)) &&
    table.uniques.some((index) => index.every((one) => columns.includes(one)))
  if (unique([column])) return []
  if (keys === undefined) return table.primaryKey.length === 0 ? undefined : others(table.primaryKey)
  if (unique([column, ...keys]) || unique(keys)) return others(keys)
  const expected = `columns of ${shownTable(name)} that are unique and NOT NULL`
  throw new InvalidOptionError('PostgresInlet.keys', expected, keys)
}

function isNeverNull({ columns }: TableDescription, column: string): boolean {
  return columns.some(({ name, notNull }) => name === column && notNull)
}

/** Whether what is known of a table may not hold any more. */
export function isOutdated(error: unknown): boolean {
  return error instanceof DatabaseError && typeof error.serverCode === 'string' && error.serverCode.startsWith('42')
}
