import { types } from 'node:util'
import type { Document } from 'mongodb'
import { sortOf } from '../../base/errors.js'
import { shownPath, type Steps } from '../../base/payload-path.js'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { copyPayload } from '../../core/transfer/copy.js'
import { checkAllInFields, checkFieldsBeside, loss, noForm, refusal, type Serialize } from '../serialize.js'
import { prepared } from './prepared.js'
import type { Mongo } from './driver.js'
import { plainCopy, type Fields } from './plain-document.js'

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

/** Size in bytes from which on a document is too large for MongoDB. */
const MAX_SIZE = 16 * 1024 * 1024

/**
 * Makes the documents of a payload: copies that share nothing with it, each with its `_id` in front. An array is a
 * document for each element.
 *
 * @param keys - fields by which documents replace others; `undefined` when they are inserted
 * @throws {@link InvalidPayloadError} when one cannot be stored
 */
export function toEntries(
  mongo: Mongo,
  record: number,
  payload: unknown,
  keys: readonly string[] | undefined,
  serialize?: Serialize,
): Entry[] {
  const plain = serialize === undefined ? attempt(payload, () => plainCopy(payload)) : undefined
  if (plain !== undefined) return [toEntry(mongo, record, plain, keys, [], true)]
  const given = attempt(payload, () =>
    isPlain(payload) && serialize === undefined ? payload : prepared(mongo, payload, serialize),
  )
  if (!Array.isArray(given)) return [toEntry(mongo, record, given, keys, [])]
  return given.map((value: unknown, at) => toEntry(mongo, record, value, keys, [at]))
}

/** Whether a payload has nothing in it that stands for a value of BSON, or seems to. */
function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true
  // the driver refuses what refers to itself
  if (depth > 32) return true
  if (Object.hasOwn(value, '_bsontype')) return false
  if (Array.isArray(value)) return value.every((part) => isPlain(part, depth + 1))
  if (Object.getPrototypeOf(value) !== Object.prototype) return true
  for (const name in value) if (!isPlain((value as Fields)[name], depth + 1)) return false
  return true
}

/** Runs a step of making documents. What it throws becomes the refusal of the payload. */
function attempt<T>(payload: unknown, step: () => T): T {
  try {
    return step()
  } catch (thrown) {
    if (thrown instanceof InvalidPayloadError) throw thrown
    // the document has a circle, or is nested too deeply
    throw refusal('MongoOutlet', 'a payload cannot be stored', payload, thrown)
  }
}

/** @param isPlain - whether the value is data that surely is storable, and shared with nothing */
function toEntry(
  mongo: Mongo,
  record: number,
  value: unknown,
  keys: readonly string[] | undefined,
  steps: Steps,
  isPlain = false,
): Entry {
  const { _id, ...others } = isPlain ? (value as Fields) : attempt(value, () => fieldsOf(value, steps))
  const ownId = _id === undefined || _id === null
  if (keys === undefined) {
    const document = { _id: ownId ? new mongo.ObjectId() : _id, ...others }
    if (!isPlain) {
      checkStorable(mongo, document, document, steps)
      separate(mongo, document, ownId)
    }
    return { record, document, ownId }
  }
  const document = ownId ? others : { _id, ...others }
  // the driver would take the document for a list of operators, and refuse the whole batch
  if (Object.keys(document)[0]?.startsWith('$') === true) throw invalid(`its first field starts with '$'`)
  const filter = keyFilter(document, keys)
  if (isPlain) return { record, document, ownId, filter }
  checkStorable(mongo, document, { q: filter, u: document, upsert: true }, steps)
  return { record, document, ownId, filter: separate(mongo, document, false) ? keyFilter(document, keys) : filter }
}

/**
 * Puts copies in the place of the parts of a document that can be changed: what becomes of its payload later does not show.
 *
 * @returns whether there were any
 */
function separate(mongo: Mongo, document: Document, ownId: boolean): boolean {
  let some = false
  for (const name of Object.keys(document)) {
    const part: unknown = document[name]
    if (typeof part !== 'object' || part === null || (ownId && name === '_id')) continue
    document[name] = copyOf(mongo, part)
    some = true
  }
  return some
}

