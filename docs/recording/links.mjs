// the links of the picture in the README; record.js serves what `orders` asks for, and has the log of `visits` grow
import { CsvInlet, CsvOutlet, Distinct, FileInlet, FileOutlet, HttpInlet, Link } from 'databay'

/** New orders of a web service, each once. */
export const orders = new Link({
  inlets: new HttpInlet(process.env.ORDERS_URL, { select: 'orders' }),
  processors: new Distinct({ by: 'id' }),
  outlets: new CsvOutlet('orders.csv'),
  interval: { seconds: 2 },
})

/** What was asked for, from a log file that grows. */
export const visits = new Link({
  inlets: new FileInlet('access.log', { linesPerTransfer: Infinity, positionFile: 'access.position' }),
  processors: (records) =>
    records.map((record) => record.with({ payload: { path: /"\w+ (\S+)/.exec(record.payload)?.[1] } })),
  outlets: new FileOutlet('visits.jsonl'),
  interval: { seconds: 1 },
})

/** Factors of large numbers: each is work for a thread. */
export const factors = new Link({
  inlets: new CsvInlet('numbers.csv', { types: { number: 'number' }, rowsPerTransfer: 1 }),
  processors: (records) =>
    records.map((record) =>
      record.with({ payload: { ...record.payload, factor: smallestFactor(record.payload.number) } }),
    ),
  outlets: new CsvOutlet('factors.csv'),
  interval: { seconds: 3 },
  lane: 'cpu',
})

/** Yesterday's orders, each night. */
export const archive = new Link({
  inlets: new CsvInlet('orders.csv', { follow: false }),
  outlets: new FileOutlet('archive.jsonl'),
  cron: '30 2 * * *',
})

function smallestFactor(number) {
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return factor
  return number
}
