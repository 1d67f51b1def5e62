import { once } from 'node:events'
import { rm, stat } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getLogger } from '../../base/log.js'
import { toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { realTarget } from './real-target.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')
const net = lazy<typeof import('node:net')>('node:net')

/** Most characters that are read of what an owner says of itself. */
const LONGEST = 500

/** Time in which an owner must say who it is, in milliseconds. */
const PATIENCE = 1000

/** Number of tries to take a claim whose owner is just going away. */
const TRIES = 5

/**
 * Claim to be the only one, of all threads and processes of a machine, that uses a file. It is a socket that listens
 * under a name made of the file, and tells who asks whose it is. So the system ends the claim with its thread or
 * process, however that ends, and there is nothing left to clean up.
 */
export class Claim {
  readonly #server: Server | undefined

  private constructor(server: Server | undefined) {
    this.#server = server
  }

  /**
   * Claims a file, which need not exist; its folder does.
   *
   * @param owner - what others are told
   * @returns what the owner of the file says of itself, when there is one
   */
  static async take(file: string, owner: string): Promise<Claim | string> {
    const address = await addressOf(file)
    for (let attempt = 1; ; attempt++) {
      const server = net().createServer((socket) => {
        socket.on('error', () => undefined)
        socket.end(owner)
      })
      try {
        // in a process of node:cluster, it would share the name with its siblings otherwise
        server.listen({ path: address, exclusive: true })
        await once(server, 'listening')
        server.unref()
        return new Claim(server)
      } catch (thrown) {
        const error = toError(thrown)
        if (!('code' in error) || error.code !== 'EADDRINUSE') {
          getLogger('databay.files').debug({ err: error }, 'cannot claim %s: nobody is kept from using it', file)
          return new Claim(undefined)
        }
      }
      const other = await ask(address)
      if (other !== undefined || attempt === TRIES) return other ?? 'another one'
      // where names of sockets are files, they stay when their process is killed
      if (path.isAbsolute(address)) await rm(address, { force: true })
    }
  }

  /** Whether others can see it: `false` where claims cannot be made. */
  get isTaken(): boolean {
    return this.#server !== undefined
  }

  /** Ends the claim. */
  async release(): Promise<void> {
    const server = this.#server
    if (server?.listening !== true) return
    server.close()
    await once(server, 'close')
  }
}

/** Name of the socket of a file: the same for every path that leads to the file. */
async function addressOf(file: string): Promise<string> {
  const real = await realTarget(path.resolve(file))
  // a folder that is made after another one was removed may get its inode, but not the time at which it was made
  const { dev, ino, birthtimeNs } = await stat(path.dirname(real), { bigint: true })
  const name = crypto()
    .createHash('sha256')
    .update(`${dev}:${ino}:${birthtimeNs}:${path.basename(real)}`)
    .digest('hex')
    .slice(0, 40)
  if (process.platform === 'linux') return `\0databay-${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\databay-${name}` : path.join(tmpdir(), `databay-${name}`)
}

/** What the owner of a name says of itself; `undefined` when there is none any more. */
async function ask(address: string): Promise<string | undefined> {
  const socket = net().connect(address)
  let text = ''
  socket.setEncoding('utf8').setTimeout(PATIENCE, () => socket.destroy())
  socket.on('data', (part: Buffer | string) => {
    text = `${text}${String(part)}`.slice(0, LONGEST)
  })
  return (await isReached(socket)) ? text || 'another one' : undefined
}

async function isReached(socket: Socket): Promise<boolean> {
  try {
    await once(socket, 'connect')
  } catch {
    return false
  }
  if (!socket.closed) await once(socket, 'close').catch(() => undefined)
  return true
}
