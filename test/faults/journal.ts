import { appendFileSync, readFileSync } from 'node:fs'
import type { Issued } from './issue.js'

/** What an outlet writes down: of one push, that it began, what it took, and that it ended. */
export interface Entry {
  readonly link: string
  readonly step: 'begins' | 'ends'
  /** Number of the transfer. */
  readonly transfer: number
  /** In milliseconds since 1970. */
  readonly at: number
  readonly records: readonly Issued[]
}

/** Writes at once and by itself, so that it is there whatever becomes of the thread. */
export function note(file: string, entry: Entry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`)
}

/** What was written down, in order. */
export function readJournal(file: string): Entry[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return [] // nothing was pushed yet
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
}
