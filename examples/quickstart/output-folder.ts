import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** Name of the file that marks a folder as made by this example, which then may empty it. */
const MARKER = '.quickstart'

/**
 * Makes the folder for the CSV files. When this example made it before, its CSV files are removed.
 *
 * @throws when there is such a folder already, with something in it, that this example did not make
 */
export async function prepareOutput(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const names = await readdir(folder)
  if (names.length > 0 && !names.includes(MARKER)) {
    throw new Error(`--out: expected a new or empty folder, or one that this example made; got ${folder}`)
  }
  await writeFile(path.join(folder, MARKER), 'Made by examples/quickstart. Its CSV files are replaced by each run.\n')
  for (const name of csvFiles(names)) await rm(path.join(folder, name))
}

/** Lists the names of the CSV files in a folder, in alphabetical order. */
export async function listCsvFiles(folder: string): Promise<string[]> {
  return csvFiles(await readdir(folder))
}

function csvFiles(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith('.csv')).sort()
}
