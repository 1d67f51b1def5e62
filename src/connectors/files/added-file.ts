import { Buffer } from 'node:buffer'
import { constants, type BigIntStats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { readFd, statFd, statPath } from './calls.js'
import { isDescriptor } from './descriptors.js'
import { isLocal } from './disk.js'
import { addTo, WRITE_FLAGS, type Addition } from './write.js'

/** Number of bytes that are read of the end of a file: as many as the longest line end has. */
const END = 2

const EMPTY = Buffer.alloc(0)

/** Flags for adding to an existing file, and reading from it. */
const FLAGS = (WRITE_FLAGS & ~(constants.O_WRONLY | constants.O_CREAT)) | constants.O_RDWR

/**
 * Regular file that is open to be added to, and what is known of it. It may stay open between two pushes: others may have
 * added to it, rotated or replaced it since, which {@link AddedFile.isCurrent} finds out. Whoever uses it holds the lock of
 * the file.
 */
export class AddedFile {
  /** Real path of the file. */
  readonly path: string
  /** Whether nothing depends on its being closed, so that it can stay open. */
  readonly mayStayOpen: boolean
  readonly #handle: FileHandle
  readonly #stats: BigIntStats
  #size: number
  #end: Buffer = EMPTY

  private constructor(path: string, handle: FileHandle, stats: BigIntStats, mayStayOpen: boolean) {
    this.path = path
    this.#handle = handle
    this.#stats = stats
    this.#size = Number(stats.size)
    this.mayStayOpen = mayStayOpen
  }

  /**
   * Opens a file.
   *
   * @param path - real path; a link that was put at its end meanwhile is not followed
   * @returns `undefined` when it is no regular file that may be read and written, as when there is none
   * @throws when there are no descriptors left
   */
  static async open(path: string): Promise<AddedFile | undefined> {
    const before = await orNone(statPath(path))
    // opening a pipe for reading and writing would take it for one that has a reader
    if (before?.isFile() !== true || isDescriptor(path)) return undefined
    const handle = await orNone(open(path, FLAGS))
    if (handle === undefined) return undefined
    try {
      const [stats, mayStayOpen] = await Promise.all([statFd(handle.fd, { bigint: true }), isLocal(path)])
      if (stats.isFile()) {
        const file = new AddedFile(path, handle, stats, mayStayOpen)
        file.#end = await file.#readEnd()
        return file
      }
    } catch {
      // the way without it tells what is wrong
    }
    await handle.close()
    return undefined
  }

  /** Whether the path still leads to this file, with the same owner and mode. Looks at its end again. */
  async isCurrent(): Promise<boolean> {
    try {
      const from = Math.max(0, this.#size - END)
      const [now, end] = await Promise.all([
        // does not fail before the other has ended: only then may the file be closed
        statPath(this.path, { bigint: true }).catch(() => undefined),
        // a byte more shows whether something was added
        this.#read(from, END + 1),
      ])
      if (now === undefined || !this.#isSame(now)) return false
      const size = Number(now.size)
      const isAsLeft = size === this.#size && from + end.length === size
      this.#size = size
      this.#end = isAsLeft ? end : await this.#readEnd()
      return true
    } catch {
      return false
    }
  }

  /** Number of bytes in the file. */
  get size(): number {
    return this.#size
  }

  /** Reads the bytes at the start of the file, at most `size`. */
  readStart(size: number): Promise<Buffer> {
    return this.#read(0, size)
  }

  /** Whether the file ends with these bytes, of which there are at most two, or is empty. */
  endsWith(bytes: Uint8Array): boolean {
    return this.#size === 0 || this.#end.subarray(-bytes.length).equals(bytes)
  }

  /** Adds bytes in one write. A failure leaves the file as it was before, without half a line. */
  async add(bytes: Uint8Array, fsync: boolean, signal: AbortSignal): Promise<void> {
    const addition: Addition = { file: this.path, size: this.#size, made: undefined, fsync }
    await addTo(this.#handle, bytes, addition, signal)
    this.#size += bytes.length
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  #isSame({ dev, ino, mode, uid, gid }: BigIntStats): boolean {
    const known = this.#stats
    return ino === known.ino && dev === known.dev && mode === known.mode && uid === known.uid && gid === known.gid
  }

  #readEnd(): Promise<Buffer> {
    return this.#read(Math.max(0, this.#size - END), END)
  }

  async #read(position: number, size: number): Promise<Buffer> {
    const { buffer, bytesRead } = await readFd(this.#handle.fd, Buffer.allocUnsafe(size), 0, size, position)
    return buffer.subarray(0, bytesRead)
  }
}

async function orNone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error
    return undefined
  }
}

/** Whether an error says that the process, or the system, has no descriptors left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')
}
