/** The link module: links that compute, and are due again long before they are done. */
import { Inlet, Link, NullOutlet } from 'databay'
import { countPrimes } from './primes.js'

/** Amount of work: each of `links` links counts the primes below `limit` for each of `records` records of a transfer. */
const links = setting('CPU_HEAVY_LINKS', 8)
const records = setting('CPU_HEAVY_RECORDS', 10)
const limit = setting('CPU_HEAVY_LIMIT', 20_000)

class LimitInlet extends Inlet<number> {
  pull() {
    return Array<number>(records).fill(limit)
  }

  // nothing is kept between transfers, so the links may move between threads
  override saveState() {
    return undefined
  }
}

export const primes = Array.from(
  { length: links },
  (_, number) =>
    new Link({
      inlets: new LimitInlet(),
      processors: countPrimes,
      outlets: new NullOutlet(),
      interval: { milliseconds: 10 }, // as fast as it can: a link that still transfers is skipped
      lane: 'cpu',
      tags: `primes.${number}`,
    }),
)

function setting(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name}: expected a whole number above 0`)
  return value
}
