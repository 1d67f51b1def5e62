/** Orders of an API to PostgreSQL, every minute: a row for each. Needs `npm install undici@^7.20 pg@^8.16`. */
import { HttpInlet, Link, PostgresOutlet } from 'databay'
import { env, secret } from 'databay/config'

/** Order as the API shows it, on pages: `{"items": [{"id": 1, …}], "next": "/orders?page=2"}`. */
interface Order {
  readonly id: number
  readonly customer: string
  readonly total: number
  readonly updated: string
}

export const orders = new Link({
  inlets: new HttpInlet<Order>(env('ORDERS_URL'), {
    headers: { authorization: secret.text`Bearer ${secret('ORDERS_API_KEY')}` },
    select: 'items',
    next: 'next',
  }),
  // create table orders (id bigint primary key, customer text, total numeric, updated timestamptz)
  outlets: new PostgresOutlet({
    url: secret('DATABASE_URL'),
    table: 'orders',
    mode: 'upsert', // a row that is there becomes what the API shows now
    keys: ['id'],
    columns: ['id', 'customer', 'total', 'updated'],
    extraColumns: 'drop', // what else the API shows
  }),
  interval: { minutes: 1 },
  onStartFailure: 'retry', // PostgreSQL may be down
})
