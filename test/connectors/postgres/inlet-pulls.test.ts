/** Pulls that overlap, break or begin with something odd. */
import t, { type Test } from 'tap'
import type { Cursor } from '../../../src/core/cursor.js'
import { PostgresInlet, Update, type PostgresInletOptions } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

let number = 0
const nextUpdate = () => new Update(['pulls'], number++)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

async function things(t: Test, rows: number) {
  const { url, client, database } = await postgres.database(t)
  await client.query('CREATE TABLE things (id int PRIMARY KEY)')
  await client.query('INSERT INTO things SELECT generate_series(1, $1::int)', [rows])
  const make = (options: Partial<PostgresInletOptions> = {}) =>
    new PostgresInlet<{ id: number }>({ url, table: 'things', batchSize: 10, limit: Infinity, ...options })
  const start = async (options?: Partial<PostgresInletOptions>, state?: unknown) => {
    const inlet = make(options)
    inlet.restoreState(state)
    await inlet.onStart()
    t.teardown(() => inlet.onShutdown())
    return inlet
  }
  const pull = async (inlet: PostgresInlet<{ id: number }>, update = nextUpdate()) =>
    (await pulledBy(inlet, update)).map(({ id }) => id)
  return { client, database, start, pull }
}

t.test('a stream that is left while its next list waits for its turn opens nothing more', { skip }, async (t) => {
  const { client, database, start } = await things(t, 100)
  const inlet = await start({ cursorColumn: 'id' })
  const states = async () => {
    const text = 'SELECT state FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()'
    return (await client.query<{ state: string }>(text, [database])).rows.map(({ state }) => state)
  }
  const stream = (await inlet.pull(nextUpdate())) as AsyncIterableIterator<unknown[]>
  await stream.next()
  const other = inlet.pull(nextUpdate())
  const next = stream.next()
  await stream.return?.()
  const pulled = (await other) as AsyncIterableIterator<unknown[]>
  await pulled.return?.()
  t.same(await next, { done: true, value: undefined })
  await inlet.pull(nextUpdate()).then((last) => (last as AsyncIterableIterator<unknown[]>).return?.())
  let left = await states()
  for (let looks = 0; looks < 200 && left.some((state) => state !== 'idle'); looks++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    left = await states()
  }
  t.notOk(left.includes('idle in transaction'), 'no transaction is left')
})

t.test('a state with a position, where there is no cursorColumn any more', { skip }, async (t) => {
  const { start, pull } = await things(t, 30)
  const before = await start({ cursorColumn: 'id', limit: 10 })
  t.same(await pull(before), range(1, 10))
  const inlet = await start({}, structuredClone(before.saveState()))
  t.same(await pull(inlet), range(1, 30), 'each row once')
  t.equal(inlet.saveState(), undefined)
})

t.test('what another inlet has kept as its cursor is an error', { skip }, async (t) => {
  const { start } = await things(t, 3)
  const inlet = await start({ cursorColumn: 'id' })
  for (const value of ['x', '{"position":7}', { key: 'a' }, 7]) {
    const cursor: Cursor = { durable: true, value, advance: () => t.fail('it was advanced') }
    await t.rejects(inlet.pull(nextUpdate(), cursor), {
      code: 'DATABAY_DATABASE',
      message: 'PostgresInlet: the kept cursor is none of a PostgresInlet',
    })
  }
})

t.test('a pull that reads nothing leaves the cursor as it is', { skip }, async (t) => {
  captureLogs(t)
  const { start } = await things(t, 3)
  const inlet = await start({ cursorColumn: 'id', startAfter: 3 })
  const cursor: Cursor = { durable: true, value: undefined, advance: () => t.fail('it was advanced') }
  t.same(await inlet.pull(nextUpdate(), cursor), [])
})
