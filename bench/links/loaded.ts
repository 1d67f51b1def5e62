/** Links whose module loads the drivers of connectors. In the URL, `links=4` is their number. */
import { Link, NullInlet, NullOutlet } from 'databay'
import 'mongodb'
import 'undici'

const count = Number(new URL(import.meta.url).searchParams.get('links') ?? 1)

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new NullInlet(),
      outlets: new NullOutlet(),
      interval: 86_400,
      id: `loaded${index}`,
      tags: `loaded${index}`,
    }),
)