function copyOf(mongo: Mongo, part: object): unknown {
  try {
    return copyPayload(part)
  } catch {
    // an instance with private fields, say: what it gives the driver is what is stored
    const bytes = mongo.BSON.serialize({ part }, { ignoreUndefined: true })
    return mongo.BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true })['part']
  }
}

/** Fields of a value that is to be a document, in an object of their own. */
function fieldsOf(given: unknown, steps: Steps): Fields {
  const value = hasToBson(given) ? given.toBSON() : given
  if (value instanceof Map) {
    const odd = [...(value as Map<unknown, unknown>).keys()].find((name) => typeof name !== 'string')
    if (odd !== undefined) throw loss(steps, `has a key that is ${sortOf(odd)}`)
    return Object.fromEntries(value) as Fields
  }
  if (kindOf(value) === 'Object' && typeof value === 'object' && value !== null && !('_bsontype' in value)) {
    checkAllInFields(steps, value)
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

/** @param statement - what is sent of the document, with its filter */
function checkStorable(mongo: Mongo, document: Fields, statement: Document, steps: Steps): void {
  attempt(document, () => {
    const size = mongo.BSON.calculateObjectSize(statement, { ignoreUndefined: true })
    if (size >= MAX_SIZE) throw invalid(`it takes ${size} bytes, and MongoDB takes less than ${MAX_SIZE}`)
    checkValue(mongo, document, steps)
  })
}

/** Refuses a value that the driver would leave out or store as something else. The document has no circles. */
function checkValue(mongo: Mongo, value: unknown, steps: Steps): void {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw noForm(steps, value)
    case 'bigint':
      if (BigInt.asIntN(64, value) !== value) throw loss(steps, 'is a number of more than 64 bits')
      return
    case 'string':
      checkText(value, steps)
      return
    case 'object':
      if (value !== null) checkObject(mongo, value, steps)
  }
}

/** Refuses a text that the driver would change: different texts would become the same one. */
function checkText(text: string, steps: Steps): void {
  if (!text.isWellFormed()) throw loss(steps, 'is a text with half of a surrogate pair, which UTF-8 does not have')
}

function checkObject(mongo: Mongo, value: object, steps: Steps): void {
  if ('_bsontype' in value || types.isRegExp(value)) {
    // BSON has these two flags in common with JavaScript
    if (types.isRegExp(value) && /[^im]/.test(value.flags)) {
      throw loss(steps, `is a RegExp with the flags ${value.flags}`)
    }
    // the driver looks into these only when it sends, and then refuses the whole batch
    mongo.BSON.serialize({ value })
  } else if (hasToBson(value)) {
    checkValue(mongo, value.toBSON(), steps)
  } else if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw noForm(steps, value)
    checkFieldsBeside(steps, value)
  } else if (Array.isArray(value)) {
    checkFieldsBeside(steps, value)
    checkList(mongo, value, steps)
  } else if (types.isMap(value)) {
    checkFields(mongo, [...value], steps)
  } else if (!types.isUint8Array(value)) {
    // others would silently become an empty document, also an ArrayBuffer
    checkAllInFields(steps, value)
    checkFields(mongo, Object.entries(value), steps)
  }
}

function checkList(mongo: Mongo, list: readonly unknown[], steps: Steps): void {
  for (let at = 0; at < list.length; at++) {
    // it would become null
    if (list[at] === undefined) throw loss([...steps, at], 'is undefined')
    if (isPart(list[at])) checkValue(mongo, list[at], [...steps, at])
  }
}

function checkFields(mongo: Mongo, fields: readonly (readonly [unknown, unknown])[], steps: Steps): void {
  for (const [name, part] of fields) {
    if (typeof name !== 'string') throw loss(steps, `has a key that is ${sortOf(name)}`)
    if (name.includes('\0')) throw invalid(`there is a field with a NUL in its name in ${shownPath(steps)}`)
    checkText(name, steps)
    if (isPart(part)) checkValue(mongo, part, [...steps, name])
  }
}

/** Whether there may be something wrong with a value: its path is made only then. */
function isPart(value: unknown): boolean {
  return typeof value !== 'number' && typeof value !== 'boolean' && value !== null && value !== undefined
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
