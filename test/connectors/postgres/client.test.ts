import t from 'tap'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { resolveOptions } from '../../../src/base/options.js'
import { Secret } from '../../../src/base/secret.js'
import { PostgresConnection } from '../../../src/connectors/postgres/client.js'
import {
  POSTGRES_CONNECTION_OPTIONS,
  resolveConnection,
  type PostgresConnectionOptions,
} from '../../../src/connectors/postgres/connection-options.js'
import { databaseError, isRetryable } from '../../../src/connectors/postgres/errors.js'
import { failureClass } from '../../../src/core/failure-class.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const encrypted = await postgresServer(t, { tls: true })
const { skip } = postgres

function connection(options: PostgresConnectionOptions): PostgresConnection {
  const read = resolveOptions('Test', options, POSTGRES_CONNECTION_OPTIONS)
  return new PostgresConnection('Test', resolveConnection('Test', read))
}

const never = new AbortController().signal

/** Error of work, which must fail. */
async function failure(one: PostgresConnection, text: string, signal = never): Promise<unknown> {
  try {
    await one.withClient(signal, (client) => client.query(text))
  } catch (thrown) {
    return thrown
  }
  throw new Error('it did not fail')
}

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}

t.test('work has a connection of the pool, which is used again', { skip }, async (t) => {
  const { url, database } = await postgres.database(t)
  const one = connection({ url })
  t.equal(await one.open(), false)
  t.equal(await one.open(), true)
  t.match(one.where, database)
  const pid = () =>
    one.withClient(never, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      return rows[0]?.pid
    })
  const first = await pid()
  t.equal(await pid(), first)
  t.match(await failure(one, 'SELECT 1/0'), { code: '22012' })
  t.equal(await pid(), first, 'a statement that fails leaves it as it was')
  await failure(one, 'BEGIN; SELECT 1/0')
  t.not(await pid(), first, 'a transaction that is left open ends with its connection')
  await one.close()
  await one.close()
  await t.rejects(one.use(pid), { code: 'DATABAY_DATABASE', message: /not connected to 127/, retryable: true })
})

t.test('too many connections, and a pooler that refuses one, say what to do', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  const { url: theirs, user } = await postgres.login(t, url)
  await client.query(`alter role ${user} connection limit 0`)
  await t.rejects(connection({ url: theirs }).open(), {
    serverCode: '53300',
    retryable: true,
    message: /too many connections for role .*; each inlet and outlet has up to maxPoolSize connections of its own/,
  })
  const said: readonly (readonly [string, RegExp])[] = [
    ['unsupported startup parameter: options', /; a pooler takes no options in the url: set them for the user/],
    ['transaction blocks not allowed in statement pooling mode', /; transactions are needed: set its pool_mode/],
    ['no more connections allowed (max_client_conn)', /; each inlet and outlet has up to maxPoolSize/],
    ['invalid frontend message type', /type \(code 08P01\)$/],
  ]
  for (const [message, expected] of said) {
    const error = Object.assign(new Error(message), { code: '08P01', severity: 'FATAL' })
    t.match(databaseError('x', error).message, expected)
  }
})

t.test('an aborted statement is cancelled on the server, and its connection closed', { skip }, async (t) => {
  const { url, database, client } = await postgres.database(t)
  const one = connection({ url, applicationName: 'a test' })
  await one.open()
  t.teardown(() => one.close())
  const states = async () => {
    const text = "SELECT state FROM pg_stat_activity WHERE application_name = 'a test' AND datname = $1"
    return (await client.query<{ state: string }>(text, [database])).rows.map(({ state }) => state)
  }
  const stop = new AbortController()
  const working = failure(one, 'SELECT pg_sleep(600)', stop.signal)
  await waitFor(async () => (await states()).includes('active'))
  stop.abort(new Error('stop'))
  t.match(await working, { message: 'stop' })
  await waitFor(async () => (await states()).length === 0)
  t.match(await failure(one, 'SELECT 1', stop.signal), { message: 'stop' })
})

t.test('a statement is cancelled when the server says nothing for too long', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  const one = connection({ url, socketTimeout: 0.5 })
  await one.open()
  t.teardown(() => one.close())
  const error = one.toError('it', await failure(one, 'SELECT pg_sleep(600)'))
  t.match(error, { message: 'Test: it: no reply of the server for 0.5 s, the socketTimeout', retryable: true })
  await waitFor(async () => {
    const { rows } = await client.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%sleep(600)'")
    return rows.length === 0
  })
})

t.test('closing does not wait for a server that is gone', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const { url: through, proxy } = await postgres.proxied(t, url)
  const one = connection({ url: through })
  await one.open()
  proxy.rewriteSent = () => Buffer.alloc(0)
  const began = performance.now()
  await one.close()
  t.ok(performance.now() - began < 10_000)
})

