import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Test } from 'tap'
import { end, freePort } from './children.js'
import { FrameProxy } from './frame-proxy.js'
import { dataTemplate, postgresPrograms, run, serverUser, type ServerUser } from './postgres-programs.js'
import { makeCertificate } from './servers.js'
import { TcpProxy } from './tcp-proxy.js'

/** What a server needs of a test: servers end with it. */
export type Owner = Pick<Test, 'teardown' | 'comment'>

/** A PostgreSQL server. */
interface Server {
  /** `DATABASE_URL`, or `postgres` for a server of these tests. */
  readonly kind: string
  /** URL of a superuser. */
  readonly url: string
  /** Stops the server as a crash does, and starts it again on the same port. */
  readonly restart?: () => Promise<void>
  /** Stops the server as a crash does; `restart` starts it again. */
  readonly stop?: () => Promise<void>
  /** Path of the certificate that signs itself, and the URL whose host it names. */
  readonly tls?: { readonly ca: string; readonly url: string }
}

/** Options of `postgresServer`. */
export interface PostgresServerOptions {
  /** Whether the server offers TLS. Such a server is one of its own, whatever `DATABASE_URL` says. */
  readonly tls?: boolean
}

async function started(t: Owner, programs: string, tls: boolean): Promise<Server> {
  const user = serverUser()
  const folder = mkdtempSync(path.join(tmpdir(), 'databay-postgres-'))
  const data = path.join(folder, 'data')
  let child: ChildProcess | undefined
  t.teardown(async () => {
    if (child !== undefined) await end(child)
    rmSync(folder, { recursive: true, force: true })
  })
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  run('cp', ['-Rp', dataTemplate(programs, user), data])
  const ca = tls ? certify(folder, data, user) : undefined
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const start = async () => {
    const args = ['-D', data, '-p', String(port), ...(ca === undefined ? [] : ['-c', 'ssl=on'])]
    child = await running(path.join(programs, 'postgres'), args, url, folder, user)
  }
  const stop = async () => {
    child?.stdin?.write('keep\n')
    if (child !== undefined) await end(child)
    child = undefined
  }
  await start()
  const restart = async () => {
    await stop()
    await start()
  }
  const named = `postgres://postgres@localhost:${port}/postgres`
  return { kind: 'postgres', url, stop, restart, ...(ca !== undefined && { tls: { ca, url: named } }) }
}

/** Starts the server, and waits until it takes connections. */
async function running(
  command: string,
  args: readonly string[],
  url: string,
  folder: string,
  user: ServerUser | undefined,
): Promise<ChildProcess> {
  const guard = fileURLToPath(new URL('../mongo-server/guard.js', import.meta.url))
  const env = {
    ...process.env,
    LC_ALL: 'C',
    GUARD_SIGNAL: 'SIGQUIT',
    GUARD_FOLDER: folder,
    ...(user !== undefined && { GUARD_USER: `${user.uid}:${user.gid}` }),
  }
  const child = spawn(process.execPath, [guard, command, ...args], { stdio: ['pipe', 'ignore', 'pipe'], cwd: '/', env })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-2000)
  })
  for (const from = Date.now(); Date.now() - from < 60_000;) {
    if (child.exitCode !== null) throw new Error(`postgres ended: ${said}`)
    try {
      await connected(url, async () => {})
      return child
    } catch {
      await delay(20)
    }
  }
  await end(child)
  throw new Error(`postgres took no connection within 60 s: ${said}`)
}

/** Makes a certificate for the server; gives the path of what clients have to trust. */
function certify(folder: string, data: string, user: ServerUser | undefined): string {
  const identity = makeCertificate(folder)
  if (identity === undefined) throw new Error('openssl is missing')
  for (const [from, to] of [
    [identity.file, 'server.crt'],
    [identity.file.replace(/crt$/, 'key'), 'server.key'],
  ] as const) {
    const file = path.join(data, to)
    copyFileSync(from, file)
    if (user !== undefined) chownSync(file, user.uid, user.gid)
  }
  return identity.file
}

