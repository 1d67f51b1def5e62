/** New rows of PostgreSQL to a webhook. Needs `npm install pg@^8.16 undici@^7.20`, and a store. */
import { HttpOutlet, Link, PostgresInlet } from 'databay'
import { env, secret } from 'databay/config'

interface Order {
  readonly id: number
  readonly customer: string
  readonly total: string
}

export const orders = new Link({
  delivery: 'cursor', // a restart goes on behind the last row that the webhook took
  // create table orders (id bigserial primary key, customer text, total numeric)
  inlets: new PostgresInlet<Order>({ url: secret('DATABASE_URL'), table: 'orders', cursorColumn: 'id' }),
  outlets: new HttpOutlet<Order>(env('WEBHOOK_URL'), {
    headers: { authorization: secret.text`Bearer ${secret('WEBHOOK_TOKEN')}` },
    // a row that is sent again, after a crash or a lost reply, has the same key: the receiver takes it once
    idempotencyKey: ([order]) => `order-${String(order?.payload.id)}`,
  }),
  interval: 5,
  onStartFailure: 'retry', // PostgreSQL may be down
})
