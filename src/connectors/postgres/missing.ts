import type { ClientBase } from 'pg'
import { hintAt } from '../../base/suggestion.js'
import { DatabaseError } from '../errors.js'
import { NO_COLUMN, NO_TABLE } from './errors.js'
import { shownTable, type TableName } from './identifiers.js'

/** Tables and views of a database, those first that need no schema. */
const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, pg_table_is_visible(c.oid) AS visible
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  ORDER BY visible DESC, c.relname LIMIT 5000`

/**
 * Makes the error of a table that is not there, which says what was meant.
 *
 * @param connector - name of the inlet or outlet
 * @param retryable - whether it may be made later; otherwise the record that chose it is refused
 */
export async function missingTable(
  client: ClientBase,
  connector: string,
  table: TableName,
  retryable: boolean,
): Promise<DatabaseError> {
  const { rows } = await client.query<{ schema: string; name: string; visible: boolean }>(TABLES)
  const named = ({ schema, name, visible }: (typeof rows)[number]) =>
    visible && table.schema === undefined ? name : `${schema}.${name}`
  const elsewhere = rows.filter(({ name }) => name === table.name).map(named)
  const hint =
    hintAt(shownTable(table), rows.map(named)) ??
    (elsewhere.length === 0 ? undefined : `did you mean ${elsewhere.slice(0, 3).join(' or ')}?`)
  const message = `${connector}: there is no table ${shownTable(table)}${hint === undefined ? '' : `: ${hint}`}`
  return new DatabaseError(message, { serverCode: NO_TABLE, retryable })
}

/**
 * Makes the error of a column that is not there, which says what was meant.
 *
 * @param connector - name of the inlet or outlet
 * @param where - name of the table, or what else has the columns
 * @param columns - columns that are there
 */
export function missingColumn(
  connector: string,
  where: string,
  column: string,
  columns: readonly string[],
): DatabaseError {
  const hint = hintAt(column, columns)
  const message = `${connector}: ${where} has no column ${column}${hint === undefined ? '' : `: ${hint}`}`
  return new DatabaseError(message, { serverCode: NO_COLUMN, retryable: true })
}
