import { open, type FileHandle } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** How long to wait when a pipe is full, in milliseconds. */
const PAUSE = 5

/**
 * Writes all bytes: one write takes everything, unless the disk is nearly full: then the next one says so. What is no
 * file, such as a pipe, takes them in parts.
 *
 * @param signal - ends the waiting for the reader of a pipe, which has got a part of the bytes then
 */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    try {
      written += (await handle.write(bytes, written)).bytesWritten
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      signal?.throwIfAborted()
      await delay(PAUSE)
    }
  }
}

/** Waits until it is on the disk which files a folder holds. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
