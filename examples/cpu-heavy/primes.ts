import type { Processor } from 'databay'

/** Counts the primes below each payload: heavy on purpose, and equally heavy for equal payloads. */
export const countPrimes: Processor<number> = (records) =>
  records.map((record) => record.with({ payload: primesBelow(record.payload) }))

/** Counts the primes below a limit by trial division. There are far better ways, but none that keeps a thread as busy. */
export function primesBelow(limit: number): number {
  let count = 0
  for (let number = 2; number < limit; number++) if (isPrime(number)) count++
  return count
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
  return true
}
