import { Buffer } from 'node:buffer'
import t from 'tap'
import { FileMark } from '../../../src/connectors/files/file-mark.js'
import { LineSplitter, type LineState, type LongLines } from '../../../src/connectors/files/line-splitter.js'
import { readRecords, type Cursor } from '../../../src/connectors/files/read-records.js'

/** File in memory that notes the size of each read. */
function fileOf(text: string | undefined) {
  const bytes = text === undefined ? undefined : Buffer.from(text)
  const sizes: number[] = []
  const readAfter = async ({ position }: FileMark, size: number) => {
    sizes.push(size)
    return bytes?.subarray(position, position + size)
  }
  return { readAfter, sizes }
}

const lines = (longLines: LongLines = 'error') => new LineSplitter('utf-8', { maxLength: 10, longLines })

const start: Cursor<LineState> = { mark: FileMark.START, state: { inLongLine: false } }

const reading = (more: object = {}) => ({ max: 10, last: false, signal: new AbortController().signal, ...more })

t.test('records are read up to the end of the file, and one without an end waits', async (t) => {
  const read = await readRecords(fileOf('1\n2\n3'), lines(), start, reading())
  t.match(read, { records: ['1', '2'], damaged: 0, damage: undefined, problem: undefined, end: undefined })
  t.equal(read.cursor.mark.position, 4)
  const rest = await readRecords(fileOf('1\n2\n3\n'), lines(), read.cursor, reading())
  t.same(rest.records, ['3'])
  t.equal(rest.cursor.mark.position, 6)
})

t.test('as many are read as are wanted, and the place after them is kept', async (t) => {
  const read = await readRecords(fileOf('1\n2\n3\n'), lines(), start, reading({ max: 2 }))
  t.same(read.records, ['1', '2'])
  t.equal(read.cursor.mark.position, 4)
  t.ok(read.cursor.mark.tail.equals(Buffer.from('1\n2\n')))
})

t.test('in a file that is not written to any more, the last record needs no end', async (t) => {
  const read = await readRecords(fileOf('1\n2'), lines(), start, reading({ last: true }))
  t.same(read.records, ['1', '2'])
  t.equal(read.end?.position, 3)
  t.equal(read.cursor.mark.position, 3)
  const whole = await readRecords(fileOf('1\n2\n'), lines(), start, reading({ last: true }))
  t.same(whole.records, ['1', '2'])
  t.equal(whole.end, undefined)
})

t.test('records before a problem are given with it, and the place is before the problem', async (t) => {
  const read = await readRecords(fileOf(`1\n${'x'.repeat(11)}\n2\n`), lines(), start, reading())
  t.same(read.records, ['1'])
  t.match(read.problem, 'the line at byte 2 is longer')
  t.equal(read.cursor.mark.position, 2)
})

t.test('records that are not taken as they stand are counted, and the first has its reason', async (t) => {
  const long = 'x'.repeat(100_000) // more than is read at once
  const file = fileOf(`${long}\n1\n${long}\n2\n`)
  const read = await readRecords(file, lines('skip'), start, reading())
  t.same(read.records, ['1', '2'])
  t.equal(read.damaged, 2)
  t.match(read.damage, 'the line at byte 0 is longer')
  t.ok(file.sizes.length > 3)
})

t.test('as much again is read as is held of a record, so that a long one takes few reads', async (t) => {
  const long = 'x'.repeat(1_000_000)
  const file = fileOf(`${long}\n`)
  const splitter = new LineSplitter('utf-8', { maxLength: 2_000_000, longLines: 'error' })
  const read = await readRecords(file, splitter, start, reading({ max: 1 }))
  t.ok(read.records[0] === long)
  t.same(file.sizes, [65_536, 65_536, 131_072, 262_144, 524_288])
})

t.test('a file that was rewritten gives nothing', async (t) => {
  const read = await readRecords(fileOf(undefined), lines(), start, reading())
  t.same(read.records, [])
  t.equal(read.cursor.mark, FileMark.START)
})

t.test('it stops when its signal aborts', async (t) => {
  const stop = new AbortController()
  stop.abort(new Error('enough'))
  const file = fileOf('1\n')
  await t.rejects(readRecords(file, lines(), start, reading({ signal: stop.signal })), { message: 'enough' })
  t.same(file.sizes, [])
})
