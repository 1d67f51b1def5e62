import type { Document, Sort } from 'mongodb'
import { checkBoolean, checkCount, checkObject, checkOptions } from '../../base/check.js'
import { DatabaseError, InvalidOptionError, toError } from '../../base/errors.js'
import { Inlet, type InletOptions } from '../../core/inlet.js'
import { toMilliseconds, type Duration } from '../../core/schedule.js'
import { getLogger } from '../../base/log.js'
import {
  checkCollection,
  MONGO_CONNECTION_OPTIONS,
  MongoConnection,
  unlessAborted,
  type Mongo,
  type MongoConnectionOptions,
  type MongoSession,
} from './client.js'
import { isRetryable } from './errors.js'
import { withRetries } from '../retry.js'
import type { Update } from '../../core/update.js'
import { OpenPulls } from '../open-pulls.js'
import { advance, areOrdered, filterAfter, filterBefore, type Position } from './position.js'

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

const OPTIONS = [
  ...(['metadata', 'collection', 'filter', 'projection', 'sort', 'limit', 'batchSize'] as const),
  ...(['cursorField', 'startAfter', 'settle', 'redeliver'] as const),
  ...MONGO_CONNECTION_OPTIONS,
]

/** How new documents are found. */
interface Cursor {
  readonly field: string
  readonly startAfter: unknown
  /** Age of values that are read, in milliseconds. */
  readonly settle: number | undefined
  readonly redeliver: boolean
}

/**
 * Reads documents of MongoDB, a record for each. Needs the package mongodb: `npm install mongodb@^7`.
 *
 * With a `cursorField`, each document is read once, or again until it is delivered. The position is kept as
 * long as the inlet is started, also when its link moves to another thread; a start begins at `startAfter`. Documents
 * without a value in that field are never read, which nothing says. All values should be of one type: MongoDB compares
 * a position with no others, so those of other types are passed over in the same way. Of
 * documents with the same value none is lost, as the inlet remembers which of those at its position it has read; so the
 * values should mostly differ.
 *
 * Values such as an `ObjectId` or a `Decimal128` are objects of the driver's classes.
 *
 * @typeParam T - type of the documents; it is believed, not checked
 */
