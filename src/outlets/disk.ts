import { open, type FileHandle } from 'node:fs/promises'

/** Writes all bytes: one write takes everything, unless the disk is nearly full: then the next one says so. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await handle.write(bytes, written)).bytesWritten
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
