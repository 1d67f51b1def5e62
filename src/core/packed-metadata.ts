import { type Metadata, Record } from './record.js'

/** The metadata of records, each once: records of a pull share theirs. */
export interface PackedMetadata {
  readonly metadata: readonly Metadata[]
  /** Place of each record's metadata in that list. Left out when all share one. */
  readonly metadataOf?: Uint32Array
}

/** Packs the metadata of records. */
export function packMetadata(records: readonly Record[]): PackedMetadata {
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

/** Makes records of payloads and their packed metadata. Those that shared their metadata share it again. */
export function unpackRecords(payloads: readonly unknown[], packed: PackedMetadata): Record[] {
  const metadata = packed.metadata.map((one) => Object.freeze(one))
  const { metadataOf } = packed
  if (metadataOf === undefined) {
    const [shared] = metadata
    return payloads.map((payload) => new Record(payload, shared))
  }
  return payloads.map((payload, index) => new Record(payload, metadata[metadataOf[index] ?? 0]))
}
