import { Buffer } from 'node:buffer'
import { toError } from '../../base/errors.js'
import { FileError } from '../errors.js'
import type { Logger } from '../../base/log.js'
import type { Update } from '../../core/update.js'
import { FileMark } from './file-mark.js'
import type { FollowSettings } from './follow-options.js'
import { OpenPulls } from '../open-pulls.js'
import { OpenedFile, orMissing } from './opened-file.js'
import { PositionFile } from './position-file.js'
import { findByInode, findNext } from './rotated-files.js'
import type { SavedPosition } from './saved-position.js'
import type { Splitter } from './splitter.js'

/** Bytes that are read at once, at least. */
const CHUNK = 65_536

const EMPTY = Buffer.alloc(0)

/** Up to where records were taken, and what has to be known there. */
interface Cursor<S> {
  readonly mark: FileMark
  readonly state: S
}

/** Where a pull began. */
interface Place<S> {
  readonly file: OpenedFile
  readonly at: Cursor<S>
  readonly damaged: number
  /** Where it ended. */
  readonly end: FileMark
}

/**
 * Reads the records of a file that others write to: on and on as it grows, over to the file that takes its name when
 * it is rotated or deleted, and from its start when it is written anew.
 *
 * ```
 *   start --> find what was read before --> read on <---------------------+
 *                                             | at its end                |
 *                                             v                           |
 *                     nothing more <-- has another file been begun? --> read the rest, then that
 * ```
 *
 * Between two pulls it holds an open file and a position. Whatever fails leaves the position where it was. To
 * redeliver, it keeps where pulls began, and the files that they read, until their records are delivered.
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
  /** Files that are held open, in the order in which they are read: one of them now, those before and behind it again. */
  readonly #files: OpenedFile[] = []
  #file: OpenedFile | undefined
  /** The file that was read last, also when it is closed. */
  #inode: string | undefined
  #at: Cursor<S>
  #damaged = 0
  /** Where the next start begins. */
  #restored: SavedPosition | undefined
  /** The step before: steps follow one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param connector - the inlet's class, for errors */
  constructor(connector: string, path: string, splitter: Splitter<T, S>, settings: FollowSettings, log: Logger) {
    this.#connector = connector
    this.#path = path
    this.#splitter = splitter
    this.#log = log
    const { missing, positionFile, redeliver } = settings
    this.#missing = missing
    this.#positionFile = positionFile === undefined ? undefined : new PositionFile(positionFile)
    this.#redeliver = redeliver
    this.#at = this.#beginning
  }

  get #beginning(): Cursor<S> {
    return { mark: FileMark.START, state: this.#splitter.initial }
  }

  /** Opens the file where it was left, or at its start. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#pulls.clear()
      this.#at = this.#beginning
      this.#inode = undefined
      const saved = this.#restored ?? (await this.#readPosition())
      try {
        if (saved !== undefined) await this.#try('open', () => this.#resume(saved))
        if (this.#file === undefined) await this.#open()
        this.#started = true
        this.#restored = undefined
      } catch (error) {
        await this.#close()
        throw error
      }
    })
  }

  /**
   * The next records: at most `max`, all of one file.
   *
   * @throws {@link FileError}
   */
  pull(max: number, update: Update): Promise<T[]> {
    return this.#inTurn(async () => {
      const { signal } = update
      if (!this.#started) throw new FileError(this.#path, `${this.#connector}(${this.#path}) is not started`)
      signal.throwIfAborted()
      await this.#try('read', () => this.#goBack())
      await this.#storePosition()
      return this.#try('read', () => this.#pull(max, update), signal)
    })
  }

  /** The transfer of a pull has ended. What was not delivered is read again by the next pull. */
  ended(update: Update, delivered: boolean): void {
    this.#pulls.end(update, delivered)
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const started = this.#started
      this.#started = false
      try {
        if (started) await this.#storePosition()
      } finally {
        await this.#close()
      }
    })
  }

  /** Up to where the file was read and, to redeliver, all was delivered; `undefined` when none was read. */
  save(): SavedPosition | undefined {
    if (this.#restored !== undefined || this.#inode === undefined) return this.#restored
    const first = this.#pulls.earliest?.start
    const { mark, state } = first?.at ?? this.#at
    return {
      inode: first?.file.inode ?? this.#inode,
      position: mark.position,
      fingerprint: mark.fingerprint,
      state,
      damaged: first?.damaged ?? this.#damaged,
    }
  }

  /** Has the next start go on where another instance was. */
  restore(saved: SavedPosition): void {
    this.#restored = saved
  }

  async #resume({ inode, position, fingerprint, state, damaged }: SavedPosition): Promise<void> {
    if (!this.#splitter.isState(state)) throw new Error('the position that was kept is not of this inlet')
    this.#damaged = damaged
    const file = await findByInode(this.#path, inode)
    if (file === undefined) {
      this.#log.warn(
        '%s: the file that was read up to byte %d is gone, and whatever else it held: what is there now is read from its start',
        this.#name,
        position,
      )
      return
    }
    this.#use(file)
    const mark = await file.markAt(position, fingerprint)
    if (mark === undefined) this.#rewritten(position)
    else this.#at = { mark, state }
  }

  async #open(): Promise<OpenedFile | undefined> {
    const opening = OpenedFile.open(this.#path)
    const file = await this.#try('open', () => (this.#missing === 'error' ? opening : orMissing(opening)))
    if (file !== undefined) this.#use(file)
    return file
  }

  async #close(): Promise<void> {
    this.#file = undefined
    for (const file of this.#files.splice(0)) await file.close()
  }

  #use(file: OpenedFile): void {
    if (!this.#files.includes(file)) this.#files.push(file)
    this.#file = file
    this.#inode = file.inode
    this.#at = this.#beginning
  }

  #rewritten(position: number): void {
    this.#log.warn(
      '%s was truncated or written anew after it was read up to byte %d: it is read from its start',
      this.#name,
      position,
    )
    this.#at = this.#beginning
  }

  /** Goes back to where the records begin that were not delivered, if there are any. */
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
    this.#file = start.file
    this.#inode = start.file.inode
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
      const file = this.#file ?? (await this.#open())
      if (file === undefined) return []
      const records = await this.#read(file, max, update, false)
      if (records.length > 0) return records
      const known = this.#files[this.#files.indexOf(file) + 1]
      const found = known === undefined ? await findNext(this.#path, file) : undefined
      const next = known ?? found?.file
      if (next === undefined) return []
      const leave = () => found?.file.close()
      // what was written to the old file before the new one was begun is there now
      const rest = await this.#read(file, max, update, true).catch(async (error: unknown) => {
        await leave()
        throw error
      })
      if (rest.length > 0) {
        await leave()
        return rest
      }
      this.#log.info('%s: another file has its name now', this.#name)
      if (found?.missed !== undefined) {
        this.#log.warn(
          '%s: content may have been passed over: %s was compressed before it was read',
          this.#name,
          found.missed,
        )
      }
      this.#use(next)
      await this.#closeOld()
    }
  }

  /** Whether another file was begun, so that nobody writes to this one any more. */
  async #isLeft(file: OpenedFile): Promise<boolean> {
    if (file !== this.#files.at(-1)) return true
    const next = await findNext(this.#path, file)
    await next?.file.close()
    return next !== undefined
  }

  /** Closes the files that are not read again. */
  async #closeOld(): Promise<void> {
    const needed = new Set([this.#file, ...this.#pulls.starts.map(({ file }) => file)])
    const old = this.#files.findIndex((file) => needed.has(file))
    for (const file of this.#files.splice(0, old)) await file.close()
  }

  /**
   * Takes records, and moves on behind them.
   *
   * @param last - whether nobody writes to the file any more
   */
  async #read(file: OpenedFile, max: number, update: Update, last: boolean): Promise<T[]> {
    const { signal } = update
    if (!(await file.holds(this.#at.mark))) this.#rewritten(this.#at.mark.position)
    const records: T[] = []
    const start = { file, at: this.#at, damaged: this.#damaged }
    let { mark, state } = start.at
    let pending: Buffer = EMPTY
    let damaged = 0
    let damage: string | undefined
    let problem: string | undefined
    /** Where the file ends, when its last record has no end. */
    let end: FileMark | undefined
    const cut = (final: boolean): void => {
      const piece = { bytes: pending, position: mark.position, state, last: final, max: max - records.length }
      const result = this.#splitter.split(piece)
      for (const record of result.records) records.push(record)
      mark = mark.after(pending.subarray(0, result.used))
      pending = pending.subarray(result.used)
      state = result.state
      damaged += result.damaged
      damage ??= result.damage
      problem = result.problem
    }
    while (records.length < max && problem === undefined) {
      signal.throwIfAborted()
      // as much again as is held, so that a very long record is not copied too often
      const bytes = await file.readAfter(mark.after(pending), Math.max(CHUNK, pending.length))
      if (bytes === undefined) break // written anew just now: the next look at it finds out
      if (bytes.length === 0) {
        if (last && pending.length > 0) {
          this.#log.warn('%s: the last of the %s of a file has no end', this.#name, this.#splitter.noun)
          end = mark.after(pending)
          cut(true)
        }
        break
      }
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
      cut(false)
    }
    // what comes before a problem is not held up by it
    if (problem !== undefined && records.length === 0) {
      if (await this.#isLeft(file)) end ??= await file.endOfLastLine(mark)
      signal.throwIfAborted()
      // that record never gets its end, and is an error once: it keeps nobody from the next file
      if (end !== undefined) {
        this.#at = { mark: end, state }
        this.#noteDamage(1, problem)
      }
      throw new Error(problem)
    }
    // nobody takes them any more
    signal.throwIfAborted()
    this.#at = { mark, state }
    if (this.#redeliver) this.#pulls.add(update, { ...start, end: mark }, records.length)
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
      throw new FileError(path, `${this.#connector}: cannot ${verb} ${path}: ${toError(cause).message}`, { cause })
    }
  }
}
