/** New objects of a bucket become records: in both orders, of all formats, each once. */
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { S3InletOptions } from '../../../src/connectors/s3/inlet/inlet-options.js'
import { S3Inlet } from '../../../src/connectors/s3/s3-inlet.js'
import { Update } from '../../../src/core/update.js'
import { fakeS3 } from '../../helpers/fake-s3.js'
import { captureLogs } from '../../helpers/logs.js'
import { startedS3Inlet } from '../../helpers/s3-inlets.js'
import { s3Server } from '../../helpers/s3.js'

const real = await s3Server(t)

const HOUR = 3_600_000

t.test('objects of a real storage are read once, line by line', { skip: real.skip }, async (t) => {
  const bucket = await real.bucket(t)
  await real.put(bucket, 'logs/1.log', 'a\nb\n')
  await real.put(bucket, 'logs/2.log.gz', gzipSync('c\nd'))
  await real.put(bucket, 'other/3.log', 'no\n')
  const { pull } = await startedS3Inlet(t, { ...real.options, bucket, prefix: 'logs/' })
  t.same(await pull(), ['a', 'b', 'c', 'd'])
  t.same(await pull(), [])
  await real.put(bucket, 'logs/3 + \u00e4 & <b>.txt', 'e\n')
  t.same(await pull(), ['e'])
  t.same(await pull(), [])
})

