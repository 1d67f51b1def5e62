import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Inlet, Link, PartialPushError, Record, S3Outlet, type S3OutletOptions } from '../../../src/index.js'
import { Update } from '../../../src/core/update.js'
import { s3Server } from '../../helpers/s3.js'

const s3 = await s3Server(t)
const { skip } = s3

class Numbers extends Inlet<number> {
  *pull() {
    yield [0, 1, 2]
    yield [3]
    yield [4, 5, 6]
  }
}

const pairs = <T>(batches: readonly (readonly Record<T>[])[]) =>
  batches.flatMap((batch) => batch.flatMap((_, at) => (at % 2 === 0 ? [batch.slice(at, at + 2)] : [])))

const update = () => new Update(['shop'], 0)
const recordsOf = (...payloads: unknown[]) => payloads.map((payload) => new Record(payload))

async function started(t: Test, options: S3OutletOptions): Promise<S3Outlet> {
  const outlet = new S3Outlet({ ...s3.options, ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  return outlet
}

/** Contents of the objects of a bucket, by their keys. */
async function contents(bucket: string): Promise<{ [key: string]: string }> {
  const all: { [key: string]: string } = {}
  for (const key of await s3.keys(bucket)) all[key] = (await s3.get(bucket, key)).toString('latin1')
  return all
}

t.test('a batch becomes an object of JSON Lines', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const outlet = await started(t, { bucket })
  await outlet.push(recordsOf({ id: 1 }, { id: 2n ** 64n, at: new Date(0) }), update())
  const [[key, content] = ['', '']] = Object.entries(await contents(bucket))
  t.match(key, /^shop\/\d{4}-\d\d-\d\d\/[0-9a-z]{25}-000000\.jsonl$/)
  t.equal(content, '{"id":1}\n{"id":18446744073709551616,"at":"1970-01-01T00:00:00.000Z"}\n')
})

t.test('each format has its content, type and ending', { skip }, async (t) => {
  const rows = [
    { id: 1, name: 'a "quoted" one' },
    { id: 2, name: '=1+1' },
  ]
  const cases = [
    ['jsonl', 'jsonl', 'application/x-ndjson', '{"id":1,"name":"a \\"quoted\\" one"}\n{"id":2,"name":"=1+1"}\n'],
    ['json', 'json', 'application/json', '[\n{"id":1,"name":"a \\"quoted\\" one"},\n{"id":2,"name":"=1+1"}\n]\n'],
    ['csv', 'csv', 'text/csv; charset=utf-8', 'id,name\n1,"a ""quoted"" one"\n2,\'=1+1\n'],
    ['text', 'txt', 'text/plain; charset=utf-8', '{"id":1,"name":"a \\"quoted\\" one"}\n{"id":2,"name":"=1+1"}\n'],
  ] as const
  for (const [format, ending, type, expected] of cases) {
    for (const gzip of [false, true]) {
      const bucket = await s3.bucket(t)
      const outlet = await started(t, { bucket, format, gzip })
      await outlet.push(recordsOf(...rows), update())
      const [key = ''] = await s3.keys(bucket)
      t.ok(key.endsWith(`-000000.${ending}${gzip ? '.gz' : ''}`), key)
      const bytes = await s3.get(bucket, key)
      t.equal((gzip ? gunzipSync(bytes) : bytes).toString(), expected)
      const { headers } = await s3.send('HEAD', `/${bucket}/${key}`)
      t.equal(headers.get('content-type'), gzip ? 'application/gzip' : type)
    }
  }
})

t.test('records of a batch go to the objects of their keys', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const outlet = await started(t, {
    bucket,
    key: 'by/{payload.place.country|none}/{batch}.txt',
    format: 'text',
    serialize: (value, path) => (path === '' ? (value as { n: number }).n : undefined),
  })
  const of = (country: unknown, n: number) => ({ place: { country }, n })
  const all = update()
  await outlet.push(recordsOf(of('de', 1), of('a/../b', 2), of('de', 3), of(undefined, 4), of('...', 5)), all)
  await outlet.push(recordsOf(of('de', 6)), all)
  t.same(await contents(bucket), {
    'by/.../000000.txt': '5\n',
    'by/a%2F..%2Fb/000000.txt': '2\n',
    'by/de/000000.txt': '1\n3\n',
    'by/de/000001.txt': '6\n',
    'by/none/000000.txt': '4\n',
  })
})

t.test('a function or the metadata of a record chooses its key', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const outlet = await started(t, { bucket, key: ({ payload }, _, { batch }) => `${String(payload)}/${batch}` })
  const chosen = new Record('x', { [S3Outlet.S3_KEY]: 'elsewhere/y z+%' })
  await outlet.push([...recordsOf('a', 'b', 'a'), chosen], update())
  t.same(await contents(bucket), { 'a/000000': '"a"\n"a"\n', 'b/000000': '"b"\n', 'elsewhere/y z+%': '"x"\n' })
})

t.test('a record that cannot be written is refused, and the others are stored', { skip }, async (t) => {
  const bucket = await s3.bucket(t)
  const outlet = await started(t, { bucket, key: '{payload.id}.jsonl' })
  const bad = new Record({ id: 4 }, { [S3Outlet.S3_KEY]: '../x' })
  const payloads = recordsOf({ id: 1 }, { id: 2, f: () => 1 }, { id: null }, { id: 'x'.repeat(2000) })
  const error: unknown = await outlet.push([...payloads, bad], update()).catch((error: unknown) => error)
  t.match(error, { code: PartialPushError.code, taken: 1 })
  const { rejected } = error as PartialPushError
  t.same(
    rejected.map(({ index }) => index),
    [1, 2, 3, 4],
  )
  for (const { error } of rejected) t.equal((error as { retryable?: boolean }).retryable, false)
  t.match(
    rejected.map(({ error }) => error.message),
    [/f is a function/, /needs the field id .* null/, /2006 bytes/, /\.\./],
  )
  t.same(await contents(bucket), { '1.jsonl': '{"id":1}\n' })
})

t.test('one object holds all batches and rounds of a transfer', { skip }, async (t) => {
  for (const rounds of ['pulled', 'whole', 3] as const) {
    const bucket = await s3.bucket(t)
    const outlet = new S3Outlet({ ...s3.options, bucket, object: 'transfer', key: 'all-{link}.jsonl' })
    const link = new Link({
      id: 'numbers',
      rounds,
      inlets: new Numbers(),
      outlets: outlet,
      groupers: pairs,
      interval: 60,
    })
    await link.onStart()
    const report = await link.transfer()
    t.equal(report.failed, false)
    t.equal(report.outlets[0]?.pushed, 7)
    await link.onShutdown()
    t.same(await contents(bucket), { 'all-numbers.jsonl': '0\n1\n2\n3\n4\n5\n6\n' })
  }
})
