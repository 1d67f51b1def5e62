import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import type { Cursor } from '../../core/cursor.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { MetadataKey } from '../../core/outlet.js'
import { Record } from '../../core/record.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Update } from '../../core/update.js'
import { Lists } from '../lists.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../open-pulls.js'
import { S3Connection } from './client.js'
import { S3Error } from './errors.js'
import { resolveInletOptions, type S3InletOptions, type S3InletSettings } from './inlet/inlet-options.js'
import type { ObjectFilter } from './inlet/new-objects.js'
import type { ObjectSource, ObjectsReader } from './inlet/objects-reader.js'
import { isPosition, type ObjectPosition } from './inlet/position.js'
import type { RecordCutters } from './inlet/record-cutter.js'

const importReading = () => import('./inlet/reading.js')

const LOGGER = 'databay.S3Inlet'

/** What moves along to another thread. */
interface SavedState {
  readonly position?: ObjectPosition
  readonly carried?: CarriedPulls<ObjectPosition | undefined>
}

function isSavedState(value: unknown): value is SavedState {
  if (typeof value !== 'object' || value === null) return false
  const { position, carried } = value as { readonly [key: string]: unknown }
  const isPlace = (one: unknown) => one === undefined || isPosition(one)
  return isPlace(position) && (carried === undefined || (isCarriedPulls(carried) && isPlace(carried.start)))
}

/** What is loaded at the start: the module that reads objects, and what it keeps from one pull to the next. */
interface Reading {
  readonly module: typeof import('./inlet/reading.js')
  readonly filter: ObjectFilter
  readonly cutters: RecordCutters
}

/**
 * Reads the new objects of a bucket of S3, or of a storage like it, and makes records of what they hold: of lines, JSON, CSV,
 * whole texts or bytes, also packed with gzip. Needs the packages aws4fetch and undici: `npm install aws4fetch@^1.0.20 undici@^7.20.0`.
 *
 * Each object is read once, or again until it is delivered. It streams, list by list, so that large objects take little
 * memory. The position is kept while the inlet is started, also when its link moves to another thread; a start begins at
 * `startAfter`. With `delivery: 'cursor'` it is kept on the disk.
 *
 * The metadata of a record has the key of its object: {@link S3Inlet.S3_KEY}.
 *
 * @typeParam T - type of the payloads; it is believed, not checked
 */
export class S3Inlet<T = unknown> extends Inlet<T> {
  /** Key of the object that a record is of, in its metadata. */
  static readonly S3_KEY: MetadataKey = 'S3Inlet.S3_KEY'

