import type { Sort } from 'mongodb'
import { checkBoolean, checkObject } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { InletOptions } from '../../core/inlet.js'
import { toMilliseconds, type Duration } from '../../base/duration.js'
import { MONGO_CONNECTION_OPTIONS, type MongoConnectionOptions } from './connection-options.js'

/** What a query says of each field, as in the shell of MongoDB: `{ age: { $gt: 18 } }`. */
export interface MongoQuery {
  readonly [field: string]: unknown
}

export interface MongoInletOptions extends InletOptions, MongoConnectionOptions {
  /**
   * Name of the collection to read.
   * @default 'default_collection'
   */
  readonly collection?: string
  /**
   * Which documents are read.
   * @default {} - all
   */
  readonly filter?: MongoQuery
  /**
   * Which of their fields are read, such as `{ name: 1 }`. With a `cursorField`, that and `_id` must be among them.
   * @default {} - all
   */
  readonly projection?: MongoQuery
  /**
   * In which order they are read: fields, and 1 for ascending or -1 for descending. Not together with `cursorField`.
   * @default {} - as the server likes
   */
  readonly sort?: { readonly [field: string]: 1 | -1 }
  /**
   * Most documents that one transfer reads.
   * @default 1000 with a `cursorField`, otherwise all
   */
  readonly limit?: number
  /**
   * Documents that the server sends at once.
   * @default undefined - as the server likes
   */
  readonly batchSize?: number
  /**
   * Field of which the value only grows with time, such as `_id` or `updatedAt`; dots lead to nested ones. Then each transfer reads
   * only documents that are new since the one before, in the order of this field. It needs an index together with `_id`:
   * `{ updatedAt: 1, _id: 1 }`.
   * @default undefined - each transfer reads all documents
   */
  readonly cursorField?: string
  /**
   * For a `cursorField`: only documents with a greater value are read.
   * @default undefined - from the first on
   */
  readonly startAfter?: unknown
  /**
   * For a `cursorField` of dates or ObjectIds: how old a value must be to be read, in seconds or as a duration. Where
   * several processes write, one may add a value that is smaller than one that was read already, and that
   * document is never read: so wait until none can.
   * @default undefined - values of any age
   */
  readonly settle?: number | Duration
  /**
   * For a `cursorField`: whether documents that were not delivered are read again. When a transfer failed, the next one
   * begins where it did. Then documents come at least once, and until one is delivered none after it is: one that an
   * outlet always refuses holds up the others. Otherwise they come at most once, and what was not delivered is dropped.
   * @default true
   */
  readonly redeliver?: boolean
}

export const OPTIONS = [
  ...(['metadata', 'collection', 'filter', 'projection', 'sort', 'limit', 'batchSize'] as const),
  ...(['cursorField', 'startAfter', 'settle', 'redeliver'] as const),
  ...MONGO_CONNECTION_OPTIONS,
]

/** How new documents are found. */
export interface Cursor {
  readonly field: string
  readonly startAfter: unknown
  /** Age of values that are read, in milliseconds. */
  readonly settle: number | undefined
  readonly redeliver: boolean
}

export function checkFields(option: string, value: MongoQuery | undefined): MongoQuery {
  if (value === undefined) return {}
  checkObject(option, value)
  return { ...value }
}

export function checkCursor(options: MongoInletOptions): Cursor | undefined {
  const { cursorField: field, startAfter, settle, redeliver } = options
  if (field === undefined) {
    for (const [option, value] of Object.entries({ startAfter, settle, redeliver })) {
      if (value !== undefined) throw new InvalidOptionError(`MongoInlet.${option}`, 'none without a cursorField', value)
    }
    return undefined
  }
  if (typeof field !== 'string' || !/^[^$\0.][^\0]*$/.test(field)) {
    throw new InvalidOptionError('MongoInlet.cursorField', 'the name of a field', field)
  }
  return {
    field,
    startAfter,
    settle: settle === undefined ? undefined : toMilliseconds('MongoInlet.settle', settle),
    redeliver: checkBoolean('MongoInlet.redeliver', redeliver, true),
  }
}

export function checkProjection(given: MongoQuery | undefined, cursor: Cursor | undefined): MongoQuery {
  const projection = checkFields('MongoInlet.projection', given)
  if (cursor === undefined) return projection
  const { field } = cursor
  const isFor = (name: string) => field === name || field.startsWith(`${name}.`)
  const others = Object.entries(projection).filter(([name]) => name !== '_id')
  const inclusive = others.some(([, value]) => value !== 0 && value !== false)
  const without = others.some(([name, value]) => isFor(name) && (value === 0 || value === false))
  const kept = !inclusive || field === '_id' || others.some(([name]) => isFor(name))
  if (without || !kept || projection['_id'] === 0 || projection['_id'] === false) {
    throw new InvalidOptionError('MongoInlet.projection', `one that keeps _id and ${field}`, given)
  }
  return projection
}

export function checkSort(given: MongoInletOptions['sort'], cursor: Cursor | undefined): Sort {
  if (given === undefined) return cursor === undefined ? {} : { [cursor.field]: 1, _id: 1 }
  if (cursor !== undefined) throw new InvalidOptionError('MongoInlet.sort', 'none beside a cursorField', given)
  const sort = { ...checkFields('MongoInlet.sort', given) }
  for (const [field, direction] of Object.entries(sort)) {
    if (direction !== 1 && direction !== -1)
      throw new InvalidOptionError(`MongoInlet.sort.${field}`, '1 or -1', direction)
  }
  return sort as Sort
}
