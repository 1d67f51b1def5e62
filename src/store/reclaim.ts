import { setImmediate as turn } from 'node:timers/promises'
import type { Database } from './sqlite.js'

/** Pages that are given back at once: some milliseconds of work. */
const SLICE = 512
/** Free pages that a store keeps for what comes next. */
const KEPT = 256

/**
 * Gives free space back to the disk, slice by slice: between two, the event loop turns, and others can write.
 *
 * @param keep - free pages that stay
 * @returns number of pages that were given back
 */
export async function reclaim(database: Database, keep = KEPT, signal?: AbortSignal): Promise<number> {
  const before = freePages(database)
  let free = before
  while (free > keep && signal?.aborted !== true) {
    database.exec(`PRAGMA incremental_vacuum(${Math.min(SLICE, free - keep)})`)
    await turn()
    const left = freePages(database)
    // others may free more meanwhile; but where nothing is given back, nothing ever is
    if (left === free) break
    free = left
  }
  return Math.max(0, before - free)
}

/** Number of pages of the file that hold nothing. */
export function freePages(database: Database): number {
  return Number(database.prepare('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0)
}
