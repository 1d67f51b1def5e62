import { plural } from '../text.js'

/*
 * Names of the bench's cases and subjects. They are apart from the bench, so that its targets load no peers.
 */

/** Number of links, or jobs, that are due at each tick. */
export const DUE = 64

/** Number of threads that each peer has. */
export const THREADS = 2

/** Limits of the primes: some ten microseconds of work, and some milliseconds. */
export const SMALL = 300
export const HEAVY = 30_000

export const RECORDS = 10_000

export const BREE = 'Bree'

/** The version of databay for Python that this package is compared with. */
export const VERSION = '0.3.0'

export const ORIGINAL = `databay ${VERSION}`

/** Number of links that are due at each tick where only their transfers are measured. */
export const BATCHED = 1000

export const ONE_BY_ONE = `databay, one by one on ${plural(THREADS, 'thread')}`

export const IN_BATCHES = `databay, ${plural(BATCHED, 'link')} due at once`

export const NOOP_CASE = 'transfers that do nothing'

export function jobCase(limit = SMALL): string {
  return `${DUE} jobs due at each tick, primes below ${limit.toLocaleString('en')}, ${plural(THREADS, 'thread')}`
}

export function recordsFromOriginalCase(count = RECORDS): string {
  return `${plural(count, 'record')}, with copies`
}
