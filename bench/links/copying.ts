/**
 * Links that copy a file. In the URL, `kind=lines` or `kind=csv`, `from` and `to` are the paths, and `lines=1` the number of
 * lines of a transfer; without it, a transfer copies all. Beside it, a link that waits for ten milliseconds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { CsvInlet, CsvOutlet, FileInlet, FileOutlet, Inlet, Link, NullOutlet } from 'databay'

const { searchParams } = new URL(import.meta.url)
const from = searchParams.get('from') ?? ''
const to = searchParams.get('to') ?? ''
const linesPerTransfer = Number(searchParams.get('lines') ?? Infinity)
const interval = 86_400

class WaitingInlet extends Inlet<never> {
  async pull(): Promise<never[]> {
    await delay(10)
    return []
  }
}

export const copy =
  searchParams.get('kind') === 'csv'
    ? new Link({ inlets: new CsvInlet(from, { follow: false }), outlets: new CsvOutlet(to), interval })
    : new Link({
        inlets: new FileInlet(from, { follow: false, linesPerTransfer }),
        outlets: new FileOutlet(to),
        interval,
      })

export const neighbour = new Link({ inlets: new WaitingInlet(), outlets: new NullOutlet(), interval, lane: 'io' })
