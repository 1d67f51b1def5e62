import { Buffer } from 'node:buffer'
import { crc32, brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import fc from '../../helpers/fast-check.js'
import { readBody } from '../../../src/connectors/http/body.js'
import { failureOf, pullOf } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'

const body = '[{"a":"\u00e9"}]'
const expected = [{ a: '\u00e9' }]
const behind = (packed: Uint8Array, ...more: (string | Uint8Array)[]) =>
  Buffer.concat([packed, ...more.map((part) => Buffer.from(part))])

t.test('a content-encoding that is no encoding is passed over', async (t) => {
  const names = ['none', 'identity', 'UTF-8', 'utf8', 'binary', '8bit', 'chunked', 'aws-chunked', 'klingon', '', ' , ']
  for (const name of names) t.same(await pullOf(t, body, {}, { 'content-encoding': name }), expected, name)
  for (const name of [
    'gzip, utf-8',
    'none,gzip',
    'klingon, gzip',
    'gzip, klingon',
    '"gzip"',
    'gzip;q=1',
    'identity, x-gzip',
  ]) {
    t.same(await pullOf(t, gzipSync(body), {}, { 'content-encoding': name }), expected, name)
  }
})

t.test('an unknown encoding of what is no text is an error that names it and the option', async (t) => {
  const packed = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x09, 0x00, 0x00, 0x31])
  const error = await failureOf(t, pullOf(t, packed, { format: 'text' }, { 'content-encoding': 'zstd' }))
  t.match(error, { failure: 'body', status: 200 })
  t.match(error.message, /unknown encoding 'zstd'.*contentEncoding/)
})

t.test('a content-encoding that came twice is undone once if the body was packed once', async (t) => {
  t.same(await pullOf(t, gzipSync(body), {}, { 'content-encoding': ['gzip', 'gzip'] }), expected)
  t.same(await pullOf(t, gzipSync(gzipSync(body)), {}, { 'content-encoding': ['gzip', 'gzip'] }), expected)
  t.same(await pullOf(t, brotliCompressSync(body), {}, { 'content-encoding': 'br, br' }), expected)
})

t.test('a body that is not packed, or in another way than it says, is read all the same', async (t) => {
  for (const name of ['gzip', 'x-gzip', 'deflate', 'br']) {
    t.same(await pullOf(t, body, {}, { 'content-encoding': name }), expected, `${name}, not packed`)
    t.same(await pullOf(t, gzipSync(body), {}, { 'content-encoding': name }), expected, `${name}, which is gzip`)
  }
  t.same(await pullOf(t, deflateSync(body), {}, { 'content-encoding': 'gzip' }), expected)
  t.same(await pullOf(t, deflateSync(body), {}, { 'content-encoding': 'br' }), expected)
  // what brotli makes of some texts begins like something packed with deflate
  for (const text of [body, '{"a":"\u00e9\ud83d\ude00"}', JSON.stringify(Array.from({ length: 500 }, (_, at) => at))]) {
    for (const name of ['gzip', 'deflate']) {
      const packed = brotliCompressSync(text)
      t.same(await pullOf(t, packed, { format: 'text' }, { 'content-encoding': name }), text, `${name}, which is br`)
    }
  }
  t.equal(
    await pullOf(t, 'x^ looks like zlib', { format: 'text' }, { 'content-encoding': 'deflate' }),
    'x^ looks like zlib',
  )
})

t.test('an empty body is empty however it is packed, and a text that begins like one is a text', async (t) => {
  const packings = { gzip: gzipSync(''), deflate: deflateSync(''), br: brotliCompressSync('') }
  for (const [name, packed] of Object.entries(packings)) {
    t.same(await pullOf(t, packed, { format: 'text' }, { 'content-encoding': name }), [], name)
    t.same(await pullOf(t, packed, { format: 'text', contentEncoding: name as 'br' }), [], `${name}, by the option`)
  }
  for (const text of [';a', ';;', '33', '5.5']) {
    t.equal(await pullOf(t, text, { format: 'text' }, { 'content-encoding': 'br' }), text, text)
  }
})

t.test('gzip that no header names is known by its first bytes', async (t) => {
  t.same(await pullOf(t, gzipSync(body), {}, { 'content-type': 'application/gzip' }), expected)
  t.same(await pullOf(t, gzipSync(gzipSync(body)), {}, { 'content-encoding': 'gzip' }), expected, 'a packed .gz file')
})

