/** Records that an inlet read and an outlet did not take are read again. */
import { appendFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { CsvInlet, type CsvInletOptions } from '../../src/connectors/csv/csv-inlet.js'
import { FileInlet, type FileInletOptions } from '../../src/connectors/files/file-inlet.js'
import { HttpInlet } from '../../src/connectors/http/http-inlet.js'
import { MongoInlet } from '../../src/connectors/mongodb/mongo-inlet.js'
import { PostgresInlet } from '../../src/connectors/postgres/postgres-inlet.js'
import { S3Inlet } from '../../src/connectors/s3/s3-inlet.js'
import type { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import { InvalidPayloadError, PartialPushError } from '../../src/core/partial-push.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import type { Record } from '../../src/core/record.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, KeepOutlet } from '../helpers/nodes.js'

/** Outlet that takes records or fails, as a test says. */
class PickyOutlet extends KeepOutlet {
  refuse = false
  readonly taken: unknown[] = []

  override push(records: Record[]): void {
    if (this.refuse) throw new Error('refused')
    this.taken.push(...records.map(({ payload }) => payload))
  }
}

/** Makes a link that reads lines of a file, two at a transfer. */
async function following(t: Test, text: string, options: FileInletOptions = {}) {
  const folder = t.testdir({ log: text })
  const [log, positionFile] = [`${folder}/log`, `${folder}/position`]
  const outlet = new PickyOutlet()
  const start = async () => {
    const inlet = new FileInlet(log, { linesPerTransfer: 2, positionFile, ...options })
    const link = new Link({ inlets: inlet, outlets: outlet, interval: 1, tags: 'a' })
    await link.onStart()
    return link
  }
  const transfer = async (link: Link<string>, refuse = false) => {
    outlet.refuse = refuse
    await link.transfer()
    return outlet.taken.splice(0)
  }
  return { log, positionFile, start, transfer }
}

t.test('lines that an outlet refused are read again by the next transfer', async (t) => {
  const logs = captureLogs(t)
  const { log, start, transfer } = await following(t, '1\n2\n3\n4\n')
  const link = await start()
  t.same(await transfer(link), ['1', '2'])
  t.same(await transfer(link, true), [])
  t.same(await transfer(link, true), [])
  t.same(await transfer(link), ['3', '4'])
  t.same(await transfer(link), [])
  await link.onShutdown()
  const said = logs.entries().filter(({ name }) => name === 'databay.FileInlet')
  t.match(said, [{ msg: `FileInlet(${log}): 2 lines were not delivered: they are read again`, records: 2 }, {}])
})

t.test('an orderly shutdown after a failed transfer keeps the position of what was delivered', async (t) => {
  captureLogs(t, 'silent')
  const { start, transfer, positionFile } = await following(t, '1\n2\n3\n4\n5\n')
  let link = await start()
  t.same(await transfer(link), ['1', '2'])
  t.same(await transfer(link, true), [])
  await link.onShutdown()
  t.match(JSON.parse(readFileSync(positionFile, 'utf8')), { position: 4 })
  link = await start()
  t.same(await transfer(link), ['3', '4'])
  t.same(await transfer(link), ['5'])
  await link.onShutdown()
})

t.test('a planner that shuts down as a transfer failed leaves nothing out', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ log: '1\n2\n3\n' })
  const taken: unknown[] = []
  const run = async (refused: string) => {
    const outlet = new KeepOutlet((records) => {
      for (const { payload } of records) {
        if (payload === refused) throw new Error('refused')
        taken.push(payload)
      }
    })
    const inlets = new FileInlet(`${folder}/log`, { positionFile: `${folder}/position` })
    const planner = new SchedulePlanner(new Link({ inlets, outlets: outlet, interval: 0.01 }), {
      refreshInterval: 0.01,
      transfers: 3,
    })
    await planner
      .start()
      .then(() => planner.finished)
      .catch(() => undefined)
    await planner.shutdown()
  }
  await run('2')
  t.same(taken, ['1'])
  await run('')
  t.same(taken, ['1', '2', '3'])
})

