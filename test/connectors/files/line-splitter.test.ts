import { Buffer } from 'node:buffer'
import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { LINE_SPLITTER_DEFAULTS, LineSplitter, type LineLimit } from '../../../src/connectors/files/line-splitter.js'
import type { TextEncoding } from '../../../src/connectors/files/text-encoding.js'

/** Cuts pieces of a file as they arrive, `max` lines at a time, as for a followed file. */
function splitAll(splitter: LineSplitter, pieces: readonly Buffer[], max = Infinity) {
  const lines: string[] = []
  const damages: string[] = []
  let { initial: state } = splitter
  let position = 0
  let pending: Buffer = Buffer.alloc(0)
  let problem: string | undefined
  for (const [index, piece] of [...pieces, Buffer.alloc(0)].entries()) {
    pending = Buffer.concat([pending, piece])
    for (;;) {
      const cut = splitter.split({ bytes: pending, position, state, max, last: index === pieces.length })
      lines.push(...cut.records)
      position += cut.used
      pending = pending.subarray(cut.used)
      state = cut.state
      problem ??= cut.problem
      if (cut.damage !== undefined) damages.push(`${cut.damaged}: ${cut.damage}`)
      if (cut.records.length === 0) break
    }
  }
  return { lines, damages, problem, rest: pending.length, position }
}

// NULs at the start of a line are left out
const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n\uFEFF]|^\0+/g, ''))

t.test('lines come out whole, wherever the bytes are cut and however many are wanted', async (t) => {
  for (const encoding of ['utf-8', 'utf-16le'] satisfies TextEncoding[]) {
    const splitter = new LineSplitter(encoding, LINE_SPLITTER_DEFAULTS)
    fc.assert(
      fc.property(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(7)),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        (lines, newline, cuts, max, mark) => {
          const text = (mark ? '\uFEFF' : '') + lines.map((one) => one + newline).join('')
          const bytes = Buffer.from(text, encoding)
          const pieces: Buffer[] = []
          for (let at = 0, cut = 0; at < bytes.length; at += pieces.at(-1)?.length ?? 0) {
            pieces.push(bytes.subarray(at, at + 1 + (cuts[cut++] ?? bytes.length)))
          }
          const { lines: taken, position } = splitAll(splitter, pieces, max)
          return JSON.stringify(taken) === JSON.stringify(lines) && position === bytes.length
        },
      ),
    )
  }
  t.pass()
})

t.test('a byte order mark is left out at the start of the file only', async (t) => {
  const text = '\uFEFFa\n\uFEFFb\n'
  t.same(splitAll(new LineSplitter('utf-8', LINE_SPLITTER_DEFAULTS), [Buffer.from(text)]).lines, ['a', '\uFEFFb'])
})

t.test('a unit of utf-16le that only looks like a newline is none', async (t) => {
  const splitter = new LineSplitter('utf-16le', LINE_SPLITTER_DEFAULTS)
  const text = '\u0A41\u4100\u410A\u0D0A'
  t.same(splitAll(splitter, [Buffer.from(`${text}\n`, 'utf-16le')]).lines, [text])
})

t.test('the last line needs no end when nothing will follow', async (t) => {
  const splitter = new LineSplitter('utf-8', LINE_SPLITTER_DEFAULTS)
  t.same(splitAll(splitter, [Buffer.from('a\nb')]).lines, ['a', 'b'])
  const piece = { bytes: Buffer.from('a\nb'), position: 0, state: splitter.initial, last: false, max: 9 }
  t.match(splitter.split(piece), { records: ['a'], used: 2 })
})

t.test('a line that is too long fails, is cut or is left out, whether its end is there or not', async (t) => {
  const long = (longLines: LineLimit['longLines']) => new LineSplitter('utf-8', { maxLength: 4, longLines })
  const bytes = Buffer.from('1234\r\n12345\r\n1é3é5678\nab\n')
  const what = 'the line at byte 6 is longer than maxLineLength, which is 4 bytes'
  const byBytes = Array.from(bytes, (byte) => Buffer.of(byte))
  for (const pieces of [[bytes], byBytes]) {
    t.match(splitAll(long('error'), pieces), { lines: ['1234'], problem: what })
    const skipped = splitAll(long('skip'), pieces)
    t.match(skipped, { lines: ['1234', 'ab'], problem: undefined, rest: 0 })
    t.match(splitAll(long('truncate'), pieces), { lines: ['1234', '1234', '1é3', 'ab'], problem: undefined, rest: 0 })
    t.equal(skipped.damages[0]?.slice(3), what)
    t.equal(
      skipped.damages.reduce((sum, damage) => sum + parseInt(damage), 0),
      2,
    )
  }
  const utf16 = new LineSplitter('utf-16le', { maxLength: 5, longLines: 'truncate' })
  t.same(splitAll(utf16, [Buffer.from('a\u{1F600}b\nc\n', 'utf-16le')]).lines, ['a', 'c'])
  const latin = new LineSplitter('latin1', { maxLength: 2, longLines: 'truncate' })
  t.same(splitAll(latin, [Buffer.from('\u00e9\u00e9\u00e9\n', 'latin1')]).lines, ['\u00e9\u00e9'])
})

t.test('a state is recognised', async (t) => {
  const splitter = new LineSplitter('utf-8', LINE_SPLITTER_DEFAULTS)
  t.ok(splitter.isState(structuredClone(splitter.initial)))
  for (const odd of [null, 1, {}, { inLongLine: 1 }]) t.notOk(splitter.isState(odd))
})

t.test('what a piece ends with does not change the lines', async (t) => {
  const short: LineLimit = { maxLength: 6, longLines: 'skip' }
  const cases: [string, TextEncoding, string, number[], LineLimit?][] = [
    ['half of a character does not count for the length', 'utf-16le', 'abc\nd\n', [7], short],
    ['an empty line behind CR CR LF is a line', 'utf-16be', 'a\r\r\n\r\nb\n', [7, 11]],
    ['an empty line behind a CR that comes again is a line', 'utf-8', 'a\rb\r\rc\r', [2, 4]],
    ['a newline alone in half is no other encoding', 'utf-16le', '\na\n', [1]],
  ]
  for (const [name, encoding, text, cuts, limit = LINE_SPLITTER_DEFAULTS] of cases) {
    const bytes =
      encoding === 'utf-16be' ? Buffer.from(text, 'utf-16le').swap16() : Buffer.from(text, encoding as 'utf-8')
    const pieces = [0, ...cuts].map((at, index) => bytes.subarray(at, cuts[index]))
    const splitter = new LineSplitter(encoding, limit)
    t.same(splitAll(splitter, pieces), splitAll(splitter, [bytes]), name)
  }
  const { damages } = splitAll(
    new LineSplitter('utf-8', LINE_SPLITTER_DEFAULTS),
    ['a\n\0', '\r\nb\n'].map((text) => Buffer.from(text)),
  )
  t.same(damages, ['1: NULs before byte 3 are left out'], 'NULs count, too, when no others follow')
})
