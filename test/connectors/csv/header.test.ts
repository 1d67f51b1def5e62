import fc from '../../helpers/fast-check.js'
import t from 'tap'
import { parseHeader, readHeader } from '../../../src/connectors/csv/header.js'
import { headerText } from '../../../src/connectors/csv/rows.js'

t.test('the names of a first line', async (t) => {
  const cases: [string, string[] | undefined][] = [
    ['a,b\n1,2\n', ['a', 'b']],
    ['a,b\r\n1,2', ['a', 'b']],
    ['\uFEFFa,b\n', ['a', 'b']],
    ['a,b', ['a', 'b']],
    ['a,,', ['a', '', '']],
    ['"a,b","c ""d""","e\nf"\n', ['a,b', 'c "d"', 'e\nf']],
    ['', undefined],
    ['\n1', ['1']],
    ['\n\r\na,b\n', ['a', 'b']],
    ['\uFEFF\na,b\n', ['a', 'b']],
    ['""\n1', ['']],
    ['\uFEFF\n\n', undefined],
    ['a,b\n"broken"x', ['a', 'b']],
    ['a"b,c\n', undefined],
    ['"a,b\n', undefined],
    ['"a"b,c\n', undefined],
  ]
  for (const [text, names] of cases) t.same(parseHeader(text, true), names, JSON.stringify(text))
})

t.test('a text that is cut off has no names until its first line is all there', async (t) => {
  for (const text of ['', '\n', '\na', '\n\r', 'a', 'a,', 'a,b\r', '"a', '"a"', '"a""'])
    t.equal(parseHeader(text, false), undefined, text)
  t.same(parseHeader('a\n', false), ['a'])
})

t.test('names that were written are read', async (t) => {
  const name = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', 'é', "'", '=') })
  const format = { delimiter: ',', guardFormulas: false, ignoreExtraColumns: false, allowMissingColumns: false }
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), fc.boolean(), (names, isWhole) => {
      const text = `${headerText(names, format)}"the next row`
      return JSON.stringify(parseHeader(text, isWhole)) === JSON.stringify(names)
    }),
    // a line of one empty name would be an empty line without its quotes
    {
      numRuns: 1000,
      examples: [
        [[''], false],
        [[''], true],
      ],
    },
  )
  t.pass()
})

t.test('the header of a file, however long', async (t) => {
  const long = Array.from({ length: 20_000 }, (_, index) => `column ${index} é`)
  const folder = t.testdir({
    empty: '',
    short: 'a,b\n1,2',
    long: `${long.join(',')}\n1,2\n`,
    endless: `"${'x'.repeat(2_000_000)}"`,
    broken: 'a"b\n1,2\n',
    mark: '\uFEFF',
    quoted: '\uFEFF\n"a;b"\n',
    blank: '\n\r\n',
    late: '\uFEFF\n\na,b\n',
    later: `${'\n'.repeat(100_000)}a,b\n`,
  })
  const read = (name: string) => readHeader(`${folder}/${name}`, { delimiter: ',', encoding: 'utf-8' })
  t.equal(await read('missing'), undefined)
  t.equal(await read('empty'), undefined)
  t.equal(await read('mark'), undefined)
  t.equal(await read('blank'), undefined)
  t.same(await read('late'), { columns: ['a', 'b'], quoted: false, endsLine: true })
  t.same(await read('later'), { columns: ['a', 'b'], quoted: false, endsLine: true })
  t.same(await read('short'), { columns: ['a', 'b'], quoted: false, endsLine: false })
  t.same(await read('long'), { columns: long, quoted: false, endsLine: true })
  t.same(await read('quoted'), { columns: ['a;b'], quoted: true, endsLine: true })
  await t.rejects(read('endless'), { message: 'its header cannot be read' })
  await t.rejects(read('broken'), { message: 'its header cannot be read' })
  await t.rejects(read('short/below'), { code: 'ENOTDIR' })
})
