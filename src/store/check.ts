import { statSync } from 'node:fs'
import { loadDriver, type DriverName } from './driver.js'
import { openToRead } from './open-database.js'
import { isOwned, lastOwner, type Owner } from './owner.js'
import { freePages } from './reclaim.js'
import { ALL_TABLES, scan, type Scanned } from './scan.js'
import { checkSchema, readMeta, SCHEMA } from './schema.js'
import { type Database } from './sqlite.js'
import { storeFiles } from './store-files.js'
import { toError } from '../base/errors.js'

/** Most faults of the file itself that are listed. */
const MOST_FAULTS = 100

/** What was found in a store. */
export interface StoreCheck {
  readonly folder: string
  /** Identity of the store, when it can be read. */
  readonly id?: string
  /** Whether a process uses it now. */
  readonly inUse: boolean
  /** Process that uses it, or used it last. */
  readonly owner?: Owner
  /** Size of its file and the log beside it, in bytes. */
  readonly bytes: number
  /** Bytes of the file that hold nothing. */
  readonly freeBytes: number
  readonly tables: readonly Scanned[]
  /** What is wrong; empty when all is well. */
  readonly problems: readonly string[]
}

/**
 * Reads the whole store, and compares each row with its checksum. It changes nothing, and can be done while a planner uses
 * the store.
 *
 * @throws {@link StoreError} when there is none
 * @throws {@link StoreVersionError} when a newer databay wrote it, or it is no store
 */
export async function checkStore(folder: string, only?: DriverName): Promise<StoreCheck> {
  const driver = await loadDriver(only)
  const files = storeFiles(folder)
  const bytes = [files.store, `${files.store}-wal`].reduce((sum, file) => sum + sizeOf(file), 0)
  const owner = lastOwner(driver, files)
  const about = {
    folder: files.folder,
    inUse: isOwned(driver, files),
    bytes,
    ...(owner === undefined ? {} : { owner }),
  }
  let database: Database
  try {
    database = openToRead(driver, files.store)
  } catch (error) {
    return { ...about, freeBytes: 0, tables: [], problems: [problemOf(error)] }
  }
  try {
    checkSchema(database)
    const problems = [...faultsOf(database), ...schemaFaults(database, driver.open(':memory:'))]
    const tables = ALL_TABLES.map((table) => scan(database, table, () => undefined))
    for (const { table, damaged, error } of tables) {
      if (damaged > 0) problems.push(`${table}: ${damaged} of its rows are not what was written`)
      if (error !== undefined) problems.push(`${table}: a part cannot be read (${error})`)
    }
    const size = Number(database.prepare('PRAGMA page_size').get()?.['page_size'] ?? 0)
    const id = readMeta(database, 'id')
    const known = id === undefined ? {} : { id }
    return { ...about, ...known, freeBytes: freePages(database) * size, tables, problems }
  } catch (error) {
    if (toError(error).name === 'StoreVersionError') throw error
    return { ...about, freeBytes: 0, tables: [], problems: [problemOf(error)] }
  } finally {
    database.close()
  }
}

/** Faults of the file's structure, as SQLite finds them. */
function faultsOf(database: Database): string[] {
  try {
    const rows = database.prepare(`PRAGMA integrity_check(${MOST_FAULTS})`).all()
    const faults = rows.map((row) => String(Object.values(row)[0]))
    return faults.length === 1 && faults[0] === 'ok' ? [] : faults
  } catch (error) {
    return [problemOf(error)]
  }
}

/** Differences of the tables from those of this version. */
function schemaFaults(database: Database, fresh: Database): string[] {
  try {
    fresh.exec(SCHEMA)
    const [found, expected] = [database, fresh].map((one) => {
      const rows = one.prepare('SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name').all()
      return new Map(rows.map(({ name, sql }) => [String(name), String(sql)]))
    })
    const names = new Set([...(found?.keys() ?? []), ...(expected?.keys() ?? [])])
    return [...names]
      .filter((name) => found?.get(name) !== expected?.get(name))
      .map((name) => `${name}: it is defined otherwise`)
  } finally {
    fresh.close()
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function problemOf(error: unknown): string {
  return toError(error).message
}
