import type { Buffer } from 'node:buffer'
import { LineEnds } from '../files/line-ends.js'
import type { RowDialect } from './row-dialect.js'
import type { RowReader } from './row-reader.js'

/** Most lines within a bad row that are looked at. */
const LOOKED_AT = 10

/** Whether two lines within a row are rows by themselves: quotes too many have made one row of them. */
export function holdsRows(row: Buffer, { units, parser }: RowDialect, reader: RowReader): boolean {
  if (reader.names.length < 2) return false
  const ends = new LineEnds(row, units, true)
  let rows = 0
  let from = ends.find(0) ? ends.next : undefined
  for (let line = 0; from !== undefined && ends.find(from) && line < LOOKED_AT && rows < 2; line++) {
    const [cells] = parser.parse(row, [{ start: from, end: ends.start }])
    const fits = cells !== undefined && typeof cells !== 'string'
    if (fits && typeof reader.toObject(cells) !== 'string') rows++
    from = ends.next
  }
  return rows === 2
}
