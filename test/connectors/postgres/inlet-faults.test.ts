import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { PostgresInlet, Update, type PostgresInletOptions } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres
const retry = { retries: 5, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 20 } }

let number = 0
const nextUpdate = (cancellation?: Cancellation) => new Update(['faults'], number++, cancellation)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

async function things(t: Test, rows: number) {
  const { url, client, database } = await postgres.database(t)
  await client.query('CREATE TABLE things (id int PRIMARY KEY, text text)')
  await client.query("INSERT INTO things SELECT n, 'secret of ' || n FROM generate_series(1, $1::int) n", [rows])
  return { url, client, database }
}

async function started(t: Test, url: string, options: Partial<PostgresInletOptions> = {}) {
  const inlet = new PostgresInlet<{ id: number }>({ url, table: 'things', retry, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return inlet
}

async function listsOf(inlet: PostgresInlet<{ id: number }>, update = nextUpdate()) {
  const pulled = await inlet.pull(update)
  if (Array.isArray(pulled)) return [pulled as { id: number }[]]
  const lists: { id: number }[][] = []
  for await (const list of pulled as AsyncIterable<{ id: number }[]>) lists.push(list)
  return lists
}

const ids = (lists: readonly (readonly { id: number }[])[]) => lists.flat().map(({ id }) => id)

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}

t.test('a connection that breaks is made again, and reading goes on behind the last list', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { url } = await things(t, 100)
  const { url: through, proxy } = await postgres.proxied(t, url)
  const inlet = await started(t, through, { cursorColumn: 'id', limit: Infinity, batchSize: 10 })
  let fetches = 0
  proxy.judge = (piece) => {
    if (!piece.toString('latin1').includes('FETCH')) return 'pass'
    fetches++
    if (fetches % 7 === 3) return 'cut'
    return fetches % 7 === 5 ? 'swallow reply' : 'pass'
  }
  t.same(ids(await listsOf(inlet)), range(1, 100))
  t.ok(proxy.cuts >= 4, `${proxy.cuts} cuts`)
  t.match(logs.messages().join('\n'), /faults\.0 tries again to read .*things: .*Connection terminated unexpectedly/)
})

t.test(
  'without a cursor column, a connection that breaks behind the first list fails the pull',
  { skip },
  async (t) => {
    const { url } = await things(t, 100)
    const { url: through, proxy } = await postgres.proxied(t, url)
    const inlet = await started(t, through, { batchSize: 10 })
    let fetches = 0
    proxy.judge = (piece) => (piece.toString('latin1').includes('FETCH 10') && ++fetches === 2 ? 'cut' : 'pass')
    await t.rejects(listsOf(inlet), {
      code: 'DATABAY_DATABASE',
      message: /things, after 10 rows, behind which only a cursorColumn could go on/,
    })
    t.same(ids(await listsOf(inlet)), range(1, 100), 'the next one reads all')
  },
)

