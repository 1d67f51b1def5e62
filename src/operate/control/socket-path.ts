import { connect } from 'node:net'
import { relative, resolve } from 'node:path'
import process from 'node:process'

/** Name of the socket in the folder of a store. */
export const SOCKET_NAME = 'control.sock'

/** Most bytes of the path of a socket: a field of the system has room for one more. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/** Time after which a socket that accepts no connection counts as one whose process is busy, in milliseconds. */
const PATIENCE = 2000

/** The shorter way to a socket: its path, or that from the working folder. */
export function shortPath(path: string): string {
  const absolute = resolve(path)
  const fromHere = relative(process.cwd(), absolute)
  return Buffer.byteLength(fromHere) < Buffer.byteLength(absolute) ? fromHere : absolute
}

/** Whether a process listens at a socket: `gone` when the file is a socket that nobody listens at, `missing` without one. */
export type Listening = 'yes' | 'gone' | 'missing' | 'unknown'

/** What errors of a connection say. */
const LISTENING: { readonly [code: string]: Listening } = {
  ECONNREFUSED: 'gone',
  ENOENT: 'missing',
  // so many wait for it already that there is no room for one more
  EAGAIN: 'yes',
}

/** Looks whether a process listens at a socket. */
export function listens(path: string): Promise<Listening> {
  return new Promise((found) => {
    const socket = connect(shortPath(path))
    const timer = setTimeout(() => {
      end('yes')
    }, PATIENCE)
    const end = (listening: Listening) => {
      clearTimeout(timer)
      socket.destroy()
      found(listening)
    }
    socket.once('connect', () => {
      end('yes')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(LISTENING[error.code ?? ''] ?? 'unknown')
    })
  })
}
