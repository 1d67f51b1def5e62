/** What a row of PostgreSQL holds of a record, by each mode. */
import { Buffer } from 'node:buffer'
import { Binary } from 'mongodb'
import t from 'tap'
import { Update } from '../../../src/core/update.js'
import type { PostgresOutletOptions } from '../../../src/index.js'
import { postgresServer } from '../../helpers/postgres.js'
import { outletTo, records, refused } from '../../helpers/postgres-outlets.js'

const postgres = await postgresServer(t)
const { skip } = postgres

const update = new Update(['to_postgres'], 0)

const MODES: readonly Partial<PostgresOutletOptions>[] = [
  { mode: 'insert' },
  { mode: 'insert', keys: ['id'] },
  { mode: 'upsert', keys: ['id'] },
  { mode: 'copy' },
  { mode: 'copy', keys: ['id'] },
]

const EVERY_TYPE = `
create type mood as enum ('sad', 'ok');
create domain posint as int check (value > 0);
create domain blob as bytea;
create type pair as (a int, b text);
create table t (
  id int primary key, small smallint, big bigint, exact numeric, half float4, whole float8, flag boolean,
  words text, short varchar(20), fixed char(3), moment timestamptz, local timestamp, day date, clock time, span interval,
  doc json, docb jsonb, bytes bytea, blob blob, key uuid, mood mood, pos posint, pair pair, addr inet, ints int[], texts text[],
  grid int[][], floats float8[], moments timestamptz[], blobs bytea[], docs jsonb[], "Odd ""name" text
)`

for (const options of MODES) {
  const name = JSON.stringify(options)
  t.test(`values of all types arrive as they are: ${name}`, { skip }, async (t) => {
    const { outlet, rows } = await outletTo(t, postgres, EVERY_TYPE, options)
    const tricky = 'a\tb\nc\\d\r"e" \\N \\. \u00e9 \u{1F600} \u2028 \b\f\v {},'
    await outlet.push(
      records(
        {
          id: 1,
          small: -5,
          big: 9223372036854775807n,
          exact: '12345678901234567890.123456789010',
          half: 1.5,
          whole: 0.1,
          flag: true,
          words: tricky,
          short: 'x',
          fixed: 'abc',
          moment: '2026-01-02T03:04:05.678901Z',
          local: '2026-01-02 03:04:05.123456',
          day: '2026-01-02',
          clock: '03:04:05.000001',
          span: '1 day 02:00',
          doc: { b: 1, a: [null, 'x', { c: tricky }], e: 1.5 },
          docb: { b: 1, a: [tricky] },
          bytes: Buffer.from([0, 255, 92]),
          blob: new Uint8Array([1, 2]),
          key: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
          mood: 'ok',
          pos: 1,
          ...(options.mode === 'copy' ? {} : { pair: { a: 1, b: tricky } }),
          addr: '10.0.0.1',
          ints: [1, null, 3],
          texts: [tricky, null, 'NULL', '', '"', '{}'],
          grid: [
            [1, 2],
            [3, 4],
          ],
          floats: [NaN, Infinity, -Infinity, -0, 1e300],
          moments: [new Date(0), null],
          blobs: [Buffer.from([7]), null],
          docs: [{ a: tricky }, null, [1], 'x'].slice(0, 2),
          'Odd "name': 'odd',
        },
        {
          id: 2,
          moment: new Date('2026-01-02T03:04:05.678Z'),
          local: new Date(0),
          day: new Date(0),
          whole: NaN,
          half: -Infinity,
          exact: NaN,
          docb: 'text',
          doc: 7,
        },
        {
          id: 3,
          whole: -0,
          big: 12,
          doc: { n: 2n ** 70n },
          docb: [1, [2]],
          words: 5,
          flag: null,
          ints: [],
          texts: '{a,b}',
          pair: '(7,x)',
        },
        { id: 4, moment: new Date(Date.UTC(12000, 0, 1)), local: new Date(-62_200_000_000_000), docb: false },
      ),
      update,
    )
    const text = await rows(
      `select id, big::text, exact::text, half::text, whole::text, words, moment at time zone 'utc' as moment, to_char(moment at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US AD') as m, to_char(local, 'YYYY-MM-DD HH24:MI:SS.US AD') as l,
       day::text, clock::text, span::text, doc::text, docb::text, encode(bytes, 'hex') as bytes, encode(blob, 'hex') as blob, key::text, mood::text, pos, pair::text, (pair).b as b, addr::text, ints, texts,
       grid::text, floats::text, array(select to_char(x at time zone 'utc', 'YYYY-MM-DD HH24:MI') from unnest(moments) x) as moments, blobs::text, docs::text as docs, "Odd ""name" as odd, flag, short, fixed, small from t order by id`,
    )
    t.match(text[0], {
      id: 1,
      small: -5,
      big: '9223372036854775807',
      exact: '12345678901234567890.123456789010',
      half: '1.5',
      whole: '0.1',
      flag: true,
      words: tricky,
      short: 'x',
      fixed: 'abc',
      m: '2026-01-02 03:04:05.678901 AD',
      l: '2026-01-02 03:04:05.123456 AD',
      day: '2026-01-02',
      clock: '03:04:05.000001',
      span: '1 day 02:00:00',
      doc: JSON.stringify({ b: 1, a: [null, 'x', { c: tricky }], e: 1.5 }),
      bytes: '00ff5c',
      blob: '0102',
      key: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      mood: 'ok',
      pos: 1,
      b: options.mode === 'copy' ? null : tricky,
      addr: '10.0.0.1/32',
      ints: [1, null, 3],
      texts: [tricky, null, 'NULL', '', '"', '{}'],
      grid: '{{1,2},{3,4}}',
      floats: '{NaN,Infinity,-Infinity,-0,1e+300}',
      moments: ['1970-01-01 00:00', null],
      blobs: '{"\\\\x07",NULL}',
      odd: 'odd',
    })
    t.same(JSON.parse(String(text[0]?.['docb'])), { b: 1, a: [tricky] })
    t.match(text[1], {
      m: '2026-01-02 03:04:05.678000 AD',
      l: '1970-01-01 00:00:00.000000 AD',
      day: '1970-01-01',
      whole: 'NaN',
      half: '-Infinity',
      exact: 'NaN',
      docb: '"text"',
      doc: '7',
    })
    t.match(text[2], {
      whole: '-0',
      big: '12',
      doc: '{"n":1180591620717411303424}',
      docb: '[1, [2]]',
      words: '5',
      flag: null,
      ints: [],
      texts: ['a', 'b'],
      b: 'x',
    })
    t.match(text[3], { m: '12000-01-01 00:00:00.000000 AD', l: '0003-12-17 14:13:20.000000 BC', docb: 'false' })
  })
}

