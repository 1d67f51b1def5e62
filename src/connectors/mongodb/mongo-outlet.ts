import { importLater } from '../../base/libraries.js'
import { Outlet, type MetadataKey } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { MongoConnection } from './client.js'
import {
  COLLECTION_KEY,
  resolveOutletOptions,
  type MongoOutletOptions,
  type MongoOutletSettings,
} from './outlet-options.js'

const importPush = () => import('./push.js')

/**
 * Writes records to MongoDB: an object is a document, an array is a document for each element. Needs the package
 * mongodb: `npm install mongodb@^7`.
 *
 * A record can choose its collection in its metadata, under {@link MongoOutlet.MONGODB_COLLECTION}.
 *
 * Each document of a push is stored once, however often the connection breaks: it gets its `_id` before it is first
 * sent, and keeps it when it is sent again. If the server cannot be reached in any of the tries, nobody knows which
 * documents of that push are stored. A document that brings its own `_id` counts as stored after a broken connection
 * when the same document is found; if another writer has changed it meanwhile, it counts as refused.
 *
 * A document that cannot be stored (too large, not unique, of a type that MongoDB does not have) is refused, and the
 * others are stored: `push` then rejects with a {@link PartialPushError}. A record of many documents is refused if one
 * of them is, though its other documents are stored.
 */
export class MongoOutlet extends Outlet {
  /** Metadata key: name of the collection to write to. */
  static readonly MONGODB_COLLECTION: MetadataKey = COLLECTION_KEY

  /** Whether payloads are only read: not where a class that extends this one has a push of its own. */
  // eslint-disable-next-line @typescript-eslint/unbound-method -- they are compared, not called
  override readonly readsOnly: boolean = Object.is(this.push, MongoOutlet.prototype.push)
  readonly #settings: MongoOutletSettings
  readonly #connection: MongoConnection
  /** Collections of the database in use that are known to exist. */
  readonly #known = new Set<string>()
  /** Code of the pushes, once it is loaded. */
  #code: typeof import('./push.js') | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: MongoOutletOptions = {}) {
    const settings = resolveOutletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new MongoConnection('MongoOutlet', settings.connection)
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials */
  override async onStart(): Promise<void> {
    await this.connect()
  }

  /**
   * Connects to a database, unless connected to it. A connection to another database is no longer used.
   *
   * @param database - default: that of the options
   * @returns whether it was connected to it already
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials
   */
  async connect(database: string = this.#connection.database): Promise<boolean> {
    await this.#load()
    const already = await this.#connection.open(database)
    if (!already) this.#known.clear()
    return already
  }

  /**
   * Disconnects when running pushes have ended; a cancelled push has a second to hear from the server. Does nothing
   * when not connected.
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
   * Writes a batch.
   *
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link DatabaseError} when none were taken, for one reason: not connected, or the server cannot be reached
   */
  push(records: Record[], update: Update): Promise<void> {
    return this.#connection.use(async (session) => {
      // loaded when the outlet connected: payloads are read before the first wait, as they are no copies
      const { pushRecords } = this.#code ?? (await this.#load())
      const pushing = { settings: this.#settings, connection: this.#connection, known: this.#known }
      await pushRecords(pushing, session, records, update)
    })
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#connection.database}.${this.#settings.collection})`
  }

  /** Loads the code of pushes when the outlet first connects: every thread loads the outlet, and most threads run none. */
  async #load(): Promise<typeof import('./push.js')> {
    return (this.#code ??= await importLater(importPush))
  }
}
