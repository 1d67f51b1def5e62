/** An outlet of your own, which prints the payload of each record. */
import { Link, Outlet, RandomIntInlet, type Record, type Update } from 'databay'

class PrintOutlet extends Outlet {
  // all records of a transfer come at once, or in batches where a link has groupers
  push(records: Record[], update: Update) {
    for (const record of records) console.log(String(update), record.payload)
  }
}

export const printed = new Link({
  inlets: new RandomIntInlet(0, 100),
  outlets: new PrintOutlet(),
  interval: { seconds: 2 },
  tags: 'print_outlet',
})
