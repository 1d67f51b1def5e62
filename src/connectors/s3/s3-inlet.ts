import { importLater } from '../../base/libraries.js'
import type { Cursor } from '../../core/cursor.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { MetadataKey } from '../../core/outlet.js'
import { Record } from '../../core/record.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Update } from '../../core/update.js'
import { PositionedPulls, type Positions, type SavedPulls } from '../positioned-pulls.js'
import { S3Connection } from './client.js'
import { S3Error } from './errors.js'
import { resolveInletOptions, type S3InletOptions, type S3InletSettings } from './inlet/inlet-options.js'
import type { ObjectFilter } from './inlet/new-objects.js'
import type { ObjectSource, ObjectsReader } from './inlet/objects-reader.js'
import { isPosition, type ObjectPosition } from './inlet/position.js'
import type { RecordCutters } from './inlet/record-cutter.js'

const importReading = () => import('./inlet/reading.js')

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
  readonly #pulls: PositionedPulls<Record<T>, ObjectPosition>
  #reading: Reading | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: S3InletOptions) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new S3Connection('S3Inlet', settings.connection)
    this.#pulls = new PositionedPulls({
      connector: 'S3Inlet',
      noun: 'records',
      where: () => String(this),
      use: (work) => this.#connection.use(work),
      positions: this.#positions,
    })
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
    this.#pulls.start()
  }

  /**
   * Reads new objects: all in one list, or list by list where they are long.
   *
   * @throws {@link S3Error} when the storage cannot be reached, or an object cannot be read
   */
  pull(update: Update, cursor?: Cursor): Promise<Record<T>[] | PulledStream<T>> {
    return this.#pulls.pull(update, cursor, () => this.#makeReader(update))
  }

  /** The position is the cursor. */
  override get hasCursor(): boolean {
    return true
  }

  override get redelivers(): boolean {
    return this.#pulls.redelivers
  }

  /**
   * Notes what was delivered of a pull. To redeliver, the next pull goes back to where that one began, or where the first of
   * its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.ended(update, delivered, rounds)
  }

  override async onShutdown(): Promise<void> {
    this.#pulls.end(String(this))
    await this.#connection.close()
  }

  /** Position up to which objects were read and, to redeliver, all was delivered; and the pulls that buffers hold. */
  override saveState(): SavedPulls | undefined {
    return this.#pulls.save()
  }

  override restoreState(state: unknown): void {
    this.#pulls.restore(state)
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#settings.connection.bucket}/${this.#settings.prefix})`
  }

  #makeReader(update: Update): ObjectsReader<Record<T>> {
    const { module, filter, cutters } = this.#reading as Reading
    const {
      connection: { retry },
      prefix,
    } = this.#settings
    // what is read ahead ends with the stream, and with the transfer
    const ended = new AbortController()
    const caller = { signal: AbortSignal.any([update.signal, ended.signal]), toString: () => String(update) }
    const source: ObjectSource<Record<T>> = {
      list: (startAfter) => this.#connection.list(caller, prefix, startAfter),
      get: (key) => (options) => this.#connection.get(caller, key, options),
      end: () => {
        ended.abort()
      },
      body: { retry, signal: update.signal },
      addRecords: (list, payloads, key) => {
        this.#addRecords(list, payloads as readonly T[], key)
      },
      warn: (key, text) => {
        this.#pulls.warn(update, `${String(update)} ${this.#connection.where}: ${shownKey(key)}: ${text}`)
      },
      toError: (key, cause) =>
        new S3Error(`S3Inlet: cannot read ${shownKey(key)} in ${this.#connection.where}: ${cause.message}`, { cause }),
    }
    return new module.ObjectsReader(source, this.#settings, filter, cutters)
  }

  /** Adds records of an object to a list: they share their metadata. */
  #addRecords(list: Record<T>[], payloads: readonly T[], key: string): void {
    if (payloads.length === 0) return
    const { metadata } = this.newRecord(payloads[0] as T, { [S3Inlet.S3_KEY]: key })
    for (const payload of payloads) list.push(new Record(payload, metadata))
  }

  get #positions(): Positions<ObjectPosition> {
    const { start, redeliver, order } = this.#settings
    const isOfOrder = ({ modified }: ObjectPosition) => (modified !== undefined) === (order === 'modified')
    return {
      first: start,
      redeliver,
      keep: (position) => position,
      isKept: (value) => isPosition(value) && isOfOrder(value),
      positionOf: (kept) => {
        if (kept === undefined) return undefined
        if (isPosition(kept) && isOfOrder(kept)) return kept
        const what = isPosition(kept) ? 'of another order of objects' : 'no position in a bucket'
        throw new S3Error(`${String(this)}: its cursor is ${what}`)
      },
    }
  }
}

/** A key on one line. */
function shownKey(key: string): string {
  return key.replaceAll(/[\x00-\x1f\x7f]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
