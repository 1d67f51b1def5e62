import t from 'tap'
import { ClosedLoop, closedLoopPlanner } from '../../../src/cli/tune/closed-loop.js'
import type { PlannedLink } from '../../../src/core/planned-link.js'
import type { TransferReport } from '../../../src/core/report.js'
import { captureLogs } from '../../helpers/logs.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'
import { emptyReport, StubLink } from '../../helpers/planners.js'
import { linkModule, tracesOf, until } from '../../helpers/threads.js'

/** Makes a closed loop whose transfers end when the test says so. */
function loopOf(links: readonly PlannedLink[], room = Infinity) {
  const running: { readonly link: string; readonly end: (report?: TransferReport) => void }[] = []
  const dispatch = ({ name }: PlannedLink) =>
    new Promise<TransferReport | undefined>((resolve) => {
      running.push({ link: name, end: resolve })
    })
  const loop = new ClosedLoop({ dispatch }, () => room)
  for (const link of links) loop.add(link)
  /** Ends the transfers that run, and lets others begin. */
  const endAll = async () => {
    for (const { link, end } of running.splice(0)) end(emptyReport(link))
    await turnOfTheLoop()
  }
  return { loop, endAll, running: () => running.map(({ link }) => link).sort() }
}

function stub(name: string, maxInstances = 1): StubLink {
  const link = new StubLink(name)
  link.settings.maxInstances = maxInstances
  return link
}

t.test('each link transfers again as soon as it has ended, as often at once as it may', async (t) => {
  const { loop, endAll, running } = loopOf([stub('a'), stub('b', 2)])
  t.same(running(), [], 'not before the start')
  loop.start()
  t.same(running(), ['a', 'b', 'b'])
  await endAll()
  t.same(running(), ['a', 'b', 'b'])
  loop.stop()
  await endAll()
  t.same(running(), [], 'no more after the stop')
})

t.test('there are no more loops of a link than there is room for', async (t) => {
  const { loop, running } = loopOf([stub('a', 100)], 3)
  loop.start()
  t.same(running(), ['a', 'a', 'a'])
})

t.test('links are added and removed while it goes', async (t) => {
  const [a, b] = [stub('a'), stub('b')]
  const { loop, endAll, running } = loopOf([a])
  loop.start()
  loop.add(b)
  t.same(running(), ['a', 'b'])
  loop.remove(a)
  await endAll()
  t.same(running(), ['b'])
  loop.remove(b)
  loop.add(b) // as when its schedule has changed
  await endAll()
  t.same(running(), ['b'], 'one loop, not two')
})

t.test('in a pause nothing transfers; then all go on, each once', async (t) => {
  const [a, b] = [stub('a'), stub('b', 2)]
  const { loop, endAll, running } = loopOf([a, b])
  loop.start()
  loop.pause()
  loop.pause()
  await endAll()
  t.same(running(), [])
  loop.resume()
  await turnOfTheLoop()
  t.same(running(), ['a', 'b', 'b'])
  loop.pause()
  loop.resume()
  t.same(running(), ['a', 'b', 'b'], 'those that run while it pauses go on')
  loop.pause()
  await endAll()
  loop.stop()
  await turnOfTheLoop()
  t.same(running(), [], 'a stop ends a pause, too')
})

t.test('a link that is skipped is tried again after a while', async (t) => {
  let tries = 0
  const dispatch = () => {
    tries++
    return Promise.resolve(undefined)
  }
  const loop = new ClosedLoop({ dispatch }, () => 1)
  loop.add(stub('quarantined'))
  loop.start()
  await turnOfTheLoop()
  t.equal(tries, 1, 'not at once')
  await until(() => tries > 1)
  loop.stop()
})

t.test('each link transfers again as soon as it has ended, until the planner stops', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const module = linkModule({ tags: 'loop.a', interval: 1000 }, { tags: 'loop.b', interval: 1000 })
  const planner = closedLoopPlanner(module, { threads: 1, transfersPerThread: 10, push: true })
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
  const planner = closedLoopPlanner(module, { threads: 1, transfersPerThread: 10, push: false })
  t.teardown(() => planner.shutdown({ wait: false }))
  await planner.start()
  await until(() => planner.stats().links[0]?.running === 3)
  t.pass('three')
})

t.test('without push, outlets are neither started nor given anything, and reports are as they would be', async (t) => {
  const logs = captureLogs(t, 'fatal')
  const planner = closedLoopPlanner(linkModule({ tags: 'loop.dry', acts: [{ give: [1, 2] }] }), {
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

t.test('a planner that says that it is paused transfers nothing', async (t) => {
  captureLogs(t, 'silent')
  const planner = closedLoopPlanner(linkModule({ tags: 'loop.paused' }), {
    threads: 1,
    transfersPerThread: 10,
    push: false,
  })
  t.teardown(() => planner.shutdown())
  await planner.start()
  await until(() => planner.counts.transfers > 2)
  planner.pause()
  t.ok(planner.paused)
  await until(() => planner.stats().links[0]?.running === 0)
  const { transfers } = planner.counts
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal(planner.counts.transfers, transfers)
  planner.resume()
  await until(() => planner.counts.transfers > transfers)
})
