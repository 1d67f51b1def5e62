import { Buffer } from 'node:buffer'
import { resolve } from 'node:path'
import { checkPath, checkWord } from '../check.js'
import { FileError, InvalidOptionError, toError } from '../errors.js'
import type { Logger } from '../log.js'
import { FileMark } from './file-mark.js'
import { OpenedFile, orMissing } from './opened-file.js'
import { PositionFile } from './position-file.js'
import { findByInode, findNext } from './rotated-files.js'
import { isSavedPosition, type SavedPosition } from './saved-position.js'
import type { Splitter } from './splitter.js'

/** Options of inlets that follow a file. */
export interface FollowOptions {
  /**
   * What to do when there is no file to begin with: fail, or give no records until there is one. One that is deleted or
   * rotated later is awaited in any case, unless it is read as a whole.
   * @default 'error'
   */
  readonly missing?: 'error' | 'await'
  /**
   * Path of a file in which the inlet keeps how far it has read, so that it goes on there when it is started again,
   * in this process or another. One inlet alone can use it. It is written when the next transfer begins, and at the
   * shutdown: after an orderly shutdown nothing is read twice or left out. After a crash, the records of the last
   * transfer are read again. What was pulled and then not delivered, by an outlet that failed or a buffer that was
   * lost in a crash, is not read again once the next transfer has begun.
   * @default undefined - every start reads the file from its start
   */
  readonly positionFile?: string
}

export const FOLLOW_OPTIONS = ['missing', 'positionFile'] as const

/** Bytes that are read at once, at least. */
const CHUNK = 65_536

const EMPTY = Buffer.alloc(0)

/** Up to where records were taken, and what has to be known there. */
interface Cursor<S> {
  readonly mark: FileMark
  readonly state: S
}

/**
 * Reads the records of a file that others write to: on and on as it grows, over to the file that takes its name when
 * it is rotated or deleted, and from its start when it is written anew.
 *
 * ```
 *   start ──► find what was read before ──► read on ◄─────────────────────┐
 *                                             │ at its end                │
 *                                             ▼                           │
 *                     nothing more ◄── has another file been begun? ──► read the rest, then that
 * ```
 *
 * Between two pulls it holds an open file and a position. Whatever fails leaves the position where it was.
 */
export class FollowedFile<T, S> {
  readonly #path: string
  readonly #connector: string
  readonly #splitter: Splitter<T, S>
  readonly #log: Logger
  readonly #missing: 'error' | 'await'
  readonly #positionFile: PositionFile | undefined
  #started = false
  #file: OpenedFile | undefined
  /** The file that was read last, also when it is closed. */
  #inode: string | undefined
  #at: Cursor<S>
  #damaged = 0
  /** Where the next start begins. */
  #restored: SavedPosition | undefined
  /** The step before: steps follow one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /**
   * @param connector - the inlet's class, for errors
   * @throws {@link InvalidOptionError}
   */
  constructor(connector: string, path: string, splitter: Splitter<T, S>, options: FollowOptions, log: Logger) {
    this.#connector = connector
    this.#path = path
    this.#splitter = splitter
    this.#log = log
    this.#missing = checkWord(`${connector}.missing`, options.missing, ['error', 'await'], 'error')
    const { positionFile } = options
    this.#positionFile =
      positionFile === undefined ? undefined : new PositionFile(checkPath(`${connector}.positionFile`, positionFile))
    if (positionFile !== undefined && resolve(positionFile) === resolve(path)) {
      throw new InvalidOptionError(`${connector}.positionFile`, 'another path than that of the file', positionFile)
    }
    this.#at = this.#beginning
  }

  get #beginning(): Cursor<S> {
    return { mark: FileMark.START, state: this.#splitter.initial }
  }

  /** Opens the file where it was left, or at its start. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
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
  pull(max: number, signal: AbortSignal): Promise<T[]> {
    return this.#inTurn(async () => {
      if (!this.#started) throw new FileError(this.#path, `${this.#connector}(${this.#path}) is not started`)
      signal.throwIfAborted()
      await this.#storePosition()
      return this.#try('read', () => this.#pull(max, signal), signal)
    })
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

  /** Up to where the file was read, `undefined` when none was. */
  save(): SavedPosition | undefined {
    if (this.#restored !== undefined || this.#inode === undefined) return this.#restored
    const { mark, state } = this.#at
    return {
      inode: this.#inode,
      position: mark.position,
      fingerprint: mark.fingerprint,
      state,
      damaged: this.#damaged,
    }
  }

  /** Has the next start go on where another instance was. Ignores what {@link FollowedFile.save} does not give. */
  restore(saved: unknown): void {
    if (isSavedPosition(saved) && this.#splitter.isState(saved.state)) this.#restored = saved
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
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #use(file: OpenedFile): void {
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

  async #pull(max: number, signal: AbortSignal): Promise<T[]> {
    for (;;) {
      const file = this.#file ?? (await this.#open())
      if (file === undefined) return []
      const records = await this.#read(file, max, signal, false)
      if (records.length > 0) return records
      const next = await findNext(this.#path, file)
      if (next === undefined) return []
      // what was written to the old file before the new one was begun is there now
      const rest = await this.#read(file, max, signal, true).catch(async (error: unknown) => {
        await next.close()
        throw error
      })
      if (rest.length > 0) {
        await next.close()
        return rest
      }
      this.#log.info('%s: another file has its name now', this.#name)
      this.#use(next)
      await file.close()
    }
  }

  /**
   * Takes records, and moves on behind them.
   *
   * @param last - whether nobody writes to the file any more
   */
  async #read(file: OpenedFile, max: number, signal: AbortSignal, last: boolean): Promise<T[]> {
    if (!(await file.holds(this.#at.mark))) this.#rewritten(this.#at.mark.position)
    const records: T[] = []
    let { mark, state } = this.#at
    let pending: Buffer = EMPTY
    let damaged = 0
    let damage: string | undefined
    let problem: string | undefined
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
          cut(true)
        }
        break
      }
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
      cut(false)
    }
    // what comes before a problem is not held up by it
    if (problem !== undefined && records.length === 0) throw new Error(problem)
    this.#at = { mark, state }
    this.#damaged += damaged
    if (damaged > 0) {
      const counts = { damaged, total: this.#damaged }
      this.#log.warn(counts, '%s: %d %s not taken as they are: %s', this.#name, damaged, this.#splitter.noun, damage)
    }
    return records
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
