import { Record, Update, type Outlet } from 'databay'

import { check, COST_UNITS, repeat, withCost, type Subject } from '../measure.js'
import { makeReadings, type Reading } from '../work/readings.js'

/** Name of the subjects that are outlets of this package. */
export const DATABAY = 'databay'

/** Place that rows are stored in, by an outlet or by hand. */
export interface Storage {
  /** Stores a batch of rows. */
  store(rows: readonly Reading[]): Promise<void>
  /** Number of rows that are stored. */
  count(): Promise<number>
  /** Removes all rows. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Subject that stores batches of rows, one after the other. */
export function storing(name: string, peers: readonly string[], batch: number, open: () => Promise<Storage>): Subject {
  return {
    name,
    units: { ...COST_UNITS, rate: 'rows/s' },
    peers,
    async open() {
      const storage = await open()
      const sample = async (seconds: number) => {
        await storage.clear()
        const rows = makeReadings(batch)
        let stored = 0
        const figures = await withCost(() =>
          repeat(seconds, async () => {
            await storage.store(rows)
            stored += batch
            return batch
          }),
        )
        check(`rows of ${name}`, await storage.count(), stored)
        return figures
      }
      return { sample, close: () => storage.close() }
    },
  }
}

/** Starts an outlet, and gives what pushes a batch to it. A batch that is pushed again has its records already, as those of a link. */
export async function started(outlet: Outlet): Promise<(payloads: readonly unknown[]) => Promise<void>> {
  await outlet.onStart()
  const update = new Update(['bench'], 0)
  const made = new WeakMap<readonly unknown[], Record[]>()
  return async (payloads) => {
    const records = made.get(payloads) ?? payloads.map((payload) => new Record(payload))
    made.set(payloads, records)
    await outlet.push(records, update)
  }
}
