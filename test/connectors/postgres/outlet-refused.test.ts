/** A PostgresOutlet refuses the rows that cannot be stored, and those alone. */
import t from 'tap'
import { failureClass } from '../../../src/core/failure-class.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { PostgresOutlet, type PostgresOutletOptions } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import { postgresServer } from '../../helpers/postgres.js'
import { outletTo, records, refused } from '../../helpers/postgres-outlets.js'

const postgres = await postgresServer(t)
const { skip } = postgres

const update = new Update(['to_postgres'], 0)

async function refusals(pushing: Promise<void>): Promise<[number, unknown][]> {
  const rejected = await refused(pushing)
  return rejected.map(({ index, error }) => [index, 'serverCode' in error ? error.serverCode : error.message])
}

const WRITES: readonly Partial<PostgresOutletOptions>[] = [{ mode: 'insert' }, { mode: 'copy' }]

t.test(
  'rows that break a constraint, a trigger or a policy are refused, whatever finds that out',
  { skip },
  async (t) => {
    const tables = `
    create table parent (id int primary key);
    insert into parent values (1);
    create type mood as enum ('ok');
    create domain small as int check (value < 100);
    create table t (id int primary key, n small, mood mood, needed text not null default 'x', code varchar(3),
      parent int references parent, late int references parent deferrable initially deferred,
      once int unique deferrable initially deferred);
    create function refuse() returns trigger language plpgsql as $$ begin
      if new.n = 13 then raise exception 'secret % is bad', new.n; end if;
      if new.n = 14 then raise exception 'own %', new.n using errcode = 'MY001'; end if;
      return new; end $$;
    create trigger refuse before insert on t for each row execute function refuse();
    create function refuse_late() returns trigger language plpgsql as $$ begin
      if new.n = 15 then raise exception 'late'; end if; return null; end $$;
    create constraint trigger refuse_late after insert on t deferrable initially deferred for each row execute function refuse_late();`
    for (const options of WRITES) {
      const { outlet, column } = await outletTo(t, postgres, tables, options)
      const batch = records(
        { id: 1, n: 1 }, // 0
        { id: 1, n: 2 }, // 1: the key is taken
        { id: 2, n: 100 }, // 2: domain
        { id: 3, mood: 'gloomy' }, // 3: enum
        { id: 4, needed: null }, // 4
        { id: 5, code: 'lengthy' }, // 5
        { id: 6, parent: 2 }, // 6
        { id: 7, n: 13 }, // 7: trigger
        { id: 8, n: 14 }, // 8: trigger, with a code of its own
        { id: 9, late: 2 }, // 9: at the COMMIT
        { id: 10, once: 1 }, // 10
        { id: 11, once: 1 }, // 11: at the COMMIT
        { id: 12, n: 15 }, // 12: at the COMMIT
        { id: 13, parent: 1, late: 1, mood: 'ok', code: 'abc' }, // 13
      )
      const found = await refused(outlet.push(batch, update))
      t.same(
        found.map(({ index, error }) => [index, (error as { serverCode?: unknown }).serverCode]),
        [
          [1, '23505'],
          [2, '23514'],
          [3, '22P02'],
          [4, '23502'],
          [5, '22001'],
          [6, '23503'],
          [7, 'P0001'],
          [8, 'MY001'],
          [9, '23503'],
          [11, '23505'],
          [12, 'P0001'],
        ],
        JSON.stringify(options),
      )
      t.ok(found.every(({ error }) => failureClass(error) === 'refused'))
      t.notMatch(
        found.map(({ error }) => error.message + JSON.stringify(error)).join('\n'),
        /secret|lengthy|gloomy|own/,
      )
      t.same(await column('select id from t order by id'), [1, 10, 13])
    }
  },
)

t.test('a batch whose rows the server takes one by one only at the COMMIT is halved', { skip }, async (t) => {
  const table = 'create table t (id int primary key, once int unique deferrable initially deferred)'
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(t, postgres, table, options)
    const batch = Array.from({ length: 300 }, (_, id) => ({ id, once: id === 200 ? 100 : id }))
    t.same(await refusals(outlet.push(records(...batch), update)), [[200, '23505']])
    t.equal((await column('select id from t')).length, 299)
  }
})

