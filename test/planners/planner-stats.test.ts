import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { withInternals } from '../../src/planners/planner-internals.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import type { LinkStats } from '../../src/operate/planner-stats.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'
import { emptyReport, handPlanner, StubLink, tracedLink } from '../helpers/planners.js'
import type { OutletReport, TransferReport } from '../../src/core/report.js'
import { linkModule, until, workerPlanner } from '../helpers/threads.js'

/** Makes a link whose transfers begin and end so many milliseconds after they are due. */
function linkThatTakes(name: string, ...times: (readonly [number, number])[]): StubLink {
  const link = new StubLink(name)
  link.transfer = ({ scheduledAt = 0 } = {}) => {
    const [waits, takes] = times[link.transfers++ % times.length] ?? [0, 0]
    const startedAt = scheduledAt + waits
    return Promise.resolve({ ...emptyReport(name), scheduledAt, startedAt, endedAt: startedAt + takes })
  }
  return link
}

t.test('a planner tells how long transfers of each link took, and how late they began', async (t) => {
  const links = [linkThatTakes('quick', [0, 1]), linkThatTakes('slow', [100, 1000], [300, 4000])]
  const planner = handPlanner(t, links)
  await planner.start()
  for (let count = 0; count < 4; count++) for (const link of links) await planner.fire(link, { scheduledAt: 1e12 })
  const stats = planner.stats()
  t.match(stats, {
    threads: [],
    links: [
      { link: 'quick', transfers: 4, failed: 0, skipped: 0, durations: { count: 4, mean: 1, p50: 1, max: 1 } },
      { link: 'slow', transfers: 4, durations: { count: 4, mean: 2500, max: 4000 }, lateness: { mean: 200, max: 300 } },
    ],
  })
  const { durations, lateness } = stats.links[1] as LinkStats
  t.ok(durations.p50 > 930 && durations.p50 < 1070, `half took at most a second: ${durations.p50}`)
  t.ok(lateness.p50 > 93 && lateness.p50 < 107, `half were at most 100 ms late: ${lateness.p50}`)
  t.strictSame(structuredClone(stats), stats, 'plain data')
})

t.test('a link that did nothing is there, and so is one that was added; a removed one is not', async (t) => {
  const link = new StubLink('idle')
  const planner = handPlanner(t, link)
  const nothing = { count: 0, mean: 0, p50: 0, p99: 0, max: 0, buckets: [] }
  const idle = {
    tags: ['idle'],
    threads: [],
    schedule: 'every 1 s',
    paused: false,
    running: 0,
    pulled: 0,
    pushed: 0,
    buffered: 0,
    outlets: [],
    transfers: 0,
    failed: 0,
    consecutiveFailures: 0,
    skipped: 0,
    late: 0,
    missed: 0,
  }
  t.strictSame(planner.stats().links, [{ link: 'idle', ...idle, durations: nothing, lateness: nothing }])
  await planner.addLinks(new StubLink('other'))
  await planner.removeLinks(link)
  t.strictSame(
    planner.stats().links.map(({ link }) => link),
    ['other'],
  )
})

t.test('a planner tells what its links are, what is due when, and what they did last', async (t) => {
  captureLogs(t)
  const clock = new FakeClock(1e12)
  const link = new StubLink('todos')
  const other = new StubLink('other')
  const planner = new SchedulePlanner([link, other], withInternals({ ignoreExceptions: true }, { clock }))
  t.teardown(() => planner.shutdown())
  const stats = () => planner.stats().links[0] as LinkStats
  t.match(planner.stats(), { state: 'idle', paused: false, counts: { transfers: 0 } })
  t.equal(stats().nextDueAt, undefined, 'nothing is due before the start')
  await planner.start()
  t.match(planner.stats(), { state: 'running', paused: false })
  t.match(stats(), { tags: ['todos'], schedule: 'every 1 s', paused: false, nextDueAt: clock.now() + 1000 })
  t.notOk('id' in stats() || 'module' in stats() || 'lane' in stats(), 'what there is not is left out')
  const good = { ...emptyReport('todos'), endedAt: 7, pulled: 3, grouped: 3, outlets: [took(2), took(1)] }
  link.transfer = () => Promise.resolve(good)
  await planner.forceTransfer(link)
  t.equal(stats().lastReport, good)
  t.notOk('lastError' in stats())
  const error = { node: 'a', stage: 'pull' as const, name: 'Error', message: 'no', code: 'ENO', stack: 'at' }
  const bad = { ...emptyReport('todos'), endedAt: 9, errors: [error, { ...error, message: 'second' }] }
  link.transfer = () => Promise.resolve(bad)
  await planner.forceTransfer(link)
  link.transfer = () => Promise.resolve({ ...good, endedAt: 11 })
  await planner.forceTransfer(link)
  t.match(stats(), { pulled: 6, pushed: 6, consecutiveFailures: 0, lastSuccessAt: 11, lastReport: { endedAt: 11 } })
  t.strictSame(stats().lastError, { at: 9, node: 'a', stage: 'pull', message: 'no', code: 'ENO' })
  planner.pause(link)
  t.match(stats(), { paused: true })
  t.notOk('nextDueAt' in stats())
  t.match(planner.stats().links[1], { paused: false, nextDueAt: Number })
  planner.resume(link)
  planner.pause()
  t.match(planner.stats(), { paused: true, links: [{ paused: false, nextDueAt: undefined }, {}] })
  planner.resume()
  t.match(stats(), { paused: false, nextDueAt: Number })
})

