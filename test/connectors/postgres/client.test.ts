import t, { type Test } from 'tap'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { resolveOptions } from '../../../src/base/options.js'
import { PostgresConnection } from '../../../src/connectors/postgres/client.js'
import {
  POSTGRES_CONNECTION_OPTIONS,
  resolveConnection,
  type PostgresConnectionOptions,
} from '../../../src/connectors/postgres/connection-options.js'

const url = 'postgres://postgres@127.0.0.1:54321/postgres'

function connection(options: PostgresConnectionOptions): PostgresConnection {
  const read = resolveOptions('Test', options, POSTGRES_CONNECTION_OPTIONS)
  return new PostgresConnection('Test', resolveConnection('Test', read))
}

t.test('work has a connection of the pool, which is used again', async (t) => {
  const one = connection({ url })
  t.equal(await one.open(), false)
  t.equal(await one.open(), true)
  const { signal } = new AbortController()
  const pid = () =>
    one.withClient(signal, async (client) => {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      return rows[0]?.pid
    })
  t.equal(await pid(), await pid())
  await t.rejects(
    one.withClient(signal, async (client) => client.query('BEGIN; SELECT 1/0')),
    { code: '22012' },
  )
  t.ok(await pid())
  await one.close()
  await one.close()
  await t.rejects(one.use(pid), { code: 'DATABAY_DATABASE', message: /not connected to 127.0.0.1:54321\/postgres/ })
})

t.test('an aborted statement is cancelled on the server', async (t) => {
  const name = `test_${randomBytes(6).toString('hex')}`
  const one = connection({ url, applicationName: name })
  await one.open()
  t.teardown(() => one.close())
  const stop = new AbortController()
  const working = one.withClient(stop.signal, (client) => client.query('SELECT pg_sleep(600)'))
  await waitFor(async () => (await running(t, name)) === 1)
  stop.abort(new Error('stop'))
  await t.rejects(working, { message: 'stop' })
  await waitFor(async () => (await running(t, name)) === 0)
})

t.test('a server that says nothing for too long', async (t) => {
  const one = connection({ url, socketTimeout: 0.2 })
  await one.open()
  t.teardown(() => one.close())
  const { signal } = new AbortController()
  const error = await one
    .withClient(signal, (client) => client.query('SELECT pg_sleep(600)'))
    .then(
      () => undefined,
      (thrown: unknown) => one.toError('it', thrown),
    )
  t.match(error, { message: /no reply of the server for 0.2 s, the socketTimeout/, retryable: true })
})

async function running(_t: Test, name: string): Promise<number> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const text = "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'"
    return (await client.query(text, [name])).rows.length
  } finally {
    await client.end()
  }
}

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
