import t, { type Test } from 'tap'
import { PostgresInlet, Update, type PostgresInletOptions, type PostgresTypes } from '../../../src/index.js'
import { postgresServer } from '../../helpers/postgres.js'

const postgres = await postgresServer(t)
const { skip } = postgres

/** The one row of a query. */
async function row(
  t: Test,
  url: string,
  query: string,
  types: PostgresTypes = {},
  options: Partial<PostgresInletOptions> = {},
) {
  const inlet = new PostgresInlet({ url, query, types, ...options })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  return ((await inlet.pull(new Update(['types'], 0))) as readonly object[])[0]
}

const strings: PostgresTypes = {
  bigint: 'string',
  numeric: 'string',
  timestamptz: 'string',
  timestamp: 'string',
  date: 'string',
  json: 'string',
  bytea: 'hex',
}

t.test('values of all types, as they are by default', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query("CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN age AS int; CREATE DOMAIN ages AS age[]")
  await client.query('CREATE TYPE place AS (x int, y int)')
  const query = `SELECT true AS bool, 1::smallint AS small, 2 AS int, 3::bigint AS big, 4.50::numeric AS numeric, 0.1::real AS real,
    0.1::float8 AS double, 'NaN'::float8 AS nan, 'a''b'::text AS text, 'c'::char(3) AS padded, '\\x00ff'::bytea AS bytes,
    '{"a": [1, 2.5, null]}'::jsonb AS json, '2026-11-29 10:00:00.123456+00'::timestamptz AS at,
    '2026-11-29 10:00:00.000001'::timestamp AS local, '2026-11-29'::date AS day, '1 day 02:00'::interval AS long,
    '0b5f0e4e-6f0d-4a1c-9b3a-111111111111'::uuid AS uuid, 'good'::mood AS mood, 7::age AS age, '{1,2}'::ages AS ages,
    (1, 2)::place AS place, '[1,5)'::int4range AS range, NULL::jsonb AS nothing, '10.0.0.1'::inet AS inet`
  t.strictSame(await row(t, url, query), {
    bool: true,
    small: 1,
    int: 2,
    big: 3,
    numeric: '4.50',
    real: 0.1,
    double: 0.1,
    nan: NaN,
    text: "a'b",
    padded: 'c  ',
    bytes: new Uint8Array([0, 255]),
    json: { a: [1, 2.5, null] },
    at: '2026-11-29T10:00:00.123456+00:00',
    local: '2026-11-29T10:00:00.000001',
    day: '2026-11-29',
    long: '1 day 02:00:00',
    uuid: '0b5f0e4e-6f0d-4a1c-9b3a-111111111111',
    mood: 'good',
    age: 7,
    ages: [1, 2],
    place: '(1,2)',
    range: '[1,5)',
    nothing: null,
    inet: '10.0.0.1',
  })
})

t.test('arrays follow the type of their elements', { skip }, async (t) => {
  const { url, client } = await postgres.database(t)
  await client.query("CREATE TYPE mood AS ENUM ('good', 'so so'); CREATE DOMAIN age AS bigint")
  const query = `SELECT '{1,NULL,3}'::bigint[] AS bigs, '{{1,2},{3,4}}'::int[] AS nested, '{}'::text[] AS none,
    ARRAY['a,b', 'NULL', '"q"', NULL, 'c\\d', ''] AS texts, '{t,f}'::bool[] AS bools, ARRAY['good','so so']::mood[] AS moods,
    '{1,2}'::age[] AS ages, ARRAY['{"a":1}'::jsonb] AS objects, ARRAY['\\x01'::bytea] AS bytes, '[2:3]={5,6}'::int[] AS shifted,
    ARRAY['2026-11-29 10:00:00+00'::timestamptz] AS times, '{1.50}'::numeric[] AS numerics, '1 2'::int2vector AS vector,
    ARRAY['(1,2),(0,0)'::box] AS boxes, ARRAY['[1,2)'::int4range] AS ranges`
  t.strictSame(await row(t, url, query, { bigint: 'bigint' }), {
    bigs: [1n, null, 3n],
    nested: [
      [1, 2],
      [3, 4],
    ],
    none: [],
    texts: ['a,b', 'NULL', '"q"', null, 'c\\d', ''],
    bools: [true, false],
    moods: ['good', 'so so'],
    ages: [1n, 2n],
    objects: [{ a: 1 }],
    bytes: [new Uint8Array([1])],
    shifted: [5, 6],
    times: ['2026-11-29T10:00:00+00:00'],
    numerics: ['1.50'],
    vector: '1 2',
    boxes: '{(1,2),(0,0)}',
    ranges: ['[1,2)'],
  })
})

