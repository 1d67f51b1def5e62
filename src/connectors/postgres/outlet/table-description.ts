import type { ClientBase } from 'pg'
import { quotedTable, shownTable, type TableName } from '../identifiers.js'
import { missingColumn, missingTable } from '../missing.js'
import type { Statement } from './together.js'

/** Sorts of columns, by what their values have to be. */
export type ColumnKind = 'json' | 'bytes' | 'number' | 'composite' | 'other'

/** Column of a table. */
export interface Column {
  readonly name: string
  /** Type as SQL has it, with its length and such. */
  readonly type: string
  /** Sort of the column; that of its elements when it is a list. Domains are what they are made of. */
  readonly kind: ColumnKind
  readonly isList: boolean
  /** How the server fills it by itself, though a row has a value for it; `undefined` when it does not. */
  readonly filled: 'generated' | 'identity' | undefined
}

/** Table, as the catalog of its database describes it. */
export interface TableDescription {
  readonly table: TableName
  readonly columns: ReadonlyMap<string, Column>
  /** Number of the table in the catalog. */
  readonly oid: number
  /** Digest of its columns in the catalog: it is another one when one of them changes. */
  readonly digest: string
}

/** Row of the catalog. */
interface CatalogRow {
  readonly name: string
  readonly type: string
  readonly leaf: string
  readonly sort: string
  readonly is_list: boolean
  readonly generated: string
  readonly identity: string
  readonly oid: number
  readonly digest: string
}

/** Digest of the columns of a table, which are rows of the catalog. */
const DIGEST = `md5(string_agg(concat_ws(' ', attnum, atttypid, atttypmod, attgenerated, attidentity, attname), ',' order by attnum))`

/** Reads the columns of a table. Goes down from domains to what they are made of, and from lists to their elements. */
const COLUMNS = `
with recursive steps(attnum, type, is_list, depth) as (
  select attnum, atttypid, false, 0 from pg_attribute
  where attrelid = to_regclass($1) and attnum > 0 and not attisdropped
  union all
  select s.attnum, case when t.typtype = 'd' then t.typbasetype else t.typelem end, s.is_list or t.typtype <> 'd', s.depth + 1
  from steps s join pg_type t on t.oid = s.type
  where t.typtype = 'd' or (t.typcategory = 'A' and t.typelem <> 0)
), leaves as (select distinct on (attnum) * from steps order by attnum, depth desc)
select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, t.typname as leaf, t.typtype as sort,
  l.is_list, a.attgenerated as generated, a.attidentity as identity, a.attrelid as oid,
  (select ${DIGEST} from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped) as digest
from pg_attribute a join leaves l using (attnum) join pg_type t on t.oid = l.type
where a.attrelid = to_regclass($1) order by a.attnum`

/**
 * Reads the description of a table from the catalog.
 *
 * @param own - whether the table is the one of the outlet's options: then it may be made later, and its records are kept
 * @throws {@link DatabaseError} when it is missing
 */
export async function describeTable(client: ClientBase, table: TableName, own: boolean): Promise<TableDescription> {
  const { rows } = await client.query<CatalogRow>(COLUMNS, [quotedTable(table)])
  const [first] = rows
  if (first === undefined) throw await missingTable(client, 'PostgresOutlet', table, own)
  const { oid, digest } = first
  return { table, oid, digest, columns: new Map(rows.map((row) => [row.name, columnOf(row)])) }
}

/** Beginning of the text with which {@link unchanged} fails. */
const CHANGED = 'databay: changed table '

/**
 * Statements that fail when one of the tables is no longer what its description says. They are sure of a table that
 * their transaction has locked, as by writing to it.
 */
export function unchanged(tables: readonly TableDescription[]): readonly Statement[] {
  // the text has a part that the server only knows when it runs: it would make the number of a constant at once
  return tables.map(({ oid, digest }) => ({
    text: `select ('${CHANGED}${oid}' || coalesce(${DIGEST}, ''))::int from pg_attribute
      where attrelid = ${oid} and attnum > 0 and not attisdropped having ${DIGEST} is distinct from '${digest}'`,
  }))
}

/** Whether this is the error of {@link unchanged}. */
export function isOfChange(error: unknown): boolean {
  return error instanceof Error && error.message.includes(CHANGED)
}

/** Tables without a unique index of exactly some columns, by which an upsert could find rows. Reading them waits for no lock of the table. */
const WITHOUT_INDEX = `
select 1 from pg_class c where c.oid = to_regclass($1) and c.relkind in ('r', 'p') and not exists (
  select 1 from pg_index i
  where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null
    and i.indnkeyatts = cardinality($2::text[]) and $2::text[] <@ array(
      select a.attname::text from pg_attribute a
      where a.attrelid = c.oid and a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1])))`

/** Whether rows of a table can be found by these columns; also said of what is no table, such as a view. */
export async function hasIndex(client: ClientBase, table: TableName, keys: readonly string[]): Promise<boolean> {
  const { rows } = await client.query(WITHOUT_INDEX, [quotedTable(table), keys])
  return rows.length === 0
}

/**
 * Checks that a table has the columns that options name.
 *
 * @throws {@link DatabaseError}
 */
export function checkNames({ table, columns }: TableDescription, names: readonly string[]): void {
  const missing = names.find((name) => !columns.has(name))
  if (missing !== undefined) throw missingColumn('PostgresOutlet', shownTable(table), missing, [...columns.keys()])
}

const KINDS: { readonly [leaf: string]: ColumnKind } = {
  json: 'json',
  jsonb: 'json',
  bytea: 'bytes',
  float4: 'number',
  float8: 'number',
  numeric: 'number',
}

function columnOf({ name, type, leaf, sort, is_list: isList, generated, identity }: CatalogRow): Column {
  const kind = sort === 'c' ? 'composite' : (KINDS[leaf] ?? 'other')
  const filled = generated !== '' ? 'generated' : identity === 'a' ? 'identity' : undefined
  return { name, type, kind, isList, filled }
}
