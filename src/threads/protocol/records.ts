import { crossing } from '../../core/crossing.js'
import { type Metadata, Record } from '../../core/record.js'
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
  const metadata = packed.metadata.map((one) => Object.freeze(one))
  const { metadataOf } = packed
  if (metadataOf === undefined) {
    const [shared] = metadata
    return payloads.map((payload) => new Record(payload, shared))
  }
  return payloads.map((payload, index) => new Record(payload, metadata[metadataOf[index] ?? 0]))
}

function packMetadata(records: readonly Record[]): Pick<PackedRecords, 'metadata' | 'metadataOf'> {
  const [first] = records
  if (first === undefined) return { metadata: [] }
  if (records.every(({ metadata }) => metadata === first.metadata)) return { metadata: [first.metadata] }
  const places = new Map<Metadata, number>()
  const metadataOf = Uint32Array.from(records, ({ metadata }) => {
    const place = places.get(metadata) ?? places.size
    if (place === places.size) places.set(metadata, place)
    return place
  })
  return { metadata: [...places.keys()], metadataOf }
}

/** Records on their way between threads, in lists as short as can be: a structured clone takes time for each object. */
export type PackedRecords = PackedPayloads & {
  /** The metadata of all records, each once. */
  readonly metadata: readonly Metadata[]
  /** Place of each record's metadata in that list. Left out when all share one. */
  readonly metadataOf?: Uint32Array
}

type PackedPayloads =
  | { readonly columns: Columns; readonly payloads?: undefined }
  | { readonly payloads: readonly unknown[]; readonly columns?: undefined }
