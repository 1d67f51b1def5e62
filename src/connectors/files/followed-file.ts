import { toError } from '../../base/errors.js'
import type { Logger } from '../../base/log.js'
import type { Update } from '../../core/update.js'
import { FileError, fileError } from '../errors.js'
import { OpenPulls } from '../open-pulls.js'
import { FileMark } from './file-mark.js'
import { FileSequence } from './file-sequence.js'
import type { FollowSettings } from './follow-options.js'
import { orMissing } from './missing.js'
import type { OpenedFile } from './opened-file.js'
import { PositionFile } from './position-file.js'
import { readRecords, type Cursor } from './read-records.js'
import type { SavedPosition } from './saved-position.js'
import type { Splitter } from './splitter.js'

/** Place at which a pull began. */
interface Place<S> {
  readonly file: OpenedFile
  readonly at: Cursor<S>
  readonly damaged: number
  /** Place at which the pull ended. */
  readonly end: FileMark
}

/**
 * Reads the records of a file that others write to: on and on as it grows, over to the file that takes its name when it
 * is rotated or deleted, and from its start when it is rewritten.
 *
 * ```
 *   start --> find what was read before --> read on <---------------------+
 *                                             | at its end                |
 *                                             v                           |
 *                     nothing more <-- has another file been begun? --> read the rest, then that
 * ```
 *
 * Between two pulls it holds an open file and a position. Any failure leaves the position where it was. To redeliver,
 * it keeps the places where pulls began, and the files that they read, until their records are delivered.
 */
export class FollowedFile<T, S> {
  readonly #path: string
  readonly #connector: string
  readonly #splitter: Splitter<T, S>
  readonly #log: Logger
  readonly #missing: 'error' | 'await'
  readonly #positionFile: PositionFile | undefined
  readonly #redeliver: boolean
  readonly #pulls = new OpenPulls<Place<S>>()
  #started = false
  #files: FileSequence
  #at: Cursor<S>
  /** Number of records so far that were not taken as they stand in the file. */
  #damaged = 0
  /** Position at which the next start begins. */
  #restored: SavedPosition | undefined
  /** Step that runs, or ran last: steps follow one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param connector - name of the inlet's class, for errors */
  constructor(connector: string, path: string, splitter: Splitter<T, S>, settings: FollowSettings, log: Logger) {
    this.#connector = connector
    this.#path = path
    this.#splitter = splitter
    this.#log = log
    const { missing, positionFile, redeliver } = settings
    this.#missing = missing
    this.#positionFile = positionFile === undefined ? undefined : new PositionFile(positionFile)
    this.#redeliver = redeliver
    this.#files = new FileSequence(path)
    this.#at = this.#beginning
  }

  get #beginning(): Cursor<S> {
    return { mark: FileMark.START, state: this.#splitter.initial }
  }

