import { Buffer } from 'node:buffer'
import type { BigIntStats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { statFd } from './calls.js'
import { isLocal, READ } from './disk.js'
import { lazy } from '../../base/libraries.js'
import { PACKING_LENGTH, packingOf } from '../packing.js'
import { FileMark } from './file-mark.js'
import { GzipContent } from './gzip-content.js'
import { orMissing } from './missing.js'
import { isSettled, PullTimes, ReadWindow, WINDOW } from './read-window.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** Number of bytes that are read at once in search of a line end. */
const CHUNK = 65_536

/** Facts that the file system knows about a file. */
export interface FileFacts {
  /** Inode, which identifies the file whatever its name. */
  readonly inode: string
  /** Whether it is a regular file, not a folder or a pipe. */
  readonly regular: boolean
  readonly size: number
  /** Time of the last write, in nanoseconds since 1970. */
  readonly writtenAt: bigint
}

/**
 * File that is held open, so that it can be read on after it is renamed or deleted. Of a gzip file, the content is read:
 * places in it are places in the content.
 */
export class OpenedFile {
  readonly #path: string
  readonly #handle: FileHandle
  /** Whether the file is on a disk of this machine, whose times are by its own clock. */
  #isLocal: boolean | undefined
  /** Inode of the file. No other file has it while this one is open. */
  readonly inode: string
  /** Content of a gzip file; `undefined` of another one, and before its start was seen. */
  #gzip: GzipContent | undefined
  #started = false
  /** Bytes that were read at once with the proof of a mark, and the place where they begin. */
  #ahead: { readonly start: number; readonly bytes: Buffer } | undefined
  /** Bytes that were read for the pulls to come. */
  #window: ReadWindow | undefined
  readonly #pulls = new PullTimes()

  private constructor(path: string, handle: FileHandle, inode: string) {
    this.#path = path
    this.#handle = handle
    this.inode = inode
  }

  /** Opens a file for reading. */
  static async open(path: string): Promise<OpenedFile> {
    const handle = await openRegular(path)
    try {
      return new OpenedFile(path, handle, String((await handle.stat({ bigint: true })).ino))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Whether the file is packed, so that nobody adds a line to it. */
  get packed(): boolean {
    return this.#gzip !== undefined
  }

  async facts(): Promise<FileFacts> {
    return factsOf(await this.#handle.stat({ bigint: true }))
  }

  /**
   * Whether the bytes that stood before a mark when it was made stand there now.
   *
   * @param ahead - number of bytes behind the mark that are read at once with those before it, for a
   * {@link OpenedFile.readAfter} that follows
   */
  async holds(mark: FileMark, ahead = 0): Promise<boolean> {
    this.#ahead = undefined
    const isFew = ahead > 0 && ahead <= WINDOW / 4 && mark.position > 0
    const stats = isFew && this.#started && this.#gzip === undefined && this.#pulls.follow() && (await this.#look())
    if (stats !== false && this.#isInWindow(mark, ahead, stats)) return true
    this.#window = undefined
    const now = await this.#sample(mark.position, stats === false ? ahead : WINDOW)
    if (now !== undefined && now.head.equals(mark.head) && now.tail.equals(mark.tail)) {
      if (stats !== false) this.#keepWindow(stats, now.tail.length + ahead)
      return true
    }
    this.#ahead = undefined
    // what was written in its place may be packed, or not
    this.#forget()
    return false
  }

  /** Makes the mark at a position; `undefined` when the file does not reach it, or has another fingerprint there. */
  async markAt(position: number, fingerprint: string): Promise<FileMark | undefined> {
    const mark = await this.#sample(position)
    return mark?.fingerprint === fingerprint ? mark : undefined
  }

  /**
   * Reads the bytes after a mark, at most `size`; none at the end of the file.
   *
   * @returns `undefined` when the bytes before the mark are others than when it was made
   * @throws when a gzip file cannot be unpacked behind the mark
   */
  async readAfter(mark: FileMark, size: number): Promise<Buffer | undefined> {
    // the bytes, and those before them that prove that the file is the same, in one read
    const before = mark.tail.length
    const start = mark.position - before
    const held = this.#ahead
    this.#ahead = undefined
    // what is held was not enough: it may have been filled since without a change that shows
    if (held?.start !== start) this.#window = undefined
    const bytes = held?.start === start ? held.bytes : await this.readAt(start, before + size)
    if (bytes.length === before) this.#gzip?.check()
    return bytes.subarray(0, before).equals(mark.tail) ? bytes.subarray(before) : undefined
  }

  /** Makes the mark at the end of the file; `undefined` when a line ends after this mark. */
  async endOfLastLine(mark: FileMark): Promise<FileMark | undefined> {
    for (let end = mark; ;) {
      const bytes = await this.readAfter(end, CHUNK)
      if (bytes?.includes('\n') !== false) return undefined
      if (bytes.length === 0) return end
      end = end.after(bytes)
    }
  }

  /** Reads the bytes at a position, at most `size`. */
  async readAt(position: number, size: number): Promise<Buffer> {
    if (!this.#started) await this.#start()
    return this.#gzip === undefined ? this.#readBytes(position, size) : this.#gzip.read(position, size)
  }

  /** Closes the file. It was only read, so nothing is lost when that fails, as it does once the file is gone. */
  async close(): Promise<void> {
    this.#forget()
    await this.#handle.close().catch(() => undefined)
  }

  /** Facts about the file, when they are such that its next change will show in them. */
  async #look(): Promise<BigIntStats | false> {
    const stats = await statFd(this.#handle.fd, { bigint: true })
    if ((this.#isLocal ??= await isLocal(this.#path)) && isSettled(stats)) return stats
    this.#pulls.isWritten()
    return false
  }

  /** Keeps what was read ahead for the pulls to come. This one uses a part of it. */
  #keepWindow(stats: BigIntStats, length: number): void {
    const ahead = this.#ahead
    if (ahead === undefined) return
    this.#window = new ReadWindow(stats, ahead.start, ahead.bytes)
    this.#ahead = { start: ahead.start, bytes: ahead.bytes.subarray(0, length) }
  }

  #isInWindow(mark: FileMark, ahead: number, stats: BigIntStats): boolean {
    const bytes = this.#window?.around(mark, ahead, stats)
    if (bytes === undefined) return false
    this.#ahead = { start: mark.position - mark.tail.length, bytes }
    return true
  }

  #forget(): void {
    this.#window = undefined
    this.#gzip?.close()
    this.#gzip = undefined
    this.#started = false
  }

  async #sample(position: number, ahead = 0): Promise<FileMark | undefined> {
    const { head, tail } = FileMark.samples(position)
    if (!this.#started) await this.#start()
    const size = tail[1] - tail[0]
    // what is packed is unpacked as it is needed
    const behind = this.#gzip === undefined ? ahead : 0
    const [start, bytes] = await Promise.all([
      tail[0] === 0 ? undefined : this.readAt(head[0], head[1] - head[0]),
      this.readAt(tail[0], size + behind),
    ])
    const last = bytes.subarray(0, size)
    const first = start ?? last
    if (behind > 0) this.#ahead = { start: tail[0], bytes }
    return last.length === size && first.length === head[1] ? FileMark.of(position, first, last) : undefined
  }

  /** Looks at the start of the file, once there is one. */
  async #start(): Promise<void> {
    const start = await this.#readBytes(0, PACKING_LENGTH)
    if (isGzip(start)) this.#gzip = new GzipContent(this.#handle)
    this.#started = start.length > 2
  }

  async #readBytes(position: number, size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(size)
    const { bytesRead } = await this.#handle.read(bytes, 0, size, position)
    return bytes.subarray(0, bytesRead)
  }
}

/**
 * Whether a file is packed with gzip.
 *
 * @throws when it is packed with something else
 */
function isGzip(start: Buffer): boolean {
  const packing = packingOf(start)
  if (packing !== undefined && packing !== 'gzip') throw new Error(`it is packed with ${packing}: unpack it first`)
  return packing === 'gzip'
}

/** Reads a whole file, of gzip its content. Refuses a named pipe: a thread that waits for one cannot be stopped. */
export async function readWhole(path: string, signal: AbortSignal): Promise<Buffer> {
  const handle = await openRegular(path)
  try {
    const bytes = await handle.readFile({ signal })
    return isGzip(bytes) ? await promisify(zlib().gunzip)(bytes) : bytes
  } finally {
    await handle.close()
  }
}

/** Opens a regular file for reading, and nothing else. */
async function openRegular(path: string): Promise<FileHandle> {
  const handle = await open(path, READ)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is not a regular file')
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Facts about the file at a path; `undefined` when there is none. */
export async function factsAt(path: string): Promise<FileFacts | undefined> {
  const stats = await orMissing(stat(path, { bigint: true }))
  return stats && factsOf(stats)
}

function factsOf(stats: BigIntStats): FileFacts {
  return {
    inode: String(stats.ino),
    regular: stats.isFile(),
    size: Number(stats.size),
    writtenAt: stats.mtimeNs,
  }
}
