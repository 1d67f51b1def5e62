/** A PostgresOutlet whose connection breaks stores each row once, and none is lost. */
import type { Buffer } from 'node:buffer'
import pg from 'pg'
import t, { type Test } from 'tap'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { Update } from '../../../src/core/update.js'
import { fateOf } from '../../../src/connectors/postgres/outlet/transaction.js'
import { PostgresOutlet, type PostgresOutletOptions } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import { postgresServer } from '../../helpers/postgres.js'
import { records, refusedPlaces } from '../../helpers/postgres-outlets.js'
import type { Fate } from '../../helpers/tcp-proxy.js'

const postgres = await postgresServer(t)
const { skip } = postgres

const update = new Update(['to_postgres'], 0)
const retry = { retries: 5, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 20 } }

const isCommit = (piece: Buffer) => piece.includes('commit\0')
const isBegin = (piece: Buffer) => piece.includes('begin;')
const isInsert = (piece: Buffer) => piece.includes('insert into') || piece.includes('copy ')

/** Starts an outlet whose connection suffers these fates, at what the pieces are that `at` tells. */
async function through(
  t: Test,
  at: (piece: Buffer) => boolean,
  fates: readonly Fate[],
  options: Partial<PostgresOutletOptions> = {},
  table = 'create table t (n int)',
) {
  const { url: direct, client } = await postgres.database(t)
  await client.query(table)
  const { url, proxy } = await postgres.proxied(t, direct)
  const left = [...fates]
  proxy.judge = (piece) => (at(piece) ? (left.shift() ?? 'pass') : 'pass')
  const outlet = new PostgresOutlet({ url, table: 't', retry, ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  const numbers = async () => (await client.query<{ n: number }>('select n from t order by n')).rows.map(({ n }) => n)
  return { outlet, proxy, client, numbers, url: direct }
}

const STAGES: readonly [string, (piece: Buffer) => boolean][] = [
  ['BEGIN', isBegin],
  ['the rows', isInsert],
  ['COMMIT', isCommit],
]
const MODES: readonly [Partial<PostgresOutletOptions>, string][] = [
  [{ mode: 'insert' }, 'create table t (n int)'],
  [{ mode: 'copy' }, 'create table t (n int)'],
  [{ mode: 'insert', keys: ['n'] }, 'create table t (n int primary key)'],
  [{ mode: 'upsert', keys: ['n'] }, 'create table t (n int primary key)'],
  [{ mode: 'copy', keys: ['n'] }, 'create table t (n int primary key)'],
]

for (const [stage, at] of STAGES) {
  t.test(`a connection that breaks at ${stage} stores each row once`, { skip }, async (t) => {
    captureLogs(t, 'silent')
    for (const [options, table] of MODES) {
      for (const fates of [['cut'], ['swallow reply', 'cut', 'swallow reply']] as const) {
        const { outlet, numbers } = await through(t, at, fates, options, table)
        await outlet.push(records({ n: 1 }, { n: 2 }, { n: 3 }), update)
        await outlet.push(records({ n: 4 }), update)
        t.same(await numbers(), [1, 2, 3, 4], `${JSON.stringify(options)} ${fates.join()}`)
      }
    }
  })
}

t.test('what the server refuses is refused all the same when the reply of COMMIT was lost', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const mode of ['insert', 'copy'] as const) {
    const { outlet, numbers } = await through(
      t,
      isCommit,
      ['swallow reply'],
      { mode },
      'create table t (n int check (n < 10))',
    )
    t.same(
      await refusedPlaces(outlet.push(records({ n: 1 }, { n: 11 }, { n: 2 }, 'text', { n: 12 }), update)),
      [1, 3, 4],
    )
    t.same(await numbers(), [1, 2])
  }
})