export class MongoInlet<T = MongoQuery> extends Inlet<T> {
  readonly #collection: string
  readonly #filter: MongoQuery
  readonly #projection: MongoQuery
  readonly #sort: Sort
  readonly #limit: number | undefined
  readonly #batchSize: number | undefined
  readonly #cursor: Cursor | undefined
  readonly #connection: MongoConnection
  #mongo: Mongo | undefined
  #position: Position | undefined
  /** Those that are not delivered yet. */
  readonly #pulls = new OpenPulls<Position | undefined>()
  /** What was restored, as text, until the next start. */
  #restored: string | undefined
  /** The pull before: pulls of one inlet read one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws {@link InvalidOptionError} */
  constructor(options: MongoInletOptions = {}) {
    super(checkOptions('MongoInlet', options, OPTIONS))
    this.#collection = checkCollection('MongoInlet.collection', options.collection ?? 'default_collection')
    this.#filter = checkFields('MongoInlet.filter', options.filter)
    this.#cursor = checkCursor(options)
    this.#projection = checkProjection(options.projection, this.#cursor)
    this.#sort = checkSort(options.sort, this.#cursor)
    const { limit, batchSize } = options
    this.#limit =
      limit === undefined && this.#cursor === undefined ? undefined : checkCount('MongoInlet.limit', limit, 1000)
    this.#batchSize = batchSize === undefined ? undefined : checkCount('MongoInlet.batchSize', batchSize, 1)
    this.#connection = new MongoConnection('MongoInlet', options)
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the credentials */
  override async onStart(): Promise<void> {
    await this.#connection.open(this.#connection.database)
    this.#mongo = this.#connection.session?.mongo
    this.#pulls.clear()
    this.#position = this.#startPosition()
    this.#restored = undefined
  }

  /** @throws {@link DatabaseError} when the server cannot be reached, or refuses the query */
  pull(update: Update): Promise<T[]> {
    const pulling = this.#turn.then(() => this.#connection.use((session) => this.#pull(session, update)))
    this.#turn = pulling.catch(() => undefined)
    return pulling
  }

  /** With a `cursorField`, goes back to where the pull began when it was not delivered. */
  override onTransferEnd(update: Update, delivered: boolean): void {
    this.#pulls.end(update, delivered)
  }

  override async onShutdown(): Promise<void> {
    await this.#connection.close()
  }

  /** Up to where the collection was read and, to redeliver, all was delivered. It is text: values of the database do not survive a structured clone. */
  override saveState(): { readonly position: string } | undefined {
    if (this.#restored !== undefined) return { position: this.#restored }
    const first = this.#pulls.earliest
    const position = first === undefined ? this.#position : first.start
    if (this.#mongo === undefined || position === undefined) return undefined
    return { position: this.#mongo.BSON.EJSON.stringify(position, { relaxed: false }) }
  }

  override restoreState(state: unknown): void {
    if (typeof state === 'object' && state !== null && 'position' in state && typeof state.position === 'string') {
      this.#restored = state.position
    }
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#connection.database}.${this.#collection})`
  }

  #startPosition(): Position | undefined {
    if (this.#restored !== undefined && this.#mongo !== undefined) {
      return this.#mongo.BSON.EJSON.parse(this.#restored, { relaxed: false }) as Position
    }
    const startAfter = this.#cursor?.startAfter
    return startAfter === undefined ? undefined : { value: startAfter, seen: [] }
  }

  async #pull(session: MongoSession, update: Update): Promise<T[]> {
    const where = `${session.db.databaseName}.${this.#collection}`
    const log = getLogger('databay.MongoInlet')
    log.info('%s pulling %s', String(update), where)
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      log.warn({ records }, '%s: %d documents were not delivered: they are read again', where, records)
      this.#position = start
    }
    const documents = await this.#find(session, where, update)
    if (this.#cursor !== undefined) {
      const { field } = this.#cursor
      if (!areOrdered(field, documents)) {
        throw new DatabaseError(`MongoInlet: ${where}: a document has an array at ${field}, by which it has no place`)
      }
      // nobody takes them any more
      update.signal.throwIfAborted()
      if (this.#cursor.redeliver) this.#pulls.add(update, this.#position, documents.length)
      this.#position = advance(session.mongo, field, this.#position, documents)
    }
    log.info('%s received %d documents of %s', String(update), documents.length, where)
    return documents as T[]
  }

  async #find(session: MongoSession, where: string, update: Update): Promise<Document[]> {
    const { signal } = update
    const filter = this.#filterNow(session.mongo)
    const options = {
      signal,
      projection: this.#projection,
      sort: this.#sort,
      ...(this.#limit === undefined ? {} : { limit: this.#limit }),
      ...(this.#batchSize === undefined ? {} : { batchSize: this.#batchSize }),
    }
    const collection = session.db.collection(this.#collection)
    try {
      return await withRetries(
        this.#connection.retry,
        signal,
        () => unlessAborted(signal, collection.find(filter, options).toArray()),
        (error) => {
          const again = isRetryable(error)
          if (again) {
            getLogger('databay.MongoInlet').warn('%s tries again to read %s: %s', String(update), where, error.message)
          }
          return again
        },
      )
    } catch (thrown) {
      throw signal.aborted ? toError(signal.reason) : this.#connection.toError(where, thrown)
    }
  }

  #filterNow(mongo: Mongo): Document {
    if (this.#cursor === undefined) return this.#filter
    const { field, settle } = this.#cursor
    const settled = settle === undefined ? [] : [filterBefore(mongo, field, Date.now() - settle)]
    return { $and: [this.#filter, filterAfter(field, this.#position), ...settled] }
  }
}

function checkFields(option: string, value: MongoQuery | undefined): MongoQuery {
  if (value === undefined) return {}
  checkObject(option, value)
  return { ...value }
}

function checkCursor(options: MongoInletOptions): Cursor | undefined {
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

function checkProjection(given: MongoQuery | undefined, cursor: Cursor | undefined): MongoQuery {
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

function checkSort(given: MongoInletOptions['sort'], cursor: Cursor | undefined): Sort {
  if (given === undefined) return cursor === undefined ? {} : { [cursor.field]: 1, _id: 1 }
  if (cursor !== undefined) throw new InvalidOptionError('MongoInlet.sort', 'none beside a cursorField', given)
  const sort = { ...checkFields('MongoInlet.sort', given) }
  for (const [field, direction] of Object.entries(sort)) {
    if (direction !== 1 && direction !== -1)
      throw new InvalidOptionError(`MongoInlet.sort.${field}`, '1 or -1', direction)
  }
  return sort as Sort
}
