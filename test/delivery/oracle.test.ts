/*
 * The oracle of this folder kills a process with durable links, with another seed each time. `npm run test:delivery` does
 * more of it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { isBuilt } from '../helpers/durable-programs.js'
import type { Row } from './oracle/campaign.js'
import { readJournal } from './oracle/journal.js'
import { judge } from './oracle/judge.js'
import { table } from './oracle/table.js'

const main = join(import.meta.dirname, '../../dist/test/delivery/oracle/main.js')

t.test(
  '6 kills, a kill at each of 12 operations of the store, and 4 of threads: nothing is lost, nothing out of order',
  { skip: !isBuilt && 'the package is not built' },
  async (t) => {
    const counts = ['--kills', '6', '--operations', '12', '--thread-kills', '4']
    const child = spawn(process.execPath, [main, '--json', ...counts], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill())
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    t.same(await once(child, 'close'), [0, null], printed)
    const { rows, seed } = JSON.parse(printed) as { rows: Row[]; seed: number }
    t.comment(`seed ${seed}\n${table(rows)}`)
    for (const { kind, outlet, records, lost, outOfOrder } of rows)
      t.match(
        { records: records > 100, lost, outOfOrder },
        { records: true, lost: 0, outOfOrder: 0 },
        `${kind} ${outlet}`,
      )
    t.ok(
      rows.some(({ dead }) => dead > 0),
      'records were refused',
    )
    const kills = new Map(rows.map(({ kind, kills }) => [kind, kills]))
    t.ok((kills.get('process') ?? 0) >= 6)
    t.ok((kills.get('operation') ?? 0) >= 12)
    t.ok((kills.get('thread') ?? 0) >= 4)
  },
)

const opening = (name: string, ...numbers: number[]) => ({ name, numbers })
const none = new Set<number>()

t.test('what came after a kill for the second time is double, and neither lost nor out of order', async (t) => {
  const verdict = judge([opening('1.1', 0, 1, 2, 3), opening('2.1', 2, 3, 4)], none, 5)
  t.match(verdict, { records: 5, lost: 0, outOfOrder: 0, double: 2, mostDouble: 2, repeated: 0, examples: [] })
})

t.test('what never came is lost, unless it is a dead letter', async (t) => {
  const openings = [opening('1.1', 0, 1), opening('2.1', 4, 6)]
  t.match(judge(openings, none, 7), { lost: 3, examples: ['2 to 3 and 1 more never came; opening 2.1 went on behind'] })
  t.match(judge(openings, new Set([2, 3]), 7), {
    lost: 1,
    records: 6,
    examples: ['5 never came; opening 2.1 went on behind'],
  })
  t.match(judge(openings, new Set([2, 3, 5]), 8), { lost: 1, examples: ['7 never came'] })
})

t.test('what comes after later ones is out of order', async (t) => {
  t.match(judge([opening('1.1', 0, 2, 1)], none, 3), {
    outOfOrder: 1,
    lost: 0,
    examples: ['1 came after 2 in opening 1.1'],
  })
  t.match(judge([opening('1.1', 0, 2), opening('2.1', 1)], none, 3), { outOfOrder: 1 })
  t.match(judge([opening('1.1', 0, 1, 2), opening('2.1', 1, 0, 2)], none, 3), { outOfOrder: 1, double: 3 })
})

t.test('what comes twice without a kill is repeated', async (t) => {
  t.match(judge([opening('1.1', 0, 1, 1)], none, 2), { repeated: 1, outOfOrder: 0, double: 0 })
})

t.test('of a journal, torn lines do not count', async (t) => {
  const folder = t.testdir({ journal: '\n@1.2;\n000000001;\n00000\n@2.1;\n000000002;\n0000000030000\n000000004;\n' })
  t.strictSame(readJournal(join(folder, 'journal')), [opening('1.2', 1), opening('2.1', 2, 4)])
  t.strictSame(readJournal(join(folder, 'other')), [])
})
