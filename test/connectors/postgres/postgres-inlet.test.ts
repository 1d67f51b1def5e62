import t, { type Test } from 'tap'
import type pg from 'pg'
import { PostgresInlet, Update, type PostgresInletOptions } from '../../../src/index.js'
import { secretText } from '../../../src/base/secret.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

let number = 0
const nextUpdate = () => new Update(['from_postgres'], number++)

/** Starts an inlet that reads a database of its own. */
async function started<T = { id: number }>(t: Test, url: string, options: PostgresInletOptions) {
  const inlet = new PostgresInlet<T>({ url, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return inlet
}

/** All rows of a pull, and how many lists they came in. */
async function all<T>(inlet: PostgresInlet<T>, update = nextUpdate(), delivered = true) {
  const pulled = await inlet.pull(update)
  const lists: T[][] = []
  if (Array.isArray(pulled)) lists.push(pulled)
  else for await (const list of pulled as AsyncIterable<T[]>) lists.push(list)
  inlet.onTransferEnd(update, delivered)
  return { rows: lists.flat(), lists: lists.length }
}

const ids = ({ rows }: { rows: readonly unknown[] }) => rows.map((row) => (row as { id: number }).id)

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

async function rowsOf(client: pg.Client, from: number, to: number): Promise<void> {
  await client.query('INSERT INTO things (id, name) SELECT n, $3 || n FROM generate_series($1::int, $2::int) n', [
    from,
    to,
    'thing ',
  ])
}

const TABLE = 'CREATE TABLE things (id bigint PRIMARY KEY, name text)'

t.test('a table is read whole at each transfer, list by list', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(TABLE)
  await rowsOf(client, 1, 100)
  const inlet = await started(t, url, { table: 'things', batchSize: 30 })
  t.equal(inlet.hasCursor, false)
  t.equal(String(inlet), 'PostgresInlet(things)')
  for (let again = 0; again < 2; again++) {
    const read = await all(inlet)
    t.same(ids(read), range(1, 100))
    t.equal(read.lists, 4)
  }
  const few = await started(t, url, {
    table: 'things',
    limit: 3,
    where: 'id > $1 -- more',
    parameters: [90],
    columns: ['id'],
  })
  t.same((await all(few)).rows, [{ id: 91 }, { id: 92 }, { id: 93 }])
})

t.test('parameters that have no value are refused, and a secret is sent as what it hides', { skip }, async (t) => {
  const query = 'SELECT $1::text AS text'
  for (const bad of [undefined, () => 1, Symbol('a'), new Map(), new Date(Number.NaN), [1, [undefined]]]) {
    const make = () => new PostgresInlet({ query, parameters: ['a', bad] })
    t.throws(make, { code: 'DATABAY_INVALID_OPTION', message: /PostgresInlet\.parameters\[1\]/ })
  }
  const { url } = await postgres.database(t)
  const inlet = await started(t, url, { query, parameters: [secretText`hidden`] })
  t.same((await all(inlet)).rows, [{ text: 'hidden' }])
})

t.test('a query is read with its parameters', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(TABLE)
  await rowsOf(client, 1, 10)
  const query = 'SELECT id, upper(name) AS name FROM things WHERE id <= $1 ORDER BY id DESC; '
  const inlet = await started(t, url, { query, parameters: [3] })
  t.same((await all(inlet)).rows, [
    { id: 3, name: 'THING 3' },
    { id: 2, name: 'THING 2' },
    { id: 1, name: 'THING 1' },
  ])
  const newer = await started(t, url, {
    query: 'SELECT * FROM things WHERE id <> $1',
    parameters: [4],
    cursorColumn: 'id',
    keys: ['id'],
  })
  t.same(ids(await all(newer)), [1, 2, 3, 5, 6, 7, 8, 9, 10])
  await rowsOf(client, 11, 12)
  t.same(ids(await all(newer)), [11, 12])
  t.same(ids(await all(newer)), [])
})

t.test('with a cursor column, each transfer reads what is new', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(TABLE)
  await rowsOf(client, 1, 10)
  const inlet = await started(t, url, { table: 'public.things', cursorColumn: 'id', limit: 4, startAfter: 1 })
  t.equal(inlet.hasCursor, true)
  t.same(ids(await all(inlet)), [2, 3, 4, 5])
  t.same(ids(await all(inlet)), [6, 7, 8, 9])
  t.same(ids(await all(inlet)), [10])
  t.same(ids(await all(inlet)), [])
  await rowsOf(client, 11, 11)
  t.same(ids(await all(inlet)), [11])
})
