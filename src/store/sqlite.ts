import { DatabayError, toError } from '../base/errors.js'
import { StoreCorruptError, StoreError } from './errors.js'

/** A value that SQLite stores. Numbers are integers of at most 2^53. */
export type SqlValue = string | number | null | Uint8Array

/** A row, by the names of its columns. */
export interface Row {
  readonly [column: string]: SqlValue
}

/** What a change did. */
export interface Changes {
  readonly changes: number
  /** Row id of the row that was inserted last. */
  readonly lastInsertRowid: number
}

/** A prepared statement. */
export interface Statement {
  run(...values: readonly SqlValue[]): Changes
  get(...values: readonly SqlValue[]): Row | undefined
  all(...values: readonly SqlValue[]): Row[]
}

/** A connection to a file of SQLite, whichever driver it is of. It is synchronous. */
export interface Database {
  readonly file: string
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

/** Result codes of SQLite, without their details. */
export const SQLITE = {
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

/** Failures that pass: a full disk, a device that does not answer, a lock. What was to be written is still to be written. */
const PASSING: readonly (number | undefined)[] = [
  SQLITE.busy,
  SQLITE.locked,
  SQLITE.noMemory,
  SQLITE.readOnly,
  SQLITE.io,
  SQLITE.full,
  SQLITE.cannotOpen,
]

/** Result code of SQLite in what a driver threw, without its details; `undefined` for other errors. */
export function resultCode(thrown: unknown): number | undefined {
  if (thrown instanceof StoreError || thrown instanceof StoreCorruptError) return resultCode(thrown.cause)
  if (thrown === undefined) return undefined
  const { errcode, rawCode, message } = toError(thrown) as Error & { errcode?: unknown; rawCode?: unknown }
  // of libsql, an error of opening has the code in its message alone
  const [, inMessage] = /^ConnectionFailed\(.*: (\d+)"\)$/.exec(message) ?? []
  const code = errcode ?? rawCode ?? inMessage
  return code === undefined ? undefined : Number(code) & 0xff
}

/** Whether a failure passes by itself, or when someone makes room on the disk. */
export function passes(thrown: unknown): boolean {
  return PASSING.includes(resultCode(thrown))
}

/** An error of a driver as one of the store, with the file in its message; other errors stay as they are. */
export function storeError(thrown: unknown, file: string): Error {
  const error = toError(thrown)
  const code = resultCode(error)
  if (code === undefined || error instanceof DatabayError) return error
  if (code === SQLITE.corrupt || code === SQLITE.notADatabase) return corrupt(file, error.message, error)
  return new StoreError(`${file}: ${error.message}`, { cause: error })
}

/** Makes the error of a store that holds something else than was written. */
export function corrupt(file: string, what: string, cause?: unknown): StoreCorruptError {
  const advice = '`databay store check` says what is damaged, `databay store salvage` saves the rest'
  return new StoreCorruptError(`${file}: ${what}: ${advice}`, cause === undefined ? {} : { cause })
}

/**
 * Does work in one transaction: all of it is committed, or nothing.
 *
 * @returns what the work returns, once it is on the disk
 */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollback(database)
    throw error
  }
}

/** Rolls back the open transaction. A full disk has done so already, which must not hide that the disk is full. */
function rollback(database: Database): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // no transaction is open
  }
}
