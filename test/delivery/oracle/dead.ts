import { existsSync } from 'node:fs'
import { decodeRecords } from '../../../src/store/codec.js'
import { DeadLetters } from '../../../src/store/dead-letters.js'
import { loadDriver } from '../../../src/store/driver.js'
import { openToRead } from '../../../src/store/open-database.js'
import { storeFiles } from '../../../src/store/store-files.js'
import { numberOf } from './journal.js'

/** Numbers of the records that are dead letters, by their outlets. */
export async function deadLetters(folder: string): Promise<Map<string, Set<number>>> {
  const file = storeFiles(folder).store
  const dead = new Map<string, Set<number>>()
  if (!existsSync(file)) return dead
  const database = openToRead(await loadDriver(), file)
  try {
    // a process that was killed as it made the store may have left it without tables
    if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'dead'").get() === undefined) return dead
    const letters = new DeadLetters(database)
    for (const { id, outlet = '' } of letters.list({ limit: 1_000_000 })) {
      const { body } = letters.read(id) ?? {}
      const numbers = dead.get(outlet) ?? new Set()
      dead.set(outlet, numbers)
      for (const { payload } of body === undefined ? [] : decodeRecords(body)) numbers.add(numberOf(payload as string))
    }
    return dead
  } finally {
    database.close()
  }
}