t.test('objects of a real storage are read in the order of their writing', { skip: real.skip }, async (t) => {
  const bucket = await real.bucket(t)
  const options = { ...real.options, bucket, order: 'modified', settle: 1 } as const
  const { pull } = await startedS3Inlet(t, options)
  const pullNext = async () => {
    for (;;) {
      const all = await pull()
      if (all.length > 0) return all
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await real.put(bucket, 'z.txt', 'first\n')
  t.same(await pullNext(), ['first'])
  await real.put(bucket, 'a.txt', 'second\n')
  t.same(await pullNext(), ['second'])
  t.same(await pull(), [])
})

/** A fake storage with objects by their keys, and an inlet of it. */
async function stored(t: Test, objects: { [key: string]: string | Uint8Array }, options: Partial<S3InletOptions> = {}) {
  const s3 = await fakeS3(t)
  for (const [key, body] of Object.entries(objects)) s3.put(key, body)
  const started = await startedS3Inlet(t, { ...s3.options, ...options })
  return { s3, ...started }
}

t.test('a format is named by the ending of a key', async (t) => {
  const { pull } = await stored(t, {
    '01.jsonl': '{"a":1}\n\n[2]\n',
    '02.ndjson.gz': gzipSync('"x"\n'),
    '03.json': '[{"b":1},{"b":2}]',
    '04.json': '{"c":[1]}',
    '05.csv': 'n,m\n1,2\n',
    '06.tsv.gz': gzipSync('n\tm\n3\t4\n'),
    '07.txt': 'line\r\nlast',
    '08.log.1': 'rotated\n',
    '09': 'bare\n',
    '10.bin': new Uint8Array([0, 255]),
  })
  t.same(await pull(), [
    { a: 1 },
    [2],
    'x',
    { b: 1 },
    { b: 2 },
    { c: [1] },
    { n: '1', m: '2' },
    { n: '3', m: '4' },
    'line',
    'last',
    'rotated',
    'bare',
    new Uint8Array([0, 255]),
  ])
})

t.test('a format that is chosen holds for all', async (t) => {
  const { pull } = await stored(t, { 'a.csv': 'x,y\n', 'b.gz': gzipSync('all\nof it') }, { format: 'whole' })
  t.same(await pull(), ['x,y\n', 'all\nof it'])
})

t.test('packed objects are left as they are where they are not to be unpacked', async (t) => {
  const packed = gzipSync('x')
  const { pull } = await stored(t, { 'a.gz': packed }, { format: 'bytes', gzip: false })
  t.same(await pull(), [new Uint8Array(packed)])
})

t.test('options of CSV hold', async (t) => {
  const options = { csv: { delimiter: ';', types: { n: 'number' } } } as const
  const { pull } = await stored(t, { 'a.csv': 'n;s\n1;x\n', 'b.tsv': 'n;s\n2;y\n' }, options)
  t.same(await pull(), [
    { n: 1, s: 'x' },
    { n: 2, s: 'y' },
  ])
})

t.test('objects without content, and those that stand for folders, have no records', async (t) => {
  const { s3, pull } = await stored(t, { 'a/': '', 'a/b/': 'x\n', 'c.txt': '', 'd.csv': '', 'e.json': '' })
  t.same(await pull(), ['x'])
  t.same(
    s3.gets().map(({ key }) => key),
    ['a/b/'],
    'nothing is requested for nothing',
  )
  t.same(await pull(), [])
})

t.test('an empty text is a record, and so are no bytes', async (t) => {
  const { pull } = await stored(t, { a: '' }, { format: 'whole' })
  t.same(await pull(), [''])
  const bytes = await stored(t, { a: '' }, { format: 'bytes' })
  t.same(await bytes.pull(), [new Uint8Array()])
})

t.test('records have the key of their object in their metadata, and share it', async (t) => {
  const { records } = await stored(t, { 'a.txt': '1\n2\n', 'b.txt': '3\n' }, { metadata: { source: 'x' } })
  const [first, second, third] = await records()
  t.match(first?.metadata, { [S3Inlet.S3_KEY]: 'a.txt', source: 'x', __inlet__: 'S3Inlet(bucket/)' })
  t.equal(first?.metadata, second?.metadata)
  t.equal(third?.metadata[S3Inlet.S3_KEY], 'b.txt')
})

t.test('keys of every kind are read', async (t) => {
  const keys = [
    ...['a b', 'a+b', 'a%2Bb', '100%', "(a)!*'~", 'a&b=c?d#e;f:g@h,i$j', '<a>"b"', 'a\\b|c^d`{e}[f]', 'x\ny\tz\x01'],
    ...['stra\u00dfe/\u65e5\u672c', '\ud83d\ude00', '\uff5e', '//', 'a//b', 'a/'],
  ]
  const { pull } = await stored(t, Object.fromEntries(keys.map((key) => [key, `${JSON.stringify(key)}\n`])), {
    format: 'jsonl',
  })
  const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  t.same(await pull(), [...keys].sort(byBytes))
  t.same(await pull(), [])
})

t.test('a pattern says which objects are read', async (t) => {
  const objects = { 'a/x.csv': 'n\n1\n', 'a/x.txt': 'no\n', 'b/c/y.csv': 'n\n2\n', 'b/.z.csv': 'n\n3\n' }
  const names = await stored(t, objects, { match: '*.csv' })
  t.same(await names.pull(), [{ n: '1' }, { n: '3' }, { n: '2' }])
  const paths = await stored(t, objects, { match: 'b/**/*.csv' })
  t.same(await paths.pull(), [{ n: '3' }, { n: '2' }])
})

t.test('what a pattern leaves out is not listed again', async (t) => {
  const { s3, pull } = await stored(t, { 'a.txt': 'x\n', 'b.no': 'x' }, { match: '*.txt' })
  t.same(await pull(), ['x'])
  t.same(await pull(), [])
  t.equal(s3.lists().at(-1)?.query.get('start-after'), 'b.no')
})

t.test('a transfer reads no more objects than the limit', async (t) => {
  const { pull } = await stored(t, { a: '1\n', b: '2\n', c: '3\n' }, { limit: 2 })
  t.same(await pull(), ['1', '2'])
  t.same(await pull(), ['3'])
})

t.test('the first transfer begins after a key, or after a time', async (t) => {
  const byKey = await stored(t, { a: '1\n', b: '2\n' }, { startAfter: 'a' })
  t.same(await byKey.pull(), ['2'])
  const s3 = await fakeS3(t)
  s3.put('x', 'old\n', Date.UTC(2026, 0, 1))
  s3.put('b', 'new\n', Date.UTC(2026, 0, 2))
  s3.put('a', 'newer\n', Date.UTC(2026, 0, 3))
  const options: S3InletOptions = { ...s3.options, order: 'modified', startAfter: '2026-01-01T00:00:00Z' }
  const byTime = await startedS3Inlet(t, options)
  t.same(await byTime.pull(), ['new', 'newer'])
})

t.test('what is too young holds up what comes after it, by the clock of the storage', async (t) => {
  const s3 = await fakeS3(t)
  s3.state.ahead = -HOUR
  const now = Date.now() - HOUR
  s3.put('a', '1\n', now - 20_000)
  s3.put('b', '2\n', now - 2000)
  s3.put('c', '3\n', now - 20_000)
  const { pull } = await startedS3Inlet(t, { ...s3.options, settle: 10 })
  t.same(await pull(), ['1'])
  s3.state.ahead = -HOUR + 10_000
  t.same(await pull(), ['2', '3'])
})

t.test('in the order of writing, what is too young is read later, where it belongs', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('a', '3\n', Date.now() - 2000)
  s3.put('b', '1\n', Date.now() - 20_000)
  const { pull } = await startedS3Inlet(t, { ...s3.options, order: 'modified' })
  t.same(await pull(), ['1'])
  s3.put('c', '2\n', Date.now() - 10_000)
  t.same(await pull(), ['2'])
  s3.state.ahead = 10_000
  t.same(await pull(), ['3'])
})

t.test('in the order of writing, objects of one time come by their keys', async (t) => {
  const s3 = await fakeS3(t)
  const time = Date.now() - HOUR
  for (const key of ['c', 'a', 'b', '\ud83d\ude00', '\uff5e']) s3.put(key, `${key}\n`, time)
  const { pull } = await startedS3Inlet(t, { ...s3.options, order: 'modified', limit: 2 })
  t.same(await pull(), ['a', 'b'])
  t.same(await pull(), ['c', '\uff5e'])
  t.same(await pull(), ['\ud83d\ude00'])
  t.same(await pull(), [])
})

t.test('an object that is written to again is read again in the order of writing alone', async (t) => {
  for (const order of ['key', 'modified'] as const) {
    const s3 = await fakeS3(t)
    s3.put('a', '1\n', Date.now() - HOUR)
    const { pull } = await startedS3Inlet(t, { ...s3.options, order })
    t.same(await pull(), ['1'])
    s3.put('a', '2\n', Date.now() - HOUR / 2)
    t.same(await pull(), order === 'key' ? [] : ['2'])
  }
})

t.test('10,000 keys are listed page by page, and none is listed again', async (t) => {
  const s3 = await fakeS3(t)
  for (let n = 0; n < 10_000; n++) s3.put(`x/${String(n).padStart(5, '0')}.txt`, n % 100 === 0 ? `${n}\n` : '')
  const { pull } = await startedS3Inlet(t, { ...s3.options, limit: Infinity })
  s3.asked.length = 0
  t.equal((await pull()).length, 100)
  t.equal(s3.lists().length, 10)
  t.equal(s3.gets().length, 100)
  t.same(await pull(), [])
  t.equal(s3.lists().length, 11)
})

t.test('a storage that cuts lists and tells no token is listed to the end', async (t) => {
  for (const order of ['key', 'modified'] as const) {
    const s3 = await fakeS3(t, { pageSize: 2, tellsTokens: false })
    for (let n = 0; n < 5; n++) s3.put(`k${n}`, `${n}\n`, Date.UTC(2026) - HOUR + n * 1000)
    const { pull } = await startedS3Inlet(t, { ...s3.options, order })
    t.same(await pull(), ['0', '1', '2', '3', '4'])
  }
})

t.test('as many objects as are held at once are chosen of all, in the order of writing', async (t) => {
  const s3 = await fakeS3(t, { pageSize: 7 })
  const times = Array.from({ length: 50 }, (_, n) => (n * 37) % 50)
  for (const [n, time] of times.entries()) s3.put(`k${n}`, `${time}\n`, Date.UTC(2026) - HOUR + time * 1000)
  const { pull } = await startedS3Inlet(t, { ...s3.options, order: 'modified', limit: 6 })
  const all: unknown[] = []
  for (let pulls = 0; pulls < 9; pulls++) all.push(...(await pull()))
  t.same(
    all,
    Array.from({ length: 50 }, (_, n) => String(n)),
  )
})

t.test('a storage that lists keys in no order is refused, as objects would be lost', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('a', '1\n')
  const { inlet } = await startedS3Inlet(t, s3.options)
  s3.server.removeAllListeners('request')
  s3.server.on('request', (_, response) => {
    const contents = ['b', 'a', 'c'].map((key) => `<Contents><Key>${key}</Key><Size>0</Size></Contents>`)
    const more = '<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>'
    response.end(`<ListBucketResult>${more}${contents.join('')}</ListBucketResult>`)
  })
  await t.rejects(async () => inlet.pull(new Update(['test'], 1)), /lists keys in no order/)
})

t.test('a page that is not in order is put in order', { skip: real.skip }, async (t) => {
  const bucket = await real.bucket(t)
  for (const key of ['a/b.txt', 'a-b.txt', 'a.txt', 'a!']) await real.put(bucket, key, `${key}\n`)
  const { pull } = await startedS3Inlet(t, { ...real.options, bucket, limit: 2 })
  t.same(await pull(), ['a!', 'a-b.txt'])
  t.same(await pull(), ['a.txt', 'a/b.txt'])
  t.same(await pull(), [])
})

t.test('what was pulled is logged', async (t) => {
  const { messages } = captureLogs(t, 'info')
  const { pull } = await stored(t, { a: '1\n2\n' })
  await pull()
  t.match(messages().join('\n'), /received 2 records of 1 objects of S3Inlet\(bucket\/\)/)
})