t.test('a transaction that the server does not know to be over is ended, and holds up nobody', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const at of [isInsert, isCommit]) {
    const { outlet, proxy, client, numbers } = await through(
      t,
      () => false,
      [],
      { mode: 'upsert', keys: ['n'] },
      'create table t (n int primary key)',
    )
    let isLost = false
    // the server never hears of the end of the connection
    proxy.judge = (piece) => (!isLost && at(piece) ? ((isLost = true), 'lose client') : 'pass')
    await outlet.push(records({ n: 1 }, { n: 2 }), update)
    t.same(await numbers(), [1, 2])
    const { rows } = await client.query(
      `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    )
    t.same(rows, [])
  }
})

t.test(
  'a COMMIT whose outcome was not learned in time is settled by the next push of the same batch',
  { skip },
  async (t) => {
    captureLogs(t, 'silent')
    const { outlet, proxy, numbers } = await through(t, () => false, [], {
      retry: { retries: 0 },
      socketTimeout: { milliseconds: 300 },
    })
    let isDown = false
    proxy.judge = (piece) => {
      if (isDown) return 'cut'
      if (!isCommit(piece)) return 'pass'
      isDown = true
      return 'swallow reply'
    }
    const batch = records({ n: 1 }, { n: 2 })
    await t.rejects(outlet.push(batch, update), {
      code: 'DATABAY_DATABASE',
      retryable: true,
      message: /not known whether the batch is stored/,
    })
    t.same(await numbers(), [1, 2])
    isDown = false
    proxy.judge = () => 'pass'
    await outlet.push(batch, update)
    t.same(await numbers(), [1, 2], 'not twice')
    await outlet.push(batch, update)
    t.same(await numbers(), [1, 1, 2, 2], 'the batch after it is another one')
  },
)

/** A server that does not know transactions any more, as after a failover. */
const FORGETFUL = `create table t (n int);
  create function pg_xact_status(xid8) returns text language sql as 'select null::text';
  do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database()); end $$`

t.test('rows without keys are refused when nobody knows any more whether they are stored', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const retries of [0, 5]) {
    for (const others of [[], ['text']]) {
      const options = { retry: { ...retry, retries } }
      const { outlet, numbers } = await through(t, isCommit, ['swallow reply'], options, FORGETFUL)
      const batch = records({ n: 1 }, ...others)
      const error: unknown = await outlet.push(batch, update).catch((thrown: unknown) => thrown)
      if (!(error instanceof PartialPushError)) throw error
      t.equal(error.rejected.length, batch.length)
      t.match(error.rejected[0]?.error, { message: /no longer knows whether it was made/, retryable: false })
      t.same(await numbers(), [1], 'not twice')
      await outlet.push(records({ n: 2 }), update)
      t.same(await numbers(), [1, 2], 'others are written')
      await outlet.push(records({ n: 1 }), update)
      t.same(await numbers(), [1, 1, 2], 'and the same rows, when they are pushed again after that')
    }
  }
})

t.test('a process that was begun later is not ended for a lost transaction without a number', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  const before = performance.now() - 1000
  const other = new pg.Client(url)
  const ended = new Promise<void>((resolve) => other.on('error', () => resolve()))
  await other.connect()
  const { rows } = await other.query<{ pid: number }>('select pg_backend_pid() as pid')
  await other.query('begin')
  const lost = { xid: undefined, pid: rows[0]?.pid ?? 0 }
  await fateOf(client, { ...lost, begun: before }, false)
  await other.query('select 1')
  await fateOf(client, { ...lost, begun: performance.now() }, false)
  await ended
  await t.rejects(other.query('select 1'))
})

t.test('fields that are dropped are counted once, however often a batch is tried', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { outlet } = await through(t, isInsert, ['cut', 'cut'], { extraColumns: 'drop' })
  await outlet.push(records({ n: 1, x: 1 }, { n: 2, x: 1 }), update)
  await outlet.onShutdown()
  const told = logs.messages().filter((line) => line.includes('drops the field'))
  t.same(told, ['PostgresOutlet: drops the field "x": t has no such column'])
})

t.test('when no try is left, the error says so and shows no row', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const fates = Array.from({ length: 20 }, () => 'cut' as const)
  const { outlet, numbers } = await through(
    t,
    isInsert,
    fates,
    { retry: { retries: 1, minDelay: { milliseconds: 1 } } },
    'create table t (n int, s text)',
  )
  const error = await outlet.push(records({ n: 1, s: 'hush' }), update).catch((error: unknown) => error as Error)
  t.match(error, {
    code: 'DATABAY_DATABASE',
    retryable: true,
    message: /^PostgresOutlet: 127\.0\.0\.1:\d+\/test_\w+: /,
  })
  t.notMatch(JSON.stringify(error), /hush/)
  const mixed = await outlet.push(records({ n: 1 }, 'text'), update).catch((error: unknown) => error)
  t.match(mixed, {
    taken: 0,
    rejected: [
      { index: 0, error: { retryable: true } },
      { index: 1, error: { retryable: false } },
    ],
  })
  t.same(await numbers(), [])
})

t.test('a batch takes two trips to the server: one with its rows, and one for the COMMIT', { skip }, async (t) => {
  for (const [options, table] of MODES.filter(([{ mode }]) => mode !== 'copy')) {
    const { outlet, proxy, numbers } = await through(t, () => false, [], options, table)
    await outlet.push(records({ n: 1 }), update)
    const sent: Buffer[] = []
    proxy.judge = (piece) => {
      sent.push(piece)
      return 'pass'
    }
    await outlet.push(records({ n: 2 }, { n: 3 }), update)
    t.same(
      sent.map((piece) => [isBegin(piece), isInsert(piece), isCommit(piece)]),
      [
        [true, true, false],
        [false, false, true],
      ],
    )
    t.same(await numbers(), [1, 2, 3])
  }
})

t.test('each statement of a batch has the time for a reply, though all are sent at once', { skip }, async (t) => {
  const { outlet, client } = await through(t, () => false, [], { socketTimeout: { milliseconds: 800 } })
  await client.query(
    `create function wait() returns trigger as 'begin perform pg_sleep(0.3); return null; end' language plpgsql;
    create trigger wait after insert on t for each statement execute function wait()`,
  )
  const rows = Array.from({ length: 5000 }, (_, n) => ({ n }))
  await outlet.push(records(...rows), update)
  t.same((await client.query('select count(*)::int as count from t')).rows, [{ count: rows.length }])
})

t.test('a push that is cancelled leaves nothing half', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const [options, table] of MODES) {
    const { outlet, proxy, client, numbers } = await through(t, () => false, [], options, table)
    await client.query('begin; lock table t')
    const cancellation = new Cancellation()
    proxy.judge = (piece) => {
      if (isBegin(piece)) setTimeout(() => cancellation.cancel(new TransferCancelledError('stop')), 20)
      return 'pass'
    }
    await t.rejects(
      outlet.push(records({ n: 1 }, { n: 2 }), new Update(['x'], 0, cancellation)),
      TransferCancelledError,
    )
    await client.query('commit')
    t.same(await numbers(), [], JSON.stringify(options))
    await outlet.push(records({ n: 3 }), update)
    t.same(await numbers(), [3])
  }
})

t.test(
  'rows wait for a server that restarts',
  { skip: skip || (postgres.restart === undefined && 'a server of others is not restarted') },
  async (t) => {
    captureLogs(t, 'silent')
    const { outlet, url } = await through(t, () => false, [], {
      retry: { retries: 50, minDelay: { milliseconds: 20 }, maxDelay: { milliseconds: 100 } },
    })
    let pushed = 0
    const over = new AbortController()
    const pushing = (async () => {
      while (!over.signal.aborted) {
        await outlet.push(records({ n: pushed }, { n: pushed + 1 }), update)
        pushed += 2
      }
    })()
    for (let n = 0; n < 2; n++) await postgres.restart?.()
    over.abort()
    await pushing
    t.ok(pushed > 0)
    const client = new pg.Client(url)
    await client.connect()
    const { rows } = await client.query<{ n: number }>('select n from t order by n')
    await client.end()
    t.same(
      rows.map(({ n }) => n),
      Array.from({ length: pushed }, (_, n) => n),
    )
  },
)
