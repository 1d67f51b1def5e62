import { spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { firstLine } from './children.js'
import { postgresServer } from './postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

const rows = async (client: pg.Client, sql: string): Promise<unknown[]> =>
  (await client.query<Record<string, unknown>>(sql)).rows

t.test('a database for a test, and its drop', { skip }, async (t) => {
  let name = ''
  await t.test('made', async (t) => {
    const { client, database } = await postgres.database(t)
    name = database
    await client.query('create table orders (id bigint primary key)')
    t.strictSame(await rows(client, 'select current_database() as name'), [{ name }])
  })
  const { client } = await postgres.database(t)
  t.strictSame(await rows(client, `select 1 from pg_database where datname = '${name}'`), [])
})

t.test(
  'a login with a password',
  { skip: skip || (postgres.restart === undefined && 'a server of others') },
  async (t) => {
    const { url } = await postgres.database(t)
    const login = await postgres.login(t, url)
    const right = new pg.Client({ connectionString: login.url })
    await right.connect()
    await right.query('create table mine (id int)')
    await right.end()
    const wrong = new pg.Client({ connectionString: login.url.replace(login.password, 'wrong') })
    await t.rejects(wrong.connect(), { code: '28P01' })
  },
)

t.test(
  'a restart keeps the port and what was committed',
  { skip: skip || postgres.restart === undefined },
  async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query('create table orders (id bigint primary key); insert into orders values (1)')
    await postgres.restart?.()
    await t.rejects(client.query('select 1'))
    const next = new pg.Client({ connectionString: url })
    await next.connect()
    t.strictSame(await rows(next, 'select id from orders'), [{ id: '1' }])
    await next.end()
  },
)

t.test('a connection that is cut on its way', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const through = await postgres.proxied(t, url)
  const client = new pg.Client({ connectionString: through.url })
  client.on('error', () => {})
  await client.connect()
  through.proxy.judge = () => 'cut'
  await t.rejects(client.query('select 1'))
})

t.test('a server ends, and leaves nothing, when the process that started it is killed', { skip }, async (t) => {
  const helper = new URL('postgres.ts', import.meta.url).href
  const owner = '{ teardown() {}, comment() {} }'
  const program = `import { postgresServer } from '${helper}'; console.log((await postgresServer(${owner}, { tls: true })).url)`
  const loader = new URL('../loader/register.js', import.meta.url).href
  const args = [`--import=${loader}`, '--input-type=module', '-e', `${program}; setInterval(() => {}, 1000)`]
  const folder = t.testdir({})
  chmodSync(folder, 0o755)
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  t.teardown(() => child.kill('SIGKILL'))
  const url = await firstLine(child, 60_000)
  const left = () => readdirSync(folder).filter((name) => /^databay-postgres-\w{6}$/.test(name))
  t.equal(left().length, 1)
  child.kill('SIGKILL')
  for (let tries = 0; tries < 500 && left().length > 0; tries++) await delay(20)
  t.strictSame(left(), [])
  await t.rejects(new pg.Client({ connectionString: url }).connect(), { code: 'ECONNREFUSED' })
})

t.test('TLS', { skip }, async (t) => {
  const { tls, skip } = await postgresServer(t, { tls: true })
  if (skip !== false || tls === undefined) return
  const { hostname: host, port } = new URL(tls.url)
  const options = { host, port: Number(port), user: 'postgres', database: 'postgres' }
  const client = new pg.Client({ ...options, ssl: { ca: readFileSync(tls.ca) } })
  await client.connect()
  t.strictSame(await rows(client, 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'), [{ ssl: true }])
  await client.end()
  await t.rejects(new pg.Client({ ...options, ssl: {} }).connect(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})
