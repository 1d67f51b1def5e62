/** Links in threads that have loaded the drivers of connectors: `?links=4` says how many. */
import { Link, NullInlet, NullOutlet } from 'databay'
import 'mongodb'
import 'undici'

const count = Number(new URL(import.meta.url).searchParams.get('links') ?? 1)

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 86_400, tags: `loaded${index}` }),
)
