import { Record } from 'databay'
import { copyRecords } from '../src/core/transfer/copy.js'
import type { Settings } from './bench.js'
import { check, COST_UNITS, repeat, withCost, type Subject } from './measure.js'

/*
 * Copies of wide rows, in a thread that meets several shapes, as threads with several links do.
 */

const UNITS = { ...COST_UNITS, rate: 'copies/s' }
const FIELDS = 30
/** Number of rows that are copied at a time. */
const LIST = 1000
/** Number of other shapes that are copied before. */
const OTHERS = 12

export const WIDE_CASE = 'copies of rows of 30 fields, among rows of other shapes'
export const COPIES = 'databay, copies for an outlet'
export const SPREAD = 'spread'
export const SPREAD_ALONE = 'spread in a function for one shape'

interface WideRow {
  readonly [field: string]: number | string
}

export function wideRows({ smoke }: Settings): Subject[] {
  const rows = wide('field', LIST)
  const others = Array.from({ length: OTHERS }, (_, shape) => ({ outlet: {}, rows: wide(`other${shape}_`, LIST) }))
  const records = recordsOf(rows)
  const outlet = {}
  const copy = () => copyRecords(records, outlet).map(({ payload }) => payload as WideRow)
  const copyOthers = () => {
    for (const { rows, outlet } of others) copyRecords(recordsOf(rows), outlet)
  }
  const spreadAll = () => rows.map(spreadOf)
  const spreadOthers = () => {
    for (const { rows } of others) rows.map(spreadOf)
  }
  // nothing else calls it
  const spreadAlone = (row: WideRow): WideRow => ({ ...row })
  return [
    subject(COPIES, [SPREAD, SPREAD_ALONE], copy, copyOthers, rows, smoke),
    subject(SPREAD, [], spreadAll, spreadOthers, rows, smoke),
    subject(
      SPREAD_ALONE,
      [],
      () => rows.map(spreadAlone),
      () => undefined,
      rows,
      smoke,
    ),
  ]
}

function wide(prefix: string, count: number): WideRow[] {
  return Array.from({ length: count }, (_, id) => {
    const fields = Array.from({ length: FIELDS }, (_, at) => [`${prefix}${at}`, at % 3 === 0 ? `text ${id}` : id + at])
    // parsed, as rows of a source are: objects of one shape
    return JSON.parse(JSON.stringify(Object.fromEntries(fields))) as WideRow
  })
}

function recordsOf(rows: readonly WideRow[]): Record<WideRow>[] {
  return rows.map((row) => new Record(row))
}

function spreadOf(row: WideRow): WideRow {
  return { ...row }
}

function subject(
  name: string,
  peers: readonly string[],
  copy: () => WideRow[],
  copyOthers: () => void,
  rows: readonly WideRow[],
  smoke: boolean,
): Subject {
  return {
    name,
    units: UNITS,
    peers,
    open() {
      for (let turn = 0; turn < (smoke ? 1 : 20); turn++) copyOthers()
      return {
        sample: (seconds) =>
          withCost(() =>
            repeat(seconds, () => {
              const copies = copy()
              check('a copy', copies.at(-1)?.['field29'], rows.at(-1)?.['field29'])
              check('is one', copies[0] === rows[0], false)
              return copies.length
            }),
          ),
      }
    },
  }
}
