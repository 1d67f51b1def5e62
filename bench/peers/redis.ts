import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'

export interface Redis {
  readonly url: string
  close(): Promise<void>
}

/** Time that a given Redis may take to answer, in milliseconds: BullMQ itself would try for ever. */
const ANSWER = 3000

/**
 * Opens the Redis at `REDIS_URL`, or starts one that keeps nothing, on a free port of this machine.
 *
 * @returns `undefined` when there is no Redis
 * @throws when `REDIS_URL` is given, and no Redis answers there
 */
export async function openRedis(): Promise<Redis | undefined> {
  const given = process.env['REDIS_URL']
  if (given !== undefined) {
    await checkThere(given)
    return { url: given, close: () => Promise.resolve() }
  }
  const port = await freePort()
  const keepNothing = ['--save', '', '--appendonly', 'no', '--dir', tmpdir()]
  const server = spawn('redis-server', ['--bind', '127.0.0.1', '--port', `${port}`, ...keepNothing], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => {
    server.once('error', () => {
      resolve() // it is not installed
    })
    server.once('exit', () => {
      resolve()
    })
  })
  const ready = new Promise<boolean>((resolve) => {
    createInterface({ input: server.stdout }).on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve(true)
    })
  })
  if (!(await Promise.race([ready, ended.then(() => false)]))) return undefined
  return {
    url: `redis://127.0.0.1:${port}`,
    async close() {
      server.kill()
      await ended
    },
  }
}

async function checkThere(url: string): Promise<void> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'redis:') {
    throw new Error('REDIS_URL must be like redis://127.0.0.1:6379') // the URL itself may hold a password
  }
  const { hostname: host, port } = new URL(url)
  const socket = connect({ host, port: Number(port || 6379) })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER) })
  } catch (cause) {
    throw new Error(`REDIS_URL: there is no Redis at ${host}:${port || 6379}`, { cause })
  } finally {
    socket.destroy()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('there is no free port')
  return address.port
}
