import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { loadDriver, type Driver, type DriverName } from './driver.js'
import { StoreError } from './errors.js'
import { STAGES } from './link-stages.js'
import { makeDatabase } from './open-database.js'
import { OwnerLock } from './owner.js'
import { ALL_TABLES, scan, type Scanned } from './scan.js'
import { insertInto, migrate, valuesOf, type Table } from './schema.js'
import { inTransaction, type Database, type SqlValue } from './sqlite.js'
import { storeFiles } from './store-files.js'
import { toError } from '../base/errors.js'

/** What a salvage came to. */
export interface Salvage {
  readonly folder: string
  /** Rows of each table that were read, and those of them that are not what was written and were left behind. */
  readonly tables: readonly Scanned[]
  /** Cursors that were saved, as `link / inlet`. Inlets of which none is here begin as at their first start. */
  readonly cursors: readonly string[]
  /** Files that the damaged store is kept in. */
  readonly kept: readonly string[]
  /** Why nothing at all could be read. */
  readonly error?: string
}

/**
 * Makes a new store of all rows of a damaged one that are what was written, and puts it in its place. The damaged one is
 * kept beside it.
 *
 * @throws {@link StoreOwnedError} while a process uses the store
 * @throws {@link StoreError} when there is none
 */
export async function salvageStore(folder: string, only?: DriverName): Promise<Salvage> {
  const driver = await loadDriver(only)
  const files = storeFiles(folder)
  const kept = existsSync(files.store) ? undefined : latestKept(files.folder, files.store)
  const isGone = kept === undefined && !existsSync(files.store)
  if (isGone && !existsSync(files.owner)) throw new StoreError(`${files.store}: there is no store`)
  // of one that was taken away, an empty one is made
  const source = kept ?? files.store
  const lock = new OwnerLock(driver, files)
  const target = `${files.store}.salvaged`
  try {
    for (const end of ENDS) rmSync(target + end, { force: true })
    const saved = copyInto(driver, source, target)
    const aside = kept === undefined ? keep(files.store) : [kept]
    renameSync(target, files.store)
    return { folder: files.folder, ...saved, kept: aside }
  } finally {
    lock.release()
  }
}

/** Ends of the names of the files that SQLite has for a database. */
const ENDS = ['', '-wal', '-shm', '-journal']

/** The damaged store that was kept last, for a salvage that was ended half-way. */
function latestKept(folder: string, store: string): string | undefined {
  const kept = new RegExp(`^${basename(store)}\\.damaged-\\d+$`)
  const [latest] = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => kept.test(name))
        .sort()
        .reverse()
    : []
  return latest === undefined ? undefined : join(folder, latest)
}

/** Puts the damaged files aside. @returns their new names */
function keep(store: string): string[] {
  const name = `${store}.damaged-${Date.now()}`
  // its log goes first: it must never be taken for that of the new store
  return [...ENDS].reverse().flatMap((end) => {
    if (!existsSync(store + end)) return []
    renameSync(store + end, name + end)
    return [name + end]
  })
}

function copyInto(driver: Driver, source: string, target: string): Omit<Salvage, 'folder' | 'kept'> {
  const to = makeDatabase(driver, target, {})
  let from: Database | undefined
  try {
    migrate(to)
    from = driver.open(source)
    const cursors: string[] = []
    const damaged = from
    const tables = inTransaction(to, () =>
      ALL_TABLES.map((table) => {
        const insert = inserter(to, table)
        return scan(
          damaged,
          table,
          (row) => {
            // the version and the owner are those of the new store
            if (table.name === 'meta' && !isSaved(row['key'])) return
            insert(row)
            if (table.name === 'cursor') cursors.push(`${String(row['link'])} / ${String(row['inlet'])}`)
          },
          true,
        )
      }),
    )
    const unreadable = tables.every(({ rows }) => rows === 0)
      ? tables.find(({ error }) => error !== undefined)
      : undefined
    return { tables, cursors, ...(unreadable?.error === undefined ? {} : { error: unreadable.error }) }
  } catch (error) {
    if (from !== undefined) throw error
    return { tables: [], cursors: [], error: toError(error).message }
  } finally {
    from?.close()
    // all of it is in one file, which can be renamed
    to.exec('PRAGMA journal_mode=DELETE')
    to.close()
  }
}

/** Whether a fact about the store is saved. */
function isSaved(key: SqlValue | undefined): boolean {
  return typeof key === 'string' && (key === 'id' || key.startsWith(STAGES))
}

function inserter(database: Database, table: Table): (row: Parameters<typeof valuesOf>[1]) => void {
  const { hasBody = false } = table
  const sql = insertInto(table, 'OR REPLACE')
  const withId = hasBody ? sql.replace('(', '(rowid, ').replace('VALUES(', 'VALUES(?, ') : sql
  const insert = database.prepare(withId)
  return (row) => {
    const values = [...valuesOf(table, row), row['crc'] ?? null]
    insert.run(...(hasBody ? [row['rowid'] ?? null, ...values, row['body'] ?? null] : values))
  }
}
