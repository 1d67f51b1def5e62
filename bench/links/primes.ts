/** Links that count the primes below a limit. In the URL, `links=64` is their number, and `limit=300` the limit. */
import { Inlet, Link, Outlet, type Record } from 'databay'
import { primesBelow } from '../work/primes.js'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 64)
const limit = Number(searchParams.get('limit') ?? 300)
const expected = primesBelow(limit)

class PrimesInlet extends Inlet<number> {
  pull(): number {
    return primesBelow(limit)
  }
}

/** Fails when the work was not done. */
class ResultOutlet extends Outlet<number> {
  push([record]: Record<number>[]): void {
    if (record?.payload !== expected) throw new Error(`there are not ${String(record?.payload)} primes below ${limit}`)
  }
}

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new PrimesInlet(),
      outlets: new ResultOutlet(),
      interval: 1,
      id: `primes${index}`,
      tags: `primes${index}`,
    }),
)
