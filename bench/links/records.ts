/**
 * Links that move rows. In the URL, `links=1` is their number, `records=10000` the number of rows of a transfer,
 * `outlets=1` the number of outlets of a link, `copy=true` their option `copyRecords`, and with `reads=true` they only read.
 */
import { Inlet, Link, Outlet, type Record } from 'databay'
import { expectedSum, makeRows, score, type Row } from '../work/rows.js'

const { searchParams } = new URL(import.meta.url)
const count = Number(searchParams.get('links') ?? 1)
const records = Number(searchParams.get('records') ?? 10_000)
const outlets = Number(searchParams.get('outlets') ?? 1)
const readsOnly = searchParams.get('reads') === 'true'
const copyRecords = searchParams.get('copy') !== 'false'
const expected = expectedSum(records)

class RowInlet extends Inlet<Row> {
  pull(): Row[] {
    return makeRows(records)
  }
}

/** Fails when the rows are not as they should be. */
class SumOutlet extends Outlet<Row> {
  override readonly readsOnly = readsOnly

  push(batch: Record<Row>[]): void {
    let sum = 0
    for (const { payload } of batch) sum += payload.value
    if (sum !== expected) throw new Error(`the sum of the records is ${sum} rather than ${expected}`)
  }
}

function scoreAll(batch: Record<Row>[]): Record<Row>[] {
  return batch.map((record) => record.with({ payload: score(record.payload) }))
}

export const links = Array.from(
  { length: count },
  (_, index) =>
    new Link({
      inlets: new RowInlet(),
      processors: scoreAll,
      outlets: Array.from({ length: outlets }, () => new SumOutlet()),
      copyRecords,
      interval: 86_400,
      id: `records${index}`,
      tags: `records${index}`,
    }),
)