t.test('where it is not wanted, what was not delivered is dropped', async (t) => {
  captureLogs(t, 'silent')
  const { start, transfer } = await following(t, '1\n2\n3\n4\n5\n6\n', { redeliver: false })
  let link = await start()
  t.same(await transfer(link, true), [])
  t.same(await transfer(link), ['3', '4'])
  t.same(await transfer(link, true), [])
  await link.onShutdown()
  link = await start()
  t.same(await transfer(link), [])
  await link.onShutdown()
})

t.test('it goes without a position file, too, and is not the default there', async (t) => {
  captureLogs(t, 'silent')
  for (const redeliver of [true, undefined]) {
    const outlet = new PickyOutlet()
    const file = `${t.testdir({ log: '1\n2\n' })}/log`
    const inlet = new FileInlet(file, redeliver === undefined ? {} : { redeliver })
    const link = new Link({ inlets: inlet, outlets: outlet, interval: 1 })
    await link.onStart()
    outlet.refuse = true
    await link.transfer()
    t.match(inlet.saveState(), { position: redeliver === true ? 0 : 2 })
    outlet.refuse = false
    await link.transfer()
    t.same(outlet.taken, [redeliver === true ? '1' : '2'])
    await link.onShutdown()
  }
})

t.test('of transfers at the same time, all from the earliest on that failed comes again', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ log: '1\n2\n3\n4\n5\n' })
  const pushes = Array.from({ length: 4 }, () => deferred())
  const taken: unknown[] = []
  let pushed = 0
  const outlet = new KeepOutlet(async (records) => {
    await pushes[pushed++]?.promise
    taken.push(...records.map(({ payload }) => payload))
  })
  const inlet = new FileInlet(`${folder}/log`, { positionFile: `${folder}/position` })
  const link = new Link({ inlets: inlet, outlets: outlet, interval: 1, maxInstances: 4 })
  await link.onStart()
  const position = () => {
    const state = inlet.saveState() as { position: number; carried?: { start: { position: number } } }
    return state.carried?.start ?? state
  }
  const running = pushes.slice(0, 3).map(() => link.transfer())
  while (pushed < 3) await new Promise(setImmediate)
  t.match(position(), { position: 0 })
  pushes[2]?.resolve()
  await running[2]
  t.match(position(), { position: 0 }, 'what was delivered out of turn does not move it')
  pushes[1]?.reject(new Error('no'))
  await running[1]
  t.match(position(), { position: 0 })
  pushes[3]?.resolve()
  const again = link.transfer()
  await again
  t.same(taken, ['3', '2'], 'what follows a failed one comes again')
  t.match(position(), { position: 0 }, 'the first is not known to be delivered yet')
  pushes[0]?.resolve()
  await running[0]
  t.match(position(), { position: 4 })
  for (let transfer = 0; transfer < 3; transfer++) await link.transfer()
  t.same(taken, ['3', '2', '1', '3', '4', '5'])
  await link.onShutdown()
})

t.test('lines of a file that was rotated, or deleted, meanwhile are read again', async (t) => {
  captureLogs(t, 'silent')
  for (const gone of [false, true]) {
    const { log, start, transfer } = await following(t, '1\n2\n3\n')
    const link = await start()
    t.same(await transfer(link), ['1', '2'])
    renameSync(log, `${log}.1`)
    writeFileSync(log, '4\n5\n6\n')
    if (gone) rmSync(`${log}.1`)
    t.same(await transfer(link, true), [])
    t.same(await transfer(link), ['3'])
    t.same(await transfer(link, true), [])
    renameSync(log, `${log}.1`)
    writeFileSync(log, '7\n')
    if (gone) rmSync(`${log}.1`)
    t.same(await transfer(link), ['4', '5'])
    t.same(await transfer(link), ['6'])
    t.same(await transfer(link), ['7'])
    await link.onShutdown()
  }
})

