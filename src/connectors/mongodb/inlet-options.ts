import { checkObject } from '../../base/check.js'
import type { Duration } from '../../base/duration.js'
import { InvalidOptionError } from '../../base/errors.js'
import {
  count,
  custom,
  flag,
  given,
  optionalTime,
  resolveOptions,
  type Resolved,
  type Spec,
} from '../../base/options.js'
import { INLET_OPTIONS, type InletOptions } from '../../core/inlet.js'
import {
  MONGO_CONNECTION_OPTIONS,
  resolveConnection,
  type MongoConnectionOptions,
  type MongoConnectionSettings,
} from './connection-options.js'
import { collectionName } from './names.js'

/** Query: a condition for each field, as in the shell of MongoDB: `{ age: { $gt: 18 } }`. */
export interface MongoQuery {
  readonly [field: string]: unknown
}

/** Order of documents: fields, and 1 for ascending or -1 for descending. */
export interface MongoSort {
  readonly [field: string]: 1 | -1
}

/** Options of {@link MongoInlet}. */
export interface MongoInletOptions extends InletOptions, MongoConnectionOptions {
  /**
   * Name of the collection to read.
   * @default 'default_collection'
   */
  readonly collection?: string
  /**
   * Filter of the documents to read.
   * @default {} - all
   */
  readonly filter?: MongoQuery
  /**
   * Fields to read, such as `{ name: 1 }`. With a `cursorField`, they must include that field and `_id`.
   * @default {} - all
   */
  readonly projection?: MongoQuery
  /**
   * Order of the documents: fields, and 1 for ascending or -1 for descending. Not together with `cursorField`.
   * @default {} - as the server likes
   */
  readonly sort?: MongoSort
  /**
   * Most documents that one transfer reads. `Infinity` is all.
   * @default 1000 with a `cursorField`, otherwise all
   */
  readonly limit?: number
  /**
   * Most documents that the server sends at once: they make a list, as far as they fit into 16 MiB. More than one list
   * stream, so that they take little memory.
   * @default 1024
   */
  readonly batchSize?: number
  /**
   * Field whose value only grows with time, such as `_id` or `updatedAt`; dots lead to nested fields. Each transfer
   * then reads only documents that are new since the last one, in the order of this field. It needs an index together
   * with `_id`: `{ updatedAt: 1, _id: 1 }`.
   * @default undefined - each transfer reads all documents
   */
  readonly cursorField?: string
  /**
   * Value of the `cursorField` after which the first transfer begins.
   * @default undefined - from the first on
   */
  readonly startAfter?: unknown
  /**
   * Least age of a value that is read, in seconds or as a duration, for a `cursorField` of dates or ObjectIds. Where
   * several processes write, one of them may add a value that is smaller than one that was read already, and its
   * document would never be read. So set this to the time after which no process does that.
   * @default undefined - values of any age
   */
  readonly settle?: number | Duration
  /**
   * Whether documents that were not delivered are read again, with a `cursorField`. After a failed transfer, the next
   * one begins where that one did. Then documents come at least once, in order: a document that an outlet always
   * refuses holds up the others. Otherwise they come at most once, and what was not delivered is dropped.
   * @default true
   */
  readonly redeliver?: boolean
}

/** Table of the options of {@link MongoInlet}. */
export const MONGO_INLET_OPTIONS = {
  ...INLET_OPTIONS,
  collection: collectionName('default_collection'),
  filter: custom(readFields, '{} - all'),
  projection: custom(readFields, '{} - all'),
  sort: custom(readSort, '{} - as the server likes'),
  limit: count(undefined, { orInfinity: true, shown: '1000 with a `cursorField`, otherwise all' }),
  batchSize: count(1024),
  cursorField: custom(readField, 'undefined - each transfer reads all documents'),
  startAfter: given<unknown>('undefined - from the first on'),
  settle: { ...optionalTime, byDefault: 'undefined - values of any age' },
  redeliver: flag(undefined, 'true'),
  ...MONGO_CONNECTION_OPTIONS,
} satisfies Spec<MongoInletOptions>

type ResolvedOptions = Resolved<typeof MONGO_INLET_OPTIONS>

/** {@link MongoInletOptions}, resolved. */
export interface MongoInletSettings {
  readonly collection: string
  readonly filter: MongoQuery
  readonly projection: MongoQuery
  readonly sort: MongoSort
  readonly limit: number | undefined
  readonly batchSize: number
  /** Way in which new documents are found; `undefined` when each transfer reads all documents. */
  readonly cursor: Cursor | undefined
  readonly connection: MongoConnectionSettings
}

/** Way in which new documents are found. */
export interface Cursor {
  readonly field: string
  readonly startAfter: unknown
  /** Least age of values that are read, in milliseconds; `undefined`: any. */
  readonly settle: number | undefined
  readonly redeliver: boolean
}

/**
 * Checks and resolves {@link MongoInletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveInletOptions(options: MongoInletOptions): MongoInletSettings {
  const read = resolveOptions('MongoInlet', options, MONGO_INLET_OPTIONS)
  const { collection, filter = {}, projection = {}, sort, limit, batchSize } = read
  const cursor = cursorOf(read)
  if (cursor !== undefined) checkProjection(projection, cursor)
  if (cursor !== undefined && sort !== undefined) {
    throw new InvalidOptionError('MongoInlet.sort', 'none beside a cursorField', sort)
  }
  return Object.freeze({
    collection,
    filter,
    projection,
    sort: (cursor === undefined ? sort : ({ [cursor.field]: 1, _id: 1 } as const)) ?? {},
    limit: cursor === undefined ? limit : (limit ?? 1000),
    batchSize,
    cursor,
    connection: resolveConnection('MongoInlet', read),
  })
}

function cursorOf({ cursorField, startAfter, settle, redeliver }: ResolvedOptions): Cursor | undefined {
  if (cursorField !== undefined) return { field: cursorField, startAfter, settle, redeliver: redeliver ?? true }
  for (const [option, value] of Object.entries({ startAfter, settle, redeliver })) {
    if (value !== undefined) throw new InvalidOptionError(`MongoInlet.${option}`, 'none without a cursorField', value)
  }
  return undefined
}

function checkProjection(projection: MongoQuery, { field }: Cursor): void {
  const isFor = (name: string) => field === name || field.startsWith(`${name}.`)
  const others = Object.entries(projection).filter(([name]) => name !== '_id')
  const inclusive = others.some(([, value]) => value !== 0 && value !== false)
  const without = others.some(([name, value]) => isFor(name) && (value === 0 || value === false))
  const kept = !inclusive || field === '_id' || others.some(([name]) => isFor(name))
  if (without || !kept || projection['_id'] === 0 || projection['_id'] === false) {
    throw new InvalidOptionError('MongoInlet.projection', `one that keeps _id and ${field}`, projection)
  }
}

function readField(name: string, field: string | undefined): string | undefined {
  if (field === undefined || (typeof field === 'string' && /^[^$\0.][^\0]*$/.test(field))) return field
  throw new InvalidOptionError(name, 'the name of a field', field)
}

function readFields(name: string, fields: MongoQuery | undefined): MongoQuery | undefined {
  if (fields === undefined) return undefined
  checkObject(name, fields)
  return { ...fields }
}

function readSort(name: string, given: MongoInletOptions['sort']): MongoInletOptions['sort'] {
  const sort = readFields(name, given)
  for (const [field, direction] of Object.entries(sort ?? {})) {
    if (direction !== 1 && direction !== -1) throw new InvalidOptionError(`${name}.${field}`, '1 or -1', direction)
  }
  return sort as MongoInletOptions['sort']
}