t.test('an error says why the server has closed a connection between two lists', { skip }, async (t) => {
  const { url, client, database } = await things(t, 100)
  const end = async () => {
    const text = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()'
    await client.query(text, [database])
    await waitFor(async () => (await client.query(text, [database])).rows.length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const readTwo = async (inlet: PostgresInlet<{ id: number }>) => {
    const found: number[] = []
    for await (const list of (await inlet.pull(nextUpdate())) as AsyncIterable<{ id: number }[]>) {
      found.push(...list.map(({ id }) => id))
      if (found.length === 20) await end()
    }
    return found
  }
  const reason = /terminating connection due to administrator command \(code 57P01\)/
  const logs = captureLogs(t)
  t.same(await readTwo(await started(t, url, { cursorColumn: 'id', limit: Infinity, batchSize: 10 })), range(1, 100))
  t.match(logs.messages().join('\n'), reason)
  const message = /after \d+ rows, behind which only a cursorColumn could go on: .*\(code 57P01\)$/
  await t.rejects(readTwo(await started(t, url, { batchSize: 10 })), { code: 'DATABAY_DATABASE', message }, 'not twice')
})

t.test('without a cursor column, a server that ends a list later on gives no row twice', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  // a standby does so, too, when rows that it reads are cleaned up on its primary
  await client.query(`CREATE FUNCTION at(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    IF n = 35 THEN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END IF; RETURN n; END $$`)
  const query = 'SELECT at(n) AS id FROM generate_series(1, 100) n'
  const inlet = await started(t, url, { table: undefined, query, batchSize: 10 } as never)
  const found: number[] = []
  const reading = (async () => {
    for await (const list of (await inlet.pull(nextUpdate())) as AsyncIterable<{ id: number }[]>) {
      found.push(...list.map(({ id }) => id))
    }
  })()
  await t.rejects(reading, { message: /behind which only a cursorColumn could go on: .*\(code 40001\)$/ })
  t.same(found, range(1, 30))
})

t.test(
  'a server that restarts in the middle',
  { skip: skip || (postgres.restart === undefined && 'no PostgreSQL of our own') },
  async (t) => {
    captureLogs(t)
    const { url } = await things(t, 100)
    const inlet = await started(t, url, { cursorColumn: 'id', limit: Infinity, batchSize: 10 })
    const pulled = (await inlet.pull(nextUpdate())) as AsyncIterable<{ id: number }[]>
    const found: number[] = []
    for await (const list of pulled) {
      found.push(...list.map(({ id }) => id))
      if (found.length === 30) await postgres.restart?.()
    }
    t.same(found, range(1, 100))
  },
)

t.test('a transfer that is stopped cancels its statement on the server', { skip }, async (t) => {
  const { url, client, database } = await things(t, 10)
  const query = 'SELECT id, pg_sleep(600) FROM things'
  const inlet = await started(t, url, { table: undefined, query } as never)
  const cancellation = new Cancellation()
  const pulling = inlet.pull(nextUpdate(cancellation))
  const active = async () => {
    const text = "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND state = 'active' AND pid <> pg_backend_pid()"
    return (await client.query(text, [database])).rows.length
  }
  await waitFor(async () => (await active()) === 1)
  cancellation.cancel(new TransferCancelledError('stop'))
  await t.rejects(Promise.resolve(pulling), { code: 'DATABAY_TRANSFER_CANCELLED' })
  await waitFor(async () => (await active()) === 0)
})

t.test('a stream that is left early ends its transaction, and gives its connection back', { skip }, async (t) => {
  const { url, client, database } = await things(t, 100)
  const inlet = await started(t, url, { batchSize: 10, cursorColumn: 'id', limit: Infinity })
  const states = async () => {
    const text = 'SELECT pid, state FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()'
    return (await client.query<{ pid: number; state: string }>(text, [database])).rows
  }
  const pids = new Set<number>()
  for (let again = 0; again < 5; again++) {
    const update = nextUpdate()
    const pulled = (await inlet.pull(update)) as AsyncIterable<unknown>
    t.match(await states(), [{ state: 'idle in transaction' }])
    for await (const _ of pulled) break
    await waitFor(async () => (await states())[0]?.state === 'idle')
    for (const { pid } of await states()) pids.add(pid)
    inlet.onTransferEnd(update, false, { rounds: 1, deliveredRounds: 0 })
  }
  t.equal(pids.size, 1, 'one connection for all')
  const pulled = (await inlet.pull(nextUpdate())) as AsyncIterable<unknown>
  t.ok(pulled)
  await inlet.onShutdown()
  await waitFor(async () => (await states()).length === 0)
})

t.test('what was not delivered is read again, from the first list that was not', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { url } = await things(t, 30)
  const inlet = await started(t, url, { cursorColumn: 'id', limit: Infinity, batchSize: 10 })
  const update = nextUpdate()
  t.same(ids(await listsOf(inlet, update)), range(1, 30))
  inlet.onTransferEnd(update, false, { rounds: 3, deliveredRounds: 1 })
  const again = nextUpdate()
  t.same(ids(await listsOf(inlet, again)), range(11, 30))
  t.match(logs.messages().join('\n'), /20 rows were not delivered: they are read again/)
  inlet.onTransferEnd(again, true)
  t.same(ids(await listsOf(inlet)), [])
  const atMost = await started(t, url, { cursorColumn: 'id', redeliver: false, limit: 20 })
  const failed = nextUpdate()
  t.same(ids(await listsOf(atMost, failed)), range(1, 20))
  atMost.onTransferEnd(failed, false)
  t.same(ids(await listsOf(atMost)), range(21, 30))
})