t.test(
  'rows that refer to others of their batch are stored beside bad ones, whatever their order',
  { skip },
  async (t) => {
    for (const how of ['', 'deferrable initially deferred']) {
      const { outlet, column } = await outletTo(
        t,
        postgres,
        `create table t (id int primary key, parent int references t ${how})`,
      )
      const chain = Array.from({ length: 9 }, (_, n) => ({ id: n, parent: n === 8 ? null : n + 1 }))
      const batch = records(...chain, { id: 20, parent: 99 }, { id: 21, parent: 20 }, { id: 22, parent: 0 })
      t.same(await refusals(outlet.push(batch, update)), [
        [9, '23503'],
        [10, '23503'],
      ])
      t.same(await column('select id from t order by id'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 22])
    }
  },
)

t.test(
  'rows of one key: the last wins, the first where rows are only added, and bad ones are told',
  { skip },
  async (t) => {
    const table = 'create table t (id int primary key, a int, b int check (b < 10))'
    const batch = records(
      { id: 1, a: 1, b: 1 },
      { id: 2, a: 1 },
      { id: 1, a: 2 },
      { id: 2, b: 2 },
      { id: 1, a: 3, b: 11 },
      { id: 3, b: 12 },
      { id: 3, b: 3 },
      { id: '1', b: 4 },
      { id: null, a: 1 },
      { a: 1 },
      { id: 5, a: 'x' },
      { id: 4, nope: 1 },
      { id: 4, a: 4 },
    )
    const expected = [
      [8, 'PostgresOutlet: the key "id" of a record is null'],
      [9, 'PostgresOutlet: a record has no key "id"'],
      [10, '22P02'],
      [11, 'PostgresOutlet: t has no column for the field "nope": see the option extraColumns'],
    ]
    for (const mode of ['upsert', 'copy'] as const) {
      const { outlet, column } = await outletTo(t, postgres, table, { mode, keys: ['id'] })
      for (let n = 0; n < 2; n++) t.same(await refusals(outlet.push(batch, update)), expected, mode)
      t.same(await column('select array[id, a, b] from t order by id'), [
        [1, 3, 4],
        [2, 1, 2],
        [3, null, 3],
        [4, 4, null],
      ])
    }
    const { outlet, column } = await outletTo(t, postgres, table, { keys: ['id'] })
    t.same(await refusals(outlet.push(batch, update)), [[5, '23514'], ...expected], 'a row that is there already stays')
    t.same(await column('select array[id, a, b] from t order by id'), [
      [1, 1, 1],
      [2, 1, null],
      [3, null, 3],
      [4, 4, null],
    ])
  },
)

t.test('keys that only the server knows to be the same are no error', { skip }, async (t) => {
  const { outlet, column } = await outletTo(t, postgres, 'create table t (id numeric primary key, a int)', {
    mode: 'upsert',
    keys: ['id'],
  })
  await outlet.push(records({ id: '1.0', a: 1 }, { id: 2, a: 1 }, { id: 1, a: 2 }, { id: '2.00', a: 3 }), update)
  t.same(await column('select array[id, a]::text from t order by id'), ['{1.0,2}', '{2,3}'])
})

t.test('a value that a type refuses as a fault of the server is a bad row', { skip }, async (t) => {
  // types of extensions do so, such as hstore
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(
      t,
      postgres,
      `create table t (n int);
      create function refuse() returns trigger language plpgsql as
        $$ begin if new.n = 2 then raise exception 'x' using errcode = 'XX000'; end if; return new; end $$;
      create trigger refuse before insert on t for each row execute function refuse();`,
      options,
    )
    t.same(await refusals(outlet.push(records({ n: 1 }, { n: 2 }, { n: 3 }), update)), [[1, 'XX000']])
    t.same(await column('select n from t order by n'), [1, 3])
  }
})

