/** Files are read to their end in one transfer, list by list, and replaced by a transfer as a whole. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CsvInlet } from '../../../src/connectors/csv/csv-inlet.js'
import { CsvOutlet } from '../../../src/connectors/csv/csv-outlet.js'
import { FileInlet } from '../../../src/connectors/files/file-inlet.js'
import { FileOutlet } from '../../../src/connectors/files/file-outlet.js'
import type { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { Outlet } from '../../../src/core/outlet.js'
import type { AnyProcessor } from '../../../src/core/processor.js'
import { captureLogs } from '../../helpers/logs.js'
import { KeepOutlet } from '../../helpers/nodes.js'

const LINES = Array.from({ length: 20_000 }, (_, at) => `${at},${'x'.repeat(at % 90)}`)

async function started(t: Test, inlets: Inlet, outlets: Outlet, processors: AnyProcessor[] = []) {
  const link = new Link({ interval: 1, inlets, outlets, processors } as never)
  await link.onStart()
  t.teardown(() => link.onShutdown())
  return link
}

const kinds: [
  name: string,
  make: (file: string, options?: object) => Inlet,
  head: string,
  lineOf: (payload: unknown) => string,
][] = [
  ['FileInlet', (file, options) => new FileInlet(file, { linesPerTransfer: Infinity, ...options }), '', String],
  [
    'CsvInlet',
    (file, options) => new CsvInlet(file, options),
    'n,text\n',
    (payload) => Object.values(payload as object).join(','),
  ],
]

for (const [name, make, head, lineOf] of kinds) {
  const setUp = (t: Test) => t.testdir({ in: `${head}${LINES.join('\n')}\n` })

  t.test(`${name} reads a file to its end in one transfer, in lists`, async (t) => {
    const folder = setUp(t)
    const outlet = new KeepOutlet()
    const link = await started(t, make(`${folder}/in`), outlet)
    const report = await link.transfer()
    t.match(report, { pulled: 20_000, failed: false, outlets: [{ pushed: 20_000 }] })
    t.ok(report.rounds > 3 && report.rounds < 40, `${report.rounds} rounds`)
    t.ok(outlet.batches.every(({ length }) => length <= 4096))
    t.strictSame(outlet.payloads.flat().map(lineOf), LINES)
    t.match(await link.transfer(), { pulled: 0, rounds: 1 })
    writeFileSync(`${folder}/in`, '20000,y\n', { flag: 'a' })
    t.match(await link.transfer(), { pulled: 1, rounds: 1 }, 'what is added is a transfer of one list')
  })

  t.test(`${name} goes back to the first list that was not delivered`, async (t) => {
    captureLogs(t)
    const folder = setUp(t)
    let refused = 0
    const outlet = new KeepOutlet((records) => {
      if (outlet.batches.length !== 3 || refused++ > 0) return
      outlet.batches.pop()
      throw new Error(`full after ${records.length}`)
    })
    const link = await started(t, make(`${folder}/in`, { positionFile: `${folder}/position` }), outlet)
    t.match(await link.transfer(), { rounds: 3, failed: true })
    const first = outlet.payloads.flat().length
    t.match(await link.transfer(), { failed: false, pulled: 20_000 - first })
    t.strictSame(outlet.payloads.flat().map(lineOf), LINES, 'each line has come once')
  })
}

t.test('lists are cut by their length, too', async (t) => {
  const long = 'x'.repeat(100_000)
  const folder = t.testdir({ in: `${long}\n`.repeat(40) })
  const link = await started(t, new FileInlet(`${folder}/in`, { linesPerTransfer: Infinity }), new KeepOutlet())
  const { rounds } = await link.transfer()
  t.ok(rounds >= 3, `${rounds} rounds of 4 MB`)
})

const outlets: [name: string, make: (file: string) => Outlet, head: string][] = [
  ['FileOutlet', (file) => new FileOutlet(file, { fileMode: 'w' }), ''],
  ['CsvOutlet', (file) => new CsvOutlet(file, { fileMode: 'w' }), 'n,text\n'],
]

for (const [name, make, head] of outlets) {
  const inlet = (file: string) =>
    head === '' ? new FileInlet(file, { linesPerTransfer: Infinity }) : new CsvInlet(file)

  t.test(`${name} replaces a file after the last round`, async (t) => {
    const folder = t.testdir({ in: `${head}${LINES.join('\n')}\n`, out: 'old\n' })
    const seen = new Set<string>()
    const look: AnyProcessor = (records) => {
      seen.add(readFileSync(`${folder}/out`, 'utf8').slice(0, 4))
      return records
    }
    const link = await started(t, inlet(`${folder}/in`), make(`${folder}/out`), [look])
    t.match(await link.transfer(), { failed: false, outlets: [{ pushed: 20_000, dropped: 0 }] })
    t.same([...seen], ['old\n'], 'until then it is the old one')
    t.equal(readFileSync(`${folder}/out`, 'utf8'), readFileSync(`${folder}/in`, 'utf8'))
    t.same(readdirSync(folder).sort(), ['in', 'out'], 'nothing is left')
  })

  t.test(`${name} leaves a file as it was when a round fails`, async (t) => {
    captureLogs(t)
    const folder = t.testdir({ in: `${head}${LINES.join('\n')}\n`, out: 'old\n' })
    let rounds = 0
    const fail: AnyProcessor = (records) => {
      if (++rounds === 3) throw new Error('no')
      return records
    }
    const link = await started(t, inlet(`${folder}/in`), make(`${folder}/out`), [fail])
    const {
      grouped,
      outlets: [outlet],
    } = await link.transfer()
    t.match(outlet, { pushed: 0, dropped: grouped })
    t.ok(grouped > 0)
    t.equal(readFileSync(`${folder}/out`, 'utf8'), 'old\n')
    t.same(readdirSync(folder).sort(), ['in', 'out'])
  })
}
