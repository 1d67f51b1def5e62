import { constants } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { toError } from '../../base/errors.js'
import { descriptorOf, isDescriptor, writerTo } from './descriptors.js'
import { syncFolder, writeAll } from './disk.js'
import { replace } from './replace.js'

/** Way in which bytes are written to a file. */
export interface WriteMode {
  /** Whether the bytes replace the content of the file. */
  readonly truncate: boolean
  /** Whether to wait until the bytes are on the disk. */
  readonly fsync: boolean
}

const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0

/** Write to an open file, and what has to be known of the file for it. */
export interface Addition {
  /** Real path of the file. */
  readonly file: string
  /** Number of bytes in the file before the write, all of them good. */
  readonly size: number
  /** First of the folders that were created for the file. */
  readonly made: string | undefined
  readonly fsync: boolean
}

/**
 * Flags for writing. A real path has no link at its end; a link that was put there meanwhile is not followed. A named
 * pipe without a reader is an error, and a full one does not block. (Windows has no such flags.)
 */
export const WRITE_FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  NO_FOLLOW |
  ((constants.O_NONBLOCK as number | undefined) ?? 0)

/**
 * Adds bytes to a file in one write, or replaces its content with them. Creates the file and its folder if they are
 * missing. A failure leaves the file as it was before, without half a line; a file that had to be replaced in place,
 * see {@link replace}, is then empty. The caller holds the file's lock. A descriptor of this process, such as standard
 * output, gets the bytes whatever the mode.
 *
 * @param file - real path of the file
 * @param signal - ends the waiting for the reader of a named pipe
 * @returns whether it is a file, which keeps the bytes, and not a pipe or the like
 */
export async function write(file: string, bytes: Uint8Array, mode: WriteMode, signal?: AbortSignal): Promise<boolean> {
  const descriptor = descriptorOf(file)
  if (descriptor !== undefined) {
    await writeAll(writerTo(descriptor), bytes, signal)
    return false
  }
  const made = await mkdir(path.dirname(file), { recursive: true })
  if (mode.truncate && (await replace(file, bytes, mode.fsync))) return true
  const handle = await open(file, isDescriptor(file) ? WRITE_FLAGS & ~NO_FOLLOW : WRITE_FLAGS)
  try {
    const before = await handle.stat()
    // a pipe keeps nothing that could be cut off, or synced
    const isFile = before.isFile()
    if (mode.truncate && isFile) await handle.truncate(0)
    if (isFile) {
      await addTo(handle, bytes, { file, size: mode.truncate ? 0 : before.size, made, fsync: mode.fsync }, signal)
    } else await writeAll(handle, bytes, signal)
    return isFile && !isDescriptor(file)
  } finally {
    await handle.close()
  }
}

/** Adds bytes to a regular file that is open. A failure leaves the file as it was before. */
export async function addTo(
  handle: FileHandle,
  bytes: Uint8Array,
  { file, size, made, fsync }: Addition,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await writeAll(handle, bytes, signal)
    if (!fsync) return
    await handle.sync()
    if (size === 0 || made !== undefined) await syncFolders(file, made)
  } catch (error) {
    await cutOff(handle, size, error)
    throw error
  }
}

/** Cuts off what a failed write has left. */
async function cutOff(handle: FileHandle, size: number, error: unknown): Promise<void> {
  try {
    await handle.truncate(size)
  } catch (second) {
    const why = `${toError(error).message}, and what was written cannot be cut off again: ${toError(second).message}`
    throw new Error(why, { cause: error })
  }
}

/** Syncs the folder of a new file, and the folders that were created for it. */
async function syncFolders(file: string, firstMade: string | undefined): Promise<void> {
  const last = firstMade === undefined ? path.dirname(file) : path.dirname(firstMade)
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    await syncFolder(folder)
    if (folder === last || folder === path.dirname(folder)) return
  }
}
