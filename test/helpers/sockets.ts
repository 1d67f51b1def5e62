import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** Makes a folder with a short path, as the path of a socket may be only so long. */
export function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'dby-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** Has this process use a folder of its own for temporary files, as long as a test lasts. */
export function ownTemporaryFolder(t: Test): string {
  const folder = shortFolder(t)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  return folder
}

/** Connects to a socket. */
export function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Waits until a socket is closed, by whom and however. */
export function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** Sends text to a socket, and reads all that comes back, as lines of JSON. */
export async function exchange(path: string, sent: string): Promise<{ readonly [name: string]: unknown }[]> {
  const socket = await connected(path)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  socket.write(sent)
  await closed(socket)
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as { readonly [name: string]: unknown })
}
