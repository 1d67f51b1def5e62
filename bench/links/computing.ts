/**
 * Links that compute for some milliseconds. In the URL, `links=8` is their number, `work=primes` the kind of work (see
 * `work/computing.ts`), and `lane=auto` their lane.
 */
import { Inlet, Link, Outlet, type Lane, type Record } from 'databay'
import { RESULTS, WORK, type Work } from '../work/computing.js'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 8)
const kind = (searchParams.get('work') ?? 'primes') as Work
const lane = (searchParams.get('lane') ?? 'auto') as Lane

class Computation extends Inlet<number> {
  pull(): number {
    return WORK[kind]()
  }

  /** Hands over nothing, so that the link can move to another thread. */
  override saveState(): undefined {
    return undefined
  }
}

/** Fails when the work was not done. */
class ResultOutlet extends Outlet<number> {
  push([record]: Record<number>[]): void {
    if (record?.payload !== RESULTS[kind]) throw new Error(`${kind} gave ${String(record?.payload)}`)
  }

  override saveState(): undefined {
    return undefined
  }
}

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new Computation(),
      outlets: new ResultOutlet(),
      interval: 86_400,
      lane,
      id: `computing${index}`,
      tags: `computing${index}`,
    }),
)
