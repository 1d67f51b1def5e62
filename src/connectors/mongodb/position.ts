import type { Document } from 'mongodb'
import type { Mongo } from './driver.js'
import { equalityKey } from './equality.js'

/**
 * Position up to which a collection was read: the greatest value of the cursor field, and the documents that were read
 * at it.
 *
 * ```
 * value   1   2   3   3   3   4        read: up to the second 3
 *         -------------+               next: values of 3 whose _id was not seen, and all that are greater
 * ```
 *
 * So of documents with the same value none is lost and none comes twice, whenever they are added.
 */
export interface Position {
  readonly value: unknown
  /** `_id`s of the documents with this value that were read. */
  readonly seen: readonly unknown[]
}

/** Makes the position after reading documents, which are in the order of the field. */
export function advance(
  mongo: Mongo,
  field: string,
  before: Position | undefined,
  documents: readonly Document[],
): Position | undefined {
  const last = documents.at(-1)
  if (last === undefined) return before
  const value = valueAt(last, field)
  // values of the field _id are unique
  if (field === '_id') return { value, seen: [] }
  const key = equalityKey(mongo, value)
  const same = (other: unknown) => equalityKey(mongo, other) === key
  const seen = documents
    .filter((document) => same(valueAt(document, field)))
    .map((document) => document['_id'] as unknown)
  return { value, seen: before !== undefined && same(before.value) ? [...before.seen, ...seen] : seen }
}

/** Filter for the documents after a position. */
export function filterAfter(field: string, position: Position | undefined): Document {
  // documents without a value have no place in the order
  if (position === undefined) return { [field]: { $ne: null } }
  const { value, seen } = position
  const greater = { [field]: { $gt: value } }
  return seen.length === 0 ? greater : { $or: [greater, { [field]: { $eq: value }, _id: { $nin: seen } }] }
}

/** Filter for the documents whose value has a time before this one, in milliseconds since 1970. */
export function filterBefore(mongo: Mongo, field: string, time: number): Document {
  const id = mongo.ObjectId.createFromTime(Math.floor(time / 1000))
  // values are compared only with those of their own type
  return { $or: [{ [field]: { $lte: new Date(time) } }, { [field]: { $lt: id } }] }
}

/** Value of a field; dots lead to nested fields. `undefined` where there is none, and within arrays. */
function valueAt(document: Document, field: string): unknown {
  return field.split('.').reduce<unknown>((value, name) => {
    const within = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    return within ? (value as Document)[name] : undefined
  }, document)
}

/** Whether each document has one value by which it can be ordered. */
export function areOrdered(field: string, documents: readonly Document[]): boolean {
  return documents.every((document) => {
    const value = valueAt(document, field)
    return value !== undefined && value !== null && !Array.isArray(value)
  })
}
