/** Invoices for orders: those of a country whose tax rate is not known are refused, and become dead letters. */
import { appendFile } from 'node:fs/promises'
import {
  type Cursor,
  Inlet,
  InvalidPayloadError,
  Link,
  Outlet,
  PartialPushError,
  type Record,
  type Update,
} from 'databay'

// stands for a table of a database
const ORDERS = ['NO', 'SE', 'DK', 'NO', 'DK', 'SE'].map((country, at) => ({ id: at + 1, country }))

type Order = (typeof ORDERS)[number]

class OrdersInlet extends Inlet<Order, number> {
  pull(_update: Update, cursor: Cursor<number>) {
    const orders = ORDERS.filter(({ id }) => id > (cursor.value ?? 0))
    for (const { id } of orders.slice(-1)) cursor.advance(id)
    return orders
  }
}

class InvoicesOutlet extends Outlet<Order> {
  async push(records: readonly Record<Order>[]) {
    const rates = (process.env['TAX_RATES'] ?? 'NO,SE').split(',')
    const taken = records.filter(({ payload }) => rates.includes(payload.country))
    await appendFile('invoices.jsonl', taken.map(({ payload }) => `${JSON.stringify(payload)}\n`).join(''))
    const rejected = records.flatMap(({ payload: { country } }, index) =>
      rates.includes(country) ? [] : [{ index, error: new InvalidPayloadError(`no tax rate for ${country}`) }],
    )
    if (rejected.length > 0) throw new PartialPushError('InvoicesOutlet', taken.length, rejected)
  }
}

export const invoices = new Link({
  delivery: 'cursor',
  inlets: new OrdersInlet(),
  outlets: new InvoicesOutlet(),
  interval: { minutes: 1 },
})
