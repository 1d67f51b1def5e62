import path from 'node:path'
import { readCsv } from './csv.js'
import type { Feature } from './feed.js'
import { listCsvFiles } from './output-folder.js'
import { rejectionOf } from './quake.js'
import { fileOf, regionOf } from './region.js'

/** Content of the CSV files of a folder. */
export interface Written {
  /** Number of rows of each file, the fullest file first. */
  readonly files: readonly (readonly [file: string, rows: number])[]
  /** Files of each event, each as often as the event is in it. */
  readonly places: ReadonlyMap<string, readonly string[]>
}

/** Reads all CSV files of a folder. */
export async function readWritten(folder: string): Promise<Written> {
  const files: [string, number][] = []
  const places = new Map<string, string[]>()
  for (const file of await listCsvFiles(folder)) {
    const rows = await readCsv(path.join(folder, file))
    if (rows.length > 0) files.push([file, rows.length])
    for (const { id = '' } of rows) places.set(id, [...(places.get(id) ?? []), file])
  }
  return { files: files.sort((a, b) => b[1] - a[1]), places }
}

/** Finds events that are in the files more than once; gives a sentence for each. */
export function findRepeated({ places }: Written): string[] {
  return [...places]
    .filter(([, files]) => files.length > 1)
    .map(([id, files]) => `${id} is written ${files.length} times: ${files.join(', ')}`)
}

/**
 * Compares the files with the feed.
 *
 * @returns what is wrong: a sentence for each accepted event that is not in the file of its region, and for each other
 * event that is in a file
 */
export function compareWithFeed({ places }: Written, feed: readonly Feature[]): string[] {
  const expected = new Map(
    feed
      .filter((feature) => rejectionOf(feature) === undefined)
      .map(({ id, properties }) => [id, fileOf(regionOf(properties.place))]),
  )
  const missing = [...expected]
    .filter(([id, file]) => places.get(id)?.includes(file) !== true)
    .map(([id, file]) => `${id} is missing in ${file}`)
  const unexpected = [...places.keys()]
    .filter((id) => !expected.has(id))
    .map((id) => `${id} should not have been written`)
  return [...missing, ...unexpected]
}

/** Counts the events of a feed that are not accepted, by reason. */
export function countRejections(feed: readonly Feature[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const feature of feed) {
    const reason = rejectionOf(feature)
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  return counts
}
