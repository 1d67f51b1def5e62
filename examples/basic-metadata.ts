/** Metadata: an outlet that prints only the records whose metadata asks for it. */
import { inspect } from 'node:util'
import { Link, Outlet, RandomIntInlet, type MetadataKey, type Record, type Update } from 'databay'

class ConditionalPrintOutlet extends Outlet {
  /** Metadata: whether the record is printed. */
  static readonly SHOULD_PRINT: MetadataKey = 'ConditionalPrintOutlet.SHOULD_PRINT'

  push(records: Record[], update: Update) {
    for (const record of records) {
      if (record.metadata[ConditionalPrintOutlet.SHOULD_PRINT] !== true) continue
      console.log(String(update), inspect(record, { breakLength: Infinity }))
    }
  }
}

export const conditional = new Link({
  inlets: [
    new RandomIntInlet(0, 100, { metadata: { [ConditionalPrintOutlet.SHOULD_PRINT]: true } }),
    new RandomIntInlet(0, 100, { metadata: { [ConditionalPrintOutlet.SHOULD_PRINT]: false } }),
  ],
  outlets: new ConditionalPrintOutlet(),
  interval: { seconds: 0.5 },
  tags: 'should_print_metadata',
})
