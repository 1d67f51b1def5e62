import { toArray, type OneOrMany } from '../base/one-or-many.js'
import type { PlainError } from '../base/plain-error.js'
import type { Body } from './codec.js'
import type { LinkStage } from './link-stages.js'
import { bodyChecksum, bodyOf, numberOf, optionalText, Rows, textOf } from './rows.js'
import { TABLES } from './schema.js'
import { inTransaction, type Database, type Row, type SqlValue } from './sqlite.js'

/** A record that could not be delivered to an outlet, or processed. */
export interface DeadLetter {
  /** Name of the outlet that refused it; left out where it came to none. */
  readonly outlet?: string
  /** Stage at which it failed: `process`, `group`, `push`, `store`. */
  readonly stage: string
  /** Node that failed. */
  readonly node: string
  /** Place of the node in its link, such as `processor:1` or `outlet:0 processor:1`. */
  readonly place: string
  /** Letters of one group failed together. */
  readonly group?: string
  /** Key of the record, where it has one. */
  readonly key?: string
  /** Time when it was given up, in milliseconds since 1970. */
  readonly at: number
  readonly attempts: number
  /** Code of the error. */
  readonly code?: string
  readonly error: PlainError
  /** The record; left out where it must not lie on a disk, or cannot. */
  readonly body?: Body
}

/** A dead letter in the store, without its record. */
export interface StoredDeadLetter extends Omit<DeadLetter, 'body'> {
  readonly id: number
  readonly link: string
  /** Whether the store has the record. Without it, the letter cannot be delivered again. */
  readonly hasRecord: boolean
  /** Whether it is to be delivered again at the next transfer of its link. */
  readonly replay: boolean
}

/** Which dead letters. Of several values, one has to fit; none is as if all did. */
export interface DeadLetterFilter {
  readonly ids?: readonly number[]
  readonly link?: OneOrMany<string>
  readonly outlet?: OneOrMany<string>
  readonly stage?: OneOrMany<string>
  readonly code?: OneOrMany<string>
  /** Those that failed together, of one link. */
  readonly group?: string
  /** Those that were given up at this time or later, in milliseconds since 1970. */
  readonly since?: number
  /** Those that were given up before this time, in milliseconds since 1970. */
  readonly before?: number
  readonly replay?: boolean
  /** Those behind the one with this id. @default 0 */
  readonly after?: number
  /** @default 1000 */
  readonly limit?: number
  /** Whether the limit takes the last ones. @default false */
  readonly newest?: boolean
}

/** What a further try of a dead letter came to: it was refused again. */
export interface DeadTry extends Pick<DeadLetter, 'attempts' | 'code' | 'error' | 'at'> {
  readonly id: number
}

const ONE = 'SELECT id, $, body FROM dead WHERE id = ?'
const HEADER = 'SELECT id, $ FROM dead WHERE id = ?'
const ANY_MARKED = 'SELECT 1 AS any FROM dead WHERE replay = 1 LIMIT 1'
const MARKED = 'SELECT id FROM dead WHERE link = ? AND replay = 1 AND id > ? ORDER BY id LIMIT ?'
/** Takes its mark off a letter that is damaged, and stays so. */
const UNMARK = 'UPDATE dead SET replay = 0 WHERE id = ?'

/** Dead letters of the links of a store. They are added and deleted inside of a transaction, see `Store.write`. */
export class DeadLetters {
  readonly #database: Database
  readonly #rows: Rows
  #hasMarked: boolean | undefined

  constructor(database: Database) {
    this.#database = database
    this.#rows = new Rows(database, TABLES.dead)
  }

  /** Adds a letter. @returns its id */
  add(link: string, letter: DeadLetter): number {
    return this.#rows.put(valuesOf(link, letter, false), letter.body?.bytes ?? null).lastInsertRowid
  }

