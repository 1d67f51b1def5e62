import { UncloneableRecordError } from '../../base/errors.js'
import { Record, type Metadata } from '../../core/record.js'
import { fromColumns, toColumns, withoutSame } from './columns.js'
import type { PackedRecords } from './messages.js'

/**
 * Records as what a structured clone carries best.
 *
 * @param sent - of an answer: what was sent, which the other side has
 */
export function pack(records: readonly Record[], sent?: PackedRecords): PackedRecords {
  const payloads = records.map(({ payload }) => payload)
  const columns = toColumns(payloads)
  const metadata = packMetadata(records)
  if (columns === undefined) return { payloads, ...metadata }
  return { columns: sent?.columns === undefined ? columns : withoutSame(columns, sent.columns), ...metadata }
}

/**
 * The records again. What shared its metadata shares it here too.
 *
 * @param sent - of an answer: what was sent
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

/**
 * The error for records that a structured clone refused: it names the inlet, and where in the record it failed.
 *
 * @param cause - what the clone threw
 */
export function uncloneable(records: readonly Record[], cause: unknown): Error {
  for (const [index, record] of records.entries()) {
    const path = findUncloneable(record.payload, 'payload') ?? findUncloneable(record.metadata, 'metadata')
    if (path === undefined) continue
    const inlet = record.metadata['__inlet__']
    const from = typeof inlet === 'string' ? ` of ${inlet}` : ''
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    return new UncloneableRecordError(
      `record ${index}${from} cannot cross to a thread: ${path} cannot be cloned${why}`,
      {
        cause,
      },
    )
  }
  return new UncloneableRecordError('records cannot cross to a thread: something in them cannot be cloned', { cause })
}

/** The innermost part of `value` that cannot be cloned, as a path; `undefined` when all can. */
function findUncloneable(value: unknown, path: string, seen = new Set<unknown>()): string | undefined {
  if (clones(value)) return undefined
  if (typeof value !== 'object' || value === null || seen.has(value)) return path
  seen.add(value)
  for (const key of Object.keys(value)) {
    const inner = path + (Array.isArray(value) ? `[${key}]` : `.${key}`)
    let found: string | undefined
    try {
      const part = (value as { readonly [key: string]: unknown })[key]
      if (!seen.has(part)) found = findUncloneable(part, inner, seen)
    } catch {
      found = inner // it throws when it is read
    }
    if (found !== undefined) return found
  }
  return path
}

function clones(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
