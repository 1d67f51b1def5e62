import { createHash } from 'node:crypto'
import { counted } from '../../../base/counted.js'
import { toError } from '../../../base/errors.js'
import { getLogger } from '../../../base/log.js'
import { failureClass } from '../../../core/failure-class.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { ofNoRecord, partialPush } from '../../rejected.js'
import type { S3Connection } from '../client.js'
import { groupByKey, type Group } from './group.js'
import { KeyTemplate, withHash } from './key-template.js'
import { OpenObject } from './open-object.js'
import type { S3OutletSettings } from './outlet-options.js'
import { TransferNames } from './transfer-names.js'
import { TransferObjects } from './transfer-objects.js'
import type { Destination } from './upload.js'

/*
 * The pushes of an S3Outlet. This module is loaded when an outlet first starts, as every thread loads the outlet's class, and
 * most threads run none.
 */

/** Most objects that are written at once. */
const AT_ONCE = 4
/** Most keys of a transfer that are kept in mind. */
const MOST_KEYS = 10_000

/** What is known of one transfer. */
interface Transfer {
  readonly names: TransferNames
  /** Its objects, when they hold all batches. */
  readonly objects: TransferObjects
  /** Keys of objects that it has written. */
  readonly written: Set<string>
}

/** Object that may have been stored, though nobody knows. */
interface Doubt {
  readonly key: string
  readonly sha256: string
}

/** The pushes of one outlet. */
export class Pushes {
  readonly #settings: S3OutletSettings
  readonly #connection: S3Connection
  /** Transfers by their signals, which the updates of all pushes of a transfer share. */
  readonly #transfers = new WeakMap<object, Transfer>()
  /** What may have been stored, by the first of its records: it is stored under the same key when it is pushed again. */
  readonly #doubts = new WeakMap<Record, Doubt>()
  readonly #open = new Set<TransferObjects>()

  constructor(settings: S3OutletSettings, connection: S3Connection) {
    this.#settings = settings
    this.#connection = connection
  }

  /**
   * Writes a batch: as objects, or into the objects of its transfer. Payloads are read before the first wait.
   *
   * @throws {@link PartialPushError} when some records were not taken
   * @throws {@link S3Error} when none were, for one reason
   */
  async push(records: readonly Record[], update: Update): Promise<void> {
    // dead letters belong to no object that is not complete yet
    const isWhole = this.#settings.object === 'transfer' && !update.replay
    const transfer = this.#transferOf(update)
    const names = (
      update.replay && this.#settings.object === 'transfer' ? new TransferNames(update, Date.now()) : transfer.names
    ).next()
    const errors = new Map<number, Error>()
    const { key } = this.#settings
    const objectOf = isWhole ? (own: string) => transfer.objects.of(own) : () => new OpenObject(this.#settings)
    if (isWhole) transfer.objects.checkOpen()
    const groups = groupByKey(key, names, objectOf, records, update, errors)
    if (isWhole) {
      this.#open.add(transfer.objects)
      await transfer.objects.send(groups, update)
    } else {
      await this.#storeAll(groups, records, update, transfer, errors)
    }
    const error = pushError(records.length, errors)
    if (error !== undefined) throw error
  }

  /** Completes the objects of a transfer, or gives them up. Gives the number of records that were in those. */
  async end(update: Update, isComplete: boolean): Promise<number> {
    const transfer = this.#transfers.get(update.signal)
    this.#transfers.delete(update.signal)
    if (transfer === undefined) return 0
    try {
      return await transfer.objects.end(update, isComplete)
    } finally {
      this.#open.delete(transfer.objects)
    }
  }

  /** Gives up all objects that are not complete. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((objects) => objects.abort()))
    this.#open.clear()
  }

  #transferOf(update: Update): Transfer {
    const known = this.#transfers.get(update.signal)
    if (known !== undefined) return known
    const names = new TransferNames(update, Date.now())
    const objects = new TransferObjects(this.#settings, (key) => this.#to(key))
    const transfer = { names, objects, written: new Set<string>() }
    this.#transfers.set(update.signal, transfer)
    return transfer
  }

  #to(key: string): Destination {
    return { connection: this.#connection, key, headers: this.#settings.headers }
  }

  /** Stores an object for each group, some at once. */
  async #storeAll(
    groups: readonly Group[],
    records: readonly Record[],
    update: Update,
    transfer: Transfer,
    errors: Map<number, Error>,
  ): Promise<void> {
    // all of it is read before the first wait
    const rest = groups.map((group) => ({ ...group, chunks: group.object.ended() }))
    const next = rest.values()
    const work = async () => {
      for (const { key, object, indices, chunks } of next) {
        const first = records[indices[0] ?? 0] as Record
        const own = this.#keyOf(key, chunks, first)
        this.#warnOfSecond(own, update, transfer)
        const log = getLogger('databay.S3Outlet')
        const count = counted(indices.length, 'record')
        log.info('%s write %s to %s', String(update), count, own.key)
        try {
          await object.end(this.#to(own.key), update, chunks)
          log.info('%s written %s to %s', String(update), count, own.key)
          this.#doubts.delete(first)
        } catch (thrown) {
          const error = toError(thrown)
          void this.#connection.background(object.abort())
          if (failureClass(error) === 'unavailable' || update.signal.aborted) this.#doubts.set(first, own)
          for (const index of indices) errors.set(index, error)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, rest.length) }, work))
  }

  /** Key of an object: that under which the same content may have been stored already, or its own. */
  #keyOf(key: string, chunks: readonly Uint8Array[], first: Record): Doubt {
    const doubt = this.#doubts.get(first)
    const hasHash = this.#settings.key instanceof KeyTemplate && this.#settings.key.fields.has('hash')
    if (doubt === undefined && !hasHash)
      return {
        key,
        get sha256() {
          return sha256Of(chunks)
        },
      }
    const sha256 = sha256Of(chunks)
    return doubt?.sha256 === sha256 ? doubt : { key: withHash(key, sha256), sha256 }
  }

  /** Warns when an object is replaced that the same transfer has written. */
  #warnOfSecond({ key }: Doubt, update: Update, { written }: Transfer): void {
    if (!written.has(key)) {
      // a stream may go on for ever
      if (written.size >= MOST_KEYS) written.clear()
      written.add(key)
      return
    }
    const advice = "{batch} or {hash} in the key, or object: 'transfer', keep both"
    this.#connection.warn(`${String(update)} writes ${key} again, in the place of an earlier batch: ${advice}`, update)
  }
}

function sha256Of(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Error of a push; `undefined` when all records were taken.
 *
 * @param total - number of records
 * @param errors - errors of those that were not, by their place
 */
function pushError(total: number, errors: ReadonlyMap<number, Error>): Error | undefined {
  const reasons = new Set(errors.values())
  const [reason] = reasons
  if (reason === undefined) return undefined
  // no record is to blame for what all of them met
  if (errors.size === total && reasons.size === 1) return reason
  for (const error of reasons) ofNoRecord(error)
  return partialPush('S3Outlet', total, errors)
}
