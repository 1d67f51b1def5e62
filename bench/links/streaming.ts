/**
 * Links that move rows, list by list. In the URL, `records=10000` is the number of rows of a transfer, `list=1024` that of a
 * list, and `whole=true` has the pull return all rows at once. What else it says makes another module of it.
 */
import { Inlet, Link, Outlet, type Record } from 'databay'
import { makeRows, score, type Row } from '../work/rows.js'

const { searchParams } = new URL(import.meta.url)
const records = Number(searchParams.get('records') ?? 10_000)
const list = Number(searchParams.get('list') ?? 1024)
const whole = searchParams.get('whole') === 'true'

class RowInlet extends Inlet<Row> {
  pull(): Row[] | Generator<Row[]> {
    return whole ? makeRows(records) : lists()
  }
}

function* lists(): Generator<Row[]> {
  for (let made = 0; made < records; made += list) yield makeRows(Math.min(list, records - made), made)
}

/** Fails unless all rows come once, in order. */
class OrderOutlet extends Outlet<Row> {
  #next = 0

  push(batch: Record<Row>[]): void {
    for (const { payload } of batch) {
      if (payload.id !== this.#next) throw new Error(`record ${payload.id} came instead of ${this.#next}`)
      this.#next = (this.#next + 1) % records
    }
  }
}

function scoreAll(batch: Record<Row>[]): Record<Row>[] {
  return batch.map((record) => record.with({ payload: score(record.payload) }))
}

export const rows = new Link({
  inlets: new RowInlet(),
  processors: scoreAll,
  outlets: new OrderOutlet(),
  copyRecords: true,
  interval: 86_400,
})
