/** Sandboxed processor of BullMQ. */
import { primesBelow } from '../work/primes.js'

export default function primes({ data }: { readonly data: { readonly limit: number } }): Promise<number> {
  return Promise.resolve(primesBelow(data.limit))
}
