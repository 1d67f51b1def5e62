import { isIntact, TABLES, type Table } from './schema.js'
import type { Database, Row, SqlValue } from './sqlite.js'

/** Rows that are read at once. */
const SLICE = 200
/** Most row ids between two damaged places that are tried one by one. */
const MOST_TRIED = 1_000_000

/** All tables, in the order in which they are looked at. */
export const ALL_TABLES: readonly Table[] = Object.values(TABLES)

/** What a walk through a table came to. */
export interface Scanned {
  readonly table: string
  /** Rows that could be read. */
  rows: number
  /** Rows that could be read, and are not what was written. */
  damaged: number
  /** Error of a place that cannot be read. */
  error?: string
}

/**
 * Walks through the rows of a table that are what was written.
 *
 * @param isThorough - whether what lies behind a damaged place is read, too
 */
export function scan(database: Database, table: Table, take: (row: Row) => void, isThorough = false): Scanned {
  const scanned: Scanned = { table: table.name, rows: 0, damaged: 0 }
  const seen = (row: Row) => {
    scanned.rows++
    if (isIntact(table, row)) take(row)
    else scanned.damaged++
  }
  try {
    const first = walk(database, table, 'up', seen)
    if (first.error === undefined) return scanned
    scanned.error = first.error
    if (!isThorough) return scanned
    const last = walk(database, table, 'down', seen, first.last)
    const [from, to] = [first.last, last.last].map((key) => key?.[0])
    if (table.hasBody === true && typeof to === 'number') between(database, table, Number(from ?? 0), to, seen)
  } catch (error) {
    scanned.error = messageOf(error)
  }
  return scanned
}

interface Walked {
  /** Key of the last row that was read. */
  readonly last: readonly SqlValue[] | undefined
  readonly error: string | undefined
}

/** Walks in the order of keys until the end, a damaged place, or a key that was seen. */
function walk(
  database: Database,
  table: Table,
  direction: 'up' | 'down',
  seen: (row: Row) => void,
  end?: readonly SqlValue[],
): Walked {
  const keys = keysOf(table)
  const quoted = keys.map((key) => `"${key}"`).join(', ')
  const [compare, order] = direction === 'up' ? ['>', 'ASC'] : ['<', 'DESC']
  const marks = keys.map(() => '?').join(', ')
  const select = `SELECT ${keys.includes('rowid') ? 'rowid AS rowid, ' : ''}* FROM "${table.name}"`
  const sorted = `ORDER BY ${keys.map((key) => `"${key}" ${order}`).join(', ')} LIMIT`
  const begin = end === undefined ? '' : `WHERE (${quoted}) > (${marks})`
  const first = () => database.prepare(`${select} ${begin} ${sorted} ?`)
  const ends = end === undefined ? '' : `AND (${quoted}) > (${marks})`
  const next = () => database.prepare(`${select} WHERE (${quoted}) ${compare} (${marks}) ${ends} ${sorted} ?`)
  let last: readonly SqlValue[] | undefined
  let slice = SLICE
  for (;;) {
    try {
      // of libsql, a statement that has failed once fails for ever
      const rows = last === undefined ? first().all(...(end ?? []), slice) : next().all(...last, ...(end ?? []), slice)
      for (const row of rows) seen(row)
      const final = rows.at(-1)
      if (final === undefined) return { last, error: undefined }
      last = keys.map((key) => final[key] ?? null)
    } catch (error) {
      // up to the very row before the damage
      if (slice === 1) return { last, error: messageOf(error) }
      slice = 1
    }
  }
}

/** Tries every row id between two damaged places. */
function between(database: Database, table: Table, from: number, to: number, seen: (row: Row) => void): void {
  const sql = `SELECT rowid AS rowid, * FROM "${table.name}" WHERE rowid = ?`
  let one = database.prepare(sql)
  for (let id = from + 1; id < to && id - from < MOST_TRIED; id++) {
    try {
      const row = one.get(id)
      if (row !== undefined) seen(row)
    } catch {
      // it lies in the damage; of libsql, a statement that has failed once fails for ever
      one = database.prepare(sql)
    }
  }
}

/** Columns by which a table is walked: its row ids, where it has them. */
function keysOf({ hasBody = false, key }: Table): readonly string[] {
  return hasBody ? ['rowid'] : key
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
