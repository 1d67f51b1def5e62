/**
 * CSV files of other projects: they are read as Python's csv module reads them, and what is written of them is read as
 * the same.
 */
import { readFileSync, readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { CsvRow } from '../../../src/connectors/csv/types.js'
import { CsvInlet, type CsvInletOptions } from '../../../src/connectors/csv/csv-inlet.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const FOLDER = 'test/fixtures/csv-real'
const update = new Update(['csv'], 0)

const expected = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8')) as { [file: string]: string[][] }

/** All rows of a file. */
async function read(file: string, options: CsvInletOptions): Promise<CsvRow[]> {
  const inlet = new CsvInlet(file, { follow: false, rowsPerTransfer: 7, ...options })
  await inlet.onStart()
  const rows: CsvRow[] = []
  for (let got = await pulledBy(inlet, update); got.length > 0; got = await pulledBy(inlet, update)) rows.push(...got)
  await inlet.onShutdown()
  return rows
}

/** Reads a file as rows of cells, writes these, and reads what was written. */
async function readTwice(t: Test, file: string, width: number): Promise<[(string | null)[][], (string | null)[][]]> {
  const columns = Array.from({ length: width }, (_, index) => `column ${index}`)
  const cells = (rows: readonly CsvRow[]) => rows.map((row) => columns.map((name) => row[name] as string | null))
  const encoding = file.includes('latin1') ? 'latin1' : 'utf-8'
  const rows = await read(`${FOLDER}/${file}`, { header: false, columns, shortRows: 'fill', encoding })
  const written = `${t.testdir({})}/written`
  await new CsvOutlet(written, { guardFormulas: false }).push(
    rows.map((row) => new Record(row)),
    update,
  )
  return [cells(rows), cells(await read(written, {}))]
}

t.test('every file has what is expected of it', async (t) => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => /\.csv(\.gz)?$/.test(name))
  t.same(files.sort(), Object.keys(expected).sort())
  t.ok(files.length > 25)
})

for (const [file, rows] of Object.entries(expected)) {
  t.test(file, async (t) => {
    const logs = captureLogs(t)
    const width = Math.max(...rows.map(({ length }) => length))
    // what a short row lacks is null, and an empty cell once it was written
    const fill = (value: null | '') => rows.map((row) => [...row, ...Array<null | ''>(width - row.length).fill(value)])
    const [once, twice] = await readTwice(t, file, width)
    t.same(once, fill(null))
    t.same(twice, fill(''))
    t.same(logs.lines, [], 'nothing is said of it')
  })
}

t.test('the first row names the columns', async (t) => {
  for (const [file, [names = [], ...rows]] of Object.entries(expected)) {
    if (/no_header|latin1/.test(file) || new Set(names).size < names.length) continue
    if (rows.some(({ length }) => length !== names.length)) continue
    const objects = rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index] ?? '', cell])))
    t.same(await read(`${FOLDER}/${file}`, {}), objects, file)
  }
})
