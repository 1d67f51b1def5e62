import type { PlainError } from '../base/plain-error.js'
import type { Body } from './codec.js'
import { bodyChecksum, bodyOf, numberOf, optionalText, Rows, textOf } from './rows.js'
import { TABLES } from './schema.js'
import { inTransaction, type Database, type Row, type SqlValue } from './sqlite.js'

/** Records that could not be delivered to an outlet, or processed. */
export interface DeadLetter {
  /** Outlet that refused them; left out where they came to none. */
  readonly outlet?: string
  /** Stage at which they failed: `process`, `group`, `push`, `store`. */
  readonly stage: string
  /** Node that failed. */
  readonly node: string
  /** Place of the node in its link, such as `process:1`. */
  readonly place: string
  /** Letters of one group failed together. */
  readonly group?: string
  /** Key of the record, where it has one. */
  readonly key?: string
  /** Time when they were given up, in milliseconds since 1970. */
  readonly at: number
  readonly attempts: number
  /** Code of the error. */
  readonly code?: string
  readonly error: PlainError
  /** The records; left out where they must not lie on a disk. */
  readonly body?: Body
}

/** A dead letter in the store, without its records. */
export interface StoredDeadLetter extends Omit<DeadLetter, 'body'> {
  readonly id: number
  readonly link: string
  /** Whether it is to be delivered again at the next transfer of its link. */
  readonly replay: boolean
}

/** Which dead letters. */
export interface DeadLetterFilter {
  readonly link?: string
  readonly outlet?: string
  readonly stage?: string
  readonly code?: string
  /** Those that were given up at this time or later, in milliseconds since 1970. */
  readonly since?: number
  readonly replay?: boolean
  /** Those behind the one with this id. @default 0 */
  readonly after?: number
  /** @default 1000 */
  readonly limit?: number
}

const ONE = 'SELECT id, $, body FROM dead WHERE id = ?'
const HEADER = 'SELECT id, $ FROM dead WHERE id = ?'
const UPDATE = 'UPDATE dead SET replay = ?, crc = ? WHERE id = ?'

/** Dead letters of the links of a store. They are added and deleted inside of a transaction, see `Store.write`. */
export class DeadLetters {
  readonly #database: Database
  readonly #rows: Rows

  constructor(database: Database) {
    this.#database = database
    this.#rows = new Rows(database, TABLES.dead)
  }

  /** Adds a letter. @returns its id */
  add(link: string, letter: DeadLetter): number {
    return this.#rows.put(valuesOf(link, letter, false), letter.body?.bytes ?? null).lastInsertRowid
  }

  /** Letters in the order in which they came, without their records. @throws {@link StoreCorruptError} */
  list(filter: DeadLetterFilter = {}): StoredDeadLetter[] {
    const { sql, values } = conditions(filter)
    const rows = this.#rows.all(
      `SELECT id, $ FROM dead WHERE ${sql} ORDER BY id LIMIT ?`,
      ...values,
      filter.limit ?? 1000,
    )
    return rows.map((row) => letterOf(this.#rows.checked(row)))
  }

  /** Number of letters. */
  count(filter: DeadLetterFilter = {}): number {
    const { sql, values } = conditions(filter)
    const row = this.#rows.get(`SELECT count(*) AS n FROM dead WHERE ${sql}`, ...values)
    return row === undefined ? 0 : numberOf(row, 'n')
  }

  /** A letter with its records. @throws {@link StoreCorruptError} */
  read(id: number): (StoredDeadLetter & { readonly body?: Body }) | undefined {
    const row = this.#rows.get(ONE, id)
    if (row === undefined) return undefined
    const body = bodyOf(this.#rows.checked(row))
    return body === undefined ? letterOf(row) : { ...letterOf(row), body }
  }

  /** Notes whether letters are to be delivered again. @returns number of letters that this changed */
  setReplay(ids: readonly number[], replay: boolean): number {
    let changed = 0
    for (const id of ids) {
      const row = this.#rows.get(HEADER, id)
      const value = Number(replay)
      if (row === undefined || row['replay'] === value) continue
      const crc = this.#rows.sealOf({ ...this.#rows.checked(row), replay: value })
      changed += this.#rows.run(UPDATE, value, crc, id).changes
    }
    return changed
  }

  /** Deletes letters. @returns number of letters that were there */
  delete(ids: readonly number[]): number {
    return ids.reduce((sum, id) => sum + this.#rows.run('DELETE FROM dead WHERE id = ?', id).changes, 0)
  }

  /** Deletes the oldest letters of a link. @returns number of letters */
  deleteOldest(link: string, count: number): number {
    const oldest = 'SELECT id FROM dead WHERE link = ? ORDER BY id LIMIT ?'
    return this.#rows.run(`DELETE FROM dead WHERE id IN (${oldest})`, link, count).changes
  }

  /** Deletes letters of a link that were given up before a time. @returns number of letters */
  deleteBefore(link: string, time: number): number {
    return this.#rows.run('DELETE FROM dead WHERE link = ? AND at < ?', link, time).changes
  }

  /** Does work on letters in one transaction of its own, for a command beside a running planner. */
  atOnce<T>(work: () => T): T {
    return inTransaction(this.#database, work)
  }
}

function valuesOf(link: string, letter: DeadLetter, replay: boolean): SqlValue[] {
  const { outlet = null, stage, node, place, group = null, key = null, at, attempts, code = null, error, body } = letter
  const header = [link, outlet, stage, node, place, group, key, at, attempts, code, JSON.stringify(error)]
  return [...header, body?.codec ?? 0, replay ? 1 : 0, bodyChecksum(body)]
}

function letterOf(row: Row): StoredDeadLetter {
  const [outlet, group, key, code] = ['outlet', 'grp', 'key', 'code'].map((column) => optionalText(row, column))
  return {
    id: numberOf(row, 'id'),
    link: textOf(row, 'link'),
    ...(outlet === undefined ? {} : { outlet }),
    stage: textOf(row, 'stage'),
    node: textOf(row, 'node'),
    place: textOf(row, 'place'),
    ...(group === undefined ? {} : { group }),
    ...(key === undefined ? {} : { key }),
    at: numberOf(row, 'at'),
    attempts: numberOf(row, 'attempts'),
    ...(code === undefined ? {} : { code }),
    error: JSON.parse(textOf(row, 'error')) as PlainError,
    replay: row['replay'] === 1,
  }
}

function conditions({ link, outlet, stage, code, since, replay, after = 0 }: DeadLetterFilter) {
  const found: (readonly [sql: string, value: SqlValue | undefined])[] = [
    ['id > ?', after],
    ['link = ?', link],
    ['outlet = ?', outlet],
    ['stage = ?', stage],
    ['code = ?', code],
    ['at >= ?', since],
    ['replay = ?', replay === undefined ? undefined : Number(replay)],
  ]
  const given = found.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  return { sql: given.map(({ sql }) => sql).join(' AND '), values: given.map(({ value }) => value) }
}
