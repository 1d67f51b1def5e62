import type { Document } from 'mongodb'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import { Inlet } from '../../core/inlet.js'
import type { Update } from '../../core/update.js'
import { DatabaseError } from '../errors.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../open-pulls.js'
import { MongoConnection, type MongoSession } from './client.js'
import { unlessAborted } from './running-work.js'
import type { Mongo } from './driver.js'
import {
  resolveInletOptions,
  type MongoInletOptions,
  type MongoInletSettings,
  type MongoQuery,
} from './inlet-options.js'
import { advance, areOrdered, filterAfter, filterBefore, type Position } from './position.js'

/** What moves along to another thread. Positions are text. */
interface SavedState {
  readonly position?: string
  readonly carried?: CarriedPulls<string>
}

function isSavedState(value: unknown): value is SavedState {
  if (typeof value !== 'object' || value === null) return false
  const { position, carried } = value as { readonly [key: string]: unknown }
  const isText = (one: unknown) => typeof one === 'string'
  if (carried !== undefined && !(isCarriedPulls(carried) && isText(carried.start))) return false
  return isText(position) || (position === undefined && carried !== undefined)
}

/**
 * Reads documents of MongoDB, a record for each. Needs the package mongodb: `npm install mongodb@^7`.
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
  #mongo: Mongo | undefined
  #position: Position | undefined
  readonly #warnings = new Warnings(() => getLogger('databay.MongoInlet'))
  /** Pulls that are not delivered yet. */
  readonly #pulls = new OpenPulls<Position | undefined>()
  /** State that was restored, until the next start. */
  #restored: SavedState | undefined
  /** Pull that runs, or ran last: pulls of one inlet follow one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws {@link InvalidOptionError} */
  constructor(options: MongoInletOptions = {}) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new MongoConnection('MongoInlet', settings.connection)
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials */
  override async onStart(): Promise<void> {
    await this.#connection.open(this.#connection.database)
    this.#mongo = this.#connection.session?.mongo
    this.#pulls.clear()
    this.#begin(this.#restored)
    this.#restored = undefined
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the query */
  pull(update: Update): Promise<T[]> {
    const pulling = this.#turn.then(() => this.#connection.use((session) => this.#pull(session, update)))
    this.#turn = pulling.catch(() => undefined)
    return pulling
  }

  /**
   * Notes how a transfer has ended. With a `cursorField`, the next pull goes back to where a pull began that was not
   * delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean): void {
    this.#pulls.end(update, delivered)
  }

  override async onShutdown(): Promise<void> {
    this.#warnings.end(String(this))
    await this.#connection.close()
  }

  /**
   * Position up to which the collection was read, or to redeliver, where the first failed pull began; and the pulls that
   * buffers hold. Positions are text, as values of the database do not survive a structured clone.
   */
  override saveState(): SavedState | undefined {
    if (this.#restored !== undefined) return this.#restored
    const { position, carried } = this.#pulls.handOff(this.#position)
    if (this.#mongo === undefined || (position === undefined && carried === undefined)) return undefined
    return {
      ...(position !== undefined && { position: this.#toText(position) }),
      ...(carried && { carried: { ...carried, start: this.#toText(carried.start) } }),
    }
  }

  override restoreState(state: unknown): void {
    if (isSavedState(state)) this.#restored = state
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#connection.database}.${this.#settings.collection})`
  }

  #begin(saved: SavedState | undefined): void {
    const startAfter = this.#settings.cursor?.startAfter
    const first = startAfter === undefined ? undefined : { value: startAfter, seen: [] }
    this.#position = saved?.position === undefined ? first : this.#fromText(saved.position)
    const carried = saved?.carried
    if (carried !== undefined) this.#pulls.takeOver({ ...carried, start: this.#fromText(carried.start) ?? first })
  }

  /** Text of a position; `''` for none. */
  #toText(position: Position | undefined): string {
    return position === undefined ? '' : (this.#mongo?.BSON.EJSON.stringify(position, { relaxed: false }) ?? '')
  }

  #fromText(text: string): Position | undefined {
    return text === '' ? undefined : (this.#mongo?.BSON.EJSON.parse(text, { relaxed: false }) as Position | undefined)
  }

  async #pull(session: MongoSession, update: Update): Promise<T[]> {
    const { collection, cursor } = this.#settings
    const where = `${session.db.databaseName}.${collection}`
    const log = getLogger('databay.MongoInlet')
    log.info('%s pulling %s', String(update), where)
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      this.#warnings.warn({ records }, `${where}: ${records} documents were not delivered: they are read again`)
      this.#position = start
    }
    const documents = await this.#find(session, where, update)
    if (cursor !== undefined) {
      const { field } = cursor
      if (!areOrdered(field, documents)) {
        throw new DatabaseError(`MongoInlet: ${where}: a document has an array at ${field}, by which it has no place`)
      }
      // nobody takes the documents any more
      update.signal.throwIfAborted()
      if (cursor.redeliver) this.#pulls.add(update, this.#position, documents.length)
      this.#position = advance(session.mongo, field, this.#position, documents)
    }
    if (back === undefined) this.#warnings.well(where)
    log.info('%s received %d documents of %s', String(update), documents.length, where)
    return documents as T[]
  }

  async #find(session: MongoSession, where: string, update: Update): Promise<Document[]> {
    const { signal } = update
    const { projection, sort, limit, batchSize } = this.#settings
    const filter = this.#filterNow(session.mongo)
    const options = {
      signal,
      projection,
      sort,
      ...(limit === undefined || limit === Infinity ? {} : { limit }),
      ...(batchSize === undefined ? {} : { batchSize }),
    }
    const collection = session.db.collection(this.#settings.collection)
    try {
      return await this.#connection.request(update, `read ${where}`, () =>
        unlessAborted(signal, collection.find(filter, options).toArray()),
      )
    } catch (thrown) {
      throw signal.aborted ? toError(signal.reason) : this.#connection.toError(where, thrown)
    }
  }

  #filterNow(mongo: Mongo): Document {
    const { filter, cursor } = this.#settings
    if (cursor === undefined) return filter
    const { field, settle } = cursor
    const settled = settle === undefined ? [] : [filterBefore(mongo, field, Date.now() - settle)]
    return { $and: [filter, filterAfter(field, this.#position), ...settled] }
  }
}
