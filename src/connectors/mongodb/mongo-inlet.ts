import type { Document } from 'mongodb'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Cursor } from '../../core/cursor.js'
import type { Update } from '../../core/update.js'
import { DatabaseError } from '../errors.js'
import { Lists } from '../lists.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../open-pulls.js'
import { MongoConnection, type MongoSession } from './client.js'
import { DocumentReader } from './document-reader.js'
import type { Mongo } from './driver.js'
import {
  resolveInletOptions,
  type MongoInletOptions,
  type MongoInletSettings,
  type MongoQuery,
} from './inlet-options.js'
import { advance, areOrdered, positionAt, seenAt, type Position } from './position.js'

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
  #mongo: Mongo | undefined
  #position: Position | undefined
  readonly #warnings = new Warnings(() => getLogger('databay.MongoInlet'))
  /** Pulls that are not delivered yet. */
  readonly #pulls = new OpenPulls<Position | undefined>()
  /** Whether the position is kept as a durable cursor. */
  #isDurable = false
  /** State that was restored, until the next start. */
  #restored: SavedState | undefined
  /** List that is read, or was read last: those of all pulls are read one after the other. */
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

  /**
   * Reads documents: all in one list, or list by list where they do not come in one batch of the server.
   *
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the query
   */
  pull(update: Update, cursor?: Cursor): Promise<T[] | PulledStream<T>> {
    const kept = cursor?.durable === true ? cursor : undefined
    this.#isDurable = kept !== undefined
    return this.#inTurn((session) => this.#pull(session, update, kept))
  }

  /** With a `cursorField`, the position is the cursor. Otherwise all documents are read at each transfer. */
  override get hasCursor(): boolean {
    return this.#settings.cursor !== undefined
  }

  /**
   * Notes what was delivered of a pull. With a `cursorField`, the next pull goes back to where that one began, or where the
   * first of its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.end(update, delivered, rounds?.deliveredRounds)
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
    if (this.#isDurable) return undefined
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
    const first = startAfter === undefined ? undefined : positionAt(startAfter)
    this.#position = saved?.position === undefined ? first : this.#fromText(saved.position)
    const carried = saved?.carried
    if (carried !== undefined) this.#pulls.takeOver({ ...carried, start: this.#fromText(carried.start) ?? first })
  }

  /** Text of a position; `''` for none. */
  #toText(position: Position | undefined): string {
    if (position === undefined) return ''
    const plain = { value: position.value, seen: seenAt(position) }
    return this.#mongo?.BSON.EJSON.stringify(plain, { relaxed: false }) ?? ''
  }

  #fromText(text: string): Position | undefined {
    if (text === '') return undefined
    const plain = this.#mongo?.BSON.EJSON.parse(text, { relaxed: false }) as
      { readonly value: unknown; readonly seen: unknown[] } | undefined
    return plain && positionAt(plain.value, plain.seen)
  }

  #inTurn<R>(work: (session: MongoSession) => Promise<R>): Promise<R> {
    const reading = this.#turn.then(() => this.#connection.use(work))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  async #pull(session: MongoSession, update: Update, kept: Cursor | undefined): Promise<T[] | PulledStream<T>> {
    const where = `${session.db.databaseName}.${this.#settings.collection}`
    const log = getLogger('databay.MongoInlet')
    log.info('%s pulling %s', String(update), where)
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      this.#warnings.warn({ records }, `${where}: ${records} documents were not delivered: they are read again`)
      this.#position = start
    }
    // after a transfer that was not delivered, it is where that one began
    if (typeof kept?.value === 'string') this.#position = this.#fromText(kept.value)
    else if (kept !== undefined) this.#begin(undefined)
    const reader = new DocumentReader(this.#connection, session, this.#settings, update, where)
    const end = () => {
      if (back === undefined) this.#warnings.well(where)
      log.info('%s received %d documents of %s', String(update), reader.given, where)
    }
    let isStream = false
    try {
      const first = await this.#read(session, reader, update, where, kept)
      isStream = reader.isMore
      if (!isStream) {
        end()
        return first
      }
      const readOn = async () => {
        const list = reader.isMore ? await this.#inTurn((now) => this.#read(now, reader, update, where, kept)) : []
        if (list.length > 0) return list
        end()
        return undefined
      }
      return new Lists(first, readOn, () => reader.close())
    } finally {
      if (!isStream) await reader.close()
    }
  }

  /** Reads the next list of a pull, and moves the position behind it. */
  async #read(
    session: MongoSession,
    reader: DocumentReader,
    update: Update,
    where: string,
    kept: Cursor | undefined,
  ): Promise<T[]> {
    const { cursor } = this.#settings
    const start = cursor === undefined ? undefined : this.#position
    const documents: Document[] = await reader.read(session, start)
    // nobody takes the documents any more
    update.signal.throwIfAborted()
    if (reader.isClosed) return []
    if (cursor !== undefined) {
      const { field } = cursor
      if (!areOrdered(field, documents)) {
        throw new DatabaseError(`MongoInlet: ${where}: a document has an array at ${field}, by which it has no place`)
      }
      if (cursor.redeliver && kept === undefined) this.#pulls.add(update, start, documents.length)
      this.#position = advance(session.mongo, field, start, documents)
      reader.moveTo(this.#position)
      if (this.#position !== undefined) kept?.advance(this.#toText(this.#position))
    }
    return documents as T[]
  }
}
