/** Orders of an API with pages, each once, to a CSV file and to MongoDB. Needs `npm install undici@^7.20 mongodb@^7`. */
import { existsSync, readFileSync } from 'node:fs'
import { CsvOutlet, Distinct, HttpInlet, Link, MongoOutlet } from 'databay'

const { ORDERS_URL = 'https://some.test.url.com/orders', ORDERS_API_KEY, MONGODB_URL } = process.env
if (ORDERS_API_KEY === undefined) throw new Error('ORDERS_API_KEY is not set')

/** Pulls all pages: `{"items": [{"id": 1, "customer": "Ann", "total": 9.5}], "next": "/orders?page=2"}`. */
const shownOrders = () => {
  const headers = { authorization: `Bearer ${ORDERS_API_KEY}` }
  return new HttpInlet<{ id: number }>(ORDERS_URL, { headers, select: 'items', next: 'next' })
}

// Distinct forgets with its process: what earlier ones have written is in the file
const rows = existsSync('orders.csv') ? readFileSync('orders.csv', 'utf8').split('\n') : []
const written = new Set(rows.map((row) => row.split(',')[0]))

// a link for each target: while one of them is down, the other goes on, and gets nothing twice
export const toCsv = new Link({
  inlets: shownOrders(),
  processors: [
    (orders) => orders.filter(({ payload }) => !written.has(String(payload.id))),
    new Distinct({ by: 'id' }),
  ],
  outlets: new CsvOutlet('orders.csv', { columns: ['id', 'customer', 'total'], extraColumns: 'ignore' }),
  interval: { minutes: 1 },
})

const shop = { url: MONGODB_URL ?? 'mongodb://localhost/shop', collection: 'orders' }
export const toMongo = new Link({
  inlets: shownOrders(),
  processors: new Distinct({ by: 'id' }),
  outlets: new MongoOutlet({ ...shop, mode: 'upsert', keys: ['id'] }),
  interval: { minutes: 1 },
  onStartFailure: 'retry', // MongoDB may be down
})
