import { constants } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { FileError, toError } from '../errors.js'

/** The last work on each file, by real path, while there is some. */
const turns = new Map<string, Promise<unknown>>()

/**
 * Does work on a file when the work before on the same file has ended, so that no two writers of this thread tear
 * each other's lines.
 *
 * @param file - real path of the file: see {@link realTarget}
 */
export async function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  const result = (turns.get(file) ?? Promise.resolve()).then(work)
  const turn = result.catch(() => undefined)
  turns.set(file, turn)
  try {
    return await result
  } finally {
    if (turns.get(file) === turn) turns.delete(file)
  }
}

/** A real path has no link at its end; one that was put there meanwhile is not followed. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW

/**
 * Appends to a file in one write; makes it and its folder if they are missing. When that fails, what was written is
 * cut off again, so that no half line is left.
 *
 * @param writer - the outlet, for the error
 * @param file - real path of the file
 * @param truncate - whether the bytes replace what is in the file
 * @throws {@link FileError}
 */
export async function append(writer: string, file: string, bytes: Uint8Array, truncate: boolean): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true })
    const handle = await open(file, FLAGS)
    try {
      if (truncate) await handle.truncate(0)
      const { size } = await handle.stat()
      await writeWhole(handle, bytes, size)
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new FileError(file, `${writer}: cannot write to ${file}: ${toError(cause).message}`, { cause })
  }
}

/** @param size - bytes in the file before, all of them good */
async function writeWhole(handle: FileHandle, bytes: Uint8Array, size: number): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      // one write takes everything, unless the disk is nearly full: then the next one says so
      written += (await handle.write(bytes, written)).bytesWritten
    }
  } catch (error) {
    try {
      await handle.truncate(size)
    } catch (second) {
      const why = `${toError(error).message}, and what was written cannot be cut off again: ${toError(second).message}`
      throw new Error(why, { cause: error })
    }
    throw error
  }
}
