/**
 * Rows that are well formed are read by a scanner of our own, and all others by csv-parse. In UTF-16, all go through
 * csv-parse: so each random text is read in UTF-16, too, and has to give the same rows, or the same error.
 */
import { deepStrictEqual } from 'node:assert'
import { Buffer } from 'node:buffer'
import fc, { runsOf } from '../../helpers/fast-check.js'
import t from 'tap'
import { CsvColumns } from '../../../src/connectors/csv/columns.js'
import type { CsvState } from '../../../src/connectors/csv/csv-state.js'
import { CsvSplitter } from '../../../src/connectors/csv/splitter.js'
import type { CsvRow, CsvType } from '../../../src/connectors/csv/types.js'
import { bytesOf } from '../../../src/connectors/files/encode.js'
import type { TextEncoding } from '../../../src/connectors/files/text-encoding.js'
import { unitsOf } from '../../../src/connectors/files/text-units.js'
import { collect } from '../../faults/garbage.js'

const RUNS = runsOf(600)

interface Options {
  readonly delimiter: string
  readonly names: readonly string[] | undefined
  readonly header: boolean
  readonly types: readonly (readonly [string, CsvType])[]
  readonly fillShortRows: boolean
  readonly guardFormulas: boolean
  readonly badRows: 'error' | 'skip'
  readonly maxRowLength: number
}

const usual: Options = {
  delimiter: ',',
  names: undefined,
  header: true,
  types: [],
  fillShortRows: false,
  guardFormulas: true,
  badRows: 'error',
  maxRowLength: 1000,
}

function splitterOf(options: Options, encoding: TextEncoding, bytesPerUnit: number): CsvSplitter {
  const { delimiter, header, badRows, names, fillShortRows, guardFormulas } = options
  const maxRowLength = options.maxRowLength * bytesPerUnit
  const types = new Map(options.types)
  const columns = new CsvColumns({ names, types, fillShortRows, bigIntegers: 'error', guardFormulas })
  return new CsvSplitter({ encoding, delimiter, header, columns, maxRowLength, badRows })
}

interface Result {
  readonly rows: CsvRow[]
  readonly state: CsvState
  readonly used: number
  readonly problem: string | undefined
  readonly damaged: number
  readonly damage: string | undefined
}

/** Cuts bytes that come in pieces, as a file is read. */
function cutAll(splitter: CsvSplitter, bytes: Buffer, pieces: readonly number[], max: number): Result {
  const rows: CsvRow[] = []
  let state = splitter.initial
  let [position, end, damaged] = [0, 0, 0]
  let damage: string | undefined
  let problem: string | undefined
  for (let turn = 0; rows.length < max && problem === undefined; turn++) {
    const last = end === bytes.length
    end = Math.min(bytes.length, end + (pieces[turn % pieces.length] ?? 1))
    const piece = { bytes: bytes.subarray(position, end), position, state, last, max: max - rows.length }
    const cut = splitter.split(piece)
    rows.push(...cut.records)
    position += cut.used
    state = cut.state
    damaged += cut.damaged
    damage ??= cut.damage
    problem = cut.problem
    if (last) break
  }
  return { rows, state, used: position, problem, damaged, damage }
}

/** What is seen of a result in any encoding: places in the text rather than in bytes. */
function seen({ state, used, ...rest }: Result, bytes: Buffer, toText: (bytes: Buffer) => string) {
  const { line, names, inLongLine, delimiter } = state
  // what was read last may end with half a line end, where the other encoding has all of it in the same piece
  const after = toText(bytes.subarray(0, used)).replace(/[\r\n]+$/, '')
  return { ...rest, line, names, inLongLine, delimiter, after }
}

const delimiters = [',', ';', '\t', '|', "'", 'a']
const anyEnd = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r\n', '\r', '\r\r\n', '\n\n', '\r\n\r\n')
const plain = ['', 'b', 'word', '12', '-1.5', '=1+1', "'=x", "'", ' ', 'x'.repeat(20), 'say "hi"', '+', 'yz']
const latin = [...plain, '\xe9', 'na\xefve caf\xe9', '\xa0']
const wide = [...latin, '\uFEFFx', '\u20ac', '\u{1f600}', 'a\u{1f600}\u20acz', '\u2028', '\uff1d1']
const odd = ['"', '""', '"x"y', '"', ',', ';', '\t', '\n', '\r', '\r\n', ' "q"', '"open']

