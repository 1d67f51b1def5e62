import type { Document, FindCursor } from 'mongodb'
import { toError } from '../../base/errors.js'
import type { Update } from '../../core/update.js'
import { DatabaseError } from '../errors.js'
import type { MongoConnection, MongoSession } from './client.js'
import type { Mongo } from './driver.js'
import { hasLostCursor } from './errors.js'
import type { MongoInletSettings } from './inlet-options.js'
import { advance, areOrdered, filterAfter, filterBefore, type Position } from './position.js'
import type { ListReader, ReadList } from '../positioned-pulls.js'
import { unlessAborted } from '../running-work.js'

/**
 * Reads the documents of one pull, list by list: each is a batch of the server. With a `cursorField`, it goes on behind a
 * position when its cursor was lost, or the position is not where the cursor is.
 */
export class DocumentReader implements ListReader<Document, Position> {
  readonly #connection: MongoConnection
  readonly #session: MongoSession
  readonly #settings: MongoInletSettings
  readonly #update: Update
  readonly #where: string
  #cursor: FindCursor | undefined
  /** Position where the cursor is. */
  #at: Position | undefined
  #given = 0
  #closed = false
  /** Read that was begun last. Never rejects. */
  #reading: Promise<unknown> | undefined

  /** @param where - name of the collection, with that of its database */
  constructor(
    connection: MongoConnection,
    session: MongoSession,
    settings: MongoInletSettings,
    update: Update,
    where: string,
  ) {
    this.#connection = connection
    this.#session = session
    this.#settings = settings
    this.#update = update
    this.#where = where
  }

  /**
   * Reads the next list; it is empty only at the end.
   *
   * @param position - position behind which to read; without a `cursorField` `undefined`
   * @throws {@link DatabaseError}, or the reason of the transfer's signal
   */
  async read(position: Position | undefined): Promise<ReadList<Document, Position>> {
    const { signal } = this.#update
    if (this.#connection.session !== this.#session) {
      throw new DatabaseError(`MongoInlet: ${this.#where}: it was shut down while it read`)
    }
    if (this.#at !== position) this.#leave()
    try {
      return await this.#connection.request(this.#update, `read ${this.#where}`, () =>
        unlessAborted(signal, this.#noting(this.#readFrom(position))),
      )
    } catch (thrown) {
      if (signal.aborted) throw toError(signal.reason)
      throw thrown instanceof DatabaseError ? thrown : this.#connection.toError(this.#where, thrown)
    }
  }

  /** Closes the cursor, unless it has ended. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    const cursor = this.#cursor
    this.#cursor = undefined
    if (cursor === undefined || cursor.closed) return
    const { signal } = this.#update
    // while a batch is on its way, the driver closes a cursor without a word to the server
    const closing = signal.aborted ? cursor.close() : Promise.resolve(this.#reading).then(() => cursor.close())
    await this.#connection.interruptible(signal, closing).catch(() => undefined)
  }

  #noting<R>(reading: Promise<R>): Promise<R> {
    this.#reading = reading.catch(() => undefined)
    return reading
  }

  async #readFrom(position: Position | undefined): Promise<ReadList<Document, Position>> {
    const isFirst = this.#cursor === undefined
    try {
      return await this.#batch(position)
    } catch (error) {
      this.#leave()
      const isOver = this.#closed || this.#update.signal.aborted
      if (isOver || (this.#given > 0 && this.#settings.cursor === undefined)) {
        const what = `${this.#where}, after ${this.#given} documents, behind which only a cursorField could go on`
        throw this.#connection.toError(what, error)
      }
      // the server forgets a cursor that was not used for some minutes
      if (!isFirst && hasLostCursor(error)) return this.#batch(position)
      throw error
    }
  }

  async #batch(position: Position | undefined): Promise<ReadList<Document, Position>> {
    const cursor = (this.#cursor ??= this.#open(position))
    const records = (await cursor.hasNext()) ? (cursor.readBufferedDocuments() as Document[]) : []
    this.#given += records.length
    this.#at = this.#behind(position, records)
    return { records, position: this.#at, isMore: !cursor.closed && this.#given < this.#limit }
  }

  #behind(position: Position | undefined, documents: readonly Document[]): Position | undefined {
    if (this.#settings.cursor === undefined) return undefined
    const { field } = this.#settings.cursor
    if (areOrdered(field, documents)) return advance(this.#session.mongo, field, position, documents)
    throw new DatabaseError(`MongoInlet: ${this.#where}: a document has an array at ${field}, by which it has no place`)
  }

  #open(position: Position | undefined): FindCursor {
    this.#at = position
    const { collection, projection, sort, batchSize } = this.#settings
    const left = this.#limit - this.#given
    return this.#session.db.collection(collection).find(this.#filter(position), {
      signal: this.#update.signal,
      projection,
      sort,
      batchSize,
      ...(left === Infinity ? {} : { limit: left }),
    })
  }

  get #limit(): number {
    return this.#settings.limit ?? Infinity
  }

  #filter(position: Position | undefined): Document {
    const { filter, cursor } = this.#settings
    if (cursor === undefined) return filter
    const { field, settle } = cursor
    const { mongo }: { readonly mongo: Mongo } = this.#session
    const settled = settle === undefined ? [] : [filterBefore(mongo, field, Date.now() - settle)]
    return { $and: [filter, filterAfter(field, position), ...settled] }
  }

  /** Leaves the cursor, if there is one: the next batch is that of another. */
  #leave(): void {
    const cursor = this.#cursor
    this.#cursor = undefined
    // the driver tells of nothing that goes wrong here
    void cursor?.close().catch(() => undefined)
  }
}
