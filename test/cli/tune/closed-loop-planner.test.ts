import t from 'tap'
import { ClosedLoopPlanner } from '../../../src/cli/tune/closed-loop-planner.js'
import type { TransferReport } from '../../../src/core/report.js'
import { captureLogs } from '../../helpers/logs.js'
import { linkModule, tracesOf, until } from '../../helpers/threads.js'

t.test('each link transfers again as soon as it has ended, until the planner stops', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const module = linkModule({ tags: 'loop.a', interval: 1000 }, { tags: 'loop.b', interval: 1000 })
  const planner = new ClosedLoopPlanner(module, { threads: 1, transfersPerThread: 10, push: true })
  t.teardown(() => planner.shutdown())
  const numbers = new Map<string, number[]>()
  planner.on('transfer', ({ link, transferNumber }: TransferReport) => {
    numbers.set(link, [...(numbers.get(link) ?? []), transferNumber])
  })
  await planner.start()
  await until(() => planner.counts.transfers >= 20)
  await planner.shutdown()
  const made = planner.counts
  for (const link of ['loop.a', 'loop.b']) {
    const of = numbers.get(link) ?? []
    t.ok(of.length >= 5, `${link}: ${of.length}`)
    t.strictSame(
      of,
      of.map((_, at) => at),
      'one after the other',
    )
  }
  t.equal(made.skipped, 0)
  t.ok(
    tracesOf(logs).some((text) => text.startsWith('loop.a gets')),
    'outlets are given what is transferred',
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.strictSame(planner.counts, made, 'no more after it has stopped')
})

t.test('as many transfers run at once as maxInstances allows', async (t) => {
  captureLogs(t, 'silent')
  const module = linkModule({ tags: 'loop.many', acts: ['untilAborted'], maxInstances: 3 })
  const planner = new ClosedLoopPlanner(module, { threads: 1, transfersPerThread: 10, push: false })
  t.teardown(() => planner.shutdown({ wait: false }))
  await planner.start()
  await until(() => planner.stats().links[0]?.running === 3)
  t.pass('three')
})

t.test('without push, outlets are neither started nor given anything, and reports are as they would be', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const planner = new ClosedLoopPlanner(linkModule({ tags: 'loop.dry', acts: [{ give: [1, 2] }] }), {
    threads: 1,
    transfersPerThread: 10,
    push: false,
  })
  t.teardown(() => planner.shutdown())
  const reports: TransferReport[] = []
  planner.on('transfer', (report: TransferReport) => reports.push(report))
  await planner.start()
  await until(() => reports.length > 2)
  await planner.shutdown()
  t.match(reports[0], { pulled: 2, outlets: [{ outlet: 'TraceOutlet', pushed: 2 }] })
  t.strictSame(
    tracesOf(logs).filter((text) => /outlet|gets/.test(text)),
    [],
  )
})
