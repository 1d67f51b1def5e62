import t, { type Test } from 'tap'
import { PostgresInlet, Update, type PostgresInletOptions } from '../../../src/index.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

let number = 0

async function started(t: Test, url: string, options: PostgresInletOptions) {
  const inlet = new PostgresInlet<{ id: string; n: number }>({ url, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const read = async () => {
    const update = new Update(['ties'], number++)
    const pulled = await inlet.pull(update)
    const rows: { id: string; n: number }[] = []
    if (Array.isArray(pulled)) rows.push(...(pulled as typeof rows))
    else for await (const list of pulled as AsyncIterable<typeof rows>) rows.push(...list)
    inlet.onTransferEnd(update, true)
    return rows.map(({ id }) => id).join('')
  }
  return { inlet, read }
}

for (const { name, table, options } of [
  { name: 'a key', table: 'id text PRIMARY KEY, n int', options: {} },
  { name: 'no key', table: 'id text, n numeric', options: {} },
  {
    name: 'two keys',
    table: 'id text, n date, o int DEFAULT 1, PRIMARY KEY (o, id)',
    options: { settle: 0, keys: ['o', 'id'] },
  },
]) {
  t.test(`of rows with the same value none is lost and none comes twice, with ${name}`, { skip }, async (t) => {
    const { url, client } = await postgres.database(t)
    await client.query(`CREATE TABLE things (${table})`)
    const isDate = table.includes('date')
    const add = async (ids: string, n: number) => {
      const value = isDate ? `2026-01-0${n}` : String(n)
      for (const id of ids) await client.query('INSERT INTO things (id, n) VALUES ($1, $2)', [id, value])
    }
    const { inlet, read } = await started(t, url, { table: 'things', cursorColumn: 'n', ...options })
    await add('mn', 1)
    t.equal(await read(), 'mn')
    await add('az', 1)
    t.equal(await read(), 'az')
    t.equal(await read(), '')
    await add('b', 1)
    await add('cf', 2)
    t.equal(
      Array.from(await read())
        .sort()
        .join(''),
      'bcf',
    )
    await client.query("UPDATE things SET n = $1 WHERE id = 'c'", [isDate ? '2026-01-03' : '3'])
    t.equal(await read(), 'c', 'a row that moved on')
    await client.query("DELETE FROM things WHERE id = 'c'")
    await add('d', 3)
    t.equal(await read(), 'd')
    const state = structuredClone(inlet.saveState())
    const after = new PostgresInlet<{ id: string; n: number }>({ url, table: 'things', cursorColumn: 'n', ...options })
    after.restoreState(state)
    await after.onStart()
    t.teardown(() => after.onShutdown())
    await add('e', 3)
    t.match(await after.pull(new Update(['ties'], number++)), [{ id: 'e' }])
  })
}

t.test('rows that are the same in all that they hold', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE things (id text, n int)')
  const add = (count: number) =>
    client.query("INSERT INTO things SELECT 'x', 1 FROM generate_series(1, $1::int)", [count])
  const { read } = await started(t, url, { table: 'things', cursorColumn: 'n', limit: 2 })
  await add(3)
  t.same([await read(), await read(), await read()], ['xx', 'x', ''])
  await add(2)
  t.same([await read(), await read()], ['xx', ''])
})

t.test('very many rows with the same value', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE things (id int PRIMARY KEY, n int)')
  await client.query('INSERT INTO things SELECT i, 1 FROM generate_series(1, 5000) i')
  const { inlet } = await started(t, url, { table: 'things', cursorColumn: 'n', limit: 700 })
  const found: number[] = []
  for (let again = 0; again < 9; again++) {
    const update = new Update(['ties'], number++)
    found.push(...((await inlet.pull(update)) as unknown as { id: number }[]).map(({ id }) => id))
    inlet.onTransferEnd(update, true)
    const size = JSON.stringify(inlet.saveState()).length
    t.ok(size < 40_000, `a position of ${size} bytes`)
  }
  t.same(
    found,
    Array.from({ length: 5000 }, (_, n) => n + 1),
  )
})

t.test('values of a type that may be written in several ways need keys', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('CREATE TABLE things (id text, n interval)')
  await t.rejects(started(t, url, { table: 'things', cursorColumn: 'n' }), {
    code: 'DATABAY_INVALID_OPTION',
    message: /PostgresInlet\.keys: expected columns that tell rows with the same n apart/,
  })
  await client.query("INSERT INTO things VALUES ('a', '24:00'), ('b', '1 day'), ('c', '1 day 1s')")
  await client.query('ALTER TABLE things ADD PRIMARY KEY (id)')
  const { read } = await started(t, url, { table: 'things', cursorColumn: 'n', limit: 1 })
  t.same([await read(), await read(), await read(), await read()], ['a', 'b', 'c', ''])
})

t.test('texts that are the same though they are written in several ways', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query(`
    create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table t (id text primary key, name text collate any_case, code bpchar);
    insert into t select lpad(g::text, 2, '0'), case when g % 2 = 0 then 'Abc' else 'aBC' end || g / 20, 'x' || repeat(' ', g % 3)
      from generate_series(1, 60) g;
    create table keyless as select * from t`)
  for (const cursorColumn of ['name', 'code']) {
    const { read } = await started(t, url, { table: 't', cursorColumn, limit: 7 })
    const ids: string[] = []
    for (let pulls = 0; pulls < 12; pulls++) ids.push(...((await read()).match(/../g) ?? []))
    t.same(ids.length, 60, 'none comes twice')
    t.same(new Set(ids).size, 60, 'none is lost')
    await t.rejects(
      started(t, url, { table: 'keyless', cursorColumn }),
      { code: 'DATABAY_INVALID_OPTION' },
      'nothing tells them apart',
    )
  }
})
