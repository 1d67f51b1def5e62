import { checkBoolean, checkOptions, checkWord } from '../../base/check.js'
import { InvalidOptionError } from '../../base/errors.js'
import type { MetadataKey, OutletOptions } from '../../core/outlet.js'
import { MONGO_CONNECTION_OPTIONS, type MongoConnectionOptions } from './connection-options.js'
import { checkCollection } from './names.js'

/** Metadata: name of the collection to write to. */
export const COLLECTION_KEY: MetadataKey = 'MongoOutlet.MONGODB_COLLECTION'

/** How {@link MongoOutlet} writes: `insert` adds each document, `upsert` replaces the one with the same key fields. */
export type MongoMode = 'insert' | 'upsert'
const MODES: readonly MongoMode[] = ['insert', 'upsert']

export interface MongoOutletOptions extends OutletOptions, MongoConnectionOptions {
  /**
   * Name of the collection of records that choose none.
   * @default 'default_collection'
   */
  readonly collection?: string
  /**
   * Whether each document is inserted, or replaces the one that has the same `keys`, if there is one.
   * @default 'insert'
   */
  readonly mode?: MongoMode
  /**
   * For the mode `upsert`: the fields by which a document replaces another, such as `['id']`; dots lead to nested ones.
   * They need a unique index: without one, a server lets two writers at once add two documents with the same key.
   * @default none
   */
  readonly keys?: readonly string[]
  /**
   * Whether a collection that does not exist is made, as MongoDB does by itself. Otherwise records for it are refused.
   * @default true
   */
  readonly createCollections?: boolean
}

const OPTIONS = [
  ...(['processors', 'collection', 'mode', 'keys', 'createCollections'] as const),
  ...MONGO_CONNECTION_OPTIONS,
]

/** {@link MongoOutletOptions} but for those of the connection, resolved. */
export interface MongoOutletSettings {
  readonly collection: string
  /** Fields by which documents replace others; `undefined` when they are inserted. */
  readonly keys: readonly string[] | undefined
  readonly createCollections: boolean
}

/** The options themselves, before anything is made of them. */
export function checkOutletOptions(options: MongoOutletOptions): MongoOutletOptions {
  return checkOptions('MongoOutlet', options, OPTIONS)
}

/** @throws {@link InvalidOptionError} naming the option */
export function resolveOutletOptions(options: MongoOutletOptions): MongoOutletSettings {
  const mode = checkWord('MongoOutlet.mode', options.mode, MODES, 'insert')
  return Object.freeze({
    collection: checkCollection('MongoOutlet.collection', options.collection ?? 'default_collection'),
    keys: checkKeys(mode, options.keys),
    createCollections: checkBoolean('MongoOutlet.createCollections', options.createCollections, true),
  })
}

function checkKeys(mode: MongoMode, keys: readonly string[] | undefined): readonly string[] | undefined {
  if (mode === 'insert') {
    if (keys !== undefined) throw new InvalidOptionError('MongoOutlet.keys', "none for the mode 'insert'", keys)
    return undefined
  }
  const isKey = (key: unknown) => typeof key === 'string' && /^[^$\0]+$/.test(key)
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isKey))
    throw new InvalidOptionError('MongoOutlet.keys', "a list of fields for the mode 'upsert'", keys)
  return Object.freeze([...(keys as readonly string[])])
}
