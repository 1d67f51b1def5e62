import { Buffer } from 'node:buffer'
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { CsvRow } from '../../../src/connectors/csv/types.js'
import { CsvInlet, type CsvInletOptions } from '../../../src/connectors/csv/csv-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const update = new Update(['csv'], 0)

async function open(t: Test, content: string, options: CsvInletOptions = {}) {
  const file = `${t.testdir({ csv: content })}/csv`
  const inlet = new CsvInlet(file, options)
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const message = (error: unknown) => (error as Error).message.replace(`CsvInlet: cannot read ${file}: `, '')
  return { file, inlet, pull: () => pulledBy(inlet, update).catch(message) }
}

async function all(t: Test, content: string, options: CsvInletOptions = {}): Promise<CsvRow[]> {
  const { inlet } = await open(t, content, options)
  const rows: CsvRow[] = []
  for (let got = await pulledBy(inlet, update); got.length > 0; got = await pulledBy(inlet, update)) rows.push(...got)
  return rows
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at)
const ids = (rows: readonly CsvRow[]) => rows.map(({ id }) => Number(id))

t.test('a quote too many costs one line, and is counted, whatever quotes follow', async (t) => {
  const logs = captureLogs(t)
  const shapes: ((id: number) => string)[] = [
    (id) => `${id},fine ${id}`,
    (id) => `${id},"fine, ${id}"`,
    (id) => `"${id}","fine ""${id}"""`,
    (id) => `${id},"fine\nlines ${id}"`,
  ]
  for (const shape of shapes) {
    for (const end of ['\n', '\r\n', '\r']) {
      const line = (id: number) => `${shape(id)}\n`
      const stray = ['10,"oops\n', '"10,oops\n', '10,"oo"ps\n']
      for (const bad of stray) {
        const text = `id,text\n${numbers(1, 10).map(line).join('')}${bad}${numbers(11, 1000).map(line).join('')}`
        logs.lines.length = 0
        const options = { badRows: 'skip', follow: false, maxRowLength: 1000 } as const
        const rows = await all(t, text.replaceAll('\n', end), options)
        const lost = numbers(1, 1000).filter((id) => !ids(rows).includes(id))
        t.ok(lost.includes(10) && lost.length <= 2, `${JSON.stringify(bad + shape(1) + end)}: lost ${lost.join(' ')}`)
        const damaged = logs.entries().reduce((sum, entry) => sum + Number((entry as { damaged?: number }).damaged), 0)
        t.ok(damaged >= 1 && damaged <= 3, `${damaged} are counted`)
        t.match(logs.entries()[0], { msg: /line 1[01]|line 2[01]/ })
      }
    }
  }
})

t.test('two quotes too many cost their lines, and not the rows between them', async (t) => {
  const logs = captureLogs(t)
  const lines = numbers(1, 500).map((id) => `${id},y\n`)
  const text = `id,text\n0,"x\n${lines.join('')}500,",z\n501,z\n`
  const rows = await all(t, text, { badRows: 'skip', follow: false })
  t.same(ids(rows), [...numbers(1, 500), 501])
  t.match(logs.entries(), [{ damaged: 2, total: 2 }])
})

t.test('a bad row of several lines of text is skipped as a whole', async (t) => {
  const logs = captureLogs(t)
  const text = 'id,text\nx,"one\ntwo\nthree"\n2,y\n'
  const rows = await all(t, text, { badRows: 'skip', follow: false, types: { id: 'number' } })
  t.same(ids(rows), [2])
  t.match(logs.entries(), [{ damaged: 1, total: 1 }])
})

t.test('rows with quotes at the wrong place cost no time that grows with the square of their number', async (t) => {
  captureLogs(t)
  const line = (id: number) => (id % 2 === 0 ? `${id},"oops\n` : `${id},fine\n`)
  const rows = await all(t, `id,text\n${numbers(1, 20_000).map(line).join('')}`, { badRows: 'skip', follow: false })
  t.ok(rows.length > 9000)
})

t.test('a line that is longer than maxRowLength is left out, and no more', async (t) => {
  const logs = captureLogs(t)
  const text = `id,text\n1,one\n2,${'x'.repeat(200_000)}\n3,three\n4,"${'x\n'.repeat(900)}"\n5,five\n`
  const rows = await all(t, text, { badRows: 'skip', maxRowLength: 1000, follow: false })
  t.same(ids(rows), [1, 3, 5])
  t.match(logs.entries()[0], { msg: /line 3: the row is longer than maxRowLength, which is 1000 bytes$/ })
})

