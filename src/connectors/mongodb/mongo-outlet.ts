import type { Db } from 'mongodb'
import { checkBoolean, checkOptions, checkWord } from '../../base/check.js'
import { InvalidOptionError, toError } from '../../base/errors.js'
import { PartialPushError, type RejectedRecord } from '../../core/partial-push.js'
import { getLogger } from '../../base/log.js'
import {
  checkCollection,
  MONGO_CONNECTION_OPTIONS,
  MongoConnection,
  type MongoConnectionOptions,
  type MongoSession,
} from './client.js'
import { isRetryable, MongoCollectionNotFound } from './errors.js'
import { Outlet, type MetadataKey, type OutletOptions } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import { withRetries } from '../retry.js'
import type { Update } from '../../core/update.js'
import type { Entry } from './documents.js'
import type { MongoWriter } from './writer.js'

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

type Writing = typeof import('./writing.js')

/** What became of the documents of a push for one collection. */
interface Written {
  /** Those that are not stored, or may not be. */
  readonly refused: ReadonlyMap<Entry, Error>
  /** Why the others of them were given up, when they were. */
  readonly failure?: Error
}

const OPTIONS = [
  ...(['processors', 'collection', 'mode', 'keys', 'createCollections'] as const),
  ...MONGO_CONNECTION_OPTIONS,
]

/**
 * Writes records to MongoDB: an object is a document, an array is one for each element. Needs the package mongodb:
 * `npm install mongodb@^7`.
 *
 * A record can choose its collection in its metadata, under {@link MongoOutlet.MONGODB_COLLECTION}.
 *
 * Each document of a push is stored once, however often the connection breaks: it gets its `_id` before it is first sent,
 * and keeps it when it is sent again. When a server that cannot be reached in all tries, nobody knows
 * which documents of that push are stored. A document that brings its own `_id` counts as stored after a broken
 * connection when the same document is there; if another has changed it meanwhile, it counts as refused.
 *
 * One that cannot be stored (too large, not unique, of what MongoDB has no word for) is refused, and the others are
 * stored: `push` then rejects with a {@link PartialPushError}. A record of many documents is refused if one of them
 * is, though the others of them are stored.
 */
export class MongoOutlet extends Outlet {
  /** Metadata: name of the collection to write to. */
  static readonly MONGODB_COLLECTION: MetadataKey = 'MongoOutlet.MONGODB_COLLECTION'

  readonly #collection: string
  readonly #keys: readonly string[] | undefined
  readonly #createCollections: boolean
  readonly #connection: MongoConnection
  /** Collections that are known to exist. */
  readonly #known = new Set<string>()

  /** @throws {@link InvalidOptionError} */
  constructor(options: MongoOutletOptions = {}) {
    super(checkOptions('MongoOutlet', options, OPTIONS))
    this.#collection = checkCollection('MongoOutlet.collection', options.collection ?? 'default_collection')
    const mode = checkWord('MongoOutlet.mode', options.mode, MODES, 'insert')
    this.#keys = checkKeys(mode, options.keys)
    this.#createCollections = checkBoolean('MongoOutlet.createCollections', options.createCollections, true)
    this.#connection = new MongoConnection('MongoOutlet', options)
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials */
  override async onStart(): Promise<void> {
    await this.connect()
  }

  /**
   * Connects to a database, unless it is connected to it. If it is connected to another, it uses that no longer.
   *
   * @param database - default: that of the options
   * @returns whether it was connected to it already
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials
   */
  async connect(database: string = this.#connection.database): Promise<boolean> {
    const already = await this.#connection.open(database)
    if (!already) this.#known.clear()
    return already
  }

  /**
   * Disconnects, when pushes that run have ended; what a push has sent that was told to stop has a second for that.
   * Does nothing when it is not connected.
   */
  async disconnect(): Promise<void> {
    await this.#connection.close()
  }

  override async onShutdown(): Promise<void> {
    await this.disconnect()
  }

  override saveState(): unknown {
    return undefined
  }

  /**
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link DatabaseError} when none were, for one reason: not connected, or the server cannot be reached
   */
  push(records: Record[], update: Update): Promise<void> {
    return this.#connection.use(async (session) => {
      const writing = await import('./writing.js')
      const errors = new Map<number, Error>()
      const groups = this.#group(writing, session, records, errors)
      const writes = [...groups].map(([name, entries]) => this.#write(writing, session, name, entries, update))
      const results = await Promise.all(writes)
      for (const [entry, error] of results.flatMap(({ refused }) => [...refused])) {
        if (!errors.has(entry.record)) errors.set(entry.record, error)
      }
      if (errors.size === 0) return
      // no record is to blame for what all of them met
      const [first] = errors.values()
      const [failure] = results.flatMap(({ failure }) => failure ?? [])
      if (
        failure !== undefined &&
        failure === first &&
        errors.size === records.length &&
        new Set(errors.values()).size === 1
      ) {
        throw failure
      }
      throw partialPush(records.length, errors)
    })
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#connection.database}.${this.#collection})`
  }

