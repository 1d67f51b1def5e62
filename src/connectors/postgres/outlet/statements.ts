import { quoted, quotedTable } from '../identifiers.js'
import type { PostgresOutletSettings } from './outlet-options.js'
import type { Shape } from './shape.js'
import type { Column, TableDescription } from './table-description.js'

/** Settings by which statements are made. */
export type StatementSettings = Pick<PostgresOutletSettings, 'mode' | 'keys' | 'jsonStrings'>

/**
 * Statement that writes rows, which it gets as one parameter: a list of objects of JSON. What has no name in it is a value of
 * that parameter, so that no value is ever in the text of a statement. The type is json and not jsonb, which would change
 * numbers and the order of fields.
 */
export function insertStatement(description: TableDescription, shape: Shape, settings: StatementSettings): string {
  const asText = (kind: string) => settings.jsonStrings === 'text' && kind === 'json'
  const selected = shape.columns.map(({ name, type, kind }) =>
    asText(kind) ? `${quoted(name)}::${type}` : quoted(name),
  )
  const defined = shape.columns.map(
    ({ name, type, kind, isList }) => `${quoted(name)} ${asText(kind) ? (isList ? 'text[]' : 'text') : type}`,
  )
  const source = `select ${selected.join(', ')} from json_to_recordset($1::json) as r(${defined.join(', ')})`
  return `${into(description, shape)} ${source}${onConflict(shape, settings)}`
}

/** Statements of COPY, which read rows into their table, or first into a temporary one, to merge them by their keys. */
export interface CopyStatements {
  /** Makes the temporary table; `undefined` when there is none. */
  readonly stage?: string
  readonly copy: string
  /** Moves the rows from the temporary table into their own. */
  readonly merge?: string
}

export function copyStatements(
  description: TableDescription,
  shape: Shape,
  settings: StatementSettings,
): CopyStatements {
  const table = quotedTable(description.table)
  const columns = columnList(shape)
  if (settings.keys === undefined) return { copy: `copy ${table} (${columns}) from stdin` }
  return {
    stage: `create temporary table databay_rows on commit drop as select ${columns} from ${table} with no data`,
    copy: `copy ${STAGE} (${columns}) from stdin`,
    merge: `${into(description, shape)} select ${columns} from ${STAGE}${onConflict(shape, settings)}; drop table ${STAGE}`,
  }
}

/** Temporary table. The schema is named, as a table of the user may have the same name. */
const STAGE = 'pg_temp.databay_rows'

function into({ table }: TableDescription, shape: Shape): string {
  const overriding = shape.isOverriding ? ' overriding system value' : ''
  return `insert into ${quotedTable(table)} (${columnList(shape)})${overriding}`
}

function columnList({ columns }: Shape): string {
  return columns.map(({ name }) => quoted(name)).join(', ')
}

/** Whether a row whose key is there already is left as it is. */
export function leavesRows(shape: Shape, settings: StatementSettings): boolean {
  return settings.keys !== undefined && replaced(shape, settings).length === 0
}

/** Columns whose values are replaced in a row whose key is there already. */
function replaced({ columns }: Shape, { mode, keys = [] }: StatementSettings): readonly Column[] {
  return mode === 'insert' ? [] : columns.filter(({ name }) => !keys.includes(name))
}

function onConflict(shape: Shape, settings: StatementSettings): string {
  const { keys } = settings
  if (keys === undefined) return ''
  const others = replaced(shape, settings)
  const changes = others.map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`)
  const doing = changes.length === 0 ? 'nothing' : `update set ${changes.join(', ')}`
  return ` on conflict (${keys.map(quoted).join(', ')}) do ${doing}`
}
