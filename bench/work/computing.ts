/** Work that computes: each kind takes some milliseconds, and gives a number that shows whether it was done. */
import { createHash } from 'node:crypto'

export type Work = 'primes' | 'json' | 'sha256'

export const WORK: { readonly [work in Work]: () => number } = { primes, json, sha256 }

/** Results of the kinds of work. */
export const RESULTS: { readonly [work in Work]: number } = { primes: 8713, json: 9_995_000, sha256: 3_344_306_189 }

/** Counts primes, by division. */
function primes(): number {
  let found = 0
  for (let candidate = 2; candidate < 90_000; candidate++) {
    let prime = true
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) {
        prime = false
        break
      }
    }
    if (prime) found++
  }
  return found
}

let text: string | undefined

/** Parses rows and sums them by their city. */
function json(): number {
  text ??= JSON.stringify(
    Array.from({ length: 10_000 }, (_, id) => ({ id, city: `city ${id % 50}`, value: id % 2000, tags: ['a', 'b'] })),
  )
  const rows = JSON.parse(text) as { readonly city: string; readonly value: number }[]
  const sums = new Map<string, number>()
  for (const { city, value } of rows) sums.set(city, (sums.get(city) ?? 0) + value)
  return [...sums.values()].reduce((total, sum) => total + sum, 0)
}

let bytes: Uint8Array | undefined

/** Hashes four megabytes. */
function sha256(): number {
  bytes ??= new Uint8Array(4 << 20).fill(7)
  return createHash('sha256').update(bytes).digest().readUInt32BE()
}
