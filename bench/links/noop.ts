/** Links that do nothing. In the URL, `links=1000` is their number, and `interval=1` their interval in seconds. */
import { Link, NullInlet, NullOutlet } from 'databay'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 1000)
const interval = Number(searchParams.get('interval') ?? 1)

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new NullInlet(),
      outlets: new NullOutlet(),
      interval,
      id: `noop${index}`,
      tags: `noop${index}`,
    }),
)
