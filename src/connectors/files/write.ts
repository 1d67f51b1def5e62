import { constants } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { toError } from '../../base/errors.js'
import { syncFolder, writeAll } from './disk.js'
import { replace } from './replace.js'

/** How bytes are written to a file. */
export interface WriteMode {
  /** Whether the bytes replace what is in the file. */
  readonly truncate: boolean
  /** Whether to wait until the bytes are on the disk. */
  readonly fsync: boolean
}

/**
 * A real path has no link at its end; one that was put there meanwhile is not followed. A named pipe that nobody reads
 * is an error, and a full one does not block. (Windows has no such flags.)
 */
const FLAGS =
  constants.O_WRONLY |
  constants.O_CREAT |
  constants.O_APPEND |
  ((constants.O_NOFOLLOW as number | undefined) ?? 0) |
  ((constants.O_NONBLOCK as number | undefined) ?? 0)

/**
 * Adds bytes to a file in one write, or puts them in the place of what is in it; makes the file and its folder if they
 * are missing. When that fails, the file is as it was before: no half line is left; one that has to be replaced in
 * place, see {@link replace}, is empty then. The caller holds the file's lock.
 *
 * @param file - real path of the file
 * @param signal - ends the waiting for the reader of a named pipe
 */
export async function write(file: string, bytes: Uint8Array, mode: WriteMode, signal?: AbortSignal): Promise<void> {
  const made = await mkdir(path.dirname(file), { recursive: true })
  if (mode.truncate && (await replace(file, bytes, mode.fsync))) return
  const handle = await open(file, FLAGS)
  try {
    const before = await handle.stat()
    // what is none, such as a pipe, keeps nothing that could be cut off or be on a disk
    const isFile = before.isFile()
    if (mode.truncate && isFile) await handle.truncate(0)
    const size = mode.truncate ? 0 : before.size
    try {
      await writeAll(handle, bytes, signal)
      if (mode.fsync && isFile) {
        await handle.sync()
        if (size === 0 || made !== undefined) await syncFolders(file, made)
      }
    } catch (error) {
      if (isFile) await cutOff(handle, size, error)
      throw error
    }
  } finally {
    await handle.close()
  }
}

/** @param size - bytes in the file before, all of them good */
async function cutOff(handle: FileHandle, size: number, error: unknown): Promise<void> {
  try {
    await handle.truncate(size)
  } catch (second) {
    const why = `${toError(error).message}, and what was written cannot be cut off again: ${toError(second).message}`
    throw new Error(why, { cause: error })
  }
}

/** Puts on the disk that there is a new file, and the folders made for it. */
async function syncFolders(file: string, firstMade: string | undefined): Promise<void> {
  const last = firstMade === undefined ? path.dirname(file) : path.dirname(firstMade)
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    await syncFolder(folder)
    if (folder === last || folder === path.dirname(folder)) return
  }
}
