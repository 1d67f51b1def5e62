import { existsSync } from 'node:fs'
import type { Driver } from '../driver.js'
import { StoreError, StoreVersionError } from '../errors.js'
import { keepPrivate, opened } from '../open-database.js'
import { inTransaction, type Database } from '../sqlite.js'

/*
 * The ledger: what transfers did, for people to read. It is history, so it goes without what a store promises: no fsync, no
 * checksums, and it may be deleted at any time.
 */

/** Version of the ledger's schema that this package knows. */
export const LEDGER_VERSION = 1

/** Most time that the main thread waits for a lock of another process, in milliseconds. What it could not write waits. */
const SHORT = 20
/** Most time that a command waits for a lock, in milliseconds. */
const PATIENT = 5000

const SCHEMA = `
  CREATE TABLE transfer(
    seq INTEGER PRIMARY KEY, link TEXT NOT NULL, "update" TEXT NOT NULL, kind TEXT NOT NULL, thread INTEGER NOT NULL,
    scheduled_at REAL NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL, busy REAL NOT NULL,
    pulled INTEGER NOT NULL, added INTEGER NOT NULL, filtered INTEGER NOT NULL, dropped INTEGER NOT NULL,
    grouped INTEGER NOT NULL, buffered INTEGER NOT NULL, batches INTEGER NOT NULL, rounds INTEGER NOT NULL,
    outlets TEXT NOT NULL, errors TEXT, dead INTEGER NOT NULL, replayed INTEGER NOT NULL, blocked TEXT,
    durable INTEGER NOT NULL, window TEXT
  ) STRICT;
  CREATE TABLE hour(
    hour INTEGER NOT NULL, link TEXT NOT NULL, upto INTEGER NOT NULL, sums TEXT NOT NULL, PRIMARY KEY(hour, link)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE link(link TEXT PRIMARY KEY, schedule TEXT NOT NULL, since REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

/**
 * Opens the ledger to write it, and makes it where there is none.
 *
 * @throws {@link StoreVersionError} when a newer databay wrote it, or the file is no ledger
 * @throws {@link StoreCorruptError} when it is damaged
 */
export function openLedger(driver: Driver, file: string): Database {
  return opened(driver, file, (database) => {
    keepPrivate(file)
    database.exec(`PRAGMA busy_timeout=${SHORT}`)
    if (versionOf(database) === 0) database.exec('PRAGMA journal_mode=WAL')
    database.exec('PRAGMA synchronous=OFF')
    if (versionOf(database) > 0) return
    inTransaction(database, () => {
      database.exec(`${SCHEMA} PRAGMA user_version=${LEDGER_VERSION}`)
    })
  })
}

/**
 * Opens the ledger to read it, beside the planner that writes it.
 *
 * @throws {@link StoreError} when there is none
 * @throws {@link StoreVersionError} when a newer databay wrote it, or the file is no ledger
 */
export function readLedger(driver: Driver, file: string): Database {
  if (!existsSync(file)) throw noLedger(file)
  return opened(driver, file, (database) => {
    database.exec(`PRAGMA busy_timeout=${PATIENT}`)
    database.exec('PRAGMA query_only=ON')
    if (versionOf(database) === 0) throw noLedger(file)
  })
}

/** Version of a ledger; 0 when there is nothing in the file. */
function versionOf(database: Database): number {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > LEDGER_VERSION) {
    throw new StoreVersionError(
      `${database.file}: the ledger is of version ${version}, of a newer databay; this one knows version ${LEDGER_VERSION}`,
    )
  }
  if (version === 0 && database.prepare('SELECT name FROM sqlite_master LIMIT 1').get() !== undefined) {
    throw new StoreVersionError(`${database.file}: the file is a database, but no ledger of databay`)
  }
  return version
}

function noLedger(file: string): StoreError {
  return new StoreError(`${file}: there is no ledger yet: a planner with this store writes it, once a second`)
}
