import { InvalidOptionError } from '../../base/errors.js'
import { custom, flag, resolveOptions, word, type Spec } from '../../base/options.js'
import { OUTLET_OPTIONS, type MetadataKey, type OutletOptions } from '../../core/outlet.js'
import {
  MONGO_CONNECTION_OPTIONS,
  resolveConnection,
  type MongoConnectionOptions,
  type MongoConnectionSettings,
} from './connection-options.js'
import { SERIALIZE_OPTIONS, type Serialize, type SerializeOptions } from '../serialize.js'
import { collectionName } from './names.js'

/** Metadata key: name of the collection to write to. */
export const COLLECTION_KEY: MetadataKey = 'MongoOutlet.MONGODB_COLLECTION'

/**
 * Ways in which {@link MongoOutlet} writes: `insert` adds each document, `upsert` replaces the document with the same
 * key fields.
 */
export type MongoMode = 'insert' | 'upsert'
const MODES: readonly MongoMode[] = ['insert', 'upsert']

/** Options of {@link MongoOutlet}. */
export interface MongoOutletOptions extends OutletOptions, SerializeOptions, MongoConnectionOptions {
  /**
   * Name of the collection for records that choose none.
   * @default 'default_collection'
   */
  readonly collection?: string
  /**
   * Whether each document is inserted, or replaces the document with the same `keys`, if there is one.
   * @default 'insert'
   */
  readonly mode?: MongoMode
  /**
   * Fields by which a document replaces another in the mode `upsert`, such as `['id']`; dots lead to nested fields.
   * They need a unique index: without one, two writers at the same time can add two documents with the same key.
   * @default none
   */
  readonly keys?: readonly string[]
  /**
   * Whether a missing collection is created, as MongoDB does by itself. Otherwise its records are refused.
   * @default true
   */
  readonly createCollections?: boolean
}

/** Table of the options of {@link MongoOutlet}. */
export const MONGO_OUTLET_OPTIONS = {
  ...OUTLET_OPTIONS,
  collection: collectionName('default_collection'),
  mode: word(MODES, 'insert'),
  keys: custom(readKeys, 'none'),
  createCollections: flag(true),
  ...SERIALIZE_OPTIONS,
  ...MONGO_CONNECTION_OPTIONS,
} satisfies Spec<MongoOutletOptions>

/** {@link MongoOutletOptions}, resolved. */
export interface MongoOutletSettings {
  readonly collection: string
  /** Fields by which documents replace others; `undefined` when they are inserted. */
  readonly keys: readonly string[] | undefined
  readonly createCollections: boolean
  readonly serialize?: Serialize | undefined
  readonly connection: MongoConnectionSettings
}

/**
 * Checks and resolves {@link MongoOutletOptions}.
 *
 * @throws {@link InvalidOptionError} naming the option
 */
export function resolveOutletOptions(options: MongoOutletOptions): MongoOutletSettings {
  const read = resolveOptions('MongoOutlet', options, MONGO_OUTLET_OPTIONS)
  const { collection, mode, keys, createCollections, serialize } = read
  if (mode === 'insert' && keys !== undefined) {
    throw new InvalidOptionError('MongoOutlet.keys', "none for the mode 'insert'", keys)
  }
  if (mode === 'upsert' && keys === undefined) throw invalidKeys('MongoOutlet.keys', keys)
  const connection = resolveConnection('MongoOutlet', read)
  return Object.freeze({ collection, keys, createCollections, serialize, connection })
}

function readKeys(name: string, keys: readonly string[] | undefined): readonly string[] | undefined {
  if (keys === undefined) return undefined
  const isKey = (key: unknown) => typeof key === 'string' && /^[^$\0.]+(?:\.[^$\0.]+)*$/.test(key) && key.isWellFormed()
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isKey)) throw invalidKeys(name, keys)
  return Object.freeze([...(keys as readonly string[])])
}

function invalidKeys(name: string, keys: unknown): InvalidOptionError {
  return new InvalidOptionError(name, "a list of fields for the mode 'upsert'", keys)
}