t.test('rows that a trigger or a rule leaves out are counted and logged', { skip }, async (t) => {
  const tables = `create table t (n int primary key, s text check (s <> 'bad'));
    create function leave_out() returns trigger language plpgsql as
      $$ begin if new.n % 2 = 0 then return null; end if; return new; end $$;
    create trigger leave_out before insert on t for each row execute function leave_out();`
  const ways = [...WRITES, { mode: 'upsert', keys: ['n'] }, { mode: 'copy', keys: ['n'] }] as const
  for (const options of ways) {
    for (const [s, stored] of [
      ['good', [1, 3, 5]],
      ['bad', [1, 5]],
    ] as const) {
      const logs = captureLogs(t)
      const { outlet, column } = await outletTo(t, postgres, tables, options)
      const rows = [1, 2, 3, 4, 5].map((n) => ({ n, s: n === 3 ? s : 'good' }))
      await refused(outlet.push(records(...rows), update))
      t.same(await column('select n from t order by n'), stored)
      const name = `${JSON.stringify(options)} ${s}`
      t.match(logs.messages().join('\n'), /2 rows are not in t: a trigger or a rule leaves out rows/, name)
      await outlet.push(records({ n: 7, s: 'good' }), update)
      t.equal(logs.messages().filter((one) => one.includes('are not in t')).length, 1, name)
    }
  }
  const logs = captureLogs(t)
  const { outlet } = await outletTo(t, postgres, 'create table t (n int primary key); insert into t values (1)', {
    keys: ['n'],
  })
  await outlet.push(records({ n: 1 }, { n: 2 }), update)
  t.notMatch(logs.messages().join('\n'), /not in t/, 'a row that is there already is no such row')
})

t.test('an error that every row meets, of a code of its own, is of no record', { skip }, async (t) => {
  const { outlet } = await outletTo(
    t,
    postgres,
    `create table t (n int);
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'x' using errcode = 'MY001'; end $$;
    create trigger refuse before insert on t for each row execute function refuse();`,
  )
  const found = await refused(outlet.push(records({ n: 1 }, { n: 2 }), update))
  t.same(
    found.map(({ error }) => failureClass(error)),
    ['unknown', 'unknown'],
  )
})

t.test(
  'a row that a policy forbids is refused; a table that may not be written makes the outlet unavailable',
  { skip },
  async (t) => {
    const { client, url } = await outletTo(
      t,
      postgres,
      'create table t (n int); alter table t enable row level security',
    )
    const { url: theirs, user } = await postgres.login(t, url)
    await client.query(`create policy p on t using (true) with check (n < 10); grant insert, select on t to ${user}`)
    await client.query('create table closed (n int)')
    const outlet = new PostgresOutlet({ url: theirs, table: 't' })
    await outlet.onStart()
    t.same(await refusals(outlet.push(records({ n: 1 }, { n: 11 }, { n: 2 }), update)), [[1, '42501']])
    await outlet.onShutdown()
    const other = new PostgresOutlet({ url: theirs, table: 'closed' })
    await other.onStart()
    await t.rejects(other.push(records({ n: 1 }, { n: 2 }), update), {
      code: 'DATABAY_DATABASE',
      serverCode: '42501',
      retryable: true,
    })
    await other.onShutdown()
  },
)

t.test(
  'records choose their table; one that is missing refuses theirs, and the own one is waited for',
  { skip },
  async (t) => {
    const { outlet, client, column } = await outletTo(
      t,
      postgres,
      'create schema shop; create table shop.orders (n int); create table "t" (n int)',
    )
    const to = (table: unknown, n: number) => new Record({ n }, { [PostgresOutlet.POSTGRES_TABLE]: table })
    const batch = [
      to('shop.orders', 1),
      to('shop.order', 2),
      to({ schema: 'shop', name: 'orders' }, 3),
      to('t', 4),
      to(7, 5),
      ...records({ n: 6 }),
    ]
    const found = await refused(outlet.push(batch, update))
    t.match(found, [
      {
        index: 1,
        error: {
          serverCode: '42P01',
          retryable: false,
          message: /there is no table shop\.order: did you mean shop\.orders\?/,
        },
      },
      { index: 4, error: { retryable: false } },
    ])
    t.same(await column('select n from shop.orders order by n'), [1, 3])
    t.same(await column('select n from t order by n'), [4, 6])
    await client.query('drop table t')
    await t.rejects(outlet.push(records({ n: 1 }), update), {
      code: 'DATABAY_DATABASE',
      serverCode: '42P01',
      retryable: true,
    })
    await client.query('create table t (n int, m text)')
    await outlet.push(records({ n: 2, m: 'x' }), update)
    await client.query('alter table t drop column m; alter table t add column k bigint')
    t.same(
      (await refused(outlet.push(records({ n: 3, m: 'x' }, { n: 4, k: 1 }), update))).map(({ index }) => index),
      [0],
    )
    t.same(await column('select n from t order by n'), [2, 4])
  },
)

