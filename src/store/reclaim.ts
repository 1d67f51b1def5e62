import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from './sqlite.js'

/** Pages that are given back at once: some milliseconds of work. */
const SLICE = 128
/** Time between two slices, in milliseconds: most of it is for others. */
const PAUSE = 20
/** Free pages that a store keeps for what comes next. */
const KEPT = 256

/**
 * Gives free space back to the disk, slice by slice: between two, the thread does other things, and others can write.
 *
 * @param keep - free pages that stay
 * @returns number of pages that were given back
 */
export async function reclaim(database: Database, keep = KEPT, signal?: AbortSignal): Promise<number> {
  const before = freePages(database)
  let free = before
  while (free > keep) {
    database.exec(`PRAGMA incremental_vacuum(${Math.min(SLICE, free - keep)})`)
    await wait(PAUSE, undefined, { ref: false })
    // the database may be closed by now
    if (signal?.aborted === true) break
    const left = freePages(database)
    // others may free more meanwhile; but where nothing is given back, nothing ever is
    if (left === free) break
    free = left
  }
  const freed = Math.max(0, before - free)
  // until then, the file is as long as it was
  if (freed > 0 && signal?.aborted !== true) database.exec('PRAGMA wal_checkpoint(PASSIVE)')
  return freed
}

/** Number of pages of the file that hold nothing. */
export function freePages(database: Database): number {
  return Number(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0)
}
