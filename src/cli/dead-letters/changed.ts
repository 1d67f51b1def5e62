import { setTimeout as sleep } from 'node:timers/promises'
import { SLICE } from './selected.js'

/** What a command that changes letters came to. */
export interface Changed {
  readonly document: object
  readonly lines: readonly string[]
  readonly problems: readonly string[]
}

/** Most letters that are changed in one transaction, which threads that write meanwhile wait for: a slice, and a unit of 1,000. */
const MOST = SLICE + 1000

/** Time between two transactions, in which others can write, in milliseconds. */
const PAUSE = 2

/**
 * Does work on letters in slices, with pauses in which others can write.
 *
 * @param units - letters that are changed together, where they are not too many
 * @param work - changes letters of several units, in one transaction
 */
export async function inSlices<T>(
  units: readonly (readonly T[])[],
  work: (letters: readonly T[]) => void,
): Promise<void> {
  let slice: T[] = []
  for (const [at, unit] of units.entries()) {
    slice = slice.concat(unit)
    if (slice.length < SLICE && at < units.length - 1) continue
    for (let from = 0; from < slice.length; from += MOST) {
      work(slice.slice(from, from + MOST))
      await sleep(PAUSE)
    }
    slice = []
  }
}

/** Counts letters by their link. */
export class LinkTally {
  readonly counts = new Map<string, number>()

  add(link: string): void {
    this.counts.set(link, (this.counts.get(link) ?? 0) + 1)
  }

  /** Whose the letters are, for the end of a phrase: ` of orders`, ` (orders: 2, mail: 1)`. */
  get text(): string {
    const parts = [...this.counts].map(([link, count]) => `${link}: ${count}`)
    const [only] = this.counts.keys()
    if (only === undefined) return ''
    return parts.length === 1 ? ` of ${only}` : ` (${parts.join(', ')})`
  }
}
