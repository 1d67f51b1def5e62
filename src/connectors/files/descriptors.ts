import { write } from 'node:fs'
import { readlink, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { orMissing } from './missing.js'

const writeFd = promisify(write)

/** Most links from one to the next that are followed. */
const LINKS = 40

/** Path by which a descriptor of a process is called: a link that leads nowhere when it is a pipe or a socket. */
const DESCRIPTOR = /^(?:\/dev|\/proc\/(\d+|self|thread-self|\d+\/task\/\d+))\/fd\/(\d+)$/

/**
 * Finds out whether a path leads to an open descriptor, as `/dev/stdout` and `/proc/self/fd/1` do, and links to them.
 *
 * @returns `/dev/fd/1` and the like for a descriptor of this process, `/proc/1/fd/1` for one of another; `undefined` for
 * any other path
 */
export async function descriptorPath(file: string): Promise<string | undefined> {
  let at = file
  for (let links = 0; links < LINKS; links++) {
    const folder = await realpath(path.dirname(at)).catch(() => path.dirname(at))
    at = path.join(folder, path.basename(at))
    const [found, process = 'self', number = ''] = DESCRIPTOR.exec(at) ?? []
    if (found !== undefined) return isOurs(process) ? `/dev/fd/${number}` : at
    const target = await readlink(at).catch(() => undefined)
    if (target === undefined) return undefined
    at = path.resolve(folder, target)
  }
  return undefined
}

/** Number of a descriptor of this process, by its path from {@link descriptorPath}; `undefined` for any other path. */
export function descriptorOf(file: string): number | undefined {
  const number = /^\/dev\/fd\/(\d+)$/.exec(file)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** Whether a path is that of a descriptor: it is a link that is to be followed by the system. */
export function isDescriptor(file: string): boolean {
  return DESCRIPTOR.test(file)
}

/** What writes to a descriptor that is open already. It is not closed. */
export function writerTo(descriptor: number) {
  return {
    write: (bytes: Uint8Array, offset: number, length: number) => writeFd(descriptor, bytes, offset, length, null),
  }
}

/** Whether there is something at a path that keeps nothing of what is written to it, such as a pipe. */
export async function isStream(file: string): Promise<boolean> {
  return isDescriptor(file) || (await orMissing(stat(file)))?.isFile() === false
}

function isOurs(process: string): boolean {
  const id = String(globalThis.process.pid)
  return process === 'self' || process === 'thread-self' || process === id || process.startsWith(`${id}/`)
}