t.test('dates of any year arrive in lists, too', { skip }, async (t) => {
  const years = [-43, 2026, 12026].map((year) => {
    const date = new Date(0)
    date.setUTCFullYear(year)
    return date
  })
  for (const options of MODES) {
    const { outlet, rows } = await outletTo(
      t,
      postgres,
      'create table t (id int primary key, days date[], grid date[])',
      options,
    )
    await outlet.push(records({ id: 1, days: years, grid: years.map((date) => [date]) }), update)
    const days = ['0044-01-01 BC', '2026-01-01', '12026-01-01']
    const found = await rows('select days::text, grid::text from t')
    t.same(found, [
      { days: `{"${days[0]}",${days[1]},${days[2]}}`, grid: `{{"${days[0]}"},{${days[1]}},{${days[2]}}}` },
    ])
  }
})

t.test('composite values arrive in the mode copy, too', { skip }, async (t) => {
  const { outlet, rows } = await outletTo(t, postgres, EVERY_TYPE, { mode: 'copy' })
  await outlet.push(records({ id: 1, pair: { a: 1, b: 'x,"y' } }, { id: 2 }), update)
  t.same(await rows('select id, (pair).a, (pair).b from t order by id'), [
    { id: 1, a: 1, b: 'x,"y' },
    { id: 2, a: null, b: null },
  ])
})

t.test('what a record leaves out takes its default, and null is null', { skip }, async (t) => {
  for (const options of MODES) {
    const { outlet, rows } = await outletTo(
      t,
      postgres,
      `create table t (id int primary key, a int default 7, b text default 'x')`,
      options,
    )
    await outlet.push(
      records({ id: 1 }, { id: 2, a: null, b: undefined }, { b: 'y', id: 3 }, { id: 4, b: 'z', a: 1 }),
      update,
    )
    t.same(
      await rows('select * from t order by id'),
      [
        { id: 1, a: 7, b: 'x' },
        { id: 2, a: null, b: 'x' },
        { id: 3, a: 7, b: 'y' },
        { id: 4, a: 1, b: 'z' },
      ],
      JSON.stringify(options),
    )
  }
})

t.test('a record that would lose something is refused, and the others are stored', { skip }, async (t) => {
  for (const options of MODES) {
    const { outlet, rows } = await outletTo(
      t,
      postgres,
      `create table t (id int primary key, n int, name text, doc jsonb, list text[], bytes bytea)`,
      options,
    )
    const bad: { readonly [what: string]: unknown }[] = [
      { id: 11, names: 'x' },
      { id: 12, doc: new Map([['a', 1]]) },
      { id: 13, name: 'a\0b' },
      { id: 14, name: 'half \ud800' },
      { id: 15, n: NaN },
      { id: 16, name: NaN },
      { id: 17, name: new Uint8Array([1]) },
      { id: 18, doc: new Uint8Array([1]) },
      { id: 19, n: new Date(NaN) },
      { id: 20, name: () => 1 },
      { id: 21, list: [undefined] },
      { id: 22, doc: { deep: [NaN] } },
      { id: 23, n: 2 ** 31 },
      { id: 24, n: 1.5 },
      { id: 25, n: 'five' },
      { id: 26, doc: { text: '\0' } },
      { id: 28, bytes: { a: 1 } },
      { id: 29, bytes: [120] },
      { id: 30, bytes: 5 },
      { id: 31, bytes: true },
      { id: 32, bytes: 5n },
      ...(options.mode === 'copy' ? [{ id: 33, bytes: new Date(0) }] : []),
    ]
    const payloads = [
      { id: 1 },
      'text',
      7,
      null,
      [{ id: 2 }],
      new Map([['id', 3]]),
      {},
      ...bad,
      { id: 4, name: '\\u0000 is fine', bytes: new Binary(Buffer.of(0, 120)) },
    ]
    const found = await refused(outlet.push(records(...payloads), update))
    const name = JSON.stringify(options)
    t.same(
      found.map(({ index }) => index),
      payloads.map((_, index) => index).slice(1, -1),
      name,
    )
    t.same(await rows('select id, name, bytes from t order by id'), [
      { id: 1, name: null, bytes: null },
      { id: 4, name: '\\u0000 is fine', bytes: Buffer.of(0, 120) },
    ])
    t.match(
      found.find(({ error }) => error.message.includes('names'))?.error.message,
      /has no column for the field "names": did you mean name\?/,
    )
    t.notMatch(found.map(({ error }) => error.message).join('\n'), /five|2147483648|is 7/)
  }
})