/** What an outlet has done that took some records. */
function took(pushed: number): OutletReport {
  return { outlet: `takes ${pushed}`, pushed, filtered: 3 - pushed, added: 0, dropped: 0, batches: 1, buffered: 0 }
}

t.test('failures in a row are counted, and the last success is told', async (t) => {
  captureLogs(t)
  const link = new StubLink('unsteady')
  const planner = handPlanner(t, link, { ignoreExceptions: true })
  await planner.start()
  const after = async (endedAt: number, fails: boolean) => {
    const errors = fails ? [{ node: 'a', stage: 'pull' as const, name: 'Error', message: 'no' }] : []
    link.transfer = () => Promise.resolve({ ...emptyReport('unsteady'), endedAt, errors })
    await planner.fire(link)
    const { failed, consecutiveFailures, lastSuccessAt } = planner.stats().links[0] as LinkStats
    return { failed, consecutiveFailures, lastSuccessAt }
  }
  t.same(await after(10, true), { failed: 1, consecutiveFailures: 1, lastSuccessAt: undefined })
  t.same(await after(20, true), { failed: 2, consecutiveFailures: 2, lastSuccessAt: undefined })
  t.same(await after(30, false), { failed: 2, consecutiveFailures: 0, lastSuccessAt: 30 })
  t.same(await after(40, true), { failed: 3, consecutiveFailures: 1, lastSuccessAt: 30 })
})

t.test('records in buffers are told, of live links and of links in threads', async (t) => {
  captureLogs(t)
  const held = tracedLink('held', [], { processors: [new Buffer({ countThreshold: 10 })] })
  const broken = new StubLink('broken')
  Object.defineProperty(broken, 'buffered', {
    get: () => {
      throw new Error('a processor that cannot tell its size')
    },
  })
  const planner = workerPlanner(t, [held, broken, linkModule({ tags: 'stats.buffered', buffer: 10 })], { threads: 1 })
  await planner.start()
  await planner.forceTransfer()
  await planner.forceTransfer()
  t.strictSame(
    planner.stats().links.map(({ link, buffered }) => `${link} ${buffered}`),
    ['held 2', 'broken 0', 'stats.buffered 2'],
  )
})

t.test('skipped, late, missed and failed transfers are counted for each link', async (t) => {
  captureLogs(t)
  const [busy, other] = [new StubLink('busy'), new StubLink('other')]
  const { promise, resolve } = deferred<TransferReport>()
  busy.transfer = () => promise
  other.transfer = () => Promise.reject(new Error('breaks its contract'))
  const planner = handPlanner(t, [busy, other], { ignoreExceptions: true })
  await planner.start()
  const first = planner.fire(busy, { lateness: 5000, missed: 3 })
  await planner.fire(busy)
  await planner.fire(busy)
  await planner.fire(other)
  t.match(planner.stats().links, [
    { running: 1, transfers: 0, failed: 0, skipped: 2, late: 1, missed: 3 },
    { running: 0, transfers: 1, failed: 1, skipped: 0, late: 0, missed: 0, durations: { count: 0 } },
  ])
  const { errors } = emptyReport('busy')
  resolve({ ...emptyReport('busy'), errors: [...errors, { name: 'Error', message: 'm', node: 'n', stage: 'pull' }] })
  await first
  t.match(planner.stats().links[0], { running: 0, transfers: 1, failed: 1, durations: { count: 1 } })
})

t.test('what a link misses while the event loop is held is counted, by the clock of the planner', async (t) => {
  captureLogs(t)
  const clock = new FakeClock()
  const planner = new SchedulePlanner(
    tracedLink('a', [], {}, { interval: 1 }),
    withInternals({ immediateTransfer: false, refreshInterval: 0.01 }, { clock }),
  )
  t.teardown(() => planner.shutdown())
  await planner.start()
  clock.stall(5500)
  await clock.pass(10)
  await until(() => planner.stats().links[0]?.transfers === 1)
  t.match(planner.stats().links, [{ link: 'a', transfers: 1, late: 1, missed: 4 }])
})

t.test('threads tell how busy they are, what is in them, and their memory', async (t) => {
  captureLogs(t, 'silent')
  const planner = workerPlanner(t, linkModule({ tags: 'stats.a' }), { threads: 2 })
  t.strictSame(planner.stats().threads, [], 'none while they are not up')
  await planner.start()
  await planner.forceTransfer()
  await planner.forceTransfer()
  const { threads } = planner.stats()
  t.match(threads, [
    { thread: 1, transfers: 2, running: 0, waiting: 0 },
    { thread: 2, transfers: 0, running: 0, waiting: 0 },
  ])
  for (const { utilization, heapUsed, external } of threads) {
    t.ok(utilization > 0 && utilization <= 1, `since it was started: ${utilization}`)
    t.ok(heapUsed > 1e6 && heapUsed < 1e9, `${heapUsed} bytes`)
    t.ok(external > 0)
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const { utilization } of planner.stats().threads) t.ok(utilization < 0.9, `since then: ${utilization}`)
})
