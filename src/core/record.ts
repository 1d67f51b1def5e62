import { checkObject } from '../base/check.js'

/**
 * Additional context that a record carries beside its payload: frozen, and shared by the records of a pull
 * unless a record has local metadata of its own.
 *
 * (A named type with an index signature: inside a module that imports our {@link Record}, TypeScript's own
 * `Record<K, V>` is hidden.)
 */
export interface Metadata {
  readonly [key: string]: unknown
}

/** Marks records across copies of this package, where `instanceof` would not. */
const RECORD = Symbol.for('databay.Record')

const NO_METADATA: Metadata = Object.freeze({})

/** The metadata of the latest record: records of a pull share theirs, and to ask whether it is frozen takes longer than the rest. */
let latest = NO_METADATA

function frozen(metadata: Metadata): Metadata {
  checkObject('metadata', metadata)
  latest = Object.isFrozen(metadata) ? metadata : Object.freeze({ ...metadata })
  return latest
}

/**
 * One quantity of data that is passed from inlets to outlets. Immutable: use {@link Record.with} to get a
 * changed one. Prefer `Inlet.newRecord()` over this constructor: it adds the inlet's metadata.
 *
 * A record's fields are plain own properties, so it survives a structured clone as `{ payload, metadata }`.
 *
 * @typeParam T - type of the payload
 */
export class Record<T = unknown> {
  /** Data stored in this record. The record does not change; what the payload refers to is not frozen. */
  readonly payload: T
  /** Metadata attached to this record, frozen. */
  readonly metadata: Metadata

  /**
   * @param payload - data of this record
   * @param metadata - metadata of this record; copied and frozen if it is not frozen yet. Default: `{}`
   * @throws {@link InvalidOptionError} when `metadata` is no object
   */
  constructor(payload: T, metadata: Metadata = NO_METADATA) {
    this.payload = payload
    this.metadata = metadata === latest ? metadata : frozen(metadata)
    Object.freeze(this)
  }

  /**
   * A record like this one with another payload, other metadata, or both.
   *
   * @param changes - `payload` replaces the payload; `metadata` is merged over the present metadata
   */
  with(changes: { readonly metadata: Metadata }): Record<T>
  with<U>(changes: { readonly payload: U; readonly metadata?: Metadata }): Record<U>
  with(changes: { readonly payload?: unknown; readonly metadata?: Metadata }): Record {
    return new Record(
      'payload' in changes ? changes.payload : this.payload,
      changes.metadata === undefined ? this.metadata : Object.freeze({ ...this.metadata, ...changes.metadata }),
    )
  }

  /** @internal */
  get [RECORD](): true {
    return true
  }
}

/** Whether `value` is a {@link Record}, of this or of another copy of this package. */
export function isRecord(value: unknown): value is Record {
  return value instanceof Record || (typeof value === 'object' && value !== null && RECORD in value)
}
