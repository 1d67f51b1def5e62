import { stat } from 'node:fs/promises'
import type { Update } from '../../core/update.js'
import { OpenPulls } from '../open-pulls.js'
import { FileMark } from './file-mark.js'
import { FileSequence } from './file-sequence.js'
import type { FollowLog } from './follow-log.js'
import { factsAt, type OpenedFile } from './opened-file.js'
import { aheadOf, readRecords, type Cursor, type Reading } from './read-records.js'
import type { HandedPosition, SavedPosition } from './saved-position.js'
import type { Splitter } from './splitter.js'

/** Inode in the position of a reader that waits for a file. */
const NO_FILE = ''

/** Most records, and bytes, that are read at once. */
type Extent = Pick<Reading, 'max' | 'bytes'>

/** Place at which a pull began. */
interface Place<S> {
  readonly file: OpenedFile
  readonly at: Cursor<S>
  readonly damaged: number
  /** Place at which the pull ended. */
  readonly end: FileMark
}

/**
 * Reads the records of the files that have had one name, one file after the other. To redeliver, it keeps the places
 * where pulls began, and the files that they read, until their records are delivered, and goes back there.
 *
 * ```
 *   read on <---------------------+
 *     | at the end of a file      |
 *     v                           |
 *   has another file been begun? --> read the rest, then that
 *     | no
 *     v
 *   nothing more
 * ```
 *
 * Any failure leaves the position where it was.
 */
export class SequenceReader<T, S> {
  readonly #path: string
  readonly #splitter: Splitter<T, S>
  /** Whether it goes back to records that were not delivered. */
  redeliver: boolean
  readonly #follow: boolean
  readonly #log: FollowLog
  readonly #pulls = new OpenPulls<Place<S> | SavedPosition>()
  #files: FileSequence
  #at: Cursor<S>
  /** Position to go on at once its file, or any file with the name, can be opened. */
  #resuming: SavedPosition | undefined
  /** Number of records so far that were not taken as they stand in the file. */
  #damaged = 0
  #isMore = false

  /**
   * @param path - name of the files
   * @param follow - whether the files may grow while they have the name
   */
  constructor(path: string, splitter: Splitter<T, S>, redeliver: boolean, log: FollowLog, follow = true) {
    this.#path = path
    this.#splitter = splitter
    this.redeliver = redeliver
    this.#follow = follow
    this.#log = log
    this.#files = new FileSequence(path)
    this.#at = this.#beginning
  }

  /** Whether a file is open. */
  get isOpen(): boolean {
    return this.#files.current !== undefined
  }

  /** Position up to which was read and, to redeliver, all was delivered; `undefined` when nothing was read. */
  get position(): SavedPosition | undefined {
    const first = this.#pulls.earliest?.start
    return first === undefined ? this.here : toPosition(first)
  }

