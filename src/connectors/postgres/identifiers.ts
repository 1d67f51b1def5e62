import { InvalidOptionError } from '../../base/errors.js'

/**
 * Table of PostgreSQL: its name, or its schema and name. A text with a dot has both: `'shop.orders'`. Names are taken as
 * they are, so that capital letters count.
 */
export type PostgresTable = string | { readonly schema?: string; readonly name: string }

/** Table, read. Without a schema, the server looks for it along its `search_path`. */
export interface TableName {
  readonly schema: string | undefined
  readonly name: string
}

/** Most bytes of a name: the server cuts a longer one off, so that it would be another name. */
const LONGEST_NAME = 63

/** Name as SQL has it: in quotes. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Name of a table as SQL has it. */
export function quotedTable({ schema, name }: TableName): string {
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`
}

/** Name of a table for logs and errors. */
export function shownTable({ schema, name }: TableName): string {
  return schema === undefined ? name : `${schema}.${name}`
}

/**
 * Checks the name of a table, and takes it apart.
 *
 * @param option - name of the option, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkTable(option: string, table: unknown): TableName {
  if (typeof table === 'string') {
    const dot = table.indexOf('.')
    const [schema, name] = dot === -1 ? [undefined, table] : [table.slice(0, dot), table.slice(dot + 1)]
    if (isName(name) && (schema === undefined || isName(schema))) return { schema, name }
  } else if (typeof table === 'object' && table !== null && !Array.isArray(table)) {
    const { schema, name, ...others } = table as { readonly [field: string]: unknown }
    const isAll = Object.keys(others).length === 0
    if (isAll && isName(name) && (schema === undefined || isName(schema))) return { schema, name }
  }
  throw new InvalidOptionError(option, "the name of a table, such as 'orders' or 'shop.orders'", table)
}

/**
 * Checks the name of a column.
 *
 * @param option - name of the option, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkColumn(option: string, column: unknown): string {
  if (isName(column)) return column
  throw new InvalidOptionError(option, 'the name of a column', column)
}

/**
 * Checks a list of names of columns: at least one, each once.
 *
 * @param option - name of the option, for the error
 * @throws {@link InvalidOptionError}
 */
export function checkColumns(option: string, columns: unknown): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0) {
    throw new InvalidOptionError(option, 'a list of names of columns', columns)
  }
  const names = columns.map((one: unknown, at) => checkColumn(`${option}[${at}]`, one))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new InvalidOptionError(option, 'each column once', twice)
  return Object.freeze(names)
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && !name.includes('\0') && byteLength(name) <= LONGEST_NAME
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
