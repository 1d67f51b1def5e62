import { deserialize, serialize } from 'node:v8'
import { tagged, taggedForm, type ExtendedJson } from '../base/bson.js'
import { toError } from '../base/errors.js'
import { shownPath, unreadablePart } from '../base/payload-path.js'
import { packMetadata, unpackRecords, type PackedMetadata } from '../core/packed-metadata.js'
import type { Record } from '../core/record.js'
import { StoreVersionError, UnspoolableError } from './errors.js'
import { isSurelyPlain, RefusedPart, Rewriting } from './rewriting.js'

/** Flags of how a body is encoded. */
export const CODEC = {
  /** By the serializer of V8, which all versions of Node read. */
  v8: 1,
  /** There are values of BSON in it, as plain data with their tag. */
  bson: 2,
} as const

const KNOWN = CODEC.v8 | CODEC.bson

/** Records, or a state, as bytes. */
export interface Body {
  /** Flags of {@link CODEC}. */
  readonly codec: number
  readonly bytes: Uint8Array
}

/** Makes a value of BSON of its extended JSON, such as `EJSON.deserialize`. */
export type Revive = (form: ExtendedJson) => unknown

interface EncodedRecords extends PackedMetadata {
  readonly payloads: readonly unknown[]
}

/**
 * Records as bytes. Values of BSON are kept as extended JSON, so that no package is needed to read them.
 *
 * @throws {@link UnspoolableError} that names the inlet and the part which would not come back as it was
 */
export function encodeRecords(records: readonly Record[]): Body {
  const marks = new Marks()
  const payloads = records.map((record, at) => {
    const { payload } = record
    // most are, and need no name
    return isSurelyPlain(payload) ? payload : marks.kept(payload, nameOf(record, at), 'payload')
  })
  const packed = packMetadata(records)
  const metadata = packed.metadata.map((one) => {
    return isSurelyPlain(one) ? one : marks.kept(one, firstWith(records, one), 'metadata')
  })
  const encoded = { ...packed, payloads, metadata } as EncodedRecords
  return marks.body(encoded, () => {
    for (const [at, record] of records.entries()) {
      marks.body(record.payload, () => undefined, nameOf(record, at), 'payload')
      marks.body(record.metadata, () => undefined, nameOf(record, at), 'metadata')
    }
  })
}

/** Name of the first record that has some metadata, for an error. */
function firstWith(records: readonly Record[], metadata: unknown): string {
  const at = records.findIndex((record) => record.metadata === metadata)
  return nameOf(records[at], at)
}

/**
 * Records of {@link encodeRecords}.
 *
 * @param revive - makes values of BSON again; without it they stay plain data with their tag, which connectors know, too
 */
export function decodeRecords(body: Body, revive?: Revive): Record[] {
  const { payloads, metadata, metadataOf } = decodeValue(body, revive) as EncodedRecords
  return unpackRecords(payloads, metadataOf === undefined ? { metadata } : { metadata, metadataOf })
}

/**
 * A value as bytes, such as the state of a node.
 *
 * @param whose - for the error, such as `the state of CsvOutlet`
 * @throws {@link UnspoolableError} that names the part which would not come back as it was
 */
export function encodeValue(value: unknown, whose: string): Body {
  const marks = new Marks()
  return marks.body(marks.kept(value, whose, 'state'), () => undefined, whose, 'state')
}

/** A value of {@link encodeValue}. */
export function decodeValue({ codec, bytes }: Body, revive?: Revive): unknown {
  if ((codec & ~KNOWN) !== 0 || (codec & CODEC.v8) === 0) {
    throw new StoreVersionError(`records in the store are encoded in a way that this databay does not know (${codec})`)
  }
  const value: unknown = deserialize(bytes)
  if ((codec & CODEC.bson) === 0 || revive === undefined) return value
  return new Rewriting((part) => {
    const form = taggedForm(part)
    return form === undefined ? undefined : revive(form)
  }, false).of(value)
}

/** What was met on the way of values to bytes. */
class Marks {
  #hasBson = false

  /** A value as it can be serialized. */
  kept(value: unknown, whose: string, root: string): unknown {
    if (isSurelyPlain(value)) return value
    try {
      return new Rewriting((part) => {
        const tag = tagged(part)
        // nested ones, as in a reference, are extended JSON already
        if (tag !== undefined || taggedForm(part) !== undefined) this.#hasBson = true
        return tag
      }, true).of(value)
    } catch (thrown) {
      if (!(thrown instanceof RefusedPart)) throw unspoolable(whose, unreadable(value, root), 'cannot be read', thrown)
      const { steps, what } = thrown.refusal
      throw unspoolable(whose, shownPath(steps, root), what)
    }
  }

  /**
   * The bytes of a value.
   *
   * @param blame - finds the part that cannot be serialized, and throws its error
   */
  body(value: unknown, blame: () => void, whose = 'records', root = 'payload'): Body {
    try {
      return { codec: CODEC.v8 | (this.#hasBson ? CODEC.bson : 0), bytes: serialize(value) }
    } catch (thrown) {
      blame()
      throw unspoolable(whose, unreadable(value, root), toError(thrown).message, thrown)
    }
  }
}

function unreadable(value: unknown, root: string): string {
  return shownPath(unreadablePart(value) ?? [], root)
}

function nameOf(record: Record | undefined, at: number): string {
  const inlet = record?.metadata['__inlet__']
  return `record ${at}${typeof inlet === 'string' ? ` of ${inlet}` : ''}`
}

function unspoolable(whose: string, path: string, what: string, cause?: unknown): UnspoolableError {
  return new UnspoolableError(
    `${whose} cannot be kept on the disk: ${path} ${what}: put plain data in it`,
    cause === undefined ? {} : { cause },
  )
}
