import { mostThreads } from '../../planners/most-threads.js'

/** A setting that is tried. */
export interface Setting {
  readonly threads: number
  readonly transfersPerThread: number
}

/** Most threads that are tried unless more are asked for. */
const MOST_THREADS = 64

/**
 * Thread counts that are tried by default: 1, 2, 4, … up to twice as many as there are cores, and one for each core.
 *
 * @param possible - the most threads that the machine can have
 */
export function defaultThreads(cores: number, possible = mostThreads().most): number[] {
  const most = Math.min(2 * cores, MOST_THREADS, possible)
  const threads = new Set([1, Math.min(cores, most)])
  for (let count = 2; count <= most; count *= 2) threads.add(count)
  return [...threads].sort((a, b) => a - b)
}

/**
 * The thread counts that are of use.
 *
 * @param transfers - number of transfers that there can be at once
 */
export function usefulThreads(counts: readonly number[], transfers: number): number[] {
  return counts.filter((_, at) => at === 0 || (counts[at - 1] ?? 0) < transfers)
}

/** Settings of every thread count with every number of transfers in a thread, the smallest first. */
export function settingsOf(threads: readonly number[], transfersPerThread: readonly number[]): Setting[] {
  const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)
  return sorted(threads).flatMap((count) =>
    sorted(transfersPerThread).map((transfers) => ({ threads: count, transfersPerThread: transfers })),
  )
}
