/** A reading of each second, to a file and to a warehouse, which may be down. */
import { type Cursor, FileOutlet, Inlet, Link, Outlet, type Record, type Update } from 'databay'

/** Stands for a table that has a reading of each second. */
class ReadingsInlet extends Inlet<number, number> {
  pull(_update: Update, cursor: Cursor<number>) {
    const now = Math.floor(Date.now() / 1000)
    const last = cursor.value ?? now - 1
    cursor.advance(now)
    return Array.from({ length: now - last }, (_, at) => last + 1 + at)
  }
}

class WarehouseOutlet extends Outlet<number> {
  async push(records: readonly Record<number>[]) {
    const body = JSON.stringify(records.map(({ payload }) => payload))
    const { status } = await fetch(process.env['WAREHOUSE_URL'] ?? 'http://127.0.0.1:8099', { method: 'POST', body })
    if (status >= 300) throw Object.assign(new Error(`the warehouse answers ${status}`), { status })
  }
}

export const readings = new Link({
  delivery: 'cursor',
  inlets: new ReadingsInlet(),
  outlets: [new FileOutlet('readings.txt'), new WarehouseOutlet()],
  interval: 1,
  retry: { minDelay: 1, maxDelay: 10 },
})
