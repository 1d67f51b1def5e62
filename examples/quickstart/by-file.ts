import { CsvOutlet, type Record } from 'databay'

/** Grouper: makes one batch for each region, as each region has a file of its own. */
export function byFile<T>(batches: Record<T>[][]): Record<T>[][] {
  const byName = new Map<unknown, Record<T>[]>()
  for (const record of batches.flat()) {
    const file = record.metadata[CsvOutlet.CSV_FILE]
    const batch = byName.get(file)
    if (batch === undefined) byName.set(file, [record])
    else batch.push(record)
  }
  return [...byName.values()]
}