t.test('what is gone when it should be read again is said to be', async (t) => {
  const logs = captureLogs(t)
  const { log, start, transfer } = await following(t, '1\n2\n3\n4\n')
  const link = await start()
  t.same(await transfer(link), ['1', '2'])
  t.same(await transfer(link, true), [])
  truncateSync(log, 4)
  appendFileSync(log, '5\n')
  t.same(await transfer(link), ['5'])
  await link.onShutdown()
  const said = logs.entries().filter(({ name }) => name === 'databay.FileInlet')
  t.match(said, [
    { records: 2 },
    { msg: `FileInlet(${log}): what was not delivered was truncated or written anew before it could be read again` },
  ])
})

t.test('rows of a CSV file are read again, under the header that they had', async (t) => {
  captureLogs(t, 'silent')
  const folder = t.testdir({ rows: 'a\n1\n2\n' })
  const options: CsvInletOptions = { rowsPerTransfer: 1, positionFile: `${folder}/position` }
  const outlet = new PickyOutlet()
  const link = new Link({ inlets: new CsvInlet(`${folder}/rows`, options), outlets: outlet, interval: 1 })
  await link.onStart()
  outlet.refuse = true
  await link.transfer()
  outlet.refuse = false
  for (let transfer = 0; transfer < 3; transfer++) await link.transfer()
  t.same(outlet.taken, [{ a: '1' }, { a: '2' }])
  await link.onShutdown()
})

t.test('a bad row of a file costs that row, and with a position it comes again with what is behind it', async (t) => {
  captureLogs(t)
  const rows = Array.from({ length: 5000 }, (_, at) => (at === 500 ? 'bad' : String(at)))
  const folder = t.testdir({ 'rows.csv': ['id', ...rows, ''].join('\n') })
  const transfer = async (options: CsvInletOptions) => {
    const taken: unknown[] = []
    const outlet = new KeepOutlet((records) => {
      const rejected = records.flatMap(({ payload }, index) =>
        (payload as { id: string }).id === 'bad' ? [{ index, error: new InvalidPayloadError('bad') }] : [],
      )
      taken.push(...records)
      if (rejected.length > 0) throw new PartialPushError('picky', records.length - 1, rejected)
    })
    const link = new Link({ inlets: new CsvInlet(`${folder}/rows.csv`, options), outlets: outlet, interval: 1 })
    await link.onStart()
    const report = await link.transfer()
    await link.onShutdown()
    return report
  }
  t.match(await transfer({}), { pulled: 5000, dropped: 0, outlets: [{ pushed: 4999, dropped: 1 }] })
  const { outlets } = await transfer({ positionFile: `${folder}/position` })
  t.match(outlets, [{ dropped: 1 }])
  t.ok((outlets[0]?.pushed ?? 0) < 4999, 'what is behind the round comes with the next transfer')
})

t.test('inlets say whether they give records again that were not delivered', (t) => {
  const postgres = { url: 'postgres://127.0.0.1/db', table: 't' }
  const mongo = { url: 'mongodb://127.0.0.1', collection: 'c' }
  const cases: [Inlet, boolean][] = [
    [new FileInlet('log'), false],
    [new FileInlet('log', { redeliver: true }), true],
    [new FileInlet('log', { mode: 'file' }), false],
    [new CsvInlet('rows.csv', { positionFile: 'position' }), true],
    [new HttpInlet('http://127.0.0.1'), false],
    [new HttpInlet('http://127.0.0.1', { conditional: true }), true],
    [new PostgresInlet(postgres), false],
    [new PostgresInlet({ ...postgres, cursorColumn: 'id' }), true],
    [new PostgresInlet({ ...postgres, cursorColumn: 'id', redeliver: false }), false],
    [new MongoInlet({ ...mongo, cursorField: '_id' }), true],
    [new MongoInlet({ ...mongo, cursorField: '_id', redeliver: false }), false],
    [new S3Inlet({ bucket: 'bucket' }), true],
    [new S3Inlet({ bucket: 'bucket', redeliver: false }), false],
  ]
  for (const [inlet, redelivers] of cases) t.equal(inlet.redelivers, redelivers, String(inlet))
  t.end()
})
