import { toError } from '../../base/errors.js'
import type { Logger } from '../../base/log.js'
import type { Cursor } from '../../core/cursor.js'
import type { Update } from '../../core/update.js'
import { FileError, fileError } from '../errors.js'
import { FollowLog } from './follow-log.js'
import type { FollowSettings } from './follow-options.js'
import { orAwaited } from './missing.js'
import { PositionFile } from './position-file.js'
import { isSavedPosition, type HandedPosition, type SavedPosition } from './saved-position.js'
import { SequenceReader } from './sequence-reader.js'
import type { Splitter } from './splitter.js'

/** A list of what is read as a stream. Longer ones are slower, as their records leave the young generation. */
const LIST = { max: 4096, bytes: 262_144 }

/**
 * File that others write to, as an inlet follows it: on and on as it grows, over to the file that takes its name when it
 * is rotated or deleted, and from its start when it is rewritten. It is started and stopped, and keeps its position in a
 * position file, if there is one. Its steps follow one after the other.
 */
export class FollowedFile<T, S> {
  readonly #path: string
  readonly #connector: string
  readonly #missing: 'error' | 'await'
  readonly #positionFile: PositionFile | undefined
  readonly #log: FollowLog
  readonly #reader: SequenceReader<T, S>
  #started = false
  /** Whether records were pulled since the last start, and are not read on elsewhere. */
  #pulled = false
  /** Whether the position is kept as a durable cursor since the last start, and so in no position file. */
  #isDurable = false
  /** Position at which the next start begins. */
  #restored: HandedPosition | undefined
  /** Step that runs, or ran last. */
  #step: Promise<unknown> = Promise.resolve()

  /** @param connector - name of the inlet's class, for errors */
  constructor(connector: string, path: string, splitter: Splitter<T, S>, settings: FollowSettings, log: Logger) {
    this.#connector = connector
    this.#path = path
    const { missing, follow, positionFile, redeliver } = settings
    this.#missing = missing
    this.#positionFile = positionFile === undefined ? undefined : new PositionFile(positionFile)
    this.#log = new FollowLog(log, this.#name, splitter.noun)
    this.#reader = new SequenceReader(path, splitter, redeliver, this.#log, follow)
  }

