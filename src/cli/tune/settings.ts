/** What is tried. */
export interface Setting {
  readonly threads: number
  readonly transfersPerThread: number
}

/** More threads than that are tried only when they are asked for. */
const MOST_THREADS = 64

/** What is tried unless something else is asked for: 1, 2, 4, … threads up to twice as many as there are cores, and one for each core. */
export function defaultThreads(cores: number): number[] {
  const most = Math.min(2 * cores, MOST_THREADS)
  const threads = new Set([1, Math.min(cores, most)])
  for (let count = 2; count <= most; count *= 2) threads.add(count)
  return [...threads].sort((a, b) => a - b)
}

/**
 * Those of the thread counts that can be made use of.
 *
 * @param transfers - how many of them there can be at once
 */
export function usefulThreads(counts: readonly number[], transfers: number): number[] {
  return counts.filter((_, at) => at === 0 || (counts[at - 1] ?? 0) < transfers)
}

/** Every thread count with every number of transfers in a thread, the smallest first. */
export function settingsOf(threads: readonly number[], transfersPerThread: readonly number[]): Setting[] {
  const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)
  return sorted(threads).flatMap((count) =>
    sorted(transfersPerThread).map((transfers) => ({ threads: count, transfersPerThread: transfers })),
  )
}
