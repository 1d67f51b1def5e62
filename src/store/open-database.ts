import { chmodSync, existsSync, statSync } from 'node:fs'
import type { Driver } from './driver.js'
import { StoreError, type StoreCorruptError } from './errors.js'
import { corrupt, storeError, type Database } from './sqlite.js'

/** How the connection waits and writes. */
export interface Durability {
  /** Whether a commit is on the disk when it is done. Without, a power loss takes back the last ones. @default true */
  readonly fsync?: boolean
}

/** Most time that a connection waits for a lock of another, in milliseconds. */
const BUSY = 5000

/**
 * Makes the file of a store where it is missing, for the eyes of this user alone. One thread does this before others open
 * it.
 */
export function makeDatabase(driver: Driver, file: string, durability: Durability): Database {
  return opened(driver, file, (database) => {
    keepPrivate(file)
    configure(database, durability)
    // it cannot be turned on once there is a table, nor in WAL mode
    if (database.prepare('PRAGMA auto_vacuum').get()?.['auto_vacuum'] !== 2) {
      throw corrupt(file, 'it does not give back free space (auto_vacuum)')
    }
  })
}

/** Makes a file that has just been made private, before anything is in it. SQLite makes its further files alike. */
export function keepPrivate(file: string): void {
  if (isEmpty(file)) chmodSync(file, 0o600)
}

/** Whether a file is missing, or has nothing in it. */
export function isEmpty(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0
}

/** Opens the file of a store that is there. An empty one stays as it is: what was in it is lost. */
export function openDatabase(driver: Driver, file: string, durability: Durability): Database {
  checkExists(file)
  if (isEmpty(file)) throw gone(file)
  return opened(driver, file, (database) => {
    configure(database, durability)
  })
}

/** Opens the file of a store to read it, whoever owns it. */
export function openToRead(driver: Driver, file: string): Database {
  checkExists(file)
  return opened(driver, file, (database) => {
    database.exec(`PRAGMA busy_timeout=${BUSY}`)
    database.exec('PRAGMA query_only=ON')
  })
}

/** Makes the error of a store whose file is missing or empty, and has had something in it. */
export function gone(file: string): StoreCorruptError {
  return corrupt(file, 'the file is gone, or has nothing in it any more')
}

function checkExists(file: string): void {
  if (!existsSync(file)) throw new StoreError(`${file}: there is no store`)
}

function configure(database: Database, { fsync = true }: Durability): void {
  // in this order: without its timeout, the first connections to a new file would find it locked
  database.exec(`PRAGMA busy_timeout=${BUSY}`)
  database.exec('PRAGMA auto_vacuum=INCREMENTAL')
  database.exec('PRAGMA journal_mode=WAL')
  database.exec(`PRAGMA synchronous=${fsync ? 'FULL' : 'NORMAL'}`)
  database.exec('PRAGMA wal_autocheckpoint=1000')
}

/**
 * Opens a file and prepares its database. When that fails, nothing stays open.
 *
 * @throws an error of the store that names the file
 */
export function opened(driver: Driver, file: string, prepare: (database: Database) => void): Database {
  let database: Database | undefined
  try {
    database = driver.open(file)
    prepare(database)
    return database
  } catch (error) {
    database?.close()
    throw storeError(error, file)
  }
}