  /** Position for another reader to go on at, and the pulls that buffers hold; `undefined` when nothing was read. */
  get handOff(): HandedPosition | undefined {
    const here = this.here
    if (here === undefined && this.#pulls.earliest === undefined) return undefined
    // what was read is gone, but buffers hold some of it
    const { position, carried } = this.#pulls.handOff(here ?? savedPosition(NO_FILE, this.#at, this.#damaged))
    return { ...toPosition(position), ...(carried && { carried: { ...carried, start: toPosition(carried.start) } }) }
  }

  /** Position up to which was read. */
  get here(): SavedPosition | undefined {
    const { inode } = this.#files
    if (this.#resuming !== undefined) return this.#resuming
    return inode === undefined ? undefined : savedPosition(inode, this.#at, this.#damaged)
  }

  get #beginning(): Cursor<S> {
    return { mark: FileMark.START, state: this.#splitter.initial }
  }

  /** Forgets all files and pulls. */
  async reset(): Promise<void> {
    this.#pulls.clear()
    this.#resuming = undefined
    await this.#closeAll()
  }

  /** Opens the file to go on in, see {@link SequenceReader.resume}, or else the one that has the name now, at its start. */
  async open(): Promise<void> {
    while (this.#resuming !== undefined) {
      // as long as no file has the name, stat() throws
      if (!(await this.resume(this.#resuming))) await stat(this.#path)
    }
    if (this.isOpen) return
    await this.#files.open()
    this.#at = this.#beginning
  }

  /** Takes over the pulls that another reader has handed off. */
  takeOver({ carried }: HandedPosition): void {
    if (carried !== undefined) this.#pulls.takeOver(carried)
  }

  /**
   * Opens the file of a saved position there, whatever rotation has named it, or a file that has replaced it. Opens none
   * if it is gone, which is certain once another file has the name. Until then, or when this fails, the position is kept.
   *
   * @returns whether it is done with the position
   */
  async resume({ inode, position, fingerprint, state, damaged }: SavedPosition): Promise<boolean> {
    if (!this.#splitter.isState(state)) throw new Error('the position that was kept is not of this inlet')
    this.#damaged = damaged
    if (inode === NO_FILE) return true
    this.#resuming = { inode, position, fingerprint, state, damaged }
    const isTaken = (await factsAt(this.#path)) !== undefined
    const mark = await this.#files.openAt(inode, position, fingerprint)
    if (mark !== undefined) this.#at = { mark, state }
    else if (this.isOpen) this.#rewritten(position)
    else if (isTaken) this.#log.gone(position)
    else return false
    this.#resuming = undefined
    return true
  }

  /** Closes all files, and opens the one that is read again, at the same place. */
  async reopen(): Promise<void> {
    const handed = this.handOff
    await this.reset()
    if (handed === undefined) return
    this.takeOver(handed)
    await this.resume(handed)
  }

  /**
   * Notes how the transfer of a pull has ended.
   *
   * @param lists - number of lists of the pull, from the first one on, that were delivered
   */
  ended(update: Update, delivered: boolean, lists?: number): void {
    this.#pulls.end(update, delivered, lists)
  }

  /** Goes back to where the first records begin that were not delivered, if there are any. */
  async goBack(): Promise<void> {
    const back = this.#pulls.takeBack()
    if (back === undefined) return this.#closeOld()
    const { records, starts, start } = back
    this.#log.redelivers(records)
    if (isPlace(start)) {
      this.#files.moveTo(start.file)
      this.#at = start.at
      this.#damaged = start.damaged
    } else {
      await this.#closeAll()
      await this.resume(start)
      return
    }
    for (const { file, end } of starts.filter(isPlace)) {
      if (await file.holds(end)) continue
      this.#log.cannotRedeliver()
      break
    }
  }

  /** Whether there may be more in the file behind the latest records. */
  get isMore(): boolean {
    return this.#isMore
  }

  /** Reads the next records of the file from which the latest ones came. */
  async readOn(max: number, update: Update, bytes?: number): Promise<T[]> {
    const file = this.#files.current
    return file === undefined ? [] : this.#read(file, { max, bytes }, update, false)
  }

  /** Reads the next records: at most `max`, all of one file; none behind some number of bytes. A file has to be open. */
  async pull(max: number, update: Update, bytes?: number): Promise<T[]> {
    const extent = { max, bytes }
    this.#isMore = false
    for (let file = this.#files.current; file !== undefined; file = this.#files.current) {
      const records = await this.#read(file, extent, update, false)
      if (records.length > 0) return records
      const next = await this.#files.next()
      if (next === undefined) break
      if (await this.#files.isContinuedBy(next, this.#at.mark)) {
        this.#log.replaced(this.#at.mark.position)
        this.#files.moveTo(next.file)
        await this.#closeOld()
        continue
      }
      // what was written to the old file before the new one was begun is there now
      const rest = await this.#read(file, extent, update, true).catch(async (error: unknown) => {
        await this.#files.dismiss(next)
        throw error
      })
      if (rest.length > 0) {
        await this.#files.dismiss(next)
        return rest
      }
      this.#log.movesOn(next.missed)
      this.#files.moveTo(next.file)
      this.#at = this.#beginning
      await this.#closeOld()
    }
    return []
  }

  /**
   * Number of bytes at the end of the file that wait, as their record has no end yet; 0 when whole records precede them.
   */
  async countWaiting(): Promise<number> {
    const file = this.#files.current
    if (file === undefined || !(await file.holds(this.#at.mark)) || this.#isComplete(file)) return 0
    const { signal } = new AbortController()
    const { records, problem, waiting } = await readRecords(file, this.#splitter, this.#at, {
      max: 1,
      last: false,
      signal,
    })
    return records.length > 0 || problem !== undefined ? 0 : waiting
  }

  /** Closes all files. The position stays. */
  close(): Promise<void> {
    this.#log.end()
    return this.#files.close()
  }

  /** Closes the files that are not read again. */
  #closeOld(): Promise<void> {
    const start = this.#pulls.earliestOwn?.start
    return this.#files.closeBefore(start !== undefined && isPlace(start) ? start.file : undefined)
  }

  async #closeAll(): Promise<void> {
    await this.#files.close()
    this.#files = new FileSequence(this.#path)
    this.#at = this.#beginning
  }

  /**
   * Reads records of one file, and moves the position behind them.
   *
   * @param last - whether nobody writes to the file any more
   */
  async #read(file: OpenedFile, extent: Extent, update: Update, last: boolean): Promise<T[]> {
    const { signal } = update
    const { mark } = this.#at
    if (!(await file.holds(mark, aheadOf(mark, extent.max)))) this.#rewritten(mark.position)
    const start = { file, at: this.#at, damaged: this.#damaged }
    const complete = this.#isComplete(file)
    const read = await readRecords(file, this.#splitter, start.at, { ...extent, last: last || complete, signal })
    const { records, cursor, damaged, damage, problem } = read
    if (read.end !== undefined && !complete) this.#log.unended()
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
    this.#isMore = read.isMore && problem === undefined
    if (this.redeliver) this.#pulls.add(update, { ...start, end: cursor.mark }, records.length)
    if (damaged > 0) this.#noteDamage(damaged, damage)
    return records
  }

  /** Whether nobody adds to a file: its last record is then one without an end, too. */
  #isComplete(file: OpenedFile): boolean {
    return !this.#follow || file.packed
  }

  #rewritten(position: number): void {
    this.#log.rewritten(position)
    this.#at = this.#beginning
  }

  #noteDamage(damaged: number, damage: string | undefined): void {
    this.#damaged += damaged
    this.#log.damaged(damaged, this.#damaged, damage)
  }
}

function isPlace<S>(start: Place<S> | SavedPosition): start is Place<S> {
  return 'file' in start
}

function toPosition<S>(start: Place<S> | SavedPosition): SavedPosition {
  return isPlace(start) ? savedPosition(start.file.inode, start.at, start.damaged) : start
}

function savedPosition<S>(inode: string, { mark, state }: Cursor<S>, damaged: number): SavedPosition {
  return { inode, position: mark.position, fingerprint: mark.fingerprint, state, damaged }
}
