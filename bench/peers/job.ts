/** What all peers are to do: count primes, on so many threads. */
export interface Job {
  readonly limit: number
  readonly threads: number
}

export const RUNS = { rate: 'runs/s' }

/** Keeps so many runs going until the time is over, and gives the runs in a second. */
export async function lanes(seconds: number, width: number, run: (lane: number) => Promise<void>): Promise<number> {
  const from = performance.now()
  let done = 0
  const lane = async (index: number) => {
    do {
      await run(index)
      done++
    } while (performance.now() - from < seconds * 1000)
  }
  await Promise.all(Array.from({ length: width }, (_, index) => lane(index)))
  return done / ((performance.now() - from) / 1000)
}