t.test('columns that the server fills are left out, and names are taken as they are', { skip }, async (t) => {
  const logs = captureLogs(t)
  const tables = `create table "T 1"";drop" (id int generated always as identity, "Total" int, "select" text, twice int generated always as ("Total" * 2) stored)`
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(t, postgres, tables, { ...options, table: { name: 'T 1";drop' } })
    await outlet.push(records({ id: 7, Total: 2, select: 'x', twice: 5 }), update)
    t.same(await column(`select array[id::text, "Total"::text, "select", twice::text] from "T 1"";drop"`), [
      ['1', '2', 'x', '4'],
    ])
    await outlet.onShutdown()
  }
  t.match(logs.messages().join('\n'), /leaves out "twice".*fills that column itself/)
  const keyed = await outletTo(t, postgres, 'create table t (id int generated always as identity primary key, n int)', {
    mode: 'upsert',
    keys: ['id'],
  })
  await keyed.outlet.push(records({ id: 7, n: 1 }, { id: 7, n: 2 }), update)
  t.same(await keyed.column('select array[id, n] from t'), [[7, 2]], 'a key has its value')
})

t.test('fields without a column are dropped on demand, and that is said', { skip }, async (t) => {
  const logs = captureLogs(t)
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(t, postgres, 'create table t (n int, m int)', {
      ...options,
      extraColumns: 'drop',
      columns: ['n'],
    })
    t.same(await refusals(outlet.push(records({ n: 1, x: 'secret' }, { n: 2, m: 3 }, { x: 1 }), update)), [
      [2, 'PostgresOutlet: a record has no field for a column of t'],
    ])
    t.same(await column('select array[n, m] from t order by n'), [
      [1, null],
      [2, null],
    ])
    await outlet.onShutdown()
  }
  t.match(logs.messages().join('\n'), /drops the field "x": t has no such column/)
  const { outlet } = await outletTo(t, postgres, 'create table t (n int)', { extraColumns: 'drop' })
  const before = logs.lines.length
  for (let push = 0; push < 20; push++) await outlet.push(records({ n: push, x: 1, y: 2 }), update)
  t.equal(logs.lines.length - before, 2, 'one line for each field, however many batches there are')
  await outlet.onShutdown()
  t.match(logs.messages().at(-1), /drops the field "y": t has no such column: 20 records in all/)
  t.notMatch(logs.messages().join('\n'), /secret/)
})

t.test(
  'partitioned tables and views take rows; a row without a partition or of too many bytes is refused',
  { skip },
  async (t) => {
    const tables = `create table t (n int, day date, words text, primary key (n, day)) partition by range (day);
    create table t1 partition of t for values from ('2026-01-01') to ('2026-02-01');
    create index on t (words); create view v as select * from t`
    for (const options of [
      ...WRITES,
      { mode: 'upsert', keys: ['n', 'day'] },
      { mode: 'copy', keys: ['n', 'day'] },
    ] as const) {
      const { outlet, column } = await outletTo(t, postgres, tables, options)
      const huge = Array.from({ length: 20_000 }, (_, n) => Math.sin(n).toString(36)).join('')
      const batch = records(
        { n: 1, day: '2026-01-05' },
        { n: 2, day: '2027-01-01' },
        { n: 3, day: '2026-01-06', words: huge },
        { n: 4, day: new Date('2026-01-07') },
      )
      t.same(await refusals(outlet.push(batch, update)), [
        [1, '23514'],
        [2, '54000'],
      ])
      t.same(await column('select n from t order by n'), [1, 4])
      if (options.mode !== 'insert') continue
      await outlet.push([new Record({ n: 9, day: '2026-01-09' }, { [PostgresOutlet.POSTGRES_TABLE]: 'v' })], update)
      t.same(await column('select n from t order by n'), [1, 4, 9])
    }
  },
)