  /**
   * Letters in the order in which they came, without their records.
   *
   * @param onDamaged - takes the ids of those that are not what was written, which are left out
   * @throws {@link StoreCorruptError} when one is damaged and nothing takes its id
   */
  list(filter: DeadLetterFilter = {}, onDamaged?: (id: number) => void): StoredDeadLetter[] {
    const { sql, values } = conditions(filter)
    const { limit = 1000, newest = false } = filter
    const order = newest ? 'ORDER BY id DESC LIMIT ?' : 'ORDER BY id LIMIT ?'
    const rows = this.#rows.all(`SELECT id, $ FROM dead ${sql} ${order}`, ...values, limit)
    if (newest) rows.reverse()
    return rows.flatMap((row) => {
      if (onDamaged === undefined || this.#rows.isIntact(row)) return [letterOf(this.#rows.checked(row))]
      onDamaged(numberOf(row, 'id'))
      return []
    })
  }

  /** Number of letters. */
  count(filter: DeadLetterFilter = {}): number {
    const { sql, values } = conditions(filter)
    const row = this.#rows.get(`SELECT count(*) AS n FROM dead ${sql}`, ...values)
    return row === undefined ? 0 : numberOf(row, 'n')
  }

  /**
   * Whether letters of any link are to be delivered again, as of this turn of the event loop: each transfer asks, and there are
   * hardly ever some.
   */
  hasMarked(): boolean {
    if (this.#hasMarked === undefined) {
      this.#hasMarked = this.#rows.get(ANY_MARKED) !== undefined
      setImmediate(() => (this.#hasMarked = undefined))
    }
    return this.#hasMarked
  }

  /** Ids of letters of a link that are to be delivered again, in the order in which they came. @param after - id before the first */
  marked(link: string, after = 0, limit = 1000): number[] {
    return this.#rows.all(MARKED, link, after, limit).map((row) => numberOf(row, 'id'))
  }

  /** What letters have in a column, each once. */
  known(column: 'link' | 'outlet' | 'code'): string[] {
    const rows = this.#rows.all(`SELECT DISTINCT ${column} FROM dead WHERE ${column} IS NOT NULL ORDER BY ${column}`)
    return rows.map((row) => textOf(row, column))
  }

  /** A letter with its record. @throws {@link StoreCorruptError} */
  read(id: number): (StoredDeadLetter & { readonly body?: Body }) | undefined {
    const row = this.#rows.get(ONE, id)
    if (row === undefined) return undefined
    const body = bodyOf(this.#rows.checked(row))
    return body === undefined ? letterOf(row) : { ...letterOf(row), body }
  }

  /**
   * Notes whether letters are to be delivered again.
   *
   * @returns number of letters that this changed
   * @throws {@link StoreCorruptError} when one that is to be delivered is damaged
   */
  setReplay(ids: readonly number[], replay: boolean): number {
    let changed = 0
    for (const id of ids) {
      const row = this.#rows.get(HEADER, id)
      if (row === undefined || row['replay'] === Number(replay)) continue
      changed += this.#change(row, { replay: Number(replay) }, replay)
    }
    return changed
  }

  /** Moves letters to another place of their link, from where they are to be delivered. @returns number of letters that were there */
  moveTo(ids: readonly number[], { place, stage, node, outlet }: LinkStage): number {
    return this.#changeEach(ids, { place, stage, node, outlet: outlet ?? null }, true)
  }

  /** Notes that letters were refused again: they wait for the next order to deliver them. Letters that are gone stay so. */
  tried(tries: readonly DeadTry[]): void {
    for (const { id, attempts, code = null, error, at } of tries) {
      this.#changeEach([id], { attempts, code, error: JSON.stringify(error), at, replay: 0 }, false)
    }
  }

  #changeEach(ids: readonly number[], changes: Row, mustBeIntact: boolean): number {
    return ids.reduce((sum, id) => {
      const row = this.#rows.get(HEADER, id)
      return row === undefined ? sum : sum + this.#change(row, changes, mustBeIntact)
    }, 0)
  }

  /** @param mustBeIntact - whether a damaged row is an error; else it loses its mark alone, lest it be tried for ever */
  #change(row: Row, changes: Row, mustBeIntact: boolean): number {
    if (!mustBeIntact && !this.#rows.isIntact(row)) return this.#rows.run(UNMARK, numberOf(row, 'id')).changes
    return this.#rows.change(this.#rows.checked(row), changes).changes
  }

  /** Deletes letters. @returns number of letters that were there */
  delete(ids: readonly number[]): number {
    return ids.reduce((sum, id) => sum + this.#rows.run('DELETE FROM dead WHERE id = ?', id).changes, 0)
  }

  /** Deletes letters of a link that are older than they may be, or too many. @returns number of letters */
  limit(link: string, { max, before }: { readonly max?: number; readonly before?: number }): number {
    let deleted = before === undefined ? 0 : this.deleteBefore(link, before)
    const excess = max === undefined ? 0 : this.count({ link }) - max
    if (excess > 0) deleted += this.deleteOldest(link, excess)
    return deleted
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
    hasRecord: row['body_crc'] !== null,
    replay: row['replay'] === 1,
  }
}

function conditions(filter: DeadLetterFilter): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const { after, group, since, before, replay } = filter
  const found: (readonly [sql: string, values: readonly SqlValue[]])[] = [
    among('id', filter.ids),
    among('link', filter.link),
    among('outlet', filter.outlet),
    among('stage', filter.stage),
    among('code', filter.code),
    ['id > ?', toArray(after)],
    ['grp = ?', toArray(group)],
    // in the order of their ids: the index by age would have them sorted
    ['+at >= ?', toArray(since)],
    ['+at < ?', toArray(before)],
  ]
  const given = found.filter(([, values]) => values.length > 0)
  const tests = given.map(([sql]) => sql)
  // the index of those to be delivered has them alone
  if (replay !== undefined) tests.push(replay ? 'replay = 1' : 'replay = 0')
  const sql = tests.length === 0 ? '' : `WHERE ${tests.join(' AND ')}`
  return { sql, values: given.flatMap(([, values]) => values) }
}

function among(column: string, given?: OneOrMany<SqlValue>): readonly [sql: string, values: readonly SqlValue[]] {
  const values = toArray(given)
  if (values.length === 1) return [`${column} = ?`, values]
  // of several, an index would have the letters sorted
  return [`${column === 'id' ? '' : '+'}${column} IN (${values.map(() => '?').join(', ')})`, values]
}