t.test('what stands behind packed bytes is left out, and counted unless it is blank', async (t) => {
  const logs = captureLogs(t)
  for (const blank of ['\n', '\r\n\r\n', '\n \n', Buffer.alloc(600), '\0\n']) {
    t.same(await pullOf(t, behind(gzipSync(body), blank), {}, { 'content-encoding': 'gzip' }), expected)
  }
  const two = [gzipSync(body.slice(0, 5)), gzipSync(body.slice(5))] as const
  t.same(await pullOf(t, behind(...two, '\n'), {}, { 'content-encoding': 'gzip' }), expected, 'two members')
  t.same(logs.entries(), [])
  const cases: [string, Uint8Array][] = [
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
  ]
  for (const [name, packed] of cases) {
    t.same(await pullOf(t, behind(packed, '<!-- end -->'), {}, { 'content-encoding': name }), expected, name)
    t.match(logs.entries().at(-1), { bytes: 12, msg: /12 bytes behind its packed body were left out/ })
  }
})

t.test('gzip in members with names, comments and extra fields is read with bytes behind it', async (t) => {
  const plain = gzipSync(body)
  const flags = 2 + 4 + 8 + 16
  const extra = [2, 0, 0xaa, 0xbb]
  const fields = Buffer.of(...plain.subarray(0, 3), flags, ...plain.subarray(4, 10), ...extra)
  const header = behind(fields, 'name\0', 'comment\0')
  const checksum = crc32(header)
  const full = behind(header, Buffer.of(checksum & 0xff, (checksum >> 8) & 0xff), plain.subarray(10))
  t.same(await pullOf(t, behind(full, 'x'), {}, { 'content-encoding': 'gzip' }), expected)
})

t.test('gzip that is cut off or broken is an error, also in its second member and with bytes behind it', async (t) => {
  const whole = gzipSync(body)
  const broken = Buffer.from(whole)
  broken[whole.length - 6] = (broken[whole.length - 6] ?? 0) ^ 0xff // its checksum
  const cases = [
    whole.subarray(0, whole.length - 9),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 4),
    behind(whole, whole.subarray(0, 12)),
    behind(whole, whole.subarray(0, 3)),
    broken,
    behind(broken, '\n'),
  ]
  for (const bytes of cases) {
    const error = await failureOf(t, pullOf(t, bytes, { format: 'text' }, { 'content-encoding': 'gzip' }))
    t.match(error, { failure: 'body', message: /cannot be unpacked/ })
  }
})

t.test('whatever is packed and whatever stands behind it, the text comes whole', async (t) => {
  const anything = fc.tuple(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), fc.uint8Array({ maxLength: 20 }))
  await fc.assert(
    fc.asyncProperty(anything, async ([texts, rest]) => {
      fc.pre(rest[0] !== 0x1f)
      const bytes = behind(Buffer.concat(texts.map((text) => gzipSync(text))), rest)
      const read = await readBody(parts(bytes), 'gzip', { limit: 100_000 })
      t.equal(read.bytes.toString(), texts.join(''))
    }),
    { numRuns: 100 },
  )
})

t.test('contentEncoding overrides what the response says', async (t) => {
  const wrong = { 'content-encoding': 'br' }
  t.same(await pullOf(t, gzipSync(body), { contentEncoding: 'gzip' }, wrong), expected)
  t.same(await pullOf(t, brotliCompressSync(gzipSync(body)), { contentEncoding: ['gzip', 'br'] }), expected)
  const asItIs = await pullOf(
    t,
    gzipSync(body),
    { contentEncoding: 'identity', format: 'text', charset: 'latin1' },
    wrong,
  )
  t.match(asItIs, /^\x1f\u2039/)
  for (const contentEncoding of ['zip', [], ['gzip', 7], 7, '']) {
    await t.rejects(pullOf(t, body, { contentEncoding } as object), {
      message: /^HttpInlet\.contentEncoding: expected /,
    })
  }
})

t.test('a body that unpacks to more than maxBodySize is an error, also with bytes behind it', async (t) => {
  const packed = behind(gzipSync('x'.repeat(600)), gzipSync('x'.repeat(600)), 'behind')
  for (const bytes of [packed, gzipSync('x'.repeat(1001))]) {
    const error = await failureOf(t, pullOf(t, bytes, { format: 'text', maxBodySize: 1000 }))
    t.match(error.message, /larger than maxBodySize, which is 1000 bytes/)
  }
})

async function* parts(bytes: Uint8Array) {
  yield bytes
}
