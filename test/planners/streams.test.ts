/** Transfers that stream, in threads: what ends them, what is told of them, and what else the thread does meanwhile. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { TransferReport } from '../../src/core/report.js'
import type { WorkerPlannerOptions } from '../../src/planners/worker-planner-options.js'
import { captureLogs } from '../helpers/logs.js'
import { fixture, measureThreads, until, workerPlanner } from '../helpers/threads.js'

measureThreads()

function setUp(t: Test, only: string, options: WorkerPlannerOptions = {}) {
  const logs = captureLogs(t)
  const folder = t.testdir()
  const module = fixture('stream-links.ts')
  module.searchParams.set('out', folder)
  module.searchParams.set('only', only)
  const planner = workerPlanner(t, module, { threads: 1, ignoreExceptions: true, ...options })
  const reports: TransferReport[] = []
  planner.on('transfer', (report) => reports.push(report))
  const read = (name: string): unknown[] => {
    try {
      const lines = readFileSync(path.join(folder, name), 'utf8').split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as unknown)
    } catch {
      return []
    }
  }
  return { planner, module, reports, read, logs }
}

const upTo = (length: number) => Array.from({ length }, (_, at) => at)

/** Checks that a report and what arrived agree. */
function checkBooks(t: Test, report: TransferReport | undefined, arrived: readonly unknown[]) {
  if (report === undefined) return t.fail('there is a report')
  const { pulled, added, filtered, dropped, grouped, buffered, outlets } = report
  t.equal(pulled + added, filtered + dropped + grouped + buffered, 'every record is accounted for')
  t.equal(outlets[0]?.pushed ?? 0, arrived.length, 'what was pushed has arrived')
  return t.strictSame(arrived, upTo(arrived.length), 'once, and in order')
}

t.test(
  'an endless generator does not keep the planner from starting, and ends between rounds at the shutdown',
  async (t) => {
    for (const name of ['endless', 'endlessSlow']) {
      const { planner, reports, read } = setUp(t, name, { immediateTransfer: true })
      await planner.start()
      await until(() => read(`${name}.out`).length > 100)
      await planner.shutdown()
      const [report] = reports
      t.match(report, { failed: false, errors: [], dropped: 0 })
      t.ok((report?.rounds ?? 0) > 10)
      checkBooks(t, report, read(`${name}.out`))
      t.same(read(`${name}.returned`), [true], 'return() was called once')
      t.same(read(`${name}.told`), [{ delivered: true, rounds: report?.rounds, deliveredRounds: report?.rounds }])
    }
  },
)

t.test('what its rounds have done so far is in the stats while it runs', async (t) => {
  const { planner, reports, read } = setUp(t, 'endless')
  await planner.start()
  t.equal(planner.stats().links[0]?.streaming, undefined)
  const transfer = planner.forceTransfer()
  await until(() => (planner.stats().links[0]?.streaming?.[0]?.pulled ?? 0) > 100)
  const [soFar, ...others] = planner.stats().links[0]?.streaming ?? []
  t.same(others, [])
  t.ok((soFar?.rounds ?? 0) > 1)
  t.equal(soFar?.outlets[0]?.pushed, soFar?.pulled, 'of whole rounds')
  t.ok((soFar?.pulled ?? 0) <= read('endless.out').length, 'they have arrived')
  await planner.shutdown()
  await transfer
  t.ok((soFar?.pulled ?? 0) <= (reports[0]?.pulled ?? 0))
})

t.test('a shutdown that does not wait ends it too', async (t) => {
  const { planner, reports, read } = setUp(t, 'endless')
  await planner.start()
  const transfer = planner.forceTransfer()
  await until(() => read('endless.out').length > 100)
  await planner.shutdown({ wait: false })
  await transfer
  t.match(reports, [{ failed: true, errors: [{ code: 'DATABAY_TRANSFER_CANCELLED' }] }])
  checkBooks(t, reports[0], read('endless.out'))
  t.same(read('endless.returned'), [true])
})

t.test('it ends when its link is removed, or its module is loaded again', async (t) => {
  const { planner, module, reports, read } = setUp(t, 'endlessSlow')
  await planner.start()
  let transfer = planner.forceTransfer()
  await until(() => read('endlessSlow.out').length > 50)
  await planner.reload(module)
  await transfer
  transfer = planner.forceTransfer()
  await until(() => read('endlessSlow.returned').length === 1)
  await planner.removeLinks(planner.links)
  await transfer
  for (const report of reports) t.match(report, { failed: false, dropped: 0 })
})

t.test('a timeout ends it between rounds', async (t) => {
  const { planner, reports, read } = setUp(t, 'timeout')
  await planner.start()
  await planner.forceTransfer()
  t.match(reports, [{ failed: true, errors: [{ code: 'DATABAY_TRANSFER_TIMEOUT' }] }])
  checkBooks(t, reports[0], read('timeout.out'))
  t.same(read('timeout.returned'), [true])
  const [told] = read('timeout.told') as { delivered: boolean; deliveredRounds: number }[]
  t.equal(told?.delivered, false)
  // the timeout may come while a round is pushed: that one does not count as delivered
  const pushed = (reports[0]?.outlets[0]?.pushed ?? 0) / 10
  t.ok(
    pushed > 0 && [pushed, pushed - 1].includes(told?.deliveredRounds ?? -1),
    `${told?.deliveredRounds} of ${pushed}`,
  )
})