t.test('tables and columns that are not there say what was meant', { skip }, async (t) => {
  const { url, client } = await things(t, 1)
  await client.query('CREATE SCHEMA shop; CREATE TABLE shop.orders (id int, "Total" int)')
  const cases: readonly (readonly [Partial<PostgresInletOptions>, string, string])[] = [
    [{ table: 'thngs' }, '42P01', 'PostgresInlet: there is no table thngs: did you mean things?'],
    [{ table: 'orders' }, '42P01', 'PostgresInlet: there is no table orders: did you mean shop.orders?'],
    [{ table: 'shop.order' }, '42P01', 'PostgresInlet: there is no table shop.order: did you mean shop.orders?'],
    [
      { table: 'things', columns: ['id', 'txt'] },
      '42703',
      'PostgresInlet: things has no column txt: did you mean text?',
    ],
    [
      { table: 'shop.orders', cursorColumn: 'total' },
      '42703',
      'PostgresInlet: shop.orders has no column total: did you mean Total?',
    ],
    [{ table: 'things', where: 'ident = 1' }, '42703', ''],
    [
      { table: undefined as never, query: 'SELECT txt FROM things' },
      '42703',
      'column "txt" does not exist: Perhaps you meant to reference the column "things.text" (code 42703)',
    ],
    [{ table: undefined as never, query: 'SELECT * FROM thngs' }, '42P01', ''],
    [{ table: undefined as never, query: 'SELEC 1' }, '42601', ''],
    [{ table: undefined as never, query: 'DELETE FROM things RETURNING id' }, '42601', ''],
  ]
  for (const [options, serverCode, message] of cases) {
    const error: unknown = await started(t, url, options).catch((thrown: unknown) => thrown)
    t.match(error, { code: 'DATABAY_DATABASE', serverCode, retryable: true }, JSON.stringify(options))
    if (message !== '') t.ok((error as Error).message.endsWith(message), (error as Error).message)
  }
  t.same((await client.query('SELECT id FROM things')).rows, [{ id: 1 }], 'nothing was deleted')
})

t.test('keys have to tell rows apart', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(
    'CREATE TABLE things (id int UNIQUE, at int, kind int NOT NULL, place int NOT NULL, UNIQUE (kind, place))',
  )
  for (const keys of [['id'], ['at'], ['kind']]) {
    await t.rejects(started(t, url, { cursorColumn: 'at', keys }), {
      code: 'DATABAY_INVALID_OPTION',
      message: /PostgresInlet\.keys: expected columns of things that are unique and NOT NULL/,
    })
  }
  await started(t, url, { cursorColumn: 'at', keys: ['place', 'kind'] })
})

t.test('a table that goes and comes again', { skip }, async (t) => {
  const { url, client } = await things(t, 3)
  const inlet = await started(t, url, { cursorColumn: 'id' })
  t.same(ids(await listsOf(inlet)), [1, 2, 3])
  await client.query('ALTER TABLE things RENAME TO gone')
  await t.rejects(Promise.resolve(inlet.pull(nextUpdate())), { message: /things/ })
  await t.rejects(Promise.resolve(inlet.pull(nextUpdate())), { message: 'PostgresInlet: there is no table things' })
  await client.query('CREATE TABLE things (id int PRIMARY KEY, more text); INSERT INTO things VALUES (4)')
  t.match(await listsOf(inlet), [[{ id: 4, more: null }]])
})

t.test('errors show no values of rows', { skip }, async (t) => {
  const { url } = await things(t, 3)
  const inlet = await started(t, url, { columns: undefined, where: 'text::int > 0' } as never)
  const error: unknown = await Promise.resolve(inlet.pull(nextUpdate())).catch((thrown: unknown) => thrown)
  t.match(error, { serverCode: '22P02', message: /things: invalid input syntax for type integer \(code 22P02\)$/ })
  t.notMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /secret of/)
})

t.test('large rows make short lists', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(
    "CREATE TABLE things (id int PRIMARY KEY, text text); INSERT INTO things SELECT n, repeat('x', 1000000) FROM generate_series(1, 30) n",
  )
  const inlet = await started(t, url)
  const lists = await listsOf(inlet)
  t.same(ids(lists), range(1, 30))
  t.ok(lists.length >= 2, `${lists.length} lists`)
})