/** Texts of CSV, most of whose rows are well formed. */
function texts(words: readonly string[], strange: readonly string[], options: Options): fc.Arbitrary<string> {
  const { delimiter } = options
  const inQuotes = fc
    .array(fc.constantFrom(...words, '""', '\n', '\r\n', delimiter), { maxLength: 4 })
    .map((parts) => `"${parts.map((part) => (part === '""' ? part : part.replaceAll('"', '""'))).join('')}"`)
  const bare = fc.constantFrom(...words.filter((word) => !word.includes(delimiter)))
  const cell = fc.oneof({ weight: 4, arbitrary: bare }, { weight: 1, arbitrary: inQuotes })
  const rowOf = (size: number) =>
    fc.array(cell, { minLength: size, maxLength: size }).map((cells) => cells.join(delimiter))
  const soup = fc.array(fc.constantFrom(...words, ...strange), { maxLength: 6 }).map((parts) => parts.join(''))
  const row = fc.oneof(
    { weight: 30, arbitrary: rowOf(3) },
    { weight: 1, arbitrary: rowOf(2) },
    { weight: 1, arbitrary: rowOf(4) },
    { weight: 1, arbitrary: soup },
  )
  const end = fc.oneof({ weight: 12, arbitrary: fc.constant('\n') }, { weight: 1, arbitrary: anyEnd })
  const rows = fc.array(
    fc.tuple(row, end).map((parts) => parts.join('')),
    { maxLength: 60 },
  )
  const start = fc.constantFrom('', '', '', 'sep=;\n', '\n', '\r\n')
  const header = fc.constantFrom(['n', 'm', 'o'].join(delimiter), '"n"' + delimiter + '"m"' + delimiter + "'=o")
  const headerEnd = fc.constantFrom('\n', '\r\n', '\r')
  return fc
    .tuple(start, header, headerEnd, rows, fc.constantFrom('', '', 'b', '"b'))
    .map(([first, names, ended, all, rest]) => `${first}${names}${ended}${all.join('')}${rest}`)
}

const anyOptions: fc.Arbitrary<Options> = fc
  .record({
    delimiter: fc.constantFrom(...delimiters),
    header: fc.boolean(),
    named: fc.boolean(),
    typed: fc.constantFrom<CsvType | undefined>(undefined, undefined, 'number', 'boolean'),
    fillShortRows: fc.boolean(),
    guardFormulas: fc.boolean(),
    badRows: fc.constantFrom('error' as const, 'skip' as const),
  })
  .map(({ header, named, typed, ...rest }) => {
    const names = named || !header ? ['p', '__proto__', '1'] : undefined
    const types: [string, CsvType][] = names === undefined || typed === undefined ? [] : [['__proto__', typed]]
    return { ...rest, header, names, types, maxRowLength: 1_000_000 }
  })

interface Case {
  readonly options: Options
  readonly text: string
  readonly pieces: readonly number[]
  readonly max: number
}

function cases(words: readonly string[], strange: readonly string[], maxRowLength?: number): fc.Arbitrary<Case> {
  return anyOptions.chain((given) => {
    const options = { ...given, ...(maxRowLength !== undefined && { maxRowLength }) }
    return fc.record({
      options: fc.constant(options),
      text: texts(words, strange, options),
      pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 5000 })), {
        minLength: 1,
      }),
      max: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(Infinity)),
    })
  })
}

function textIn(encoding: TextEncoding): (bytes: Buffer) => string {
  return (bytes) => unitsOf(encoding).decode(bytes, 0, bytes.length)
}

/** Reads a case in an encoding, and in UTF-16. */
function bothWays({ options, text, pieces, max }: Case, encoding: TextEncoding) {
  const bytes = bytesOf(text, encoding)
  const utf16 = Buffer.from(text, 'utf16le')
  const read = cutAll(splitterOf(options, encoding, 1), bytes, pieces, max)
  const asRead = seen(read, bytes, textIn(encoding))
  // cut at the same characters, if each is a byte: only what is there can be told of a row that is too long
  const twice = pieces.map((size) => 2 * size)
  const judged = cutAll(splitterOf(options, 'utf-16le', 2), utf16, twice, max)
  const expected = seen(judged, utf16, textIn('utf-16le'))
  return [asRead, expected] as const
}

