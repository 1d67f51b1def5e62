import t from 'tap'
import { RunCounts } from '../../../src/cli/run/run-counts.js'
import { WorkerPlanner } from '../../../src/planners/worker-planner.js'
import { failedReport, type CountsSoFar } from '../../../src/core/report.js'
import { cliFixture } from '../../helpers/command.js'

const report = failedReport({ link: 'a', update: 'a.0', transferNumber: 0, thread: 1, scheduledAt: 0 }, 'x', false)

t.test('transfers are summed up, and their rate is told', async (t) => {
  const planner = new WorkerPlanner([], { threads: 2 })
  let now = 1000
  const counts = new RunCounts(planner, () => now)
  planner.emit('transfer', { ...report, failed: false, pulled: 10 })
  planner.emit('transfer', { ...report, failed: false, pulled: 20 })
  now = 3000
  t.match(counts.status('starting'), { phase: 'starting', links: 0, recordsPerSecond: 15, busyThreads: 0, threads: 2 })
  t.match(counts.outcome(), { elapsed: 2000, totals: { pulled: 30, pushed: 0, dropped: 0 } })
  t.same(counts.underWay(), { transfers: 0, buffered: 0 })
})

t.test('records of a transfer that streams count while it runs, and once when it has ended', async (t) => {
  const planner = new WorkerPlanner([], { threads: 1 })
  const { startedAt, busy, pulled, filtered, added, dropped, buffered, grouped, batches, outlets } = report
  const counts = { startedAt, busy, pulled, filtered, added, dropped, buffered, grouped, batches, rounds: 3, outlets }
  let streaming: CountsSoFar[] = []
  Object.defineProperty(planner, 'streaming', { get: () => streaming })
  let now = 1000
  const run = new RunCounts(planner, () => now)
  t.equal(run.status(undefined).recordsSoFar, undefined)
  planner.emit('transfer', { ...report, failed: false, pulled: 10 })
  streaming = [
    { ...counts, pulled: 50 },
    { ...counts, pulled: 40 },
  ]
  now = 3000
  t.match(run.status(undefined), { recordsSoFar: 90, recordsPerSecond: 50 })
  streaming = []
  planner.emit('transfer', { ...report, failed: false, pulled: 90 })
  t.match(run.status(undefined), { recordsSoFar: undefined, recordsPerSecond: 50 })
})

t.test('the first failed transfer is kept', async (t) => {
  const planner = new WorkerPlanner([], { threads: 1 })
  const counts = new RunCounts(planner)
  planner.emit('transfer', { ...report, failed: false })
  t.equal(counts.failed, undefined)
  planner.emit('transfer', report)
  planner.emit('transfer', { ...report, update: 'a.1' })
  t.equal(counts.failed, report)
})

t.test('links that are blocked are known also when the planner has dropped them', async (t) => {
  const planner = new WorkerPlanner([], { threads: 1 })
  const counts = new RunCounts(planner)
  const why = { node: 'Out', stage: 'push', message: 'it is down', attempts: 1, since: 5, retryAt: 9 } as const
  t.notOk('blocked' in counts.outcome() || 'blocked' in counts.status(undefined))
  planner.emit('transfer', { ...report, failed: false, blocked: why })
  planner.emit('blocked', { ...why, link: 'a', waiting: 3 })
  const outlets = [{ outlet: 'Out', pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0, waiting: 4 }]
  planner.emit('transfer', { ...report, failed: false, outlets, blocked: { ...why, message: 'still', retryAt: 20 } })
  t.match(counts.outcome().blocked, [{ link: 'a', message: 'still', attempts: 2, waiting: 4, since: 5, retryAt: 20 }])
  t.match(counts.status(undefined), { blocked: 1, waiting: 4 })
  planner.emit('unblocked', { link: 'a', since: 5, duration: 10, attempts: 2 })
  t.notOk('blocked' in counts.outcome())
})

t.test('nothing is counted after the end', async (t) => {
  const planner = new WorkerPlanner([], { threads: 1 })
  const counts = new RunCounts(planner)
  counts.close()
  planner.emit('transfer', { ...report, pulled: 10 })
  t.equal(counts.outcome().totals.pulled, 0)
  t.equal(planner.listenerCount('transfer'), 0)
})

t.test('what is under way in threads is told, and the links when they are gone', async (t) => {
  const planner = new WorkerPlanner(cliFixture('hanging.mjs'), { threads: 1, immediateTransfer: false })
  planner.finished.catch(() => undefined)
  const counts = new RunCounts(planner)
  await planner.start()
  const named = (name: string) => planner.links.filter((link) => link.name === name)
  void planner.forceTransfer(named('hanging'))
  await planner.forceTransfer(named('buffered'))
  t.same(counts.underWay(), { transfers: 1, buffered: 1 })
  t.match(counts.status(undefined), { links: 2, busyThreads: 1, waitsFor: undefined })
  t.match(counts.status(undefined, true), { waitsFor: ['hanging'] }, 'who hangs is named where the run is to end')
  await planner.shutdown({ wait: false })
  t.equal(counts.outcome().links, 2)
})
