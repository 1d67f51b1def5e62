/** Links that do nothing, every second: `?links=1000` says how many, `?interval=1` how often. */
import { Link, NullInlet, NullOutlet } from 'databay'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 1000)
const interval = Number(searchParams.get('interval') ?? 1)

export const links = Array.from(
  { length: count },
  (_, index) => new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval, tags: `noop${index}` }),
)
