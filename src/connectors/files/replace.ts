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
  const old = await orMissing(lstat(file))
  if (old !== undefined && !isOurs(old)) return false
  // no other process uses this name, nor can it put a link there for us to follow; it is short enough for any folder
  const made = path.join(path.dirname(file), `.databay-${crypto().randomUUID()}.new`)
  let handle: FileHandle | undefined
  try {
    handle = await open(made, 'wx', old === undefined ? undefined : 0o600)
    // before it holds anything that not everybody may read
    if (old !== undefined) {
      await handle.chown(old.uid, old.gid)
      await handle.chmod(old.mode)
    }
    await writeAll(handle, bytes)
    if (fsync) await handle.sync()
    await rename(made, file)
  } catch (error) {
    if (handle !== undefined) await rm(made, { force: true })
    if (NOT_HERE.has(codeOf(error))) return false
    throw error
  } finally {
    await handle?.close()
  }
  if (fsync) await syncFolder(path.dirname(file))
  return true
}

/** Whether a file is ours and has this name alone, so that a new file can take its place. */
function isOurs(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && stats.uid === process.geteuid?.()
}

function codeOf(error: unknown): string {
  const thrown = toError(error)
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
}