/** Connects, does some work, and disconnects. */
async function connected<R>(url: string, work: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // the server may be restarted
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/**
 * Starts a PostgreSQL server for the tests of a file. Give `skip` to each test: it is the reason where there is none.
 *
 * ```ts
 * const postgres = await postgresServer(t)
 * t.test('rows are stored', { skip: postgres.skip }, async (t) => {
 *   const { url, client } = await postgres.database(t)
 *   await client.query('create table orders (id bigint primary key)')
 * })
 * ```
 */
export async function postgresServer(t: Owner, { tls = false }: PostgresServerOptions = {}) {
  const given = tls ? undefined : process.env['DATABASE_URL'] || undefined
  const programs = given === undefined ? postgresPrograms() : undefined
  let server: Server | undefined
  if (given !== undefined) server = { kind: 'DATABASE_URL', url: given }
  else if (programs !== undefined) server = await started(t, programs, tls)
  const skip: string | false =
    server === undefined ? 'no PostgreSQL: set DATABASE_URL, or install PostgreSQL (postgres and initdb)' : false
  const { kind, url, ...rest } = server ?? { kind: 'none', url: 'postgres://postgres@127.0.0.1:1/postgres' }
  const admin = (sql: string) => connected(url, (client) => client.query(sql))

  /** Makes a database for one test, which is dropped when the test ends, with a client that is connected to it. */
  const database = async (t: Owner): Promise<{ url: string; database: string; client: pg.Client }> => {
    const name = `test_${randomBytes(6).toString('hex')}`
    await admin(`create database ${name}`)
    const own = new URL(url)
    own.pathname = name
    const client = new pg.Client({ connectionString: own.href })
    client.on('error', () => {}) // the server may be restarted
    t.teardown(async () => {
      await client.end().catch(() => {})
      await admin(`drop database ${name} with (force)`)
    })
    await client.connect()
    return { url: own.href, database: name, client }
  }

  /** Makes a user with a password who may make tables in a database that `database` made; gives the URL with both. */
  const login = async (t: Owner, databaseUrl: string): Promise<{ url: string; user: string; password: string }> => {
    const user = `user_${randomBytes(6).toString('hex')}`
    const password = randomBytes(12).toString('hex')
    await admin(`create role ${user} login password '${password}'`)
    await connected(databaseUrl, (client) => client.query(`grant all on schema public to ${user}`))
    t.teardown(async () => {
      // a database that is dropped already takes what the user owns with it
      await connected(databaseUrl, (client) => client.query(`drop owned by ${user}`)).catch(() => {})
      await admin(`drop role ${user}`)
    })
    return { url: withLogin(databaseUrl, user, password), user, password }
  }

  const { hostname, port } = new URL(url)
  const address = [hostname, Number(port || 5432)] as const
  /** Starts a proxy before the server, which can cut connections; gives it with the URL of a database through it. */
  const proxied = async (t: Owner, databaseUrl = url): Promise<{ url: string; proxy: TcpProxy }> => {
    const proxy = await TcpProxy.start(t, ...address)
    return { url: withPort(databaseUrl, proxy.port), proxy }
  }

  /** Starts a proxy before the server, which can break connections at each message; gives it with the URL through it. */
  const framed = async (t: Owner, databaseUrl = url): Promise<{ url: string; proxy: FrameProxy }> => {
    const proxy = await FrameProxy.start(t, ...address)
    return { url: withPort(databaseUrl, proxy.port), proxy }
  }
  return { kind, url, skip, database, login, proxied, framed, ...rest }
}

/** The URL of a database by way of a port of loopback. */
function withPort(url: string, port: number): string {
  const through = new URL(url)
  through.host = `127.0.0.1:${port}`
  return through.href
}

function withLogin(url: string, user: string, password: string): string {
  const own = new URL(url)
  own.username = user
  own.password = password
  return own.href
}
