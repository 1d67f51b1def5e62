import { Buffer } from 'node:buffer'
import t from 'tap'
import { RowParser } from '../../../src/connectors/csv/row-parser.js'

/** Parses rows that stand on lines of their own. */
function parse(parser: RowParser, ...rows: string[]) {
  let start = 0
  const places = rows.map((row) => {
    const place = { start, end: start + Buffer.byteLength(row) }
    start = place.end + 1
    return place
  })
  return [...parser.parse(Buffer.from(rows.join('\n')), places)]
}

t.test('rows are cells, quoted or not', async (t) => {
  const parser = new RowParser('utf-8', ';')
  t.same(parse(parser), [])
  t.same(parse(parser, 'a;b', '"c;""d""";', '"two\nlines";é'), [
    ['a', 'b'],
    ['c;"d"', ''],
    ['two\nlines', 'é'],
  ])
})

t.test('rows may differ in length', async (t) => {
  t.same(parse(new RowParser('utf-8', ','), 'a,b', 'c', 'd,e,f'), [['a', 'b'], ['c'], ['d', 'e', 'f']])
})

t.test('a bad row has its problem, without its content, and keeps none of the others back', async (t) => {
  const parser = new RowParser('utf-8', ',')
  t.same(parse(parser, 'a,b', 'c,"secret'), [['a', 'b'], ': a quote is not closed'])
})

t.test('a quote in a cell that does not start with one is text', async (t) => {
  t.same(parse(new RowParser('utf-8', ','), 'a,b', 'c "d",5"', 'e,f'), [
    ['a', 'b'],
    ['c "d"', '5"'],
    ['e', 'f'],
  ])
})

t.test('bytes are read in their encoding', async (t) => {
  const bytes = Buffer.from('é,b', 'latin1')
  t.same([...new RowParser('latin1', ',').parse(bytes, [{ start: 0, end: bytes.length }])], [['é', 'b']])
})
