import { types } from 'node:util'
import type { Document } from 'mongodb'
import { toError } from '../../base/errors.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import type { Mongo } from './driver.js'

/** Document of a record, on its way to the database. */
export interface Entry {
  /** Place of the record in the batch. */
  readonly record: number
  readonly document: Document
  /** Whether the outlet itself generated the `_id` of the document. */
  readonly ownId: boolean
  /** Fields, with their values, by which the document replaces another; `undefined` when it is inserted. */
  readonly filter?: Document
}

interface Fields {
  readonly [field: string]: unknown
}

/** Size in bytes from which on a document is too large for MongoDB. */
const MAX_SIZE = 16 * 1024 * 1024

/** Kinds of objects that BSON has a type for. Others would silently become an empty document. */
const KINDS = new Set(['Object', 'Array', 'Date', 'RegExp', 'Map', 'Uint8Array', 'ArrayBuffer'])

/**
 * Makes the documents of a payload: copies that can be changed, each with its `_id` in front. An array is a document
 * for each element.
 *
 * @param keys - fields by which documents replace others; `undefined` when they are inserted
 * @throws {@link InvalidPayloadError} when one cannot be stored
 */
export function toEntries(
  mongo: Mongo,
  record: number,
  payload: unknown,
  keys: readonly string[] | undefined,
): Entry[] {
  const values: unknown[] = Array.isArray(payload) ? payload : [payload]
  return values.map((value) => toEntry(mongo, record, value, keys))
}

function toEntry(mongo: Mongo, record: number, value: unknown, keys: readonly string[] | undefined): Entry {
  const { _id, ...others } = fieldsOf(value)
  const ownId = _id === undefined || _id === null
  if (keys === undefined) {
    const document = { _id: ownId ? new mongo.ObjectId() : _id, ...others }
    checkStorable(mongo, document)
    return { record, document, ownId }
  }
  const document = ownId ? others : { _id, ...others }
  // the driver would take the document for a list of operators, and refuse the whole batch
  if (Object.keys(document)[0]?.startsWith('$') === true) throw invalid(`its first field starts with '$'`)
  const filter = keyFilter(document, keys)
  // the statement that is sent holds all of this
  checkStorable(mongo, { q: filter, u: document, upsert: true })
  return { record, document, ownId, filter }
}

/** Fields of a value that is to be a document, in an object of their own. */
function fieldsOf(given: unknown): Fields {
  const value = hasToBson(given) ? given.toBSON() : given
  if (value instanceof Map) return Object.fromEntries(value) as Fields
  if (kindOf(value) === 'Object' && typeof value === 'object' && !('_bsontype' in (value as object))) {
    return { ...value }
  }
  throw invalid(
    `expected an object, or an array of objects, got ${typeof value === 'object' ? kindOf(value) : typeof value}`,
  )
}

/**
 * Makes the filter that finds the document to replace. Values are compared, never read as operators: they come from
 * anywhere.
 */
function keyFilter(document: Fields, keys: readonly string[]): Document {
  return Object.fromEntries(
    keys.map((key) => {
      const value = key.split('.').reduce<unknown>(fieldOf, document)
      if (value === undefined || value === null || Array.isArray(value)) {
        throw invalid(`its key field ${key} is missing, null or an array`)
      }
      return [key, { $eq: value }]
    }),
  )
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as Fields)[name]
}

function checkStorable(mongo: Mongo, document: Document): void {
  try {
    const size = mongo.BSON.calculateObjectSize(document, { ignoreUndefined: false })
    if (size >= MAX_SIZE) throw invalid(`it takes ${size} bytes, and MongoDB takes less than ${MAX_SIZE}`)
    checkValue(mongo, document, '')
  } catch (cause) {
    // the document has a circle, or is nested too deeply
    throw cause instanceof InvalidPayloadError ? cause : invalid(toError(cause).message, cause)
  }
}

/** Refuses a value that the driver would leave out or store as something else. The document has no circles. */
function checkValue(mongo: Mongo, value: unknown, path: string): void {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw invalid(`there is a ${typeof value} at ${path}`)
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw invalid(`there is a number of more than 64 bits at ${path}`)
      return
    case 'object':
      if (value !== null) checkObject(mongo, value, path)
  }
}

function checkObject(mongo: Mongo, value: object, path: string): void {
  const kind = kindOf(value)
  if ('_bsontype' in value || kind === 'RegExp') {
    // the driver looks into these only when it sends, and then refuses the whole batch
    mongo.BSON.serialize({ value })
    return
  }
  if (hasToBson(value)) {
    checkValue(mongo, value.toBSON(), path)
    return
  }
  if (!KINDS.has(kind) && !types.isUint8Array(value)) throw invalid(`there is a ${kind} at ${path}`)
  if (value instanceof Date && Number.isNaN(value.getTime())) throw invalid(`there is an invalid date at ${path}`)
  if (kind !== 'Object' && kind !== 'Array' && kind !== 'Map') return
  for (const [name, one] of value instanceof Map ? value : Object.entries(value)) {
    if (String(name).includes('\0')) throw invalid(`there is a field with a NUL in its name at ${path}`)
    checkValue(mongo, one, path === '' ? String(name) : `${path}.${name}`)
  }
}

function hasToBson(value: unknown): value is { toBSON(): unknown } {
  return typeof value === 'object' && value !== null && 'toBSON' in value && typeof value.toBSON === 'function'
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

function invalid(why: string, cause?: unknown): InvalidPayloadError {
  return new InvalidPayloadError(
    `MongoOutlet: a payload cannot be stored: ${why}`,
    cause === undefined ? {} : { cause },
  )
}
