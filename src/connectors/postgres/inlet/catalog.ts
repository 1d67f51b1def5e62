import type { PoolClient } from 'pg'
import { quotedTable, type TableName } from '../identifiers.js'
import { missingTable } from '../missing.js'

/** What the catalog says of a table or view. */
export interface TableDescription {
  readonly columns: readonly ColumnDescription[]
  /** Columns of the primary key, in its order; none where there is none. */
  readonly primaryKey: readonly string[]
  /** Columns of each unique index that covers all rows, the primary key included. */
  readonly uniques: readonly (readonly string[])[]
  /** Whether it has rows of its own, as a table has, and no view. */
  readonly isTable: boolean
}

/** What the catalog says of a column. */
export interface ColumnDescription {
  readonly name: string
  /** Number of its type; of a domain, of the type below it. */
  readonly type: number
  readonly notNull: boolean
}

const COLUMNS = `
  SELECT a.attname AS name, coalesce(nullif(t.typbasetype, 0), t.oid)::int8::float8 AS type, a.attnotnull AS "notNull"
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const UNIQUES = `
  SELECT i.indisprimary AS "isPrimary", array_agg(a.attname::text ORDER BY k.place) AS columns
  FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    AND k.place <= i.indnkeyatts
  GROUP BY i.indexrelid, i.indisprimary ORDER BY i.indexrelid`

/**
 * Describes a table or view.
 *
 * @param connector - name of the inlet or outlet, for the error
 * @throws {@link DatabaseError} that says which table was meant, when there is none of that name
 */
export async function describeTable(
  client: PoolClient,
  connector: string,
  table: TableName,
): Promise<TableDescription> {
  const found = await client.query<{ oid: string; kind: string }>(
    'SELECT oid::text AS oid, relkind::text AS kind FROM pg_class WHERE oid = to_regclass($1)',
    [quotedTable(table)],
  )
  const [own] = found.rows
  if (own === undefined) throw await missingTable(client, connector, table, true)
  const columns = await client.query<ColumnDescription>(COLUMNS, [own.oid])
  const uniques = await client.query<{ isPrimary: boolean; columns: string[] }>(UNIQUES, [own.oid])
  return {
    columns: columns.rows,
    primaryKey: uniques.rows.find(({ isPrimary }) => isPrimary)?.columns ?? [],
    uniques: uniques.rows.map((index) => index.columns),
    isTable: own.kind === 'r' || own.kind === 'p',
  }
}

/** What the catalog says of a type. */
interface CatalogType {
  readonly oid: number
  /** Type of its elements; 0 when it is no array. */
  readonly element: number
  /** Type below it; 0 when it is no domain. */
  readonly base: number
  readonly delimiter: string
}

/** Looks up types, and those of the elements of arrays. */
export async function lookUpTypes(client: PoolClient, oids: readonly number[]): Promise<CatalogType[]> {
  if (oids.length === 0) return []
  const { rows } = await client.query<CatalogType>(
    `WITH RECURSIVE wanted AS (
       SELECT oid, typelem, typbasetype, typcategory, typdelim FROM pg_type WHERE oid = ANY ($1::int8[]::oid[])
       UNION
       SELECT t.oid, t.typelem, t.typbasetype, t.typcategory, t.typdelim FROM pg_type t
       JOIN wanted w ON t.oid IN (w.typelem, w.typbasetype)
     )
     SELECT oid::int8::float8 AS oid, CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END::int8::float8 AS element,
       typbasetype::int8::float8 AS base, typdelim::text AS delimiter
     FROM wanted`,
    [oids],
  )
  return rows
}
