import { chmodSync, linkSync, lstatSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import type { Server } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { toError } from '../../base/errors.js'
import { ControlError, PlaceTakenError } from './errors.js'
import { listens, LONGEST_PATH, shortPath } from './socket-path.js'

/** Most tries to put a socket in the place of one whose process is gone: another process may do the same. */
const MOST_TRIES = 5

/**
 * Has a server listen at a path, at which only this user can connect. A socket that was left there by a process that is
 * gone makes room.
 *
 * The socket is made in a folder that nobody else can enter, and linked to its path when its permissions are right: nobody
 * can connect in between, and two processes cannot both get the path.
 *
 * @returns a function that removes the socket
 * @throws {@link PlaceTakenError} when something else is there, or another process listens there
 * @throws {@link ControlError} when the path is too long, or cannot be written
 */
export async function publish(server: Server, path: string): Promise<() => void> {
  const short = shortPath(path)
  // the path in the folder is hardly longer than a usual one
  const folder = makeFolder(dirname(short), path)
  try {
    const made = join(folder, 's')
    const bytes = Math.max(Buffer.byteLength(short), Buffer.byteLength(made))
    if (bytes > LONGEST_PATH) {
      const most = LONGEST_PATH - (bytes - Buffer.byteLength(short))
      throw new ControlError(
        `${path}: the path of a socket may have ${most} bytes, this one has ${Buffer.byteLength(short)}: name a shorter one`,
      )
    }
    await listen(server, made, path)
    chmodSync(made, 0o600)
    await claim(path, folder, () => {
      put(made, path)
    })
    return removerOf(path)
  } catch (error) {
    await unlisten(server)
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Links to a socket, so that it can be found.
 *
 * @returns a function that removes the link
 * @throws {@link PlaceTakenError} when something is there that is in use
 */
export async function linkTo(socket: string, path: string): Promise<() => void> {
  const folder = mkdtempSync(join(dirname(path), '.c'))
  try {
    await claim(path, folder, () => {
      symlinkSync(resolve(socket), path)
    })
    return removerOf(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Removes a socket, or a link to one, that nobody listens at any more. */
export async function removeGone(path: string): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), '.c'))
  try {
    await makeRoom(path, join(folder, 'old'))
  } catch (error) {
    if (!(error instanceof PlaceTakenError)) throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes a function that removes what is at a path now, and nothing that came there later. */
function removerOf(path: string): () => void {
  const absolute = resolve(path)
  const { ino } = lstatSync(absolute)
  return () => {
    if (lstatSync(absolute, { throwIfNoEntry: false })?.ino === ino) rmSync(absolute, { force: true })
  }
}

/**
 * Puts a file at a path, when nothing is there or a socket that nobody listens at.
 *
 * @param folder - folder of this process, to which what is there is moved
 * @param put - puts the file; fails with EEXIST when something is there
 */
async function claim(path: string, folder: string, put: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      put()
      return
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      if (tries === MOST_TRIES) throw new PlaceTakenError(`${path}: other processes use it`)
    }
    await makeRoom(path, join(folder, 'old'))
  }
}

/** Moves a socket away that nobody listens at. */
async function makeRoom(path: string, aside: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false })
  if (before === undefined) return
  if (!before.isSocket() && !before.isSymbolicLink())
    throw new PlaceTakenError(`${path}: something else is there, no socket`)
  const listening = await listens(path)
  if (listening === 'yes') throw new PlaceTakenError(`${path}: another process is steered by this socket`)
  // a link to where this process cannot look may be that of another container
  if (listening === 'unknown' || (listening === 'missing' && before.isSymbolicLink()))
    throw new PlaceTakenError(`${path}: what is there cannot be reached`)
  if (listening === 'missing') return
  try {
    renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return // another process was faster
    throw error
  }
  // another process may have put its own there meanwhile
  if (lstatSync(aside).ino !== before.ino) renameSync(aside, path)
}

function put(made: string, path: string): void {
  try {
    linkSync(made, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error
    // a file system without hard links
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' })
    renameSync(made, path)
  }
}

function makeFolder(parent: string, path: string): string {
  try {
    return mkdtempSync(join(parent === '' ? '.' : parent, '.c'))
  } catch (cause) {
    throw new ControlError(`${path}: the socket cannot be made: ${toError(cause).message}`, { cause })
  }
}

function listen(server: Server, made: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) => {
      reject(new ControlError(`${path}: the socket cannot be made: ${cause.message}`, { cause }))
    }
    server.once('error', onError)
    server.listen({ path: made, exclusive: true }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

/** Has a server listen no more, so that it can listen elsewhere. */
function unlisten(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
  })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
