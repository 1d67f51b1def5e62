import type { Document } from 'mongodb'
import { DatabaseError } from '../errors.js'
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
  /** `_id`s of the documents with this value that were read, and of others that were read after them. */
  readonly ids: unknown[]
  /** Number of the first ones of these that were read: positions at one value share their list, which only grows. */
  readonly seen: number
}

/** Position after a value, and some documents that have it. */
export function positionAt(value: unknown, ids: unknown[] = []): Position {
  return { value, ids, seen: ids.length }
}

/** `_id`s of the documents at a position that were read. */
export function seenAt({ ids, seen }: Position): unknown[] {
  return ids.slice(0, seen)
}

/** Text of a position, as values of the database do not survive a structured clone; `''` for none. */
export function positionText(mongo: Mongo, position: Position | undefined): string {
  if (position === undefined) return ''
  return mongo.BSON.EJSON.stringify({ value: position.value, seen: seenAt(position) }, { relaxed: false })
}

/**
 * Reads the text of a position.
 *
 * @returns `undefined` for none
 * @throws {@link DatabaseError} on anything else
 */
export function positionOf(mongo: Mongo, text: unknown): Position | undefined {
  if (text === '') return undefined
  try {
    const { value, seen } = mongo.BSON.EJSON.parse(String(text), { relaxed: false }) as Document
    if (value !== undefined && Array.isArray(seen)) return positionAt(value, seen)
  } catch {
    // it is told below
  }
  throw new DatabaseError('MongoInlet: the kept cursor is none of a MongoInlet')
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
  const path = field.split('.')
  const value = valueAt(last, path)
  // values of the field _id are unique
  if (field === '_id') return positionAt(value)
  const key = equalityKey(mongo, value)
  const same = (other: unknown) => equalityKey(mongo, other) === key
  // they are in the order of their values
  let from = documents.length - 1
  while (from > 0 && same(valueAt(documents[from - 1] as Document, path))) from--
  const seen = documents.slice(from).map((document) => document['_id'] as unknown)
  if (before === undefined || !same(before.value)) return positionAt(value, seen)
  const ids = before.ids.length === before.seen ? before.ids : seenAt(before)
  for (const id of seen) ids.push(id)
  return { value, ids, seen: ids.length }
}

/** Filter for the documents after a position. */
export function filterAfter(field: string, position: Position | undefined): Document {
  // documents without a value have no place in the order
  if (position === undefined) return { [field]: { $ne: null } }
  const { value } = position
  const seen = seenAt(position)
  const greater = { [field]: { $gt: value } }
  return seen.length === 0 ? greater : { $or: [greater, { [field]: { $eq: value }, _id: { $nin: seen } }] }
}

/** Filter for the documents whose value has a time before this one, in milliseconds since 1970. */
export function filterBefore(mongo: Mongo, field: string, time: number): Document {
  const id = mongo.ObjectId.createFromTime(Math.floor(time / 1000))
  // values are compared only with those of their own type
  return { $or: [{ [field]: { $lte: new Date(time) } }, { [field]: { $lt: id } }] }
}

/** Value of a field, by the names that lead to it. `undefined` where there is none, and within arrays. */
function valueAt(document: Document, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => {
    const within = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    return within ? (value as Document)[name] : undefined
  }, document)
}

/** Whether each document has one value by which it can be ordered. */
export function areOrdered(field: string, documents: readonly Document[]): boolean {
  const path = field.split('.')
  return documents.every((document) => {
    const value = valueAt(document, path)
    return value !== undefined && value !== null && !Array.isArray(value)
  })
}
