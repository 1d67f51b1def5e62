import { appendFileSync, readFileSync } from 'node:fs'
import type { Issued } from './issue.js'

/** Entry of an outlet's journal: a push begins, or it ends with the records that it took. */
export interface Entry {
  readonly link: string
  readonly step: 'begins' | 'ends'
  /** Number of the transfer. */
  readonly transfer: number
  /** Time of the entry, in milliseconds since 1970. */
  readonly at: number
  readonly records: readonly Issued[]
}

/** Writes an entry at once, so that it survives the loss of the thread. */
export function note(file: string, entry: Entry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`)
}

/** Reads the entries of a journal, in order. */
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
