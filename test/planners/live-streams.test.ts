/** Transfers that stream on the main thread: their planner, and processors in threads. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { Link } from '../../src/core/link.js'
import type { LinkSettings } from '../../src/core/link-options.js'
import type { Outlet } from '../../src/core/outlet.js'
import type { AnyProcessor } from '../../src/core/processor.js'
import type { TransferReport } from '../../src/core/report.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'
import { captureLogs } from '../helpers/logs.js'
import { FromInlet, KeepOutlet } from '../helpers/nodes.js'
import { fixture, until } from '../helpers/threads.js'

interface Parts extends LinkSettings {
  readonly processors?: AnyProcessor | readonly AnyProcessor[]
}

const PLANNERS = { SchedulePlanner, WorkerPlanner }
const OPTIONS = { immediateTransfer: false, ignoreExceptions: true, timeoutGrace: 0.05 }

const link = (give: () => unknown, outlets: Outlet, parts: Parts = {}) =>
  new Link({ tags: 'a', interval: 1000, inlets: new FromInlet(give), outlets, ...parts } as never)

/** Lists of ten numbers each, counted on. */
async function* lists(most = Infinity) {
  for (let list = 0; list < most; list++) {
    await sleep(1)
    yield Array.from({ length: 10 }, (_, at) => 10 * list + at)
  }
}

async function* hanging() {
  yield* lists(3)
  await new Promise(() => undefined)
}

const upTo = (length: number) => Array.from({ length }, (_, at) => at)

/** Checks that every record is accounted for, and that what was pushed has arrived once, in order. */
function checkBooks(
  t: Test,
  { pulled, added, filtered, dropped, grouped, buffered, outlets }: TransferReport,
  kept: KeepOutlet,
) {
  t.equal(pulled + added, filtered + dropped + grouped + buffered, 'every record is accounted for')
  const arrived = kept.batches.flat().map(({ payload }) => payload)
  t.equal(outlets[0]?.pushed, arrived.length, 'what was pushed has arrived')
  t.strictSame(arrived, upTo(arrived.length), 'once, and in order')
}

for (const [name, Planner] of Object.entries(PLANNERS)) {
  const setUp = (t: Test, a: Link, options: object = {}) => {
    const logs = captureLogs(t)
    const planner = new Planner(a, { ...OPTIONS, ...options })
    planner.finished.catch(() => undefined)
    t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
    const reports: TransferReport[] = []
    planner.on('transfer', (report) => reports.push(report))
    return { planner, reports, logs }
  }

  t.test(`${name}: timeoutGrace holds for a live link`, async (t) => {
    const kept = new KeepOutlet()
    const a = link(hanging, kept)
    const { planner, reports, logs } = setUp(t, a)
    await planner.start()
    const transfer = planner.forceTransfer()
    await until(() => kept.batches.length === 3)
    a.cancel(new Error('enough'))
    await transfer
    t.match(reports, [{ failed: true, rounds: 3, pulled: 30 }])
    t.ok(logs.messages().some((text) => /did not end its pull within 50 ms/.test(text)))
    checkBooks(t, reports[0] as TransferReport, kept)
  })

  t.test(`${name}: it holds for a live link that is added later`, async (t) => {
    const kept = new KeepOutlet()
    const { planner, logs } = setUp(
      t,
      link(() => [], new KeepOutlet()),
    )
    await planner.start()
    const a = link(hanging, kept, { id: 'later' })
    await planner.addLinks(a)
    const transfer = planner.forceTransfer(a)
    await until(() => kept.batches.length === 3)
    await planner.removeLinks(a)
    await transfer
    t.ok(logs.messages().some((text) => /did not end its pull within 50 ms/.test(text)))
  })

  t.test(`${name}: what its rounds have done so far is in the stats while it runs`, async (t) => {
    const kept = new KeepOutlet()
    const { planner } = setUp(
      t,
      link(() => lists(), kept),
    )
    const streaming = () => planner.stats().links[0]?.streaming
    await planner.start()
    t.equal(streaming(), undefined)
    const transfer = planner.forceTransfer()
    await until(() => kept.batches.length > 10)
    const [soFar] = streaming() ?? []
    t.ok((soFar?.pulled ?? 0) >= 100)
    t.equal(soFar?.outlets[0]?.pushed, soFar?.pulled, 'of whole rounds')
    planner.links[0]?.cancel(new Error('enough'))
    await transfer
    t.equal(streaming(), undefined)
  })

  t.test(`${name}: a shutdown ends an endless stream between rounds`, async (t) => {
    const kept = new KeepOutlet()
    const { planner, reports } = setUp(
      t,
      link(() => lists(), kept),
      { immediateTransfer: true },
    )
    await planner.start()
    await until(() => kept.batches.length > 10)
    await planner.shutdown()
    t.match(reports, [{ failed: false, errors: [], dropped: 0 }])
    checkBooks(t, reports[0] as TransferReport, kept)
  })

  t.test(`${name}: a timeout, and an outlet that fails in a round`, async (t) => {
    const kept = new KeepOutlet()
    const { planner, reports } = setUp(
      t,
      link(() => lists(), kept, { timeout: 0.3 }),
    )
    await planner.start()
    await planner.forceTransfer()
    t.match(reports, [{ failed: true, errors: [{ code: 'DATABAY_TRANSFER_TIMEOUT' }] }])
    checkBooks(t, reports[0] as TransferReport, kept)
    const full = new KeepOutlet(([first]) => {
      if (first?.payload === 30) throw new Error('full')
    })
    const b = link(() => lists(), full, { id: 'b' })
    await planner.addLinks(b)
    const [report] = await planner.forceTransfer(b)
    t.match(report, { failed: true, rounds: 4, outlets: [{ pushed: 30, dropped: 10 }], errors: [{ message: 'full' }] })
  })

  t.test(`${name}: what a buffer holds at the end of a stream comes out at the shutdown`, async (t) => {
    const kept = new KeepOutlet()
    const { planner, reports } = setUp(
      t,
      link(() => lists(5), kept, { processors: new Buffer({ countThreshold: 35 }) }),
    )
    await planner.start()
    await planner.forceTransfer()
    t.match(reports, [{ rounds: 5, pulled: 50, grouped: 40, buffered: 10 }])
    await planner.shutdown()
    t.strictSame(
      kept.batches.flat().map(({ payload }) => payload),
      upTo(50),
    )
  })
}

t.test('records of each round are processed in the threads by pool.processor()', async (t) => {
  captureLogs(t)
  const planner = new WorkerPlanner([], { ...OPTIONS, threads: 2 })
  planner.finished.catch(() => undefined)
  t.teardown(() => planner.shutdown({ wait: false }).catch(() => undefined))
  const processors = planner.pool.processor(fixture('processors.ts'), { chunk: 3 }) as AnyProcessor
  const kept = new KeepOutlet()
  await planner.addLinks(link(() => lists(4), kept, { processors }))
  await planner.start()
  const [report] = await planner.forceTransfer()
  t.match(report, { failed: false, rounds: 4, pulled: 40, outlets: [{ pushed: 40, batches: 4 }] })
  t.strictSame(
    kept.batches.flat().map(({ payload }) => payload),
    upTo(40).map((one) => 2 * one),
  )
})
