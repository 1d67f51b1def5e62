import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { LineReader } from '../../src/inlets/line-reader.js'
import type { TextEncoding } from '../../src/text-encoding.js'

function takeAll(reader: LineReader): string[] {
  const lines: string[] = []
  for (let line = reader.take(); line !== undefined; line = reader.take()) lines.push(line)
  return lines
}

const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ''))

t.test('lines come out whole, wherever the bytes are cut and whenever they are committed', async (t) => {
  for (const encoding of ['utf-8', 'utf-16le'] satisfies TextEncoding[]) {
    fc.assert(
      fc.property(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(7)),
        fc.array(fc.boolean(), { minLength: 1 }),
        (lines, newline, cuts, commits) => {
          const bytes = Buffer.from(lines.map((one) => one + newline).join(''), encoding)
          const reader = new LineReader(encoding, 0)
          const taken: string[] = []
          for (let at = 0, cut = 0; at < bytes.length; cut++) {
            const next = at + (cuts[cut] ?? bytes.length)
            reader.feed(bytes.subarray(at, next))
            at = next
            const some = takeAll(reader)
            if (commits[cut % commits.length] === false && at < bytes.length) reader.rollback()
            else {
              taken.push(...some)
              reader.commit()
            }
          }
          return JSON.stringify(taken) === JSON.stringify(lines) && reader.position === bytes.length
        },
      ),
    )
  }
  t.pass()
})

t.test('a byte order mark at the start of the file is left out', async (t) => {
  const text = '\uFEFFa\n\uFEFFb\n'
  const reader = new LineReader('utf-8', 0)
  reader.feed(Buffer.from(text))
  t.same(takeAll(reader), ['a', '\uFEFFb'])
  const later = new LineReader('utf-8', 100)
  later.feed(Buffer.from(text))
  t.same(takeAll(later), ['\uFEFFa', '\uFEFFb'])
})

t.test('a unit of utf-16le that only looks like a newline is none', async (t) => {
  const reader = new LineReader('utf-16le', 0)
  reader.feed(Buffer.from('\u0A41\u4100\u410A\n', 'utf-16le'))
  t.same(takeAll(reader), ['\u0A41\u4100\u410A'])
})

t.test('a reader knows which bytes are committed, and which come next', async (t) => {
  const reader = new LineReader('utf-8', 10)
  reader.feed(Buffer.from('ab\ncd'))
  t.match(reader, { position: 10, end: 15 })
  t.equal(reader.take(), 'ab')
  t.equal(reader.position, 10)
  reader.commit()
  t.match(reader, { position: 13, end: 15 })
})
