import { hostname } from 'node:os'
import process from 'node:process'
import { existsSync } from 'node:fs'
import type { Driver } from './driver.js'
import { StoreOwnedError } from './errors.js'
import { keepPrivate, openToRead } from './open-database.js'
import { readMeta } from './schema.js'
import { resultCode, SQLITE, storeError, type Database } from './sqlite.js'
import type { StoreFiles } from './store-files.js'

/** Process that owns a store, or owned it last. */
export interface Owner {
  readonly pid: number
  readonly host: string
  /** Time since when, in milliseconds since 1970. */
  readonly since: number
}

/** This process, as an owner. */
export function thisProcess(): Owner {
  return { pid: process.pid, host: hostname(), since: Date.now() }
}

/** Most time to wait for a command that looks whether the store has an owner, in milliseconds. */
const LOOK = 250

/** Lock that makes a process the owner of a store. The system frees it when the process ends, however it ends. */
export class OwnerLock {
  readonly #database: Database
  #isReleased = false

  /** @throws {@link StoreOwnedError} when the store has an owner */
  constructor(driver: Driver, files: StoreFiles) {
    let database: Database | undefined
    try {
      database = driver.open(files.owner)
      keepPrivate(files.owner)
      database.exec(`PRAGMA busy_timeout=${LOOK}`)
      database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      database?.close()
      if (resultCode(error) === SQLITE.busy) throw owned(driver, files, error)
      throw storeError(error, files.owner)
    }
    this.#database = database
  }

  /** Whether the file of the store has been made once. If it is missing then, it was lost. */
  get isMade(): boolean {
    return this.#database.prepare('PRAGMA user_version').get()?.['user_version'] === 1
  }

  /** Notes that the file of the store has been made. */
  noteMade(): void {
    if (this.isMade) return
    this.#database.exec('PRAGMA user_version=1')
    this.#database.exec('COMMIT')
    this.#database.exec('BEGIN EXCLUSIVE')
  }

  /** Frees the lock. To free it twice is once. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    // a connection of libsql lives on as long as one of its statements is not collected
    this.#database.exec('ROLLBACK')
    this.#database.close()
  }
}

/** Whether a process owns a store now. */
export function isOwned(driver: Driver, files: StoreFiles): boolean {
  if (!existsSync(files.owner)) return false
  try {
    const database = driver.open(files.owner)
    try {
      database.prepare('SELECT count(*) AS n FROM sqlite_master').get()
      return false
    } finally {
      database.close()
    }
  } catch (error) {
    if (resultCode(error) === SQLITE.busy) return true
    throw storeError(error, files.owner)
  }
}

function owned(driver: Driver, files: StoreFiles, cause: unknown): StoreOwnedError {
  const owner = lastOwner(driver, files)
  const who =
    owner === undefined
      ? 'another process'
      : owner.pid === process.pid && owner.host === hostname()
        ? 'another planner of this process'
        : `process ${owner.pid} on ${owner.host}`
  return new StoreOwnedError(`${files.folder}: the store is in use by ${who}: each planner needs a store of its own`, {
    cause,
  })
}

/** Process that owned the store last, as far as can be told. */
export function lastOwner(driver: Driver, files: StoreFiles): Owner | undefined {
  try {
    const database = openToRead(driver, files.store)
    try {
      const text = readMeta(database, 'owner')
      return text === undefined ? undefined : (JSON.parse(text) as Owner)
    } finally {
      database.close()
    }
  } catch {
    return undefined // it is about to be made, or damaged
  }
}
