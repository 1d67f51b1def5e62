import { Buffer } from 'node:buffer'
import { appendFileSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileInlet, type FileInletOptions } from '../../../src/connectors/files/file-inlet.js'
import { FileOutlet } from '../../../src/connectors/files/file-outlet.js'
import type { TextEncoding } from '../../../src/connectors/files/text-encoding.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const update = new Update(['file'], 0)

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()

/** Lines of a file with this content, or the error of the pull; then the whole file, likewise. */
async function read(t: Test, content: Buffer, options: FileInletOptions = {}) {
  const file = `${t.testdir({ text: content })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: 9, ...options })
  await inlet.onStart()
  const message = (error: unknown) => (error as Error).message.replace(/^.*cannot read [^:]*: /, '')
  const lines = await pulledBy(inlet, update).catch(message)
  await inlet.onShutdown()
  const { encoding } = options
  const whole = new FileInlet(file, { mode: 'file', ...(encoding && { encoding }) })
  return [lines, await whole.pull(update).catch(message)]
}

t.test('a byte order mark decides, whatever the option says', async (t) => {
  const marked = '\uFEFFn\u00e9\n\u20ac\n'
  for (const bytes of [Buffer.from(marked), Buffer.from(marked, 'utf16le'), utf16be(marked)]) {
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'latin1', 'windows-1252', 'ascii'] as const) {
      t.same(await read(t, bytes, { encoding }), [['n\u00e9', '\u20ac'], 'n\u00e9\n\u20ac\n'], encoding)
    }
  }
})

t.test('utf-32 is refused by its byte order mark', async (t) => {
  const why = 'it begins with the byte order mark of utf-32, which cannot be read'
  for (const bytes of [
    Buffer.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0, 10, 0, 0, 0),
    Buffer.of(0, 0, 0xfe, 0xff, 0, 0, 0, 10),
  ]) {
    t.same(await read(t, bytes), [why, why])
  }
})

t.test('utf-16 without a byte order mark is no utf-8, and plain text no utf-16', async (t) => {
  const said = (guess: string, encoding: string) =>
    `it has NULs as if it were ${guess} rather than ${encoding}: see the option encoding`
  for (const text of [
    'id,name\r\n1,one\r\n',
    '\u0438\u043c\u044f, \u0432\u043e\u0437\u0440\u0430\u0441\u0442\r\n'.repeat(9),
  ]) {
    for (const encoding of ['utf-8', 'latin1', 'windows-1252', 'ascii'] as const) {
      const [le, be] = [said('utf-16le', encoding), said('utf-16be', encoding)]
      t.same(await read(t, Buffer.from(text, 'utf16le'), { encoding }), [le, le])
      t.same(await read(t, utf16be(text), { encoding }), [be, be])
    }
    t.same((await read(t, utf16be(text), { encoding: 'utf-16be' }))[1], text)
  }
  const other = 'it looks like utf-8 rather than utf-16le: see the option encoding'
  t.same(await read(t, Buffer.from('id,name\n1,one\n'), { encoding: 'utf-16le' }), [other, other])
  t.same(await read(t, Buffer.from('a\0b\n\0\0c\n')), [['a\0b', 'c'], 'a\0b\n\0\0c\n'], 'some NULs are no utf-16')
})

t.test('utf-16 that was added to another file is refused, or left out and counted', async (t) => {
  const logs = captureLogs(t)
  const bytes = Buffer.concat([Buffer.from('one\n'), Buffer.from('two\n', 'utf16le'), Buffer.from('\nfour\n')])
  const why = 'the line at byte 4 has NULs as if it were utf-16le rather than utf-8'
  t.same((await read(t, bytes))[0], ['one'])
  t.same((await read(t, bytes, { longLines: 'skip' }))[0], ['one', '', 'four'])
  t.match(logs.entries().at(-1), { damaged: 2, msg: new RegExp(why) })
})

t.test('latin1 is windows-1252, as on the Web', async (t) => {
  const all = Buffer.from(
    Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10 && byte !== 13 && byte > 0),
  )
  for (const encoding of ['latin1', 'windows-1252'] as const) {
    const [lines] = await read(t, Buffer.concat([Buffer.of(0x80, 0x93, 0x68, 0x94, 10), all, Buffer.of(10)]), {
      encoding,
    })
    if (!Array.isArray(lines)) throw new Error('there are no lines')
    t.equal(lines[0], '\u20ac\u201ch\u201d')
    t.equal(new Set(lines[1]).size, 253, 'every byte is a character of its own')
  }
})

t.test('what outlets write, inlets read: the characters that an encoding has', async (t) => {
  const encodings: [TextEncoding, string][] = [
    ['windows-1252', '\u20ac\u201c\u00e9\u0081\u0178'],
    ['latin1', '\u00e9\u00a0\u00ff'],
    ['utf-16be', '\u20ac\u{1F600}'],
    ['utf-16le', '\u20ac\u{1F600}'],
  ]
  for (const [encoding, text] of encodings) {
    const folder = t.testdir({})
    await new FileOutlet(`${folder}/text`, { encoding }).push([new Record(text), new Record('b')], update)
    await new FileOutlet(`${folder}/text`, { encoding }).push([new Record(text)], update)
    t.same((await read(t, readFileSync(`${folder}/text`), { encoding }))[0], [text, 'b', text], encoding)
    const csv = `${folder}/csv`
    for (const number of [1, 2])
      await new CsvOutlet(csv, { encoding }).push([new Record({ a: text, b: number })], update)
    const inlet = new CsvInlet(csv, { encoding })
    await inlet.onStart()
    t.same(await inlet.pull(update), [
      { a: text, b: '1' },
      { a: text, b: '2' },
    ])
    await inlet.onShutdown()
  }
  for (const [encoding, text] of [
    ['latin1', '\u20ac'],
    ['latin1', '\u0085'],
    ['windows-1252', '\u0085'],
    ['windows-1252', '\u0141'],
  ] as const) {
    await t.rejects(new FileOutlet(`${t.testdir({})}/x`, { encoding }).push([new Record(text)], update), {
      message: new RegExp(
        `has the character U\\+0*${text.charCodeAt(0).toString(16)}, which ${encoding} does not have`,
        'i',
      ),
    })
  }
})

t.test('a position in the middle of a file keeps what its mark and its first line said', async (t) => {
  captureLogs(t)
  for (const make of [(text: string) => Buffer.from(text, 'utf16le'), utf16be]) {
    const folder = t.testdir({ lines: make('\uFEFFone\ntwo\n'), rows: make('\uFEFFsep=;\r\na;b\r\n1;2\r\n3;4\r\n') })
    const options = { positionFile: `${folder}/position` }
    for (const line of ['one', 'two']) {
      const inlet = new FileInlet(`${folder}/lines`, options)
      await inlet.onStart()
      const pull = new Update(['file'], 0)
      t.same(await inlet.pull(pull), [line])
      inlet.onTransferEnd(pull, true)
      await inlet.onShutdown()
    }
    let state: unknown
    for (const row of [
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ]) {
      const inlet = new CsvInlet(`${folder}/rows`, { rowsPerTransfer: 1 })
      if (state !== undefined) inlet.restoreState(JSON.parse(JSON.stringify(state)))
      await inlet.onStart()
      t.same(await inlet.pull(update), [row])
      state = inlet.saveState()
      await inlet.onShutdown()
    }
  }
})

t.test('a byte order mark is known wherever it is cut while the file grows', async (t) => {
  const text = 'a,b\n1,\u20ac\n'
  for (const bytes of [
    Buffer.from(`\uFEFF${text}`),
    Buffer.from(`\uFEFF${text}`, 'utf16le'),
    utf16be(`\uFEFF${text}`),
  ]) {
    const file = `${t.testdir({ text: '' })}/text`
    const lines = new FileInlet(file, { linesPerTransfer: 9 })
    const rows = new CsvInlet(file)
    await Promise.all([lines.onStart(), rows.onStart()])
    const pulled: unknown[] = []
    for (const byte of bytes) {
      appendFileSync(file, Buffer.of(byte))
      pulled.push(...(await pulledBy(lines, update)), ...(await pulledBy(rows, update)))
    }
    t.same(pulled, ['a,b', '1,\u20ac', { a: '1', b: '\u20ac' }])
    await Promise.all([lines.onShutdown(), rows.onShutdown()])
  }
})

t.test('rows are not added to a file of another encoding or delimiter', async (t) => {
  const cases: [string | Buffer, object, RegExp][] = [
    [
      Buffer.from('\uFEFFa,b\r\n', 'utf16le'),
      {},
      /it has the byte order mark of utf-16le, not of utf-8: see the option encoding/,
    ],
    ['\uFEFFa,b\r\n', { encoding: 'latin1' }, /it has the byte order mark of utf-8, not of latin1/],
    [Buffer.from('a,b\r\n', 'utf16le'), {}, /it has NULs as if it were utf-16le rather than utf-8/],
    ['sep=;\r\na;b\r\n', {}, /its first line says that ';' is between cells: see the option delimiter/],
    [
      'a;b\r\n',
      { extraColumns: 'ignore', missingColumns: 'empty' },
      /the header has one cell, with ';' in it rather than ','/,
    ],
  ]
  for (const [content, options, message] of cases) {
    const file = `${t.testdir({ csv: content })}/csv`
    const outlet = new CsvOutlet(file, options)
    await t.rejects(outlet.push([new Record({ a: 1, b: 2 })], update), { code: 'DATABAY_FILE', message })
    t.same(readFileSync(file), Buffer.from(content))
  }
  const odd = `${t.testdir({})}/csv`
  for (const number of [1, 2]) await new CsvOutlet(odd).push([new Record({ 'a;b': number })], update)
  t.equal(readFileSync(odd, 'utf8'), '"a;b"\n1\n2\n', 'a column may have such a name')
  const file = `${t.testdir({ csv: '\uFEFFsep=;\r\na;b\r\n' })}/csv`
  await new CsvOutlet(file, { delimiter: ';' }).push([new Record({ b: 2, a: 1 })], update)
  t.equal(readFileSync(file, 'utf8'), '\uFEFFsep=;\r\na;b\r\n1;2\n')
})
