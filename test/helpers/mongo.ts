import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MongoClient, type Db } from 'mongodb'
import type { Test } from 'tap'
import { build, has } from '../mongo-server/build.js'
import { end, firstLine, freePort } from './children.js'
import { TcpProxy } from './tcp-proxy.js'

/** A server that speaks the protocol of MongoDB. */
export interface MongoServer {
  /** Kind of the server, such as `mongod` or `FerretDB`. */
  readonly kind: string
  readonly url: string
}

/** Starts a server that ends with the test; gives `undefined` where that is not possible. */
type Source = (t: Test) => Promise<MongoServer | undefined>

/** Sources of a server, in the order in which they are tried. */
const SOURCES: readonly Source[] = [given, mongod, ferretDb, downloaded]

async function given(): Promise<MongoServer | undefined> {
  const url = process.env['MONGODB_URL']
  return url === undefined || url === '' ? undefined : { kind: 'MONGODB_URL', url }
}

async function mongod(t: Test): Promise<MongoServer | undefined> {
  if (!has('mongod', '--version')) return undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'databay-mongod-'))
  const port = await freePort()
  const args = ['--dbpath', folder, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet']
  const guard = fileURLToPath(new URL('../mongo-server/guard.js', import.meta.url))
  const child = spawn(process.execPath, [guard, 'mongod', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, GUARD_FOLDER: folder },
  })
  t.teardown(async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  })
  return { kind: 'mongod', url: `mongodb://127.0.0.1:${port}/` }
}

/** Starts FerretDB, which the Go program in test/mongo-server embeds. */
async function ferretDb(t: Test): Promise<MongoServer | undefined> {
  const file = await build((text) => {
    t.comment(text)
  })
  if (file === undefined) return undefined
  const child = spawn(file, [], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.teardown(() => end(child))
  return { kind: 'FerretDB', url: await firstLine(child) }
}

/** Starts the `mongod` that mongodb-memory-server downloads. */
async function downloaded(t: Test): Promise<MongoServer | undefined> {
  try {
    const { MongoMemoryServer } = await import('mongodb-memory-server-core')
    const server = await MongoMemoryServer.create({ instance: { ip: '127.0.0.1' } })
    t.teardown(async () => {
      await server.stop()
    })
    return { kind: 'mongodb-memory-server', url: server.getUri() }
  } catch (error) {
    t.comment(`mongodb-memory-server: ${String(error)}`)
    return undefined
  }
}

/**
 * Starts a server for the tests of a file. Give `skip` to each test: it is the reason where there is no server.
 *
 * ```ts
 * const mongo = await mongoServer(t)
 * t.test('documents are stored', { skip: mongo.skip }, async (t) => {
 *   const { url, database, db } = await mongo.database(t)
 * })
 * ```
 */
export async function mongoServer(t: Test) {
  let server: MongoServer | undefined
  for (const source of SOURCES) server ??= await source(t)
  const skip: string | false =
    server === undefined ? 'no MongoDB: set MONGODB_URL, or have mongod or go on the PATH' : false
  const { kind, url } = server ?? { kind: 'none', url: '' }
  const client = new MongoClient(url === '' ? 'mongodb://127.0.0.1:1/' : url)
  t.teardown(() => client.close())
  /** Makes a database for one test, which is dropped when the test ends. */
  const database = async (t: Test): Promise<{ url: string; database: string; db: Db }> => {
    const name = `test_${randomBytes(6).toString('hex')}`
    await client.connect()
    const db = client.db(name)
    t.teardown(() => db.dropDatabase())
    return { url, database: name, db }
  }
  /** Starts a proxy before the server, which can cut connections; gives it with its URL. */
  const proxied = async (t: Test): Promise<{ url: string; proxy: TcpProxy }> => {
    const { hostname, port } = new URL(url)
    const proxy = await TcpProxy.start(t, hostname, Number(port || 27017))
    const through = new URL(url)
    through.host = `127.0.0.1:${proxy.port}`
    // a replica set would name its own addresses
    through.searchParams.set('directConnection', 'true')
    return { url: through.href, proxy }
  }
  return { kind, url, skip, database, proxied }
}

/** Whether bytes that a client sends begin a command that writes. */
export function isWrite(piece: Buffer): boolean {
  // before its name: 16 bytes of header, 4 of flags, 1 of kind, 4 of the document's size, 1 of the field's type
  return ['insert', 'update'].some((command) => piece.subarray(26, 26 + command.length).equals(Buffer.from(command)))
}