t.test('as strings, nothing is lost', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const values: readonly (readonly [string, string])[] = [
    ['bigint', '9223372036854775807'],
    ['numeric', '12345678901234567890.123456789012345678901234567890'],
    ['timestamptz', '2026-11-29T10:00:00.123456+00:00'],
    ['timestamptz', 'infinity'],
    ['timestamptz', '0044-03-15 12:00:00+00 BC'],
    ['timestamptz', '12026-11-29 10:00:00.5+00'],
    ['timestamp', '2026-11-29T10:00:00.999999'],
    ['timestamp', '-infinity'],
    ['date', '2026-11-29'],
    ['jsonb', '{"n": 12345678901234567890.1}'],
    ['json', '{"a" : 1,  "a": 2}'],
    ['bytea', '00ff'],
    ['float8', '0.1'],
  ]
  const columns = values.map(([type, text], at) => `'${type === 'bytea' ? `\\x${text}` : text}'::${type} AS c${at}`)
  const read = await row(t, url, `SELECT ${columns.join(', ')}`, strings)
  const expected = values.map(([type, text], at) => [`c${at}`, type === 'float8' ? Number(text) : text] as const)
  t.strictSame(read, Object.fromEntries(expected))
})

t.test('a server with settings of its own writes the same', { skip }, async (t) => {
  const { url, database, client } = await postgres.database(t)
  for (const setting of [
    "DateStyle = 'SQL, DMY'",
    "IntervalStyle = 'iso_8601'",
    "bytea_output = 'escape'",
    'extra_float_digits = -5',
  ]) {
    await client.query(`ALTER DATABASE ${database} SET ${setting}`)
  }
  await client.query(`ALTER DATABASE ${database} SET TimeZone = 'Asia/Kolkata'`)
  const query = `SELECT '2026-11-29 10:00:00.5+00'::timestamptz AS at, '2026-11-29'::date AS day, '1 day'::interval AS long,
    'a\\x00'::bytea AS bytes, 0.1::float8 + 0.2 AS double`
  t.strictSame(await row(t, url, query.replace("'a\\x00'", "'\\x6100'")), {
    at: '2026-11-29T15:30:00.5+05:30',
    day: '2026-11-29',
    long: '1 day',
    bytes: new Uint8Array([97, 0]),
    double: 0.30000000000000004,
  })
})

t.test('dates', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const types: PostgresTypes = { timestamptz: 'date', timestamp: 'date', date: 'date' }
  const query = `SELECT '2026-11-29 10:00:00.123999+02'::timestamptz AS at, '2026-11-29 10:00:00'::timestamp AS local,
    '2026-11-29'::date AS day, '0044-03-15 BC'::date AS old, ARRAY['2026-11-29'::date] AS days, NULL::date AS none`
  t.strictSame(await row(t, url, query, types), {
    at: new Date('2026-11-29T08:00:00.123Z'),
    local: new Date('2026-11-29T10:00:00Z'),
    day: new Date('2026-11-29T00:00:00Z'),
    old: new Date('-000043-03-15T00:00:00Z'),
    days: [new Date('2026-11-29T00:00:00Z')],
    none: null,
  })
  // the offset of Paris was one of seconds
  const zoned = `${url}?options=${encodeURIComponent('-c TimeZone=Europe/Paris')}`
  t.strictSame(await row(t, zoned, "SELECT '1900-01-01 00:00:00+00'::timestamptz AS at", types), {
    at: new Date('1900-01-01T00:00:00Z'),
  })
  await t.rejects(row(t, url, "SELECT 'infinity'::timestamptz AS at", types), {
    code: 'DATABAY_DATABASE',
    message: "PostgresInlet: column at has a time that is no Date, such as infinity: read it as 'string'",
  })
})

t.test('numbers that a number cannot hold are errors that do not show them', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const error: unknown = await row(t, url, 'SELECT 9007199254740993::bigint AS id').catch((thrown: unknown) => thrown)
  t.match(error, { code: 'DATABAY_DATABASE', message: /column id has an integer that a number cannot hold: set types/ })
  t.notMatch((error as Error).message, '9007199254740993')
  await t.rejects(row(t, url, `SELECT '{"n": 9007199254740993}'::json AS data`), {
    message: /column data has JSON in which \$\.n is an integer/,
  })
  t.strictSame(await row(t, url, `SELECT '{"n": 9007199254740993}'::json AS data`, { bigint: 'bigint' }), {
    data: { n: 9007199254740993n },
  })
  t.strictSame(await row(t, url, "SELECT 0.1::numeric AS n, 'NaN'::numeric AS nan", { numeric: 'number' }), {
    n: 0.1,
    nan: NaN,
  })
})

t.test('names of columns are taken as they are, but not twice', { skip }, async (t) => {
  const { url } = await postgres.database(t)
  const names = await row(t, url, 'SELECT 1 AS "Ab c", 2 AS "__proto__", 3 AS constructor')
  t.same(Object.keys(names ?? {}), ['Ab c', '__proto__', 'constructor'])
  await t.rejects(row(t, url, 'SELECT 1 AS a, 2 AS a'), {
    message: /has two columns named a: name one of them by AS/,
  })
})
