import { COST_UNITS } from '../measure.js'

/** Work that all peers do: count the primes below a limit, on a number of threads. */
export interface Job {
  readonly limit: number
  readonly threads: number
}

export const RUNS = { ...COST_UNITS, rate: 'runs/s' }

/** Keeps `width` runs going until the time is over, and gives the number of runs. */
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
  return done
}
