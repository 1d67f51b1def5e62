import type { Document } from 'mongodb'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Cursor } from '../../core/cursor.js'
import type { Update } from '../../core/update.js'
import { PositionedPulls, type Positions, type SavedPulls } from '../positioned-pulls.js'
import { MongoConnection, type MongoSession } from './client.js'
import { DocumentReader } from './document-reader.js'
import type { Mongo } from './driver.js'
import { warnOfNoCollection, warnOfNoField } from './silent-nothing.js'
import {
  resolveInletOptions,
  type MongoInletOptions,
  type MongoInletSettings,
  type MongoQuery,
} from './inlet-options.js'
import { positionAt, positionOf, positionText, type Position } from './position.js'

/**
 * Reads documents of MongoDB, a record for each. Needs the package mongodb: `npm install mongodb@^7`. What does not come
 * in one batch of the server streams, so that a large collection takes little memory.
 *
 * With a `cursorField`, each document is read once, or again until it is delivered. The position is kept while the
 * inlet is started, also when its link moves to another thread; a start begins at `startAfter`. Documents without a
 * value in that field are never read, without any notice. All values should be of one type: MongoDB compares a position
 * only with values of its type, so others are passed over in the same way. Of documents with the same value none is
 * lost, as the inlet remembers which documents at its position it has read; so most values should differ.
 *
 * Values such as an `ObjectId` or a `Decimal128` are objects of the driver's classes.
 *
 * @typeParam T - type of the documents; it is believed, not checked
 */
export class MongoInlet<T = MongoQuery> extends Inlet<T> {
  readonly #settings: MongoInletSettings
  readonly #connection: MongoConnection
  readonly #pulls: PositionedPulls<Document, Position>
  #mongo: Mongo | undefined
  /** Whether a pull may show that no document has the `cursorField`: one from the beginning, the first since the start. */
  #looksForField = false
  /** Whether the next start goes on where another instance was. */
  #isRestored = false

  /** @throws {@link InvalidOptionError} */
  constructor(options: MongoInletOptions = {}) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new MongoConnection('MongoInlet', settings.connection)
    this.#pulls = new PositionedPulls({
      connector: 'MongoInlet',
      noun: 'documents',
      where: () => this.#where,
      use: (work) => this.#connection.use(work),
      positions: this.#positions,
    })
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials */
  override async onStart(): Promise<void> {
    await this.#connection.open(this.#connection.database)
    this.#mongo = this.#connection.session?.mongo
    this.#pulls.start()
    const { cursor, collection } = this.#settings
    this.#looksForField = cursor !== undefined && cursor.startAfter === undefined && !this.#isRestored
    this.#isRestored = false
    if (this.#connection.session !== undefined) await warnOfNoCollection(this.#connection.session.db, collection)
  }

  /**
   * Reads documents: all in one list, or list by list where they do not come in one batch of the server.
   *
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the query
   */
  async pull(update: Update, cursor?: Cursor): Promise<T[] | PulledStream<T>> {
    const open = () => {
      const session = this.#connection.session as MongoSession
      return new DocumentReader(this.#connection, session, this.#settings, update, this.#where)
    }
    const looksForField = this.#looksForField && cursor?.value === undefined
    this.#looksForField = false
    const pulled = (await this.#pulls.pull(update, cursor, open)) as T[] | PulledStream<T>
    const { session } = this.#connection
    if (looksForField && Array.isArray(pulled) && pulled.length === 0 && session !== undefined) {
      await warnOfNoField(session.db, this.#settings, update.signal)
    }
    return pulled
  }

  /** With a `cursorField`, the position is the cursor. Otherwise all documents are read at each transfer. */
  override get hasCursor(): boolean {
    return this.#settings.cursor !== undefined
  }

  override get redelivers(): boolean {
    return this.#pulls.redelivers
  }

  /**
   * Notes what was delivered of a pull. With a `cursorField`, the next pull goes back to where that one began, or where the
   * first of its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.ended(update, delivered, rounds)
  }

  override async onShutdown(): Promise<void> {
    this.#pulls.end(String(this))
    await this.#connection.close()
  }

  /**
   * Position up to which the collection was read, or to redeliver, where the first failed pull began; and the pulls that
   * buffers hold. Positions are text, as values of the database do not survive a structured clone.
   */
  override saveState(): SavedPulls | undefined {
    return this.#pulls.save()
  }

  override restoreState(state: unknown): void {
    this.#isRestored = true
    this.#pulls.restore(state)
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#where})`
  }

  /** The collection, with its database. */
  get #where(): string {
    return `${this.#connection.database}.${this.#settings.collection}`
  }

  get #positions(): Positions<Position> | undefined {
    const { cursor } = this.#settings
    if (cursor === undefined) return undefined
    const { startAfter, redeliver } = cursor
    // known from the first start on; before it, there is no position
    const mongo = () => this.#mongo as Mongo
    return {
      first: startAfter === undefined ? undefined : positionAt(startAfter),
      redeliver,
      keep: (position) => positionText(mongo(), position),
      isKept: (value) => typeof value === 'string',
      positionOf: (kept) => positionOf(mongo(), kept),
    }
  }
}