t.test(
  'keys without a unique index make the outlet unavailable, and the error says what is missing',
  { skip },
  async (t) => {
    const logs = captureLogs(t)
    for (const options of [
      { mode: 'upsert', keys: ['id'] },
      { mode: 'copy', keys: ['id'] },
      { keys: ['id'] },
    ] as const) {
      const warned = logs.messages().length
      const { outlet, client, column } = await outletTo(t, postgres, 'create table t (id int, n int)', options)
      t.same(logs.messages().slice(warned), [
        'no unique index of t has exactly the keys "id"; its pushes fail until there is one: create unique index on "t" ("id")',
      ])
      await t.rejects(outlet.push(records({ id: 1, n: 1 }, { id: 2 }), update), {
        serverCode: '42P10',
        retryable: true,
        message: /no unique index of the table has exactly the keys: create one/,
      })
      await client.query('alter table t add primary key (id)')
      await outlet.push(records({ id: 1, n: 1 }), update)
      t.same(await column('select id from t'), [1])
    }
    const columns = 'create table t (id int, "N" text'
    for (const [table, warnings] of [
      [`${columns}, unique ("N", id))`, 0],
      [`${columns}, more int, unique ("N", id) include (more))`, 0],
      [`${columns}, more int, unique ("N", id, more))`, 1],
      [`${columns}, unique ("N", id) deferrable)`, 1],
      [`${columns}); create unique index on t ("N", id) where id > 0`, 1],
      [`${columns}); create unique index on t (lower("N"), id)`, 1],
      [`${columns}) partition by list (id); alter table t add unique ("N", id)`, 0],
      ['create table base (id int, "N" text, unique ("N", id)); create view t as select * from base', 0],
    ] as const) {
      const started = logs.messages().length
      await outletTo(t, postgres, table, { keys: ['id', 'N'] })
      t.equal(logs.messages().length - started, warnings, table)
    }
  },
)

t.test('a table that is locked does not hold up the start', { skip, timeout: 10_000 }, async (t) => {
  const { url, client } = await outletTo(t, postgres, 'create table t (id int primary key)')
  await client.query('begin; lock table t in share mode')
  const outlet = new PostgresOutlet({ url, table: 't', keys: ['id'] })
  t.teardown(() => outlet.onShutdown())
  await outlet.onStart()
  await client.query('commit')
  await outlet.push(records({ id: 1 }), update)
})

t.test('large rows and many rows are written, and one bad row of many is found', { skip }, async (t) => {
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(t, postgres, 'create table t (n int primary key, words text)', options)
    const words = 'x'.repeat(1_500_000)
    await outlet.push(records(...Array.from({ length: 8 }, (_, n) => ({ n: -n - 1, words }))), update)
    const many = Array.from({ length: 5000 }, (_, n) => ({ n: n === 4321 ? 17 : n, words: `row ${n}` }))
    t.same(await refusals(outlet.push(records(...many), update)), [[4321, '23505']])
    t.same(await column('select count(*)::int from t'), [5007])
  }
})

t.test('strings are texts of JSON on demand', { skip }, async (t) => {
  for (const options of WRITES) {
    const { outlet, column } = await outletTo(t, postgres, 'create table t (doc json, b jsonb, list json[])', {
      ...options,
      jsonStrings: 'text',
    })
    t.same(
      await refusals(
        outlet.push(
          records(
            { doc: '{"a":  1.10}', b: '[1]', list: ['{"a":  1.10}', null, 'null', { a: 1 }, 2] },
            { doc: 'x', b: null, list: null },
            { doc: { a: 1 }, b: null, list: null },
          ),
          update,
        ),
      ),
      [[1, '22P02']],
    )
    t.same(await column('select array[doc::text, b::text, list::text] from t'), [
      ['{"a":  1.10}', '[1]', String.raw`{"{\"a\":  1.10}",NULL,"null","{\"a\":1}",2}`],
      ['{"a":1}', null, null],
    ])
  }
})

t.test('a misspelt column of the options is told at the start, and a missing table, too', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query('create table prices (id int primary key, total int)')
  for (const [options, message] of [
    [{ mode: 'upsert', keys: ['ids'] }, 'PostgresOutlet: prices has no column ids: did you mean id?'],
    [{ columns: ['id', 'totl'] }, 'PostgresOutlet: prices has no column totl: did you mean total?'],
  ] as const) {
    const outlet = new PostgresOutlet({ url, table: 'prices', ...options })
    await t.rejects(outlet.onStart(), { code: 'DATABAY_DATABASE', serverCode: '42703', message })
    await outlet.onShutdown()
  }
  const logs = captureLogs(t)
  const outlet = new PostgresOutlet({ url, table: 'price', keys: ['ids'] })
  await outlet.onStart()
  await outlet.onShutdown()
  t.match(logs.messages().join(), /there is no table price: did you mean prices\?; its pushes fail until it is there/)
})
