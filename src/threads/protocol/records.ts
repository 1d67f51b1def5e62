import { crossing } from '../../core/crossing.js'
import { type PackedMetadata, packMetadata, unpackRecords } from '../../core/packed-metadata.js'
import type { Record } from '../../core/record.js'
import { type Columns, fromColumns, toColumns, withoutSame } from './columns.js'

/**
 * Packs records into what a structured clone carries best.
 *
 * @param sent - for an answer: what was sent, which the other side has
 */
export function pack(records: readonly Record[], sent?: PackedRecords): PackedRecords {
  const payloads = records.map(({ payload }) => payload)
  const columns = toColumns(payloads)
  const metadata = packMetadata(records)
  if (columns === undefined) {
    const crossed = payloads.map((payload, at) =>
      typeof payload === 'object' ? crossing(payload, `record ${at}`) : payload,
    )
    return { payloads: crossed, ...metadata }
  }
  return { columns: sent?.columns === undefined ? columns : withoutSame(columns, sent.columns), ...metadata }
}

/**
 * Unpacks records. Those that shared their metadata share it here too.
 *
 * @param sent - for an answer: what was sent
 */
export function unpack(packed: PackedRecords, sent?: PackedRecords): Record[] {
  const payloads = packed.columns === undefined ? packed.payloads : fromColumns(packed.columns, sent?.columns)
  return unpackRecords(payloads, packed)
}

/** Records on their way between threads, in lists as short as can be: a structured clone takes time for each object. */
export type PackedRecords = PackedPayloads & PackedMetadata

type PackedPayloads =
  | { readonly columns: Columns; readonly payloads?: undefined }
  | { readonly payloads: readonly unknown[]; readonly columns?: undefined }
