import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { parseCsv, readCsv } from '../../examples/quickstart/csv.js'
import { prepareOutput } from '../../examples/quickstart/output-folder.js'
import { compareWithFeed, countRejections, findRepeated, readWritten } from '../../examples/quickstart/verify.js'
import { feature } from './features.js'

t.test('CSV is read as RFC 4180 has it', async (t) => {
  t.same(parseCsv(''), [])
  t.same(parseCsv('a,b\n1,2\n'), [
    ['a', 'b'],
    ['1', '2'],
  ])
  t.same(parseCsv('a,b\r\n,'), [
    ['a', 'b'],
    ['', ''],
  ])
  t.same(parseCsv('"a,""b""\nc",d\n"",e'), [
    ['a,"b"\nc', 'd'],
    ['', 'e'],
  ])
  t.throws(() => parseCsv('a"b,c\n"d'), /no CSV at character/)
})

t.test('rows of a CSV file are read by column', async (t) => {
  const file = path.join(t.testdir({ 'a.csv': 'id,name\n1,"x, y"\n', 'b.csv': 'id,name\n1\n', 'c.csv': '' }), 'a.csv')
  t.same(await readCsv(file), [{ id: '1', name: 'x, y' }])
  await t.rejects(readCsv(file.replace('a.csv', 'b.csv')), /row 2 has 1 cells, expected 2/)
  t.same(await readCsv(file.replace('a.csv', 'c.csv')), [])
})

t.test('an output folder is made, and emptied of CSV files when it was made before', async (t) => {
  const folder = path.join(t.testdir(), 'new', 'output')
  await prepareOutput(folder)
  await writeFile(path.join(folder, 'a.csv'), 'id\n1\n')
  await writeFile(path.join(folder, 'notes.txt'), 'mine')
  await prepareOutput(folder)
  t.same(await readdir(folder), ['.quickstart', 'notes.txt'])
})

t.test('a folder with other files is left alone', async (t) => {
  const folder = t.testdir({ 'mine.csv': 'precious' })
  await t.rejects(prepareOutput(folder), /--out: expected a new or empty folder/)
  t.same(await readdir(folder), ['mine.csv'])
})

t.test('an empty folder can be used', async (t) => {
  const folder = path.join(t.testdir(), 'empty')
  await mkdir(folder)
  await prepareOutput(folder)
  t.same(await readdir(folder), ['.quickstart'])
})

t.test('files are compared with the feed', async (t) => {
  const feed = ['a', 'b', 'c', 'd'].map((id) => feature(id))
  feed.push(feature('n', { place: '2km S of Reno, Nevada' }), feature('x', { mag: -1 }))
  t.same([...countRejections(feed)], [['negative magnitude', 1]])

  const right = t.testdir({ 'california.csv': 'id\na\nb\nc\nd\n', 'nevada.csv': 'id\nn\n', 'world.csv': 'id\n' })
  const written = await readWritten(right)
  t.same(written.files, [
    ['california.csv', 4],
    ['nevada.csv', 1],
  ])
  t.same([...findRepeated(written), ...compareWithFeed(written, feed)], [])
})

t.test('each event that is missing, repeated, in a wrong file or not accepted is named', async (t) => {
  const feed = [feature('a'), feature('b'), feature('c'), feature('x', { mag: -1 })]
  const written = await readWritten(t.testdir({ 'california.csv': 'id\na\na\nx\n', 'nevada.csv': 'id\nc\na\n' }))
  t.same(findRepeated(written), ['a is written 3 times: california.csv, california.csv, nevada.csv'])
  t.same(compareWithFeed(written, feed), [
    'b is missing in california.csv',
    'c is missing in california.csv',
    'x should not have been written',
  ])
})
