import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CsvInlet } from '../../src/connectors/csv/csv-inlet.js'
import { FileInlet } from '../../src/connectors/files/file-inlet.js'
import type { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { Outlet } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { captureLogs } from '../helpers/logs.js'

class Kept extends Outlet {
  readonly got: unknown[] = []

  push(records: Record[]) {
    for (const { payload } of records) this.got.push(payload)
  }
}

/** A planner of its own, as after a restart, makes some transfers. */
async function transfer(folder: string, inlets: Inlet, times: number): Promise<unknown[]> {
  const outlets = new Kept()
  const settings = { id: 'a', delivery: 'cursor', interval: 3600, immediateTransfer: false } as const
  const planner = new SchedulePlanner(new Link({ ...settings, inlets, outlets } as never), {
    store: join(folder, 'store'),
  })
  await planner.start()
  for (let time = 0; time < times; time++) await planner.forceTransfer()
  await planner.shutdown()
  return outlets.got
}

t.test('rows go on behind the last one, with the columns of the header, in a planner that starts later', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ 'in.csv': 'id,name\n1,a\n2,b\n3,c\n' })
  const file = join(folder, 'in.csv')
  const inlet = () => new CsvInlet(file, { rowsPerTransfer: 2 })
  t.match(await transfer(folder, inlet(), 1), [{ name: 'a' }, { name: 'b' }])
  appendFileSync(file, '4,d\n')
  t.match(await transfer(folder, inlet(), 2), [{ name: 'c' }, { name: 'd' }])
  // rotated while no planner ran: the rest of the old file first, then the new one with a header of its own
  appendFileSync(file, '5,e\n')
  renameSync(file, `${file}.1`)
  writeFileSync(file, 'name,id,city\nf,6,Oslo\n')
  t.match(await transfer(folder, inlet(), 4), [{ name: 'e' }, { name: 'f', city: 'Oslo' }])
  t.same(await transfer(folder, inlet(), 2), [])
})

t.test('lines of a file that was rotated while no planner ran are read first', async (t) => {
  captureLogs(t)
  const folder = t.testdir({ 'in.txt': '0\n1\n' })
  const file = join(folder, 'in.txt')
  t.same(await transfer(folder, new FileInlet(file, { linesPerTransfer: 5 }), 1), ['0', '1'])
  appendFileSync(file, '2\n3\n')
  renameSync(file, `${file}.1`)
  writeFileSync(file, '4\n')
  t.same(await transfer(folder, new FileInlet(file, { linesPerTransfer: 5 }), 4), ['2', '3', '4'])
})
