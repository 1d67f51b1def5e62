import type { Stats } from 'node:fs'
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { syncFolder, writeAll } from './disk.js'
import { orMissing } from './missing.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')

/**
 * Codes of errors of a system that may let the file itself be written, but not another one beside it or in its place.
 */
const NOT_HERE = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV', 'ENAMETOOLONG'])

/**
 * Replaces a file by a new one with these bytes. A reader sees the old or the new file, never half of one, and a failed
 * write leaves the old one. A process that is killed meanwhile leaves a `.databay-*.new` in the folder. The caller
 * holds the file's lock.
 *
 * @param file - real path of the file; its folder exists
 * @returns `false`, with nothing done, when the file has to be written in place: it is not a regular file, has another
 * owner or other names, or its group or folder does not allow a replacement
 */
export async function replace(file: string, bytes: Uint8Array, fsync: boolean): Promise<boolean> {
  // no other process uses this name, nor can it put a link there for us to follow; it is short enough for any folder
  const to = path.join(path.dirname(file), `.databay-${crypto().randomUUID()}.new`)
  const made = await replacementOf(file, to, (handle) => writeAll(handle, bytes))
  if (made === undefined) return false
  return takePlace(made, file, fsync)
}

/**
 * Makes a file that can take the place of another one: beside it, with its owner and mode. The caller holds the lock of the
 * other.
 *
 * @param file - real path of the file to replace; its folder exists
 * @param made - path of the new file, in the same folder
 * @param fill - writes to the new file
 * @returns path of the new file; `undefined`, with nothing done, when the file has to be written in place, see
 * {@link replace}
 */
export async function replacementOf(
  file: string,
  made: string,
  fill: (handle: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<string | undefined> {
  const old = await orMissing(lstat(file))
  if (old !== undefined && !isOurs(old)) return undefined
  let handle: FileHandle | undefined
  try {
    handle = await open(made, 'wx', old === undefined ? undefined : 0o600)
    // before it holds anything that not everybody may read
    if (old !== undefined) {
      await handle.chown(old.uid, old.gid)
      await handle.chmod(old.mode)
    }
    await fill(handle)
    return made
  } catch (error) {
    if (handle !== undefined) await rm(made, { force: true })
    if (NOT_HERE.has(codeOf(error))) return undefined
    throw error
  } finally {
    await handle?.close()
  }
}

/**
 * Puts a new file in the place of another one. When that fails, the new file is removed.
 *
 * @returns `false` when the other one has to be written in place, see {@link replace}
 */
export async function takePlace(made: string, file: string, fsync: boolean): Promise<boolean> {
  try {
    if (fsync) await sync(made)
    await rename(made, file)
  } catch (error) {
    await rm(made, { force: true })
    if (NOT_HERE.has(codeOf(error))) return false
    throw error
  }
  if (fsync) await syncFolder(path.dirname(file))
  return true
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether a file is ours and has this name alone, so that a new file can take its place. */
function isOurs(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && stats.uid === process.geteuid?.()
}

function codeOf(error: unknown): string {
  const thrown = toError(error)
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
}
