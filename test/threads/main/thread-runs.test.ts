import t, { type Test } from 'tap'
import { failedReport, type TransferReport } from '../../../src/core/report.js'
import { NotBegunError, Run } from '../../../src/threads/main/run.js'
import { ThreadRuns } from '../../../src/threads/main/thread-runs.js'
import { ReportPacker } from '../../../src/threads/protocol/reports.js'
import { unpackRuns, type PackedRuns } from '../../../src/threads/protocol/runs.js'
import { captureLogs } from '../../helpers/logs.js'

const tick = () => Promise.resolve()

function setUp(t: Test) {
  const logs = captureLogs(t, 'error')
  const sent: number[][] = []
  const told: string[] = []
  const failure: { error?: Error } = {}
  const runs = new ThreadRuns(async (packed: PackedRuns) => {
    const numbers: number[] = []
    unpackRuns(packed, (run) => numbers.push(run))
    sent.push(numbers)
    await tick()
    if (failure.error !== undefined) throw failure.error
  })
  const owner = {
    name: 'link',
    tags: ['link'],
    ended: (run: Run, report: TransferReport) => {
      told.push(`${run.update} ended ${report.errors[0]?.message}`)
      if (run.transferNumber === 13) throw new Error('a listener failed')
    },
    failed: (run: Run, error: Error) =>
      told.push(`${run.update} ${error instanceof NotBegunError ? 'not begun' : 'failed'}: ${error.message}`),
  }
  const add = (transferNumber: number, id = 5) => {
    runs.add(new Run(owner, { id, thread: { number: 2 } }, transferNumber, 1234, false, () => undefined))
  }
  /** Takes reports of runs, as they come from the worker. */
  const report = (...numbers: number[]) => {
    const packer = new ReportPacker()
    const identity = { link: '', update: '', transferNumber: 0, thread: 0, scheduledAt: 0 }
    for (const run of numbers) packer.add(run, failedReport(identity, new Error(`run ${run}`), false))
    runs.take(packer.take())
  }
  return { runs, logs, sent, told, failure, add, report }
}

t.test('transfers of one tick go in one message, and a full one goes at once', async (t) => {
  const { runs, sent, add } = setUp(t)
  for (let number = 0; number < 300; number++) add(number)
  t.same(
    sent.map(({ length }) => length),
    [256],
  )
  await tick()
  t.same(
    sent.map(({ length }) => length),
    [256, 44],
  )
  t.same([runs.size, runs.given, runs.waiting(290)], [300, 300, 10])
})

t.test('a report ends its run, whatever the listeners of others do; an unknown one is left out', async (t) => {
  const { runs, logs, told, add, report } = setUp(t)
  for (const number of [12, 13, 14]) add(number)
  await tick()
  report(1, 99, 2)
  t.same(told, ['link.13 ended run 1', 'link.14 ended run 2'])
  t.equal(runs.size, 1)
  t.match(logs.entries(), [{ msg: 'the end of a transfer was not taken note of' }])
})

t.test('when the worker is lost, runs that it had begun fail for good, and others can be made again', async (t) => {
  const { runs, told, add, report } = setUp(t)
  for (const [number, id] of [7, 8, 9].entries()) add(number, id)
  await tick()
  report(0)
  const hit = runs.lose(2, new Error('lost'), new NotBegunError('lost'))
  t.same(hit, [8], 'the links of those that had begun')
  t.same(told, ['link.0 ended run 0'], 'not told at once')
  t.equal(runs.size, 0)
  await tick()
  t.same(told.slice(1), ['link.1 failed: lost', 'link.2 not begun: lost'])
  t.equal(runs.restart(), 3, 'numbers go on with the next worker')
  t.equal(runs.given, 0)
})

t.test('runs that are gathered when the worker is lost are not sent', async (t) => {
  const { runs, sent, told, add } = setUp(t)
  add(0)
  runs.lose(0, new Error('lost'), new NotBegunError('lost'))
  await tick()
  t.same(sent, [])
  t.same(told, ['link.0 not begun: lost'])
})

t.test('runs that cannot be sent fail with why', async (t) => {
  const { told, failure, add } = setUp(t)
  failure.error = new Error('not sent')
  add(0)
  add(1)
  for (let ticks = 0; ticks < 5; ticks++) await tick()
  t.same(told, ['link.0 failed: not sent', 'link.1 failed: not sent'])
})

t.test('a link is idle when the last of its transfers has ended, however it ends', async (t) => {
  const { runs, failure, add, report } = setUp(t)
  await runs.idleOf(5)
  add(0, 5)
  add(1, 5)
  add(2, 6)
  t.same(
    [5, 6, 7].map((link) => runs.countOf(link)),
    [2, 1, 0],
  )
  const idle: number[] = []
  for (const link of [5, 6, 6]) void runs.idleOf(link).then(() => idle.push(link))
  const ticks = async () => {
    for (let times = 0; times < 3; times++) await tick()
  }
  await ticks()
  report(0)
  await ticks()
  t.same(idle, [])
  report(1)
  await ticks()
  t.same(idle, [5])
  runs.lose(9, new Error('lost'), new NotBegunError('lost'))
  await ticks()
  t.same(idle, [5, 6, 6], 'all that wait for it are told')
  failure.error = new Error('not sent')
  add(3, 7)
  await runs.idleOf(7)
  t.equal(runs.size, 0)
})