/** A result without numbers of bytes, which are others in UTF-16. */
function withoutBytes<T extends { problem: string | undefined; damage: string | undefined }>(one: T): T {
  const strip = (text: string | undefined) => text?.replace(/which is \d+ bytes/, 'which is so many bytes')
  return { ...one, problem: strip(one.problem), damage: strip(one.damage) }
}

/** Checks that all cases are read as they are in UTF-16. */
function checkAll(all: fc.Arbitrary<Case>, encoding: TextEncoding, mark = ''): void {
  fc.assert(
    fc.property(all, (one) => {
      const [read, expected] = bothWays({ ...one, text: mark + one.text }, encoding)
      deepStrictEqual(withoutBytes(read), withoutBytes(expected))
    }),
    { numRuns: RUNS },
  )
}

t.test('any text of UTF-8 gives the rows, or the error, that csv-parse gives', async () => {
  checkAll(cases(wide, [...odd, '\u20ac', '\u{1f600}']), 'utf-8')
})

t.test('so does a text with a byte order mark', async () => {
  checkAll(cases(wide, [...odd, '\u20ac', '\u{1f600}']), 'utf-8', '\uFEFF')
})

t.test('so does a text of Windows-1252, whose characters have one byte each', async () => {
  checkAll(cases([...latin, '\u20ac'], [...odd, '\u20ac']), 'windows-1252')
})

t.test('so does a text whose rows may be too long', async () => {
  checkAll(cases(plain, odd, 24), 'ascii')
})

t.test('rows of bad bytes are told of, and those around them come as they are', async (t) => {
  const text = Buffer.concat([Buffer.from('n,m,o\n1,2,3\n4,'), Buffer.of(0xe9), Buffer.from(',6\n7,8,9\n')])
  for (const size of [1, 7, 1000]) {
    const { rows, damaged, damage } = cutAll(splitterOf(usual, 'utf-8', 1), text, [size], Infinity)
    t.same(
      rows.map((row) => Object.values(row).join()),
      ['1,2,3', '4,\uFFFD,6', '7,8,9'],
    )
    t.same([damaged, damage], [1, 'line 3 has bytes that are not utf-8'])
  }
})

t.test('rows are plain objects of one kind, and any name is a field of them', async (t) => {
  const names = ['__proto__', 'constructor', '2', '1', 'a"b\\n', '\u2028']
  const options = { ...usual, names, header: false }
  const text = `${['a', 'b', 'c', 'd', 'e', 'f'].join()}\n`.repeat(3)
  const { rows } = cutAll(splitterOf(options, 'utf-8', 1), Buffer.from(text), [1000], Infinity)
  t.equal(rows.length, 3)
  for (const row of rows) {
    t.equal(Object.getPrototypeOf(row), Object.prototype)
    t.same(Object.entries(row), [
      ['1', 'd'],
      ['2', 'c'],
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['a"b\\n', 'e'],
      ['\u2028', 'f'],
    ])
  }
})

t.test('a cell that is kept alone keeps little of the text around it', async (t) => {
  const row = `name-of-this-row,${'x'.repeat(60)},${'y'.repeat(20)}\n`
  const piece = Buffer.from(row.repeat(Math.floor(262_144 / row.length)))
  const splitter = splitterOf({ ...usual, names: ['n', 'm', 'o'], header: false }, 'utf-8', 1)
  const kept: unknown[] = []
  let { state } = splitter.split({ bytes: piece, position: 1, state: splitter.initial, last: false, max: 2 })
  collect()
  const before = process.memoryUsage().heapUsed
  for (let turn = 0; turn < 100; turn++) {
    const cut = splitter.split({ bytes: piece, position: 1, state, last: false, max: Infinity })
    kept.push(cut.records[0]?.['n'])
    state = cut.state
  }
  collect()
  const each = (process.memoryUsage().heapUsed - before) / kept.length
  t.ok(each < 20_000, `${Math.round(each)} bytes for each cell of pieces of ${piece.length}`)
  t.equal(new Set(kept).size, 1)
})
