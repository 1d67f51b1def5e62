/** Inlets of HTTP and MongoDB that stream in threads: what is lost with a thread, shared, or ended by a shutdown. */
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { TransferReport } from '../../src/core/report.js'
import { captureLogs } from '../helpers/logs.js'
import { mongoServer } from '../helpers/mongo.js'
import { countConnections, serve } from '../helpers/servers.js'
import { fixture, until, workerPlanner } from '../helpers/threads.js'

const mongo = await mongoServer(t)
const { skip } = mongo

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

function setUp(t: Test, source: { [key: string]: string }) {
  const logs = captureLogs(t)
  const out = t.testdir()
  const module = fixture('connector-links.ts')
  for (const [key, value] of Object.entries({ out, ...source })) module.searchParams.set(key, value)
  const planner = workerPlanner(t, module, { threads: 1, ignoreExceptions: true, timeoutGrace: 0.5 })
  const reports: TransferReport[] = []
  planner.on('transfer', (report) => reports.push(report))
  const read = (name: string) => {
    try {
      return readFileSync(`${out}/${name}`, 'utf8').trim().split('\n').map(Number)
    } catch {
      return []
    }
  }
  return { planner, reports, read, logs }
}

function checkBooks(t: Test, { pulled, dropped, grouped, outlets }: TransferReport) {
  t.equal(pulled, dropped + grouped, 'every record is accounted for')
  t.equal(grouped, (outlets[0]?.pushed ?? 0) + (outlets[0]?.dropped ?? 0))
}

/** Sends numbers as JSON lines, as far as they are taken; without end when there are none to count to. */
const numbers =
  (count = Infinity): RequestListener =>
  async (_request, response) => {
    for (let n = 0; n < count && !response.destroyed; n += 100) {
      const lines = upTo(100).map((at) => `{"n":${n + at},"text":"${'x'.repeat(300)}"}\n`)
      if (!response.write(lines.join(''))) await sleep(1)
      if (count === Infinity) await sleep(1)
    }
    response.end()
  }

t.test('HTTP: a thread that is lost in a round ends its connection, and the next transfer begins again', async (t) => {
  const { server, url } = await serve(t, numbers(20_000))
  const { count } = countConnections(server)
  const { planner, reports, read } = setUp(t, { http: url, kill: '' })
  await planner.start()
  await planner.forceTransfer()
  const [lost] = reports
  t.match(lost, { failed: true, errors: [{ code: 'DATABAY_THREAD_LOST' }] })
  if (lost !== undefined) checkBooks(t, lost)
  const before = read('one').length
  t.equal(lost?.outlets[0]?.pushed ?? 0, before)
  t.match(await planner.forceTransfer(), [{ failed: false, errors: [], pulled: 20_000, outlets: [{ pushed: 20_000 }] }])
  t.strictSame(read('one').slice(before), upTo(20_000))
  await planner.shutdown()
  await until(() => count.open === 0)
})

t.test('HTTP: a server that goes away between lists is named, and the lists before it stay', async (t) => {
  const { server, url } = await serve(t, numbers())
  const { planner, read } = setUp(t, { http: url })
  await planner.start()
  const transfer = planner.forceTransfer()
  await until(() => read('one').length > 0)
  server.closeAllConnections()
  server.close()
  const [report] = await transfer
  t.match(report, { failed: true, errors: [{ stage: 'pull', node: /HttpInlet/ }] })
  const [error] = report?.errors ?? []
  t.ok((error?.round ?? 0) > 1, `${error?.message} in round ${error?.round}`)
  if (report !== undefined) checkBooks(t, report)
  t.strictSame(read('one'), upTo(report?.outlets[0]?.pushed ?? 0))
})

t.test('HTTP: a shutdown in the middle ends the connection', async (t) => {
  for (const options of [{}, { wait: false }]) {
    let requests = 0
    const { server, url } = await serve(t, (request, response) => {
      requests++
      numbers()(request, response)
    })
    const { allClosed } = countConnections(server)
    const { planner, reports, read } = setUp(t, { http: url })
    await planner.start()
    const transfer = planner.forceTransfer()
    await until(() => read('one').length > 0)
    await planner.shutdown(options)
    await transfer
    await allClosed()
    t.equal(requests, 1)
    if (reports[0] !== undefined) checkBooks(t, reports[0])
    t.strictSame(read('one'), upTo(reports[0]?.outlets[0]?.pushed ?? 0))
  }
})

t.test('HTTP: two links that share an inlet get all of it each', async (t) => {
  const { url } = await serve(t, numbers(20_000))
  const { planner, read } = setUp(t, { http: url, shared: '' })
  await planner.start()
  const reports = await planner.forceTransfer()
  t.match(reports, [
    { failed: false, pulled: 20_000 },
    { failed: false, pulled: 20_000 },
  ])
  for (const name of ['one', 'other']) t.strictSame(read(name), upTo(20_000))
})

/** A collection of numbers, behind a proxy. */
async function things(t: Test, count: number) {
  const { url, proxy } = await mongo.proxied(t)
  const { database, db } = await mongo.database(t)
  await db.collection('things').insertMany(upTo(count).map((n) => ({ n })))
  const commands: string[] = []
  proxy.judge = (piece) => {
    commands.push(piece.toString('latin1'))
    return 'pass'
  }
  const sent = (name: string) => commands.filter((text) => text.includes(name)).length
  return { source: { mongo: url, database }, sent }
}

t.test(
  'MongoDB: a thread that is lost in a round: the next transfer begins behind nothing that was lost',
  { skip },
  async (t) => {
    const { source } = await things(t, 2000)
    const { planner, reports, read } = setUp(t, { ...source, kill: '' })
    await planner.start()
    await planner.forceTransfer()
    const [lost] = reports
    t.match(lost, { failed: true, errors: [{ code: 'DATABAY_THREAD_LOST' }] })
    if (lost !== undefined) checkBooks(t, lost)
    t.equal(lost?.outlets[0]?.pushed ?? 0, read('one').length)
    t.match(await planner.forceTransfer(), [{ failed: false, errors: [] }])
    t.strictSame(
      [...new Set(read('one'))].sort((a, b) => a - b),
      upTo(2000),
      'nothing is missing',
    )
  },
)

t.test('MongoDB: a shutdown in the middle closes the cursor', { skip }, async (t) => {
  const { source, sent } = await things(t, 20_000)
  const { planner, reports, read } = setUp(t, source)
  await planner.start()
  const transfer = planner.forceTransfer()
  await until(() => read('one').length > 0)
  await planner.shutdown()
  await transfer
  const [report] = reports
  if (report !== undefined) checkBooks(t, report)
  t.ok((report?.pulled ?? 0) < 20_000, `${report?.pulled} of them`)
  t.match(report, { failed: false, errors: [] })
  t.strictSame(read('one'), upTo(report?.outlets[0]?.pushed ?? 0))
  t.equal(sent('killCursors'), 1)
})

t.test('MongoDB: two links that share an inlet read each document once', { skip }, async (t) => {
  const { source } = await things(t, 3000)
  const { planner, read } = setUp(t, { ...source, shared: '' })
  await planner.start()
  const reports = await planner.forceTransfer()
  t.match(reports, [{ failed: false }, { failed: false }])
  t.strictSame(
    [...read('one'), ...read('other')].sort((a, b) => a - b),
    upTo(3000),
  )
})
