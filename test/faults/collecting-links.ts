/**
 * Links that have their threads collect garbage, so that what is left of it in threads is not taken for growth. In the URL,
 * `links=2` is their number, and `interval=10` their interval in seconds.
 */
import { Inlet, Link, NullOutlet } from 'databay'
import { collect } from './garbage.js'

class Collector extends Inlet<never> {
  pull(): never[] {
    collect()
    return []
  }
}

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 2)
const interval = Number(searchParams.get('interval') ?? 10)

export const links = Array.from(
  { length: count },
  (_, index) => new Link({ inlets: new Collector(), outlets: new NullOutlet(), interval, id: `collector${index}` }),
)
