import { existsSync, mkdirSync } from 'node:fs'
import { loadDriver, type Driver, type DriverName } from './driver.js'
import { StoreError } from './errors.js'
import { GroupCommit, type CommitOptions } from './group-commit.js'
import { gone, isEmpty, makeDatabase, openDatabase, openToRead, type Durability } from './open-database.js'
import { OwnerLock, thisProcess } from './owner.js'
import { reclaim } from './reclaim.js'
import { checkSchema, migrate, readMeta, writeMeta } from './schema.js'
import { storeError, type Database } from './sqlite.js'
import { storeFiles, type StoreFiles } from './store-files.js'

/** How a thread opens a store. */
export interface StoreOptions extends Durability, CommitOptions {
  /** Library of SQLite, whatever Node has. @default that of Node, else libsql */
  readonly driver?: DriverName
}

/** A thread's connection to a store. */
export class Store {
  readonly files: StoreFiles
  readonly database: Database
  readonly #commits: GroupCommit
  #isClosed = false

  /** @param database - of the store; this closes it */
  constructor(files: StoreFiles, database: Database, options: CommitOptions = {}) {
    this.files = files
    this.database = database
    this.#commits = new GroupCommit(database, options)
  }

  /** Identity of the store, for as long as its files live. */
  get id(): string {
    return readMeta(this.database, 'id') ?? ''
  }

  /** Whether nothing can be written now, and what is to be written waits. */
  get isInTrouble(): boolean {
    return this.#commits.isInTrouble
  }

  /**
   * Has work done in the next transaction of this thread, together with that of other links.
   *
   * @param work - what changes the database; it may be called several times, and only its last result counts
   * @returns its result, once it is committed
   * @throws what the work threw, when nothing of it is committed
   */
  write<T>(work: () => T, delayed?: (why: Error) => void): Promise<T> {
    return this.#commits.write(work, delayed)
  }

  /** Tries again at once to write what waits. */
  retry(): void {
    this.#commits.retry()
  }

  /**
   * Reads.
   *
   * @throws {@link StoreCorruptError} or another error of the store, that names its file
   */
  read<T>(work: (database: Database) => T): T {
    try {
      return work(this.database)
    } catch (error) {
      throw storeError(error, this.files.store)
    }
  }

  /** Gives free space back to the disk, in slices. @returns number of pages */
  reclaim(signal?: AbortSignal): Promise<number> {
    return reclaim(this.database, undefined, signal)
  }

  /** Writes what waits, once, and closes the connection. To close twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#commits.close()
    this.database.close()
  }
}

/** A store that belongs to this process. */
export interface OwnedStore {
  /** Connection of the main thread. */
  readonly store: Store
  /** Closes it, and lets another process have the store. To release twice is once. */
  readonly release: () => void
}

/**
 * Makes this process the owner of the store in a folder, and makes the store where there is none. The main thread does
 * this before other threads open the store.
 *
 * @throws {@link StoreOwnedError} when it has an owner
 * @throws {@link StoreVersionError} when a newer databay wrote it
 * @throws {@link StoreCorruptError} when it is damaged
 * @throws {@link MissingDependencyError} when Node has no SQLite and libsql is not installed
 */
export async function ownStore(folder: string, options: StoreOptions = {}): Promise<OwnedStore> {
  const driver = await loadDriver(options.driver)
  const files = storeFiles(folder)
  makeFolder(files.folder)
  const lock = new OwnerLock(driver, files)
  try {
    const store = new Store(files, prepared(driver, files, lock, options), options)
    return {
      store,
      release: () => {
        store.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * Makes this process the owner of a store that is damaged, so that no other mends or uses it meanwhile.
 *
 * @returns what lets another process have it
 * @throws {@link StoreOwnedError} when it has an owner
 */
export async function ownDamaged(folder: string): Promise<() => void> {
  const lock = new OwnerLock(await loadDriver(), storeFiles(folder))
  return () => {
    lock.release()
  }
}

function prepared(driver: Driver, files: StoreFiles, lock: OwnerLock, options: StoreOptions): Database {
  if (lock.isMade && isEmpty(files.store)) throw gone(files.store)
  const database = makeDatabase(driver, files.store, options)
  try {
    migrate(database)
    writeMeta(database, 'owner', JSON.stringify(thisProcess()))
    lock.noteMade()
    return database
  } catch (error) {
    database.close()
    throw storeError(error, files.store)
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new StoreError(`${folder}: the folder of the store cannot be made (${storeError(cause, folder).message})`, {
      cause,
    })
  }
}

/**
 * Opens the database of the store in a folder to read it, whoever owns it.
 *
 * @throws {@link StoreError} when there is none
 * @throws {@link StoreVersionError} when a newer databay wrote it, or nothing is in it yet
 */
export async function readStore(folder: string, only?: DriverName): Promise<Database> {
  const { store } = storeFiles(folder)
  const database = openToRead(await loadDriver(only), store)
  try {
    checkSchema(database)
    return database
  } catch (error) {
    database.close()
    throw storeError(error, store)
  }
}

/**
 * Opens the store in a folder, which a process owns. Each thread has a connection of its own.
 *
 * @throws {@link StoreError} when there is none
 * @throws {@link StoreCorruptError} when there was one
 */
export async function openStore(folder: string, options: StoreOptions = {}): Promise<Store> {
  const files = storeFiles(folder)
  if (existsSync(files.owner) && isEmpty(files.store)) throw gone(files.store)
  const database = openDatabase(await loadDriver(options.driver), files.store, options)
  try {
    checkSchema(database)
    return new Store(files, database, options)
  } catch (error) {
    database.close()
    throw storeError(error, files.store)
  }
}