  get #name(): string {
    return `${this.#connector}(${this.#path})`
  }

  /**
   * Opens the file where it was left, or at its start.
   *
   * @param link - name of the link that starts it, for others that would use the same position file
   */
  start(link?: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#reader.reset()
      try {
        await this.#openPositionFile(link)
        const saved: HandedPosition | undefined = this.#restored ?? (await this.#readPosition())
        if (saved !== undefined) this.#reader.takeOver(saved)
        if (saved !== undefined) await this.#try('open', () => this.#reader.resume(saved))
        await this.#open()
        this.#started = true
        this.#isDurable = false
        this.#pulled = false
        this.#restored = undefined
      } catch (error) {
        await this.#close()
        throw error
      }
    })
  }

  /**
   * Reads the next records: at most `max`, all of one file.
   *
   * @param cursor - durable cursor, if there is one: it is advanced to the position behind the records
   * @throws {@link FileError}
   */
  pull(max: number, update: Update, cursor?: Cursor): Promise<T[]> {
    return this.#pullFirst(max, update, cursor)
  }

  /**
   * Reads all records that the file has: list by list, unless one holds them all.
   *
   * @throws {@link FileError}
   */
  async pullAll(update: Update, cursor?: Cursor): Promise<T[] | AsyncGenerator<T[], void>> {
    const first = await this.#pullFirst(LIST.max, update, cursor, LIST.bytes)
    return this.#reader.isMore ? this.#stream(first, update, cursor) : first
  }

  async *#stream(first: T[], update: Update, cursor: Cursor | undefined): AsyncGenerator<T[], void> {
    for (let list = first; list.length > 0; list = await this.#pullOn(update, cursor)) yield list
  }

  #pullOn(update: Update, cursor: Cursor | undefined): Promise<T[]> {
    return this.#inTurn(async () => {
      if (!this.#started) throw new FileError(this.#path, `${this.#name} is not started`)
      update.signal.throwIfAborted()
      const records = await this.#read(() => this.#reader.readOn(LIST.max, update, LIST.bytes), update.signal)
      this.#advance(cursor)
      return records
    })
  }

  #pullFirst(max: number, update: Update, cursor: Cursor | undefined, bytes?: number): Promise<T[]> {
    return this.#inTurn(async () => {
      const { signal } = update
      if (!this.#started) throw new FileError(this.#path, `${this.#name} is not started`)
      signal.throwIfAborted()
      this.#pulled = true
      if (cursor !== undefined && !this.#isDurable) await this.#goOnAt(cursor)
      await this.#read(() => this.#reader.goBack(), signal)
      await this.#storePosition()
      const records = await this.#read(() => this.#pull(max, update, bytes), signal)
      this.#log.pulled()
      this.#advance(cursor)
      return records
    })
  }

  /** Goes on at a durable cursor, at the first pull of a start. The position of a position file is the first cursor. */
  async #goOnAt({ value }: Cursor): Promise<void> {
    if (value === undefined) {
      if (this.#positionFile !== undefined && this.#reader.here !== undefined) this.#log.leavesPositionFile()
    } else {
      if (!isSavedPosition(value)) throw new FileError(this.#path, `${this.#name}: its cursor is no position in a file`)
      await this.#reader.reset()
      await this.#try('open', () => this.#reader.resume(value))
    }
    this.#reader.redeliver = true
    this.#isDurable = true
  }

  #advance(cursor: Cursor | undefined): void {
    const { here } = this.#reader
    if (here !== undefined) cursor?.advance(here)
  }

  /**
   * Notes how the transfer of a pull has ended, and stores the position: the next transfer may be a day away. Records that
   * were not delivered are read again by the next pull.
   *
   * @param lists - number of lists of the pull, from the first one on, that were delivered
   */
  ended(update: Update, delivered: boolean, lists?: number): Promise<void> | undefined {
    this.#reader.ended(update, delivered, lists)
    if (this.#positionFile === undefined || this.#isDurable) return undefined
    return this.#inTurn(async () => {
      // what cannot be stored now is stored by the next pull, which fails otherwise
      if (this.#started) await this.#storePosition().catch(() => undefined)
    })
  }

  /** Stores the position and closes the files. Says so if the end of the file was not read. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const started = this.#started
      this.#started = false
      try {
        if (started) await this.#storePosition()
        if (this.#pulled) await this.#tellWaiting()
      } finally {
        await this.#close()
      }
    })
  }

  /** Position at which another instance goes on, and the pulls that buffers hold; `undefined` when nothing was read. */
  save(): HandedPosition | undefined {
    this.#pulled = false
    // with a durable cursor, the position is kept by that alone
    if (this.#isDurable) return undefined
    return this.#restored ?? this.#reader.handOff
  }

  /** Makes the next start go on at a position that another instance has saved. */
  restore(saved: HandedPosition): void {
    this.#restored = saved
  }

  async #pull(max: number, update: Update, bytes?: number): Promise<T[]> {
    await this.#open()
    return this.#reader.pull(max, update, bytes)
  }

  /** Reads, and once more with the file opened again when it turns out that it cannot be read as it was opened. */
  async #read<R>(work: () => Promise<R>, signal: AbortSignal): Promise<R> {
    try {
      return await this.#try('read', work, signal)
    } catch (error) {
      if (signal.aborted || !needsReopening(error)) throw error
      this.#log.reopens(toError(error))
      await this.#try('open', () => this.#reader.reopen())
      await this.#open()
      return this.#try('read', work, signal)
    }
  }

  /** Opens the file, unless one is open, or it is missing and awaited. */
  async #open(): Promise<void> {
    if (this.#reader.isOpen) return
    const opening = this.#reader.open()
    await this.#try('open', () => orAwaited(opening, this.#path, this.#missing))
  }

  async #close(): Promise<void> {
    await this.#reader.close()
    await this.#positionFile?.close()
  }

  async #openPositionFile(link: string | undefined): Promise<void> {
    const file = this.#positionFile
    if (file === undefined) return
    const owner = `${link === undefined ? '' : `link ${link}, `}${this.#name}, in process ${process.pid}`
    const verb = `${link === undefined ? '' : `start link ${link}: cannot `}use the positionFile`
    await this.#try(verb, () => file.open(owner), undefined, file.path)
  }

  async #readPosition(): Promise<SavedPosition | undefined> {
    const file = this.#positionFile
    return file && (await this.#try('read', () => file.read(), undefined, file.path))
  }

  async #storePosition(): Promise<void> {
    const file = this.#positionFile
    if (file === undefined || this.#isDurable) return
    const saved = this.#reader.position
    if (saved !== undefined) await this.#try('write', () => file.write(saved), undefined, file.path)
  }

  /** Says how many bytes of the file were not read, as the last record has no end. */
  async #tellWaiting(): Promise<void> {
    this.#pulled = false
    // a file that cannot be read was told of by the pulls
    const bytes = await this.#reader.countWaiting().catch(() => 0)
    if (bytes > 0) this.#log.waits(bytes)
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#step.then(work)
    this.#step = result.catch(() => undefined)
    return result
  }

  async #try<R>(verb: string, work: () => Promise<R>, signal?: AbortSignal, path = this.#path): Promise<R> {
    try {
      return await work()
    } catch (cause) {
      if (signal?.aborted === true) throw toError(signal.reason)
      if (cause instanceof FileError) throw cause
      throw fileError(this.#connector, verb, path, cause)
    }
  }
}

/**
 * Codes of errors after which an open file cannot be read any more, however often it is tried: its server has forgotten
 * it, or its disk was taken away and is there again.
 */
const REOPENED = new Set(['ESTALE', 'EIO', 'ENXIO', 'ENODEV', 'ENOTCONN', 'EBADF', 'EREMOTEIO', 'ETIMEDOUT'])

function needsReopening(error: unknown): boolean {
  const cause = error instanceof FileError ? error.cause : error
  return cause instanceof Error && 'code' in cause && REOPENED.has(String(cause.code))
}