  readonly #settings: S3InletSettings
  readonly #connection: S3Connection
  readonly #warnings = new Warnings(() => getLogger(LOGGER))
  /** Pulls that are not delivered yet. */
  readonly #pulls = new OpenPulls<ObjectPosition | undefined>()
  #position: ObjectPosition | undefined
  /** Whether the position is kept as a durable cursor. */
  #isDurable = false
  /** State that was restored, until the next start. */
  #restored: SavedState | undefined
  #reading: Reading | undefined
  /** List that is read, or was read last: those of all pulls are read one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws {@link InvalidOptionError} */
  constructor(options: S3InletOptions) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new S3Connection('S3Inlet', settings.connection)
  }

  /** @throws {@link S3Error} when the storage cannot be reached, refuses the credentials, or has no such bucket */
  override async onStart(): Promise<void> {
    const module = await importLater(importReading)
    const { match, settle } = this.#settings
    this.#reading ??= {
      module,
      filter: { matches: module.keyFilter(match), settle },
      cutters: new module.RecordCutters(this.#settings),
    }
    await this.#connection.open()
    this.#pulls.clear()
    this.#begin(this.#restored)
    this.#restored = undefined
  }

  /**
   * Reads new objects: all in one list, or list by list where they are long.
   *
   * @throws {@link S3Error} when the storage cannot be reached, or an object cannot be read
   */
  pull(update: Update, cursor?: Cursor): Promise<Record<T>[] | PulledStream<T>> {
    const kept = cursor?.durable === true ? cursor : undefined
    this.#isDurable = kept !== undefined
    return this.#inTurn(() => this.#pull(update, kept))
  }

  /** The position is the cursor. */
  override get hasCursor(): boolean {
    return true
  }

  /**
   * Notes what was delivered of a pull. To redeliver, the next pull goes back to where that one began, or where the first of
   * its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.end(update, delivered, rounds?.deliveredRounds)
  }

  override async onShutdown(): Promise<void> {
    this.#warnings.end(String(this))
    await this.#connection.close()
  }

  /** Position up to which objects were read and, to redeliver, all was delivered; and the pulls that buffers hold. */
  override saveState(): SavedState | undefined {
    if (this.#isDurable) return undefined
    if (this.#restored !== undefined) return this.#restored
    const { position, carried } = this.#pulls.handOff(this.#position)
    if (position === undefined && carried === undefined) return undefined
    return { ...(position && { position }), ...(carried && { carried }) }
  }

  override restoreState(state: unknown): void {
    if (isSavedState(state)) this.#restored = state
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#settings.connection.bucket}/${this.#settings.prefix})`
  }

  #begin(saved: SavedState | undefined): void {
    this.#position = saved?.position ?? this.#settings.start
    const carried = saved?.carried
    if (carried !== undefined) this.#pulls.takeOver({ ...carried, start: carried.start ?? this.#settings.start })
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const reading = this.#turn.then(() => this.#connection.use(work))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  async #pull(update: Update, kept: Cursor | undefined): Promise<Record<T>[] | PulledStream<T>> {
    const log = getLogger(LOGGER)
    log.info('%s pulling %s', String(update), String(this))
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      this.#warnings.warn({ records }, `${String(this)}: ${records} records were not delivered: they are read again`)
      this.#position = start
    }
    // after a transfer that was not delivered, it is where that one began
    if (kept !== undefined) this.#goOnAt(kept.value)
    let given = 0
    let warned = back !== undefined
    const reader = this.#makeReader(update, () => (warned = true))
    const read = async (): Promise<Record<T>[]> => {
      const list = await this.#read(reader, update, kept)
      given += list.length
      return list
    }
    const end = () => {
      if (!warned) this.#warnings.well(String(this))
      log.info('%s received %d records of %d objects of %s', String(update), given, reader.objects, String(this))
    }
    const first = await read()
    if (!reader.isMore) {
      await reader.close()
      end()
      return first
    }
    const readOn = async () => {
      const list = reader.isMore ? await this.#inTurn(read) : []
      if (list.length > 0) return list
      end()
      return undefined
    }
    return new Lists<Record<T>>(first, readOn, () => reader.close())
  }

  #makeReader(update: Update, onWarning: () => void): ObjectsReader {
    const { module, filter, cutters } = this.#reading as Reading
    const {
      connection: { retry },
      prefix,
    } = this.#settings
    // what is read ahead ends with the stream, and with the transfer
    const ended = new AbortController()
    const caller = { signal: AbortSignal.any([update.signal, ended.signal]), toString: () => String(update) }
    const source: ObjectSource = {
      list: (startAfter) => this.#connection.list(caller, prefix, startAfter),
      get: (key) => (options) => this.#connection.get(caller, key, options),
      end: () => {
        ended.abort()
      },
      body: { retry, signal: update.signal },
      addRecords: (list, payloads, key) => {
        this.#addRecords(list as Record<T>[], payloads as readonly T[], key)
      },
      warn: (key, text) => {
        onWarning()
        this.#warnings.warn({}, `${String(update)} ${this.#connection.where}: ${shownKey(key)}: ${text}`, update)
      },
      toError: (key, cause) =>
        new S3Error(`S3Inlet: cannot read ${shownKey(key)} in ${this.#connection.where}: ${cause.message}`, { cause }),
    }
    return new module.ObjectsReader(source, this.#settings, filter, cutters, this.#position)
  }

  /** Adds records of an object to a list: they share their metadata. */
  #addRecords(list: Record<T>[], payloads: readonly T[], key: string): void {
    if (payloads.length === 0) return
    const { metadata } = this.newRecord(payloads[0] as T, { [S3Inlet.S3_KEY]: key })
    for (const payload of payloads) list.push(new Record(payload, metadata))
  }

  /** Goes on at a durable cursor. */
  #goOnAt(value: unknown): void {
    const isByTime = this.#settings.order === 'modified'
    if (value === undefined) this.#begin(undefined)
    else if (isPosition(value) && (value.modified !== undefined) === isByTime) this.#position = value
    else {
      const what = isPosition(value) ? 'of another order of objects' : 'no position in a bucket'
      throw new S3Error(`${String(this)}: its cursor is ${what}`)
    }
  }

  /** Reads the next list of a pull, and moves the position behind it. */
  async #read(reader: ObjectsReader, update: Update, kept: Cursor | undefined): Promise<Record<T>[]> {
    const start = this.#position
    const records = await reader.read(start)
    // nobody takes the records any more
    update.signal.throwIfAborted()
    if (reader.isClosed) return []
    if (this.#settings.redeliver && kept === undefined) this.#pulls.add(update, start, records.length)
    this.#position = reader.position
    if (this.#position !== undefined) kept?.advance(this.#position)
    return records as Record<T>[]
  }
}

/** A key on one line. */
function shownKey(key: string): string {
  return key.replaceAll(/[\x00-\x1f\x7f]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
