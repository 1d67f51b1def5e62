import { Buffer } from 'node:buffer'
import t from 'tap'
import { decodeText, encodingOf, markOf } from '../../src/connectors/charsets.js'

t.test('labels are read as browsers read them, and odd spellings besides', (t) => {
  const labels: [string, string][] = [
    ['utf-8', 'utf-8'],
    ['UTF8', 'utf-8'],
    ['UTF_8', 'utf-8'],
    [' utf-8\t', 'utf-8'],
    ['"utf-8"', 'utf-8'],
    ["'UTF-8'", 'utf-8'],
    ['latin1', 'windows-1252'],
    ['Latin-1', 'windows-1252'],
    ['ISO-8859-1', 'windows-1252'],
    ['iso8859_1', 'windows-1252'],
    ['us-ascii', 'windows-1252'],
    ['CP-1252', 'windows-1252'],
    ['windows1252', 'windows-1252'],
    ['WIN1251', 'windows-1251'],
    ['win-1250', 'windows-1250'],
    ['UTF 8', 'utf-8'],
    ['ISO885915', 'iso-8859-15'],
    ['ISO_8859_2', 'iso-8859-2'],
    ['EUC_JP', 'euc-jp'],
    ['utf-16', 'utf-16le'],
    ['UTF_16BE', 'utf-16be'],
    ['Shift-JIS', 'shift_jis'],
    ['x-sjis', 'shift_jis'],
    ['gb2312', 'gbk'],
    ['iso-8859-15', 'iso-8859-15'],
  ]
  for (const [label, encoding] of labels) t.equal(encodingOf(label), encoding, label)
  for (const label of ['', ' ', 'klingon', 'none', 'utf-8,text/html', 'utf-7', '\u00fctf-8']) {
    t.equal(encodingOf(label), undefined, label)
  }
  t.end()
})

t.test('windows-1252 is decoded as the Web has it, on every version of Node', (t) => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const { text, replaced } = decodeText(bytes, 'windows-1252')
  t.equal(replaced, 0)
  t.equal(text.length, 256)
  t.equal(
    text.slice(0x80, 0xa0),
    '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
      '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178',
  )
  const others = (of: string) => of.slice(0, 0x80) + of.slice(0xa0)
  t.equal(others(text), others(Buffer.from(bytes).toString('latin1')))
  t.end()
})

t.test('a byte order mark names the encoding, and is not part of the text', (t) => {
  const marked: [readonly number[], string][] = [
    [[0xef, 0xbb, 0xbf], 'utf-8'],
    [[0xff, 0xfe], 'utf-16le'],
    [[0xfe, 0xff], 'utf-16be'],
  ]
  for (const [mark, encoding] of marked) {
    t.same(markOf(Uint8Array.from(mark)), { encoding, length: mark.length })
    t.equal(decodeText(Uint8Array.from(mark), encoding).text, '')
  }
  t.equal(decodeText(Buffer.from('\ufeffhi', 'utf16le'), 'utf-16le').text, 'hi')
  t.equal(decodeText(Buffer.from('\ufeffhi', 'utf16le').swap16(), 'utf-16be').text, 'hi')
  for (const bytes of [[], [0xef, 0xbb], [0xff], [0xfe, 0xfe], [0x7b]]) {
    t.equal(markOf(Uint8Array.from(bytes)), undefined, bytes.join())
  }
  t.end()
})

t.test('characters whose bytes are not of the encoding are counted', (t) => {
  t.same(decodeText(Buffer.from('a\u00e4\u00f6', 'latin1'), 'utf-8'), { text: 'a\ufffd\ufffd', replaced: 2 })
  t.same(decodeText(Buffer.from('a\ufffd'), 'utf-8'), { text: 'a\ufffd', replaced: 0 })
  t.same(decodeText(Uint8Array.of(0x61, 0, 0x62), 'utf-16le'), { text: 'a\ufffd', replaced: 1 })
  t.end()
})
