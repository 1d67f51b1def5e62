import { Buffer } from 'node:buffer'
import { constants, open, statfs, type FileHandle } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** Flags for reading. Opening a named pipe does not wait for its writer. (Windows has no such flag.) */
export const READ = constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)

/** Pause before the next write to a full pipe, in milliseconds. */
const PAUSE = 5

/** Most bytes of one write: Node takes less than 2 GiB. */
const AT_ONCE = 1 << 30

/**
 * File systems of a disk of this machine, by their number in Linux: ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, overlays
 * and memory. A file of a server is another thing: it tells whether it has kept the bytes when it is closed, and others
 * see them from then on.
 */
const LOCAL = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x794c7630, 0x01021994, 0x858458f6,
])

/** What takes bytes: a file handle, or the like. */
type Writer = {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>
}

/**
 * Writes all bytes to a file, in writes of up to 1 GiB. A write that takes less than that means that the disk is nearly
 * full; the next one says so. A pipe takes the bytes in parts.
 *
 * @param signal - ends the waiting for the reader of a pipe, which has then got a part of the bytes
 */
export async function writeAll(handle: Writer, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    try {
      const length = Math.min(AT_ONCE, bytes.length - written)
      written += (await handle.write(bytes, written, length)).bytesWritten
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      signal?.throwIfAborted()
      await delay(PAUSE)
    }
  }
}

/** Whether a file ends with these bytes, or is empty. A pipe or a device holds nothing, so it counts as empty. */
export async function endsWith(handle: FileHandle, end: Uint8Array): Promise<boolean> {
  const stats = await handle.stat()
  if (!stats.isFile() || stats.size === 0) return true
  const { size } = stats
  const { buffer } = await handle.read(Buffer.alloc(end.length), 0, end.length, Math.max(0, size - end.length))
  return buffer.equals(end)
}

/** Syncs a folder: waits until the disk holds the list of its files. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether a file is on a disk of this machine, as far as that is known. */
export async function isLocal(path: string): Promise<boolean> {
  if (process.platform !== 'linux') return false
  const found = await statfs(path).catch(() => undefined)
  return found !== undefined && LOCAL.has(found.type)
}
