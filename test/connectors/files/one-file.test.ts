import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import t, { type Test } from 'tap'
import { captureLogs } from '../../helpers/logs.js'
import { workerPlanner } from '../../helpers/threads.js'

interface Row {
  readonly id: string
  readonly text: string
  readonly end: string
}

const ROWS = 1000
const LENGTH = 2000
const TRANSFERS = 3

/** Makes the URL of a module of four links that add to one file, which two of them call by another name. */
function writersOf(folder: string, name: string): URL {
  const module = new URL('../../fixtures/one-file.ts', import.meta.url)
  for (const way of ['real', 'link', 'link/../real', 'link'])
    module.searchParams.append('file', `${folder}/${way}/${name}`)
  module.searchParams.set('rows', String(ROWS))
  module.searchParams.set('length', String(LENGTH))
  return module
}

/** Checks that every row is there once, and whole. */
function checkRows(t: Test, rows: readonly Row[]): void {
  t.equal(rows.length, 4 * TRANSFERS * ROWS, 'as many rows as were pushed')
  t.equal(new Set(rows.map(({ id }) => id)).size, rows.length, 'no row twice')
  t.ok(
    rows.every(({ id, text, end }) => end === id && text === id.charAt(0).repeat(LENGTH)),
    'no row is torn',
  )
  const firstOfBatches = rows.filter(({ id }, at) => !rows[at - 1]?.id.startsWith(id.slice(0, id.lastIndexOf('-') + 1)))
  t.equal(firstOfBatches.length, 4 * TRANSFERS, 'no batch in the middle of another')
}

t.test('four links, each in a thread of its own, add batches of 2 MB to one file', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ real: {}, link: t.fixture('symlink', 'real') })
  const planner = workerPlanner(t, [writersOf(folder, 'out.csv'), writersOf(folder, 'out.jsonl')], { threads: 4 })
  await planner.start()
  for (let round = 0; round < TRANSFERS; round++) {
    const reports = await planner.forceTransfer()
    t.same(reports.map(({ thread }) => thread).sort(), [1, 1, 2, 2, 3, 3, 4, 4], 'the links of a file in all threads')
    t.ok(reports.every(({ failed, outlets }) => !failed && outlets[0]?.pushed === ROWS))
  }
  const read = (name: string) => {
    const text = readFileSync(`${folder}/real/${name}`, 'utf8')
    t.comment(`4 threads wrote ${(text.length / 1e6).toFixed(1)} MB to ${name}`)
    return text
  }
  t.test('CSV: one header, every row whole, none missing', async (t) => {
    const text = read('out.csv')
    t.ok(text.startsWith('id,text,end\n'))
    t.equal(text.split('\n').filter((line) => line === 'id,text,end').length, 1, 'one header')
    checkRows(t, parse(text, { columns: true }) as unknown as Row[])
  })
  t.test('JSON lines: every line whole, none missing', async (t) => {
    const lines = read('out.jsonl').trimEnd().split('\n')
    checkRows(
      t,
      lines.map((line) => JSON.parse(line) as Row),
    )
  })
})