t.test('a row that is too long as a quote is not closed says so', async (t) => {
  const { pull } = await open(t, `id,text\n1,"oops\n${'2,two\n'.repeat(20)}`, { maxRowLength: 40 })
  const why = 'line 2: the row is longer than maxRowLength, which is 40 bytes, with a quote that is not closed'
  t.equal(await pull(), why)
  t.equal(await pull(), why)
})

t.test('a bad row of several lines whose quotes are right is left out whole', async (t) => {
  captureLogs(t)
  t.same(ids(await all(t, 'id,text\n1,one\n2,"a\nb,c\nd",e\n3,three\n', { badRows: 'skip' })), [1, 3])
})

t.test('the rows behind a quote that is not closed are read of a rotated file, too', async (t) => {
  captureLogs(t)
  const { file, pull } = await open(t, 'id,text\n1,one\n2,"two\n3,three\n', { badRows: 'skip' })
  t.same(await pull(), [{ id: '1', text: 'one' }])
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'id,text\n4,four\n')
  t.same(await pull(), [{ id: '3', text: 'three' }])
  t.same(await pull(), [{ id: '4', text: 'four' }])
})

t.test('the first line of a file may say what is between its cells', async (t) => {
  for (const [line, delimiter] of [
    ['sep=;', ';'],
    ['SEP=\t', '\t'],
    ['"sep=|"', '|'],
    ['sep=,', ','],
  ] as const) {
    for (const options of [{}, { delimiter: ';' }, { delimiter: ',' }]) {
      const text = `\uFEFF${line}\r\n${['id', 'text'].join(delimiter)}\r\n${['1', 'one'].join(delimiter)}\r\n`
      t.same(await all(t, text, options), [{ id: '1', text: 'one' }], line)
    }
  }
  t.same(await all(t, 'sep=;\n1;2\n', { header: false, columns: ['a', 'b'] }), [{ a: '1', b: '2' }])
  t.same(await all(t, 'sep=;;\n1\n', { columns: ['a'], delimiter: '|' }), [{ a: '1' }])
  t.same(await all(t, '"sep=;\nid",text\n1,one\n'), [{ 'sep=;\nid': '1', text: 'one' }], 'a name of two lines')
  const { pull } = await open(t, 'sep=;\nid;text\n1;one;more\n')
  t.equal(await pull(), 'line 3: the row has 3 cells instead of 2')
})

t.test('a file with another delimiter is refused with a hint, unless one column is named', async (t) => {
  for (const other of [';', '\t', '|']) {
    const shown = JSON.stringify(other).replaceAll('"', "'")
    const why = `one cell, with ${shown} in it rather than ',': see the option delimiter`
    const text = `id${other}text\n1${other}one\n`
    for (const badRows of ['error', 'skip'] as const) {
      t.equal(await (await open(t, text, { badRows })).pull(), `line 1: the header has ${why}`)
      const headless = { badRows, header: false, columns: ['a', 'b'], shortRows: 'fill' } as const
      t.equal(await (await open(t, text, headless)).pull(), `line 1: the row has ${why}`)
    }
    t.same(await all(t, text, { columns: ['all'] }), [{ all: `1${other}one` }])
    t.same(
      await all(t, `"id${other}text"\n1${other}one\n`),
      [{ [`id${other}text`]: `1${other}one` }],
      'a name in quotes',
    )
    t.same(await all(t, text, { delimiter: other }), [{ id: '1', text: 'one' }])
  }
  t.match(await (await open(t, 'id,text\n', { delimiter: ';' })).pull(), /with ',' in it rather than ';'/)
})

t.test('a first line that says the delimiter may come bit by bit, behind a byte order mark too', async (t) => {
  for (const encoding of ['utf-8', 'utf-16le'] as const) {
    const bytes = Buffer.from('\uFEFFsep=;\na;b\n1;2\n', encoding)
    for (let cut = 1; cut < bytes.length; cut++) {
      const { file, pull } = await open(t, '')
      writeFileSync(file, bytes.subarray(0, cut))
      const first = await pull()
      appendFileSync(file, bytes.subarray(cut))
      t.same([first, await pull()].flat(), [{ a: '1', b: '2' }], `${encoding}, cut at ${cut}`)
    }
  }
})

t.test('a line that is too long ends at its own end, wherever the file is cut', async (t) => {
  const { file, pull } = await open(t, 'a,b\r1,a row that is longer than', { badRows: 'skip', maxRowLength: 20 })
  const rows = [await pull()]
  for (const part of [' that\r', '2,c\r', '3,d\r\n', '4,e\r\n']) {
    appendFileSync(file, part)
    rows.push(await pull())
  }
  t.same(
    rows.flat(),
    [2, 3, 4].map((n, at) => ({ a: String(n), b: 'cde'.charAt(at) })),
  )
})
