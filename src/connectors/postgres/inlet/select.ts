import { quoted, quotedTable } from '../identifiers.js'
import type { Source } from './inlet-options.js'
import type { Position } from './position.js'

/** A statement with its values. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Order in which rows are read. */
export interface Order {
  readonly column: string
  /** Columns that tell rows with the same value apart; `undefined` where only all that they hold does. */
  readonly keys: readonly string[] | undefined
  /** Whether values of the column are the same only when their texts are, decimals apart. */
  readonly isPlain: boolean
}

/** Name of the column with the marks of rows that have no keys: digests of all that they hold. */
export const MARK = 'databay mark'

/** What is read, as it stands behind FROM. */
function from({ table, query }: Source): string {
  // what ends with a comment must not take what follows into it
  return table === undefined ? `(${query ?? ''}\n) AS source` : quotedTable(table)
}

/** Name by which what is read is known in a query. */
function nameOf({ table }: Source): string {
  return table === undefined ? 'source' : quoted(table.name)
}

function conditions({ where }: Source): string[] {
  return where === undefined ? [] : [`(${where}\n)`]
}

/** Query for all rows, in the order that the server likes. */
export function selectAll(source: Source, limit: number): Statement {
  const { query, parameters: values } = source
  if (query !== undefined) return { text: query, values }
  const most = limit === Infinity ? '' : ` LIMIT ${limit}`
  return { text: `SELECT ${columnsOf(source)} FROM ${from(source)}${whereOf(conditions(source))}${most}`, values }
}

/** Query for no rows, but all columns: it shows whether the others can be made. */
export function selectNone(source: Source): Statement {
  const text = `SELECT ${columnsOf(source)} FROM ${from(source)}${whereOf(conditions(source))} LIMIT 0`
  return { text, values: source.parameters }
}

/** Query for the rows behind a position, up to a value of the cursor column. */
export function selectAfter(
  source: Source,
  { column, keys }: Order,
  position: Position | undefined,
  bound: string,
  limit: number,
): Statement {
  const values: unknown[] = [...source.parameters]
  const own = nameOf(source)
  const order = [column, ...(keys ?? [])].map((one) => `${own}.${quoted(one)}`)
  const some = [...conditions(source), after(order, keys, position, values)]
  some.push(`${order[0] ?? ''} <= $${values.push(bound)}`)
  const mark = keys === undefined ? `, left(md5((${own}.*)::text), 16) AS "${MARK}"` : ''
  // rows that were read already come again
  const most = limit === Infinity ? '' : ` LIMIT ${limit + (position?.seen.length ?? 0)}`
  const rows = `FROM ${from(source)}${whereOf(some)} ORDER BY ${order.join(', ')}${most}`
  return { text: `SELECT ${columnsOf(source)}${mark} ${rows}`, values }
}

/**
 * Query for the greatest value of the cursor column, of all rows of a table: `undefined` is behind none of them. It locks what it
 * reads from, as other queries do.
 *
 * @param age - of values of time, least age of that value instead, in milliseconds
 */
export function selectBound(source: Source, column: string, position: Position | undefined, age?: number): Statement {
  // the condition would only make it slower, but a query may need its values
  const values: unknown[] = source.query === undefined ? [] : [...source.parameters]
  if (age !== undefined) {
    const none = `LEFT JOIN LATERAL (SELECT FROM ${from(source)} LIMIT 0) AS none ON true`
    const bound = `clock_timestamp() - $${values.push(`${age} milliseconds`)}::interval`
    return { text: `SELECT ${bound} AS bound FROM (SELECT) AS one ${none}`, values }
  }
  const name = `${nameOf(source)}.${quoted(column)}`
  const [first] = position?.values ?? []
  const some = first === undefined ? `${name} IS NOT NULL` : `${name} >= $${values.push(first)}`
  return { text: `SELECT ${name} AS bound FROM ${from(source)} WHERE ${some} ORDER BY ${name} DESC LIMIT 1`, values }
}

/** Query for whether texts of a column are the same only when their characters are, by its collation. It reads no rows. */
export function selectCollation(source: Source, column: string): Statement {
  const value = `SELECT ${nameOf(source)}.${quoted(column)} AS value FROM ${from(source)} LIMIT 0`
  const text = `SELECT coalesce(bool_and(collisdeterministic), true) AS plain
    FROM (SELECT) AS one LEFT JOIN LATERAL (${value}) AS none ON true
    JOIN pg_collation ON pg_collation.oid = to_regcollation(pg_collation_for(none.value))`
  return { text, values: source.query === undefined ? [] : source.parameters }
}

function columnsOf(source: Source): string {
  const { columns } = source
  const own = nameOf(source)
  return columns === undefined ? `${own}.*` : columns.map((column) => `${own}.${quoted(column)}`).join(', ')
}

function whereOf(some: readonly string[]): string {
  return some.length === 0 ? '' : ` WHERE ${some.join(' AND ')}`
}

/**
 * Condition of the rows behind a position. Its values are added to the list.
 *
 * @param order - names of the cursor column and of the keys
 */
function after(
  order: readonly string[],
  keys: readonly string[] | undefined,
  position: Position | undefined,
  values: unknown[],
): string {
  const [name = ''] = order
  // rows without a value have no place in the order
  if (position === undefined) return `${name} IS NOT NULL`
  const place = (value: string) => `$${values.push(value)}`
  const [first = '', ...others] = position.values
  if (keys?.length === 0 || (others.length === 0 && position.seen.length === 0)) return `${name} > ${place(first)}`
  // rows at it that were read come again, as those do that were noted with other keys
  if (position.seen.length > 0 || others.length !== keys?.length) return `${name} >= ${place(first)}`
  return `(${order.join(', ')}) > (${position.values.map(place).join(', ')})`
}
