/** A table changes while a PostgresOutlet runs: rows are written to it as it is now. */
import t, { type Test } from 'tap'
import { Update } from '../../../src/core/update.js'
import { DatabaseError, type PostgresOutletOptions } from '../../../src/index.js'
import { postgresServer } from '../../helpers/postgres.js'
import { outletTo, records } from '../../helpers/postgres-outlets.js'

const postgres = await postgresServer(t)
const { skip } = postgres

const update = new Update(['to_postgres'], 0)

async function outletFor(t: Test, table: string, options: Partial<PostgresOutletOptions> = {}) {
  const { outlet, client, column } = await outletTo(t, postgres, table, options)
  return {
    client,
    push: (...payloads: unknown[]) => outlet.push(records(...payloads), update),
    values: () => column('select v::text from t order by id'),
  }
}

/** Types before and after, with a value for each, as the table shows it. */
const CHANGES: readonly (readonly [string, string, unknown, unknown, string])[] = [
  ['int', 'bigint', 1, 5_000_000_000, '5000000000'],
  ['int', 'numeric', 1, 1.5, '1.5'],
  ['int', 'text', 1, 'abc', 'abc'],
  ['varchar(3)', 'varchar(20)', 'abc', 'abcdef', 'abcdef'],
  ['numeric(10,2)', 'numeric(10,4)', 1.25, 1.2345, '1.2345'],
  ['timestamp(0)', 'timestamp', '2026-01-01 10:00:00', '2026-01-01T10:00:00.123456', '2026-01-01 10:00:00.123456'],
  ['date', 'timestamp', '2026-01-01', '2026-01-01T10:11:12', '2026-01-01 10:11:12'],
  ['real', 'double precision', 0.5, 0.1, '0.1'],
]

for (const mode of ['insert', 'copy'] as const) {
  t.test(`a column gets another type, and values are stored as it holds them: ${mode}`, { skip }, async (t) => {
    const { client, push, values } = await outletFor(t, 'create table t (id serial, v int)', { mode })
    for (const [before, after, first, second, shown] of CHANGES) {
      await client.query(`drop table t; create table t (id serial, v ${before})`)
      const name = `${before} to ${after}`
      // the table is another one: the mode copy makes its lines again
      await push({ v: first }).catch(() => push({ v: first }))
      await client.query(`alter table t alter v type ${after}`)
      await push({ v: second }).catch(async (error: unknown) => {
        if (mode === 'insert') throw error
        t.match(error, { retryable: true }, name)
        await push({ v: second })
      })
      t.equal((await values())[1], shown, name)
    }
  })

  t.test(`a column is added, and its field is written: ${mode}`, { skip }, async (t) => {
    const { client, push, values } = await outletFor(t, 'create table t (id serial)', { mode })
    await t.rejects(push({ v: 'a' }), { code: 'DATABAY_PARTIAL_PUSH' }, 'there is none')
    await client.query('alter table t add v text')
    const pushing = push({ v: 'b' })
    if (mode === 'copy') {
      await t.rejects(pushing, { retryable: true, code: 'DATABAY_DATABASE' })
      await push({ v: 'b' })
    } else await pushing
    t.strictSame(await values(), ['b'])
  })
}

t.test('a push that waits for the change of the table writes to what it becomes', { skip }, async (t) => {
  const { client, push, values } = await outletFor(t, 'create table t (id serial, v numeric(10,2))')
  await push({ v: 1.25 })
  await client.query('begin; alter table t alter v type numeric(10,4)')
  const pushing = push({ v: 1.2345 })
  const waits = "select 1 from pg_locks where not granted and relation = 't'::regclass"
  while ((await client.query(waits)).rowCount === 0);
  await client.query('commit')
  await pushing
  t.strictSame(await values(), ['1.2500', '1.2345'])
})

t.test('a row that no table takes is refused as before', { skip }, async (t) => {
  const { push, values } = await outletFor(t, 'create table t (id serial, v int)')
  await push({ v: 1 })
  await t.rejects(push({ v: 2 }, { v: 'x' }, { w: 1 }), {
    code: 'DATABAY_PARTIAL_PUSH',
    rejected: [{ index: 1, error: DatabaseError }, { index: 2 }],
  })
  t.strictSame(await values(), ['1', '2'])
})
