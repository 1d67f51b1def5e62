import type { Stats } from 'node:fs'
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { syncFolder, writeAll } from './disk.js'
import { orMissing } from './missing.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')

/** Codes of a system that may let the file be written, but lets no other be made beside it or put in its place. */
const NOT_HERE = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV', 'ENAMETOOLONG'])

/**
 * Puts a new file with the bytes in the place of a file: whoever reads it sees the old or the new, never half of one,
 * and a failed write leaves the old. A process that is killed meanwhile leaves a `.databay-*.new` in the folder. The
 * caller holds the file's lock.
 *
 * @param file - real path of the file; its folder is there
 * @returns `false`, and nothing is done, when it has to be written in place: it is no file, has another owner or other
 * names, or its group or the folder does not allow it
 */
export async function replace(file: string, bytes: Uint8Array, fsync: boolean): Promise<boolean> {
  const old = await orMissing(lstat(file))
  if (old !== undefined && !isOurs(old)) return false
  // nobody else has a file of that name, nor can make one that we would follow; it is short enough for any folder
  const made = path.join(path.dirname(file), `.databay-${crypto().randomUUID()}.new`)
  let handle: FileHandle | undefined
  try {
    handle = await open(made, 'wx', old === undefined ? undefined : 0o600)
    // before there is anything in it that not everybody may read
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

/** Whether it is a file under this one name alone, which a new one of ours can stand for. */
function isOurs(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && stats.uid === process.geteuid?.()
}

function codeOf(error: unknown): string {
  const thrown = toError(error)
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
}
