/** The simple usage, HTTP to MongoDB, in a thread. */
import t, { type Test } from 'tap'
import { captureLogs } from '../../helpers/logs.js'
import { isWrite, mongoServer } from '../../helpers/mongo.js'
import { serve } from '../../helpers/servers.js'
import { fixture, reportsOf, workerPlanner } from '../../helpers/threads.js'

const mongo = await mongoServer(t)
const { skip } = mongo

/** Starts a server that gives one new document at each request. */
async function documentServer(t: Test) {
  let given = 0
  const { url } = await serve(t, (_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ n: given++, title: 'todo' }))
  })
  return { url, given: () => given }
}

/** Transfers from HTTP to MongoDB in a thread. Gives the reports and the stored documents. */
async function transfers(t: Test, count: number, url: string) {
  const { database, db } = await mongo.database(t)
  const source = await documentServer(t)
  const module = fixture('mongo-links.ts')
  for (const [name, value] of Object.entries({ mongo: url, database, http: source.url })) {
    module.searchParams.set(name, value)
  }
  const planner = workerPlanner(t, module, { threads: 1, transfers: count })
  const reports = reportsOf(planner)
  const started = performance.now()
  await planner.start()
  await planner.finished
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const documents = await db.collection('todos').find().toArray()
  return {
    reports,
    seconds,
    numbers: documents.map(({ n }) => n as number).sort((a, b) => a - b),
    given: source.given(),
  }
}

t.test('1,000 transfers from HTTP to MongoDB store each document exactly once', { skip }, async (t) => {
  const { reports, numbers, given, seconds } = await transfers(t, 1000, mongo.url)
  t.equal(reports.length, 1000)
  t.equal(given, 1000)
  t.same(
    numbers,
    Array.from({ length: 1000 }, (_, n) => n),
  )
  t.comment(
    `1,000 transfers in ${seconds} s on ${mongo.kind}: ${numbers.length} documents, ${new Set(numbers).size} distinct`,
  )
})

t.test('so they do when 20 replies are lost and the connection is cut', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { url, proxy } = await mongo.proxied(t)
  let writes = 0
  proxy.judge = (piece) => (isWrite(piece) && ++writes % 50 === 0 && proxy.cuts < 20 ? 'swallow reply' : 'pass')
  const { reports, numbers, given, seconds } = await transfers(t, 1000, url)
  t.equal(proxy.cuts, 20)
  const warnings = logs.messages().filter((text) => text.includes('tries again'))
  t.equal(warnings.length, 3, 'the first are told one by one')
  t.equal(reports.length, 1000)
  t.equal(given, 1000)
  t.same(
    reports.flatMap(({ errors }) => errors),
    [],
  )
  t.same(
    numbers,
    Array.from({ length: 1000 }, (_, n) => n),
  )
  t.comment(
    `1,000 transfers in ${seconds} s on ${mongo.kind}, ${proxy.cuts} replies swallowed and connections cut: ` +
      `${numbers.length} documents, ${new Set(numbers).size} distinct`,
  )
})
