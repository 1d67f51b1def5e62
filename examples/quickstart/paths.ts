import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Folder of this example with its sources and data. The compiled example runs from `dist/`, which holds neither, so this
 * looks for the repository's own folder above this file.
 */
export const EXAMPLE_FOLDER = path.join(repositoryFolder(), 'examples', 'quickstart')

/** Extract of the feed that this example replays. */
export const FEED_FILE = path.join(EXAMPLE_FOLDER, 'data', 'earthquakes.json.gz')

/** Default folder for the CSV files. */
export const DEFAULT_OUTPUT = path.join(EXAMPLE_FOLDER, 'output')

function repositoryFolder(): string {
  const start = path.dirname(fileURLToPath(import.meta.url))
  for (let folder = start; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder
    if (folder === path.dirname(folder)) throw new Error(`no folder above ${start} has a package.json`)
  }
}