  /** Opens the file where it was left, or at its start. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#pulls.clear()
      await this.#files.close()
      this.#files = new FileSequence(this.#path)
      this.#at = this.#beginning
      const saved = this.#restored ?? (await this.#readPosition())
      try {
        if (saved !== undefined) await this.#try('open', () => this.#resume(saved))
        if (this.#files.current === undefined) await this.#open()
        this.#started = true
        this.#restored = undefined
      } catch (error) {
        await this.#files.close()
        throw error
      }
    })
  }

  /**
   * Reads the next records: at most `max`, all of one file.
   *
   * @throws {@link FileError}
   */
  pull(max: number, update: Update): Promise<T[]> {
    return this.#inTurn(async () => {
      const { signal } = update
      if (!this.#started) throw new FileError(this.#path, `${this.#name} is not started`)
      signal.throwIfAborted()
      await this.#try('read', () => this.#goBack())
      await this.#storePosition()
      return this.#try('read', () => this.#pull(max, update), signal)
    })
  }

  /** Notes how the transfer of a pull has ended. Records that were not delivered are read again by the next pull. */
  ended(update: Update, delivered: boolean): void {
    this.#pulls.end(update, delivered)
  }

  /** Stores the position and closes the files. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const started = this.#started
      this.#started = false
      try {
        if (started) await this.#storePosition()
      } finally {
        await this.#files.close()
      }
    })
  }

  /** Position up to which the file was read and, to redeliver, all was delivered; `undefined` when none was read. */
  save(): SavedPosition | undefined {
    const { inode } = this.#files
    if (this.#restored !== undefined || inode === undefined) return this.#restored
    const first = this.#pulls.earliest?.start
    const { mark, state } = first?.at ?? this.#at
    return {
      inode: first?.file.inode ?? inode,
      position: mark.position,
      fingerprint: mark.fingerprint,
      state,
      damaged: first?.damaged ?? this.#damaged,
    }
  }

  /** Makes the next start go on at a position that another instance has saved. */
  restore(saved: SavedPosition): void {
    this.#restored = saved
  }

  async #resume({ inode, position, fingerprint, state, damaged }: SavedPosition): Promise<void> {
    if (!this.#splitter.isState(state)) throw new Error('the position that was kept is not of this inlet')
    this.#damaged = damaged
    const file = await this.#files.openByInode(inode)
    if (file === undefined) {
      this.#log.warn(
        '%s: the file that was read up to byte %d is gone, and whatever else it held: what is there now is read from its start',
        this.#name,
        position,
      )
      return
    }
    const mark = await file.markAt(position, fingerprint)
    if (mark === undefined) this.#rewritten(position)
    else this.#at = { mark, state }
  }

  async #open(): Promise<OpenedFile | undefined> {
    const opening = this.#files.open()
    const file = await this.#try('open', () => (this.#missing === 'error' ? opening : orMissing(opening)))
    this.#at = this.#beginning
    return file
  }

  #rewritten(position: number): void {
    this.#log.warn(
      '%s was truncated or written anew after it was read up to byte %d: it is read from its start',
      this.#name,
      position,
    )
    this.#at = this.#beginning
  }

  /** Goes back to where the first records begin that were not delivered, if there are any. */
  async #goBack(): Promise<void> {
    const back = this.#pulls.takeBack()
    if (back === undefined) return this.#closeOld()
    const { records, starts, start } = back
    this.#log.warn(
      { records },
      '%s: %d %s were not delivered: they are read again',
      this.#name,
      records,
      this.#splitter.noun,
    )
    this.#files.moveTo(start.file)
    this.#at = start.at
    this.#damaged = start.damaged
    for (const { file, end } of starts) {
      if (await file.holds(end)) continue
      this.#log.warn(
        '%s: what was not delivered was truncated or written anew before it could be read again',
        this.#name,
      )
      break
    }
  }

  async #pull(max: number, update: Update): Promise<T[]> {
    for (;;) {
      const file = this.#files.current ?? (await this.#open())
      if (file === undefined) return []
      const records = await this.#read(file, max, update, false)
      if (records.length > 0) return records
      const next = await this.#files.next()
      if (next === undefined) return []
      // what was written to the old file before the new one was begun is there now
      const rest = await this.#read(file, max, update, true).catch(async (error: unknown) => {
        await this.#files.dismiss(next)
        throw error
      })
      if (rest.length > 0) {
        await this.#files.dismiss(next)
        return rest
      }
      this.#log.info('%s: another file has its name now', this.#name)
      if (next.missed !== undefined) {
        this.#log.warn(
          '%s: content may have been passed over: %s was compressed before it was read',
          this.#name,
          next.missed,
        )
      }
      this.#files.moveTo(next.file)
      this.#at = this.#beginning
      await this.#closeOld()
    }
  }

  /** Closes the files that are not read again. */
  #closeOld(): Promise<void> {
    return this.#files.closeBefore(this.#pulls.starts.map(({ file }) => file))
  }

  /**
   * Reads records, and moves the position behind them.
   *
   * @param last - whether nobody writes to the file any more
   */
  async #read(file: OpenedFile, max: number, update: Update, last: boolean): Promise<T[]> {
    const { signal } = update
    if (!(await file.holds(this.#at.mark))) this.#rewritten(this.#at.mark.position)
    const start = { file, at: this.#at, damaged: this.#damaged }
    const read = await readRecords(file, this.#splitter, start.at, { max, last, signal })
    const { records, cursor, damaged, damage, problem } = read
    if (read.end !== undefined) {
      this.#log.warn('%s: the last of the %s of a file has no end', this.#name, this.#splitter.noun)
    }
    // records before a problem are not held up by it
    if (problem !== undefined && records.length === 0) {
      const end = read.end ?? ((await this.#files.isLeft()) ? await file.endOfLastLine(cursor.mark) : undefined)
      signal.throwIfAborted()
      // the record never gets its end: it is an error once, and does not hold up the next file
      if (end !== undefined) {
        this.#at = { mark: end, state: cursor.state }
        this.#noteDamage(1, problem)
      }
      throw new Error(problem)
    }
    // nobody takes the records any more
    signal.throwIfAborted()
    this.#at = cursor
    if (this.#redeliver) this.#pulls.add(update, { ...start, end: cursor.mark }, records.length)
    if (damaged > 0) this.#noteDamage(damaged, damage)
    return records
  }

  #noteDamage(damaged: number, damage: string | undefined): void {
    this.#damaged += damaged
    const counts = { damaged, total: this.#damaged }
    this.#log.warn(counts, '%s: %d %s not taken as they are: %s', this.#name, damaged, this.#splitter.noun, damage)
  }

  async #readPosition(): Promise<SavedPosition | undefined> {
    const file = this.#positionFile
    return file && (await this.#try('read', () => file.read(), undefined, file.path))
  }

  async #storePosition(): Promise<void> {
    const file = this.#positionFile
    const saved = this.save()
    if (file !== undefined && saved !== undefined) {
      await this.#try('write', () => file.write(saved), undefined, file.path)
    }
  }

  get #name(): string {
    return `${this.#connector}(${this.#path})`
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
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