  /** The documents for each collection. */
  #group(
    { toEntries }: Writing,
    session: MongoSession,
    records: readonly Record[],
    errors: Map<number, Error>,
  ): Map<string, Entry[]> {
    const groups = new Map<string, Entry[]>()
    for (const [index, { payload, metadata }] of records.entries()) {
      try {
        const key = MongoOutlet.MONGODB_COLLECTION
        const name = metadata[key] === undefined ? this.#collection : checkCollection(key, metadata[key])
        const entries = toEntries(session.mongo, index, payload, this.#keys)
        const group = groups.get(name)
        if (group === undefined) groups.set(name, entries)
        else for (const entry of entries) group.push(entry)
      } catch (thrown) {
        errors.set(index, toError(thrown))
      }
    }
    return groups
  }

  /** Writes the documents of one collection. */
  async #write(
    { MongoWriter }: Writing,
    session: MongoSession,
    name: string,
    entries: readonly Entry[],
    update: Update,
  ): Promise<Written> {
    if (entries.length === 0) return { refused: new Map() }
    const log = getLogger('databay.MongoOutlet')
    const where = `${session.db.databaseName}.${name}`
    const { signal } = update
    const writer = new MongoWriter(session.mongo, session.db.collection(name), entries)
    try {
      log.info('%s insert %s into %s', String(update), documents(entries.length), where)
      await withRetries(
        this.#connection.retry,
        signal,
        () => this.#connection.interruptible(signal, this.#attempt(session.db, name, writer, signal)),
        (error) => {
          const again = isRetryable(error)
          if (again) log.warn('%s tries again to write to %s: %s', String(update), where, error.message)
          return again
        },
      )
      log.info('%s written %s into %s', String(update), documents(entries.length - writer.refused.size), where)
      return writer
    } catch (thrown) {
      const own = signal.aborted || thrown instanceof MongoCollectionNotFound
      const failure = own ? toError(thrown) : this.#connection.toError(where, thrown)
      const unsettled = writer.unsettled.map((entry) => [entry, failure] as const)
      return { refused: new Map([...writer.refused, ...unsettled]), failure }
    }
  }

  async #attempt(db: Db, name: string, writer: MongoWriter, signal: AbortSignal): Promise<void> {
    if (!this.#createCollections && !this.#known.has(name)) {
      const found = await db.listCollections({ name }, { nameOnly: true }).toArray()
      if (found.length === 0) {
        const where = `${db.databaseName}.${name}`
        throw new MongoCollectionNotFound(name, `MongoOutlet: there is no collection ${where}`)
      }
      this.#known.add(name)
    }
    await writer.attempt(signal)
  }
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

function partialPush(total: number, errors: ReadonlyMap<number, Error>): PartialPushError {
  const rejected: RejectedRecord[] = [...errors].map(([index, error]) => ({ index, error }))
  rejected.sort((a, b) => a.index - b.index)
  return new PartialPushError('MongoOutlet', total - rejected.length, rejected)
}

function documents(count: number): string {
  return `${count} ${count === 1 ? 'document' : 'documents'}`
}
