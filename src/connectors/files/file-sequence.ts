import { OpenedFile } from './opened-file.js'
import { continues } from './continuation.js'
import type { FileMark } from './file-mark.js'
import { findByInode, findByMark, findNext, type FoundFile, type NextFile } from './rotated-files.js'

/**
 * The files that have had one name, as far as they are held open, in the order in which they are read. One of them is
 * the current one. Those before it are to be read again, and so are those after it once the sequence has gone back.
 *
 * ```
 *   log.2 --> log.1 --> log
 *     |         |        |
 *     |         current  held open when it was read before, otherwise looked for
 *     held open until nothing of it is needed: closeBefore()
 * ```
 */
export class FileSequence {
  readonly #path: string
  readonly #files: OpenedFile[] = []
  #current: OpenedFile | undefined
  #inode: string | undefined
  /** Files that have replaced the one before them, and go on where that ended. */
  readonly #continuing = new WeakSet<OpenedFile>()

  /** @param path - the name that is followed */
  constructor(path: string) {
    this.#path = path
  }

  /** The file that is read now; `undefined` before the first one and after {@link FileSequence.close}. */
  get current(): OpenedFile | undefined {
    return this.#current
  }

  /** Inode of the file that was current last, even if it is closed; `undefined` when there was none. */
  get inode(): string | undefined {
    return this.#inode
  }

  /** Opens the file that has the name now, and makes it the current one. */
  async open(): Promise<OpenedFile> {
    const file = await OpenedFile.open(this.#path)
    this.moveTo(file)
    return file
  }

  /**
   * Opens the file that was read up to a position, and makes it the current one: the file with this inode, whatever
   * rotation has named it, or else one that begins as it did.
   *
   * @returns the mark at the position; `undefined` when there is no such file. Then none is open, unless it was rewritten
   */
  async openAt(inode: string, position: number, fingerprint: string): Promise<FileMark | undefined> {
    const found = await findByInode(this.#path, inode)
    try {
      return await this.#openFound(found, position, fingerprint)
    } catch (error) {
      await found?.file.close()
      throw error
    }
  }

  async #openFound(found: FoundFile | undefined, position: number, fingerprint: string): Promise<FileMark | undefined> {
    const mark = await found?.file.markAt(position, fingerprint)
    if (found !== undefined && mark !== undefined) {
      this.moveTo(found.file)
      return mark
    }
    // any file begins with nothing
    const other = position === 0 ? undefined : await findByMark(this.#path, position, fingerprint)
    const rewritten = other === undefined && found?.named === true
    if (rewritten) this.moveTo(found.file)
    else await found?.file.close()
    if (other !== undefined) this.moveTo(other.file)
    return other?.mark
  }

  /**
   * Finds the file that was begun after the current one. It is the caller's: {@link FileSequence.moveTo} or
   * {@link FileSequence.dismiss} has to follow.
   *
   * @returns `undefined` when no other file was begun
   */
  async next(): Promise<NextFile | undefined> {
    const current = this.#current
    if (current === undefined) return undefined
    const held = this.#files[this.#files.indexOf(current) + 1]
    return held === undefined ? findNext(this.#path, current) : { file: held, missed: undefined, rotated: true }
  }

  /**
   * Whether the next file has replaced the current one, and begins with all of it up to a mark: a mirror was synced, or
   * an editor has saved it. It is then read on from the mark. Dismisses the next file when this fails.
   */
  async isContinuedBy(next: NextFile, mark: FileMark): Promise<boolean> {
    const { file, rotated } = next
    const current = this.#current
    if (current === undefined || mark.position === 0) return false
    try {
      if (!rotated && (await continues(current, file, mark))) this.#continuing.add(file)
    } catch (error) {
      await this.dismiss(next)
      throw error
    }
    return this.#continuing.has(file)
  }

  /** Makes a file the current one: a file that is held open, or the next one. */
  moveTo(file: OpenedFile): void {
    if (!this.#files.includes(file)) this.#files.push(file)
    this.#current = file
    this.#inode = file.inode
  }

  /** Closes the next file, unless it is held open anyway. */
  async dismiss({ file }: NextFile): Promise<void> {
    if (!this.#files.includes(file)) await file.close()
  }

  /** Whether another file was begun after the current one, so that nobody writes to the current one any more. */
  async isLeft(): Promise<boolean> {
    const next = await this.next()
    if (next === undefined) return false
    await this.dismiss(next)
    return true
  }

  /** Closes the files before the first one that is current or needed. */
  async closeBefore(needed: OpenedFile | undefined): Promise<void> {
    const kept = this.#files.findIndex((file) => file === this.#current || file === needed)
    for (const file of this.#files.splice(0, kept)) await file.close()
  }

  /** Closes all files. */
  async close(): Promise<void> {
    this.#current = undefined
    for (const file of this.#files.splice(0)) await file.close()
  }
}
