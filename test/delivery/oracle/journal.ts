/*
 * Journals of outlets: a line `000000012;` for each record, and a line `@3.1;` before the first of each opening of its
 * link: life 3 of the process, thread 1. Lines are added by one write, which survives a SIGKILL but for its end; what is
 * added later begins with a line end, so that a torn line stays alone.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'

const DIGITS = 9

/** The text of a record: fixed in length, so that it can be told from a torn one. */
export function numbered(number: number): string {
  return `${String(number).padStart(DIGITS, '0')};`
}

/** The number in the text of a record. */
export function numberOf(text: string): number {
  return Number(text.slice(0, DIGITS))
}

/** Adds texts to a journal. */
export function note(file: string, texts: readonly string[]): void {
  appendFileSync(file, `\n${texts.join('\n')}\n`)
}

/** The mark of an opening of a link in a journal. */
export function openingMark(life: number): string {
  return `@${life}.${threadId};`
}

/** What an outlet took in one opening of its link. */
export interface Opening {
  /** Its mark without the signs around it. */
  readonly name: string
  readonly numbers: number[]
}

/** Reads a journal. Torn lines are left out: nothing says that their records were taken. */
export function readJournal(file: string): Opening[] {
  const openings: Opening[] = []
  for (const line of existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []) {
    const [, mark, digits] = /(?:@([\d.]+)|(\d{9}));$/.exec(line) ?? []
    if (mark !== undefined) openings.push({ name: mark, numbers: [] })
    if (digits !== undefined) openings.at(-1)?.numbers.push(Number(digits))
  }
  return openings
}