t.test(
  'a generator that hangs in an await is waited for no longer than timeoutGrace, and its thread lives',
  async (t) => {
    const { planner, reports, read, logs } = setUp(t, 'hangs', { timeoutGrace: 0.5 })
    planner.on('threadLost', () => t.fail('the thread lives'))
    await planner.start()
    const [report] = await planner.forceTransfer()
    t.match(report, { failed: true, rounds: 3, pulled: 30, dropped: 0 })
    const { startedAt = 0, endedAt = 0 } = report ?? {}
    t.ok(endedAt - startedAt < 5000, 'soon')
    checkBooks(t, reports[0], read('hangs.out'))
    t.match(read('hangs.told'), [{ delivered: false, rounds: 3, deliveredRounds: 3 }])
    t.ok(logs.messages().some((text) => /did not end its pull within 500 ms/.test(text)))
  },
)

t.test('an outlet that fails in a round, and a generator that throws, leave the rounds before delivered', async (t) => {
  const { planner, read } = setUp(t, 'failsToPush,throws,short')
  await planner.start()
  const [bad, thrower, short] = await planner.forceTransfer()
  const byName = new Map([bad, thrower, short].map((report) => [report?.link, report]))
  const full = byName.get('failsToPush')
  t.match(full, {
    failed: true,
    rounds: 4,
    outlets: [{ pushed: 30, dropped: 10 }],
    errors: [{ message: 'full', round: 4 }],
  })
  checkBooks(t, full, read('failsToPush.out'))
  t.same(read('failsToPush.told'), [{ delivered: false, rounds: 4, deliveredRounds: 3 }])
  t.same(read('failsToPush.returned'), [true])
  const thrown = byName.get('throws')
  t.match(thrown, { failed: true, rounds: 4, pulled: 40, dropped: 0, errors: [{ message: 'no more', stage: 'pull' }] })
  checkBooks(t, thrown, read('throws.out'))
  t.same(read('throws.told'), [{ delivered: false, rounds: 4, deliveredRounds: 4 }])
  t.match(byName.get('short'), { failed: false, rounds: 5, pulled: 50 })
})

t.test('two inlets, one of which ends early', async (t) => {
  const { planner, read } = setUp(t, 'both')
  await planner.start()
  const [report] = await planner.forceTransfer()
  t.match(report, { failed: false, rounds: 5, pulled: 70, grouped: 70, outlets: [{ pushed: 70, batches: 5 }] })
  const ten = (from: number) => upTo(10).map((at) => from + at)
  t.same(read('both.out').slice(0, 40), [...ten(0), ...ten(1000), ...ten(10), ...ten(1010)])
  t.same(read('first.told'), [{ delivered: true, rounds: 5, deliveredRounds: 5 }])
})

t.test('a thread that is lost in a round: the rounds before it are in the report, and in the books', async (t) => {
  const { planner, reports, read } = setUp(t, 'killed')
  await planner.start()
  const before = Date.now()
  await planner.forceTransfer()
  t.match(reports, [{ failed: true, rounds: 6, pulled: 50, grouped: 50, batches: 5, dropped: 0, buffered: 0 }])
  t.match(reports, [{ outlets: [{ pushed: 50, batches: 5 }], errors: [{ code: 'DATABAY_THREAD_LOST', round: 6 }] }])
  const { startedAt = 0, endedAt = 0 } = reports[0] ?? {}
  t.ok(startedAt >= before - 1 && endedAt > startedAt, 'with the time that it took')
  checkBooks(t, reports[0], read('killed.out'))
  t.match(planner.stats().links[0]?.outlets, [{ pulled: 50, pushed: 50, dropped: 0, lost: 0, buffered: 0 }])
})

t.test('what a buffer had taken in the rounds before is lost with the thread, and counted', async (t) => {
  const { planner, reports, read } = setUp(t, 'killedWithBuffer')
  const lost = new Promise<number>((resolve) => planner.on('threadLost', ({ buffered }) => resolve(buffered)))
  await planner.start()
  await planner.forceTransfer()
  // 40 came out of the buffer in the fourth round, and the next 30 stayed until the eighth, which is not over
  t.match(reports, [{ failed: true, rounds: 8, pulled: 70, grouped: 40, buffered: 30, outlets: [{ pushed: 40 }] }])
  t.same(read('killedWithBuffer.out'), upTo(40))
  t.equal(await lost, 30)
  t.match(planner.stats().links[0]?.outlets, [{ pulled: 70, pushed: 40, lost: 30, buffered: 0 }])
  t.equal(planner.counts.lost, 30)
})

t.test('so are they when the stream waits for its second list', async (t) => {
  const { planner, reports, read } = setUp(t, 'killedWaiting')
  await planner.start()
  await planner.forceTransfer()
  t.match(reports, [{ failed: true, rounds: 1, pulled: 10, outlets: [{ pushed: 10 }] }])
  checkBooks(t, reports[0], read('killedWaiting.out'))
})

t.test('the planner starts beside a stream that waits, for its first list or a later one', async (t) => {
  for (const name of ['waits', 'waitsAtOnce']) {
    const { planner, reports } = setUp(t, name, { immediateTransfer: true, timeoutGrace: 0.05 })
    await planner.start()
    t.same(reports, [])
    await planner.shutdown()
    t.match(reports, [{ failed: false, errors: [], rounds: name === 'waits' ? 3 : 0, dropped: 0 }])
  }
})

t.test('a link that waits in the same thread is served beside a stream', async (t) => {
  const { planner, read } = setUp(t, 'busy,neighbour')
  await planner.start()
  const [report] = await planner.forceTransfer(planner.links.filter(({ id }) => id === 'busy'))
  t.ok((report?.rounds ?? 0) > 1)
  const lists = (read('neighbour.out') as number[]).sort((a, b) => a - b)
  t.ok(lists.length >= 20, `${lists.length} transfers beside it`)
  const p90 = lists[Math.floor(lists.length * 0.9)] ?? Infinity
  t.ok(p90 < 5, `${p90} lists in a turn`)
})
