import { statSync } from 'node:fs'
import type { DriverName } from './driver.js'
import { storeError } from './sqlite.js'
import { ownStore } from './store.js'

/** What a vacuum came to. */
export interface Vacuumed {
  readonly folder: string
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * Writes the file of a store as short as it can be. It takes as much room on the disk again while it is at work.
 *
 * @throws {@link StoreOwnedError} while a process uses the store
 */
export async function vacuumStore(folder: string, driver?: DriverName): Promise<Vacuumed> {
  const { store, release } = await ownStore(folder, driver === undefined ? {} : { driver })
  const { files, database } = store
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const bytesBefore = statSync(files.store).size
    database.exec('VACUUM')
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return { folder: files.folder, bytesBefore, bytesAfter: statSync(files.store).size }
  } catch (error) {
    throw storeError(error, files.store)
  } finally {
    release()
  }
}
