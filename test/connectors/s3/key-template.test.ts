/** Keys of objects: what a template takes, what it makes of payloads, and that each key arrives as it is. */
import t from 'tap'
import { Update } from '../../../src/core/update.js'
import { KeyTemplate, withHash, type S3KeyNames } from '../../../src/connectors/s3/outlet/key-template.js'
import { makeUid } from '../../../src/connectors/s3/outlet/transfer-names.js'
import { Record, S3Outlet } from '../../../src/index.js'
import { captureLogs } from '../../helpers/logs.js'
import fc from '../../helpers/fast-check.js'
import { FakeS3 } from './fake-s3.js'

const NAMES: S3KeyNames = {
  ...{ link: 'a/b', date: '2026-01-31', year: '2026', month: '01', day: '31', hour: '23', minute: '59' },
  ...{ uid: 'u', batch: '000000' },
}

const template = (text: string) => new KeyTemplate('S3Outlet.key', text)
const key = (text: string, payload?: unknown) => template(text).compose(payload, NAMES)

t.test('fields are filled in', async (t) => {
  t.equal(
    key('{link}/{date}/{year}{month}{day}T{hour}{minute}/{uid}-{batch}'),
    'a%2Fb/2026-01-31/20260131T2359/u-000000',
  )
  t.equal(withHash(key('{hash}/{hash}'), 'f'.repeat(64)), `${'f'.repeat(32)}/${'f'.repeat(32)}`)
  const payload = { a: { b: [7n, 'x'] }, at: new Date(0), yes: true, 'odd name': 1.5, none: null, empty: '' }
  t.equal(key('{payload.a.b.0}/{payload.a.b.1}/{payload.yes}/{payload.odd name}', payload), '7/x/true/1.5')
  t.equal(key('{payload.at}', payload), '1970-01-01T00%3A00%3A00.000Z')
  t.equal(key('{payload.none|none}/{payload.empty|e}/{payload.b.c|}x', payload), 'none/e/x')
})

t.test('a template that is wrong is refused, with what was meant', async (t) => {
  for (const [text, message] of [
    ['{dat}', /got '\{dat\}': did you mean date\?/],
    ['{payloadx}', /did you mean payload\?/],
    ['{payload}', /name the field, as in \{payload.id\}/],
    ['{constructor}', /expected fields out of/],
    ['a{date', /braces in pairs/],
    ['a}b', /braces in pairs/],
    ['', /this is empty/],
    ['/a', /begins with a slash/],
    ['a/', /ends with a slash/],
    ['a//b', /has an empty part/],
    ['a/../b', /has a part that is . or ../],
    ['./a', /has a part that is . or ../],
    ['a\nb', /has a control character/],
    ['a\ud800', /has half of a character/],
    ['x'.repeat(1025), /has 1025 bytes, more than 1024/],
    ['s3://bucket/a', /the bucket is an option of its own/],
  ] as const) {
    t.throws(() => template(text), { code: 'DATABAY_INVALID_OPTION', message }, text)
  }
})

t.test('a payload without the field, or with one that is no text, is refused', async (t) => {
  for (const payload of [
    undefined,
    null,
    1,
    'x',
    {},
    { a: null },
    { a: '' },
    { a: {} },
    { a: [] },
    { a: NaN },
    { a: '\ud800' },
  ]) {
    t.throws(() => key('{payload.a}', payload), { code: 'DATABAY_INVALID_PAYLOAD', retryable: false })
  }
  t.throws(() => key('{payload.constructor}', {}), { code: 'DATABAY_INVALID_PAYLOAD' }, 'what is inherited is none')
  t.throws(() => key('{payload.a}', { a: 'x'.repeat(1025) }), { message: /1025 bytes/ })
})

t.test('different values have different keys, and none leads to another folder', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'E', 'e', ' ', '\0', '{', '}'), minLength: 1 }),
  )
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      fc.pre(a !== '.' && a !== '..')
      const at = template('in/{payload.a}/{payload.b}-{payload.c}.x')
      const made = at.compose({ a, b, c }, NAMES)
      const parts = made.split('/')
      t.equal(parts.length, 3)
      t.equal(parts[0], 'in')
      t.notOk(parts.includes('..') || parts.includes('.') || parts.includes(''))
      t.notMatch(made, /[\x00-\x1f\x7f]/)
      t.equal(new URL(`http://x/${made}`).pathname.split('/').length, 4)
      t.equal(decodeURIComponent(parts[1] ?? ''), a)
    }),
    { numRuns: 300 },
  )
})

t.test('texts of later transfers sort behind those of earlier ones, also when the clock is set back', async (t) => {
  const uids = Array.from({ length: 1000 }, (_, n) => makeUid(1_800_000_000_000 + (n % 7)))
  t.same(uids.toSorted(), uids)
  t.equal(new Set(uids).size, 1000)
})

t.test('an object of any key is signed right, and arrives under it', async (t) => {
  captureLogs(t)
  const fake = await FakeS3.start(t)
  const outlet = new S3Outlet({ ...fake.options, key: ({ payload }) => String(payload) })
  await outlet.onStart()
  const part = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  const odd = fc.string({
    unit: fc.constantFrom(...Array.from(' +%~()!*\'"&=?#;:@,$[]^`|<>\\2bB_-.\u00e9\u65e5\ud83d\ude00a')),
    minLength: 1,
  })
  const keys = fc.array(fc.oneof(part, odd), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  await fc.assert(
    fc.asyncProperty(keys, async (key) => {
      fc.pre(
        !/[\x00-\x1f\x7f\ud800-\udfff]|\/\/|^\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)/.test(key.replace(/\p{Emoji}/gu, '')) &&
          key.isWellFormed(),
      )
      fake.objects.clear()
      await outlet.push([new Record(key)], new Update(['a'], 0))
      t.same([...fake.objects.keys()], [key])
    }),
    { numRuns: 150 },
  )
  await outlet.onShutdown()
})