t.test('a server that cannot be reached, or does not answer', async (t) => {
  const refused = connection({ host: '127.0.0.1', port: 1, database: 'shop' })
  const error: unknown = await refused.open().catch((thrown: unknown) => thrown)
  t.match(error, {
    code: 'DATABAY_DATABASE',
    message: 'Test: cannot connect to 127.0.0.1:1/shop: connect ECONNREFUSED 127.0.0.1:1',
    retryable: true,
  })
  t.equal(isRetryable(error), true)
  const silent = createServer()
  t.teardown(() => silent.close())
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  const { port } = silent.address() as { port: number }
  const waiting = connection({ host: '127.0.0.1', port, database: 'shop', connectTimeout: 0.2 })
  await t.rejects(waiting.open(), { message: /timeout/, retryable: true })
})

t.test('an error names the server that the environment names', async (t) => {
  const before = { ...process.env }
  t.teardown(() => (process.env = before))
  process.env = { ...before, PGHOST: '127.0.0.1', PGPORT: '1', PGDATABASE: 'shop' }
  await t.rejects(connection({}).open(), { message: /^Test: cannot connect to 127\.0\.0\.1:1\/shop: / })
})

t.test('a wrong password, and none, are errors that show neither it nor the right one', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const { url: own, user, password } = await postgres.login(t, url)
  const right = connection({ url, user, password: new Secret(password) })
  await right.open()
  await right.close()
  for (const given of [
    { url: own, password: new Secret('wrong one of mine') },
    { url: own.replace(password, 'wrongone') },
  ]) {
    const error = (await connection(given)
      .open()
      .catch((thrown: unknown) => thrown)) as Error
    t.match(error, { serverCode: '28P01', retryable: true })
    t.match(
      error.message,
      /^Test: cannot connect to 127.*: password authentication failed for user "user_\w+" \(code 28P01\)$/,
    )
    t.notMatch(inspect(error, { depth: 9, showHidden: true }), /wrong (one)|wrongone/)
    t.equal(isRetryable(error), false)
  }
  await t.rejects(connection({ url, user }).open(), {
    message: /the server asks for a password, and none is given/,
    retryable: true,
  })
})

t.test(
  'an encrypted connection to a server that is trusted, and to one that is not',
  { skip: encrypted.skip },
  async (t) => {
    const { tls } = encrypted
    if (tls === undefined) throw new Error('the server has no certificate')
    const isEncrypted = async (options: PostgresConnectionOptions) => {
      const one = connection(options)
      await one.open()
      try {
        return await one.withClient(never, async (client) => {
          const text = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
          return (await client.query<{ ssl: boolean }>(text)).rows[0]?.ssl
        })
      } finally {
        await one.close()
      }
    }
    t.equal(await isEncrypted({ url: tls.url }), false)
    t.equal(await isEncrypted({ url: tls.url, tls: { ca: tls.ca } }), true)
    t.equal(await isEncrypted({ url: `${tls.url}?sslmode=verify-full&sslrootcert=${tls.ca}` }), true)
    t.equal(await isEncrypted({ url: `${tls.url}?sslmode=no-verify` }), true)
    t.equal(await isEncrypted({ url: tls.url, tls: { verify: false } }), true)
    const untrusted: unknown = await isEncrypted({ url: `${tls.url}?sslmode=require` }).catch(
      (thrown: unknown) => thrown,
    )
    t.match(untrusted, {
      message: /self-signed certificate.*: its certificate is not trusted; name its authority by the option tls\.ca$/,
      retryable: true,
    })
    t.equal(isRetryable(untrusted), false)
    t.equal(failureClass(untrusted), 'unavailable')
    await t.rejects(isEncrypted({ url: tls.url, tls: { ca: tls.ca, serverName: 'elsewhere.test' } }), {
      message: /altnames.*: its certificate is for another name; is the host right\? Otherwise see .*tls\.serverName$/,
    })
    await t.rejects(isEncrypted({ url: tls.url, tls: { ca: '/no/such/file' } }), { code: 'DATABAY_FILE' })
    await t.rejects(isEncrypted({ url: postgres.url, tls: true }), { message: /does not support SSL/ })
  },
)

t.test('a statement is cancelled on an encrypted connection', { skip: encrypted.skip }, async (t) => {
  const { client } = await encrypted.database(t)
  const { tls } = encrypted
  if (tls === undefined) throw new Error('the server has no certificate')
  const one = connection({ url: tls.url, tls: { ca: tls.ca } })
  await one.open()
  t.teardown(() => one.close())
  const count = async () => {
    const { rows } = await client.query(
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%sleep(600)' AND state = 'active'",
    )
    return rows.length
  }
  const stop = new AbortController()
  const working = failure(one, 'SELECT pg_sleep(600)', stop.signal)
  await waitFor(async () => (await count()) === 1)
  stop.abort(new Error('stop'))
  t.match(await working, { message: 'stop' })
  await waitFor(async () => (await count()) === 0)
})

t.test('a server that restarts is connected to again', { skip }, async (t) => {
  if (postgres.restart === undefined) return
  const { url } = await postgres.database(t)
  const one = connection({ url })
  await one.open()
  t.teardown(() => one.close())
  const working = failure(one, 'SELECT pg_sleep(600)')
  await postgres.restart()
  t.equal(isRetryable(await working), true)
  const { rows } = await one.withClient(never, (client) => client.query('SELECT 1 AS one'))
  t.same(rows, [{ one: 1 }])
})
