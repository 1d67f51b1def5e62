import { Buffer } from 'node:buffer'
import { appendFileSync, writeFileSync } from 'node:fs'
import fc from '../../helpers/fast-check.js'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { FileInlet, type FileInletOptions } from '../../../src/connectors/files/file-inlet.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { pulledBy } from '../../helpers/nodes.js'

const update = new Update(['file'], 0)

async function linesOf(t: Test, content: string | Buffer, options: FileInletOptions = {}) {
  const inlet = new FileInlet(`${t.testdir({ text: content })}/text`, { linesPerTransfer: 99, ...options })
  await inlet.onStart()
  const lines = [await inlet.pull(update), await inlet.pull(update)].flat()
  await inlet.onShutdown()
  return lines
}

const pieces = (bytes: Buffer, cuts: readonly number[]) => {
  const list: Buffer[] = []
  for (let at = 0, cut = 0; at < bytes.length; at += list.at(-1)?.length ?? 0) {
    list.push(bytes.subarray(at, at + 1 + (cuts[cut++] ?? bytes.length)))
  }
  return list
}

t.test('lines end in LF, CRLF, CR CR LF, or CR alone', async (t) => {
  captureLogs(t)
  for (const encoding of ['utf-8', 'utf-16le', 'utf-16be'] as const) {
    for (const end of ['\n', '\r\n', '\r\r\n', '\r']) {
      const text = ['one', '', 'three'].map((line) => line + end).join('')
      const bytes = encoding === 'utf-8' ? Buffer.from(text) : Buffer.from(text, 'utf16le')
      if (encoding === 'utf-16be') bytes.swap16()
      t.same(await linesOf(t, bytes, { encoding }), ['one', '', 'three'], `${encoding} ${JSON.stringify(end)}`)
    }
  }
})

t.test('a carriage return within a line stays, in a file whose lines end in LF', async (t) => {
  t.same(await linesOf(t, '10%\r20%\r30%\ndone\r\n'), ['10%\r20%\r30%', 'done'])
})

t.test('lines that end in CR come whole, wherever the file is cut while it grows', async (t) => {
  captureLogs(t)
  const folder = t.testdir({})
  let runs = 0
  const line = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9'), minLength: 1 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 2 }),
      fc.array(fc.nat(5)),
      fc.boolean(),
      async (lines, cuts, restarts) => {
        const file = `${folder}/${runs++}`
        writeFileSync(file, '')
        let inlet = new FileInlet(file)
        await inlet.onStart()
        const pulled: string[] = []
        for (const piece of pieces(Buffer.from(lines.map((one) => `${one}\r`).join('')), cuts)) {
          appendFileSync(file, piece)
          for (let got = await pulledBy(inlet, update); got.length > 0; got = await pulledBy(inlet, update))
            pulled.push(...[got].flat())
          if (!restarts) continue
          const state = inlet.saveState()
          await inlet.onShutdown()
          inlet = new FileInlet(file)
          inlet.restoreState(state)
          await inlet.onStart()
        }
        await inlet.onShutdown()
        return JSON.stringify(pulled) === JSON.stringify(lines)
      },
    ),
    { numRuns: 100 },
  )
  t.equal(runs, 100)
})

t.test('rows end as lines do, and are numbered by lines', async (t) => {
  captureLogs(t)
  for (const end of ['\n', '\r\n', '\r\r\n', '\r']) {
    const text = ['id,name', '1,one', '2,"t\u00ebo,', 'lines"', '3'].map((line) => line + end).join('')
    for (const size of [1, 2, 3, 99]) {
      const file = `${t.testdir({ csv: '' })}/csv`
      const inlet = new CsvInlet(file)
      await inlet.onStart()
      const rows: unknown[] = []
      let problem = ''
      for (const piece of pieces(Buffer.from(text), Array<number>(99).fill(size - 1))) {
        appendFileSync(file, piece)
        rows.push(
          ...(await pulledBy(inlet, update).catch((error: unknown) => ((problem = (error as Error).message), []))),
        )
      }
      if (problem === '') await inlet.pull(update).catch((error: unknown) => (problem = (error as Error).message))
      await inlet.onShutdown()
      t.same(rows, [
        { id: '1', name: 'one' },
        { id: '2', name: `t\u00ebo,${end}lines` },
      ])
      t.match(problem, /line 5: the row has 1 cell instead of 2$/, `${JSON.stringify(end)} by ${size}`)
    }
  }
})

t.test('a run of NULs before a line is left out and counted, however long it is', async (t) => {
  const logs = captureLogs(t)
  const hole = Buffer.alloc(300_000)
  const bytes = Buffer.concat([Buffer.from('one\n'), hole, Buffer.from('two\nthree\n')])
  t.same(await linesOf(t, bytes, { maxLineLength: 1000 }), ['one', 'two', 'three'])
  t.match(logs.entries(), [{ damaged: 1, msg: /1 lines not taken as they are: NULs before byte 300004 are left out$/ }])
  logs.lines.length = 0
  const file = `${t.testdir({ csv: Buffer.concat([Buffer.from('a,b\n1,2\n'), hole, Buffer.from('3,4\n5,6\n')]) })}/csv`
  const inlet = new CsvInlet(file, { maxRowLength: 1000 })
  await inlet.onStart()
  t.same(await pulledBy(inlet, update), [
    { a: '1', b: '2' },
    { a: '3', b: '4' },
    { a: '5', b: '6' },
  ])
  await inlet.onShutdown()
  t.match(logs.entries(), [{ damaged: 1, msg: /1 rows not taken as they are: NULs before byte 300008 are left out$/ }])
})

t.test('NULs at the end of a file may be written over yet', async (t) => {
  const logs = captureLogs(t)
  const file = `${t.testdir({ text: Buffer.concat([Buffer.from('one\n'), Buffer.alloc(100_000)]) })}/text`
  const inlet = new FileInlet(file, { linesPerTransfer: 9 })
  await inlet.onStart()
  t.same([await inlet.pull(update), await inlet.pull(update)], [['one'], []])
  t.match(inlet.saveState(), { position: 4 })
  writeFileSync(file, 'one\ntwo\n')
  t.same(await inlet.pull(update), ['two'])
  await inlet.onShutdown()
  t.same(logs.lines, [])
})
