import { Buffer } from 'node:buffer'
import t from 'tap'
import { failureOf, pullOf } from '../../helpers/http-inlets.js'
import { captureLogs } from '../../helpers/logs.js'

const text = { format: 'text' } as const
const type = (value: string | string[]) => ({ 'content-type': value })

t.test('a content-type that came twice is read, the last charset counts', async (t) => {
  const json = 'application/json; charset=utf-8'
  for (const types of [[json, json], ['application/json', json], [json, 'application/json'], [`${json}, ${json}`]]) {
    t.same(await pullOf(t, '{"a":"\u00e9"}', {}, type(types)), { a: '\u00e9' }, types.join(' + '))
  }
  const latin = Buffer.from('\u00e9', 'latin1')
  t.equal(await pullOf(t, latin, text, type(['text/plain; charset=utf-8', 'text/plain; charset=latin1'])), '\u00e9')
  t.equal(await pullOf(t, latin, text, type(['text/plain; charset=latin1', 'text/plain'])), '\u00e9')
  t.equal(await pullOf(t, '\u00e9', text, type(['text/html; charset=latin1', 'text/plain'])), '\u00e9')
})

t.test('a charset is read in odd spelling', async (t) => {
  const spellings = [
    'utf8',
    'UTF_8',
    '"UTF-8"',
    "'utf-8'",
    ' utf-8 ',
    'utf-8;',
    '"utf-8',
    'utf-8; x="a, b; charset=gbk"',
  ]
  for (const charset of spellings) {
    t.equal(await pullOf(t, '\u20ac', text, type(`text/plain; charset=${charset}`)), '\u20ac', charset)
  }
  for (const header of ['text/plain;CHARSET = "latin1"', 'charset=latin1', 'text/plain ; a=b;charset=Latin-1, ']) {
    t.equal(await pullOf(t, Buffer.from([0x80, 0xe9]), text, type(header)), '\u20ac\u00e9', header)
  }
  t.equal(await pullOf(t, Buffer.from([0x82, 0xa0]), text, type('text/plain; charset=Shift-JIS')), '\u3042')
})

t.test('an unknown charset is taken for UTF-8, unless the body is none', async (t) => {
  const logs = captureLogs(t)
  for (const charset of ['klingon', 'none', '', '""', 'binary', 'utf-8,text/html', '{charset}']) {
    const header = type(`application/json; charset=${charset}`)
    t.same(await pullOf(t, '{"a":"\u00e9"}', {}, header), { a: '\u00e9' }, charset)
  }
  t.same(logs.entries(), [])
  const error = await failureOf(
    t,
    pullOf(t, Buffer.of(0x22, 0xe9, 0x22), {}, type('application/json; charset=klingon')),
  )
  t.match(error, { failure: 'body', status: 200, message: /charset 'klingon' is unknown.*option charset/ })
})

t.test('windows-1252 and latin1 are what the Web means by them', async (t) => {
  const bytes = Buffer.from([0x80, 0x20, 0x93, 0x68, 0x69, 0x94])
  for (const charset of ['windows-1252', 'cp1252', 'latin1', 'iso-8859-1', 'us-ascii']) {
    t.equal(await pullOf(t, bytes, text, type(`text/plain; charset=${charset}`)), '\u20ac \u201chi\u201d', charset)
  }
})

t.test('a byte order mark decides, whatever the response says', async (t) => {
  const utf16 = Buffer.from('\ufeff[{"a":"\u00e9"}]', 'utf16le')
  const bodies = [Buffer.from('\ufeff[{"a":"\u00e9"}]'), utf16, Buffer.from(utf16).swap16()]
  for (const body of bodies) {
    for (const header of [
      'application/json',
      'application/json; charset=latin1',
      'application/json; charset=utf-16be',
    ]) {
      t.same(await pullOf(t, body, {}, type(header)), [{ a: '\u00e9' }], header)
    }
    t.same(await pullOf(t, body, { charset: 'gbk' }), [{ a: '\u00e9' }])
    t.same(await pullOf(t, body, { format: 'ndjson' }), [[{ a: '\u00e9' }]])
    t.equal(await pullOf(t, body, text), '[{"a":"\u00e9"}]')
  }
})

t.test('byte order marks that were left within JSON are passed over', async (t) => {
  t.same(await pullOf(t, '\ufeff\ufeff{"a":1}\n'), { a: 1 })
  t.same(await pullOf(t, '\ufeff{"a":1}\r\n\ufeff{"a":2}\n\ufeff\n', { format: 'ndjson' }), [{ a: 1 }, { a: 2 }])
  t.same(await pullOf(t, '\ufeff'), [], 'and a mark alone is nothing')
  t.same(await pullOf(t, '{"a":"\ufeff"}'), { a: '\ufeff' }, 'but not those of a text')
})

t.test('UTF-16 that nothing names is refused, with a hint', async (t) => {
  for (const [body, charset] of [
    [Buffer.from('[{"a":1}]', 'utf16le'), 'utf-16le'],
    [Buffer.from('[{"a":1}]', 'utf16le').swap16(), 'utf-16be'],
  ] as const) {
    for (const options of [{}, text]) {
      const error = await failureOf(t, pullOf(t, body, options))
      t.match(error.message, `looks like ${charset}: see the option charset`)
    }
    t.same(await pullOf(t, body, { charset }), [{ a: 1 }])
  }
  t.equal(await pullOf(t, 'a\0b\0\0', text), 'a\0b\0\0', 'NULs alone make no UTF-16')
})

t.test('charset overrides what the response says', async (t) => {
  const header = type('text/plain; charset=utf-8')
  t.equal(await pullOf(t, Buffer.from([0xa4]), { ...text, charset: 'ISO-8859-15' }, header), '\u20ac')
  for (const charset of ['klingon', '', 7, null]) {
    await t.rejects(pullOf(t, '', { charset } as object), { message: /^HttpInlet\.charset: expected / })
  }
  await t.rejects(pullOf(t, '', { charset: 'window-1252' }), { message: /did you mean windows-1252\?$/ })
})

t.test('a body of UTF-32 is refused', async (t) => {
  const error = await failureOf(t, pullOf(t, Buffer.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), text))
  t.match(error.message, /its body begins with the byte order mark of utf-32, which cannot be read/)
})

t.test('a body of UTF-16 in other letters is known, too', async (t) => {
  const body = Buffer.from('\u0438\u043c\u044f, \u0432\u043e\u0437\r\n'.repeat(9), 'utf16le')
  const error = await failureOf(t, pullOf(t, body, text))
  t.match(error.message, /looks like utf-16le: see the option charset/)
})
