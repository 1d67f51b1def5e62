import t, { type Test } from 'tap'
import { failedReport, type TransferReport } from '../../../src/core/report.js'
import { RunPacker } from '../../../src/threads/protocol/runs.js'
import { RunQueue, type RunMaker } from '../../../src/threads/worker/run-queue.js'
import { deferred, turnOfTheLoop } from '../../helpers/nodes.js'

const identity = { link: '', update: '', transferNumber: 0, thread: 1, scheduledAt: 0 }
const report = failedReport(identity, new Error('some'), false)

/** A queue of which each link is a transfer: it ends at once, or when `end` is called with it. */
function setUp(t: Test, most: number, { waits = false, busy = 0 } = {}) {
  t.intercept(performance, 'now', { value: () => 0 }) // no time passes between runs
  const told: string[] = []
  const ends = new Map<number, (report: TransferReport) => void>()
  const maker: RunMaker = {
    busyOf: () => busy,
    make: ({ link }, alone) => {
      told.push(`begins ${link}${alone ? ' alone' : ''}`)
      if (!waits) return report
      const { promise, resolve } = deferred<TransferReport>()
      ends.set(link, resolve)
      return promise
    },
  }
  const outbox = {
    add: (run: number) => told.push(`reports run ${run}`),
    flush: () => told.push('sends'),
    flushSoon: () => told.push('sends soon'),
  }
  const queue = new RunQueue(most, maker, outbox)
  let runs = 0
  const add = (...links: number[]) => {
    const packer = new RunPacker()
    for (const link of links) packer.add(runs++, link, 0, 0, false)
    return queue.add(packer.take())
  }
  return { told, add, end: (link: number) => ends.get(link)?.(report) }
}

t.test('runs that keep nobody waiting are made before the call returns', async (t) => {
  const { told, add } = setUp(t, 1)
  t.equal(add(5, 6), undefined)
  t.same(told, ['begins 5 alone', 'reports run 0', 'sends soon', 'begins 6 alone', 'reports run 1', 'sends'])
})

t.test('no more runs at once than allowed, in the order in which they came', async (t) => {
  const { told, add, end } = setUp(t, 2, { waits: true })
  let ended = 0
  const messages = [add(1, 2, 3), add(4)].map((message) => Promise.resolve(message))
  for (const message of messages) void message.then(() => ended++)
  await turnOfTheLoop()
  t.same(told.splice(0), ['begins 1 alone', 'begins 2'])
  end(2)
  await turnOfTheLoop()
  t.same(told.splice(0), ['reports run 1', 'sends soon', 'begins 3'])
  end(1)
  end(3)
  await turnOfTheLoop()
  t.same(told.splice(0), ['reports run 0', 'sends soon', 'reports run 2', 'begins 4 alone', 'sends'])
  t.equal(ended, 1, 'a message ends with the last of its runs')
  end(4)
  await Promise.all(messages)
  t.same(told, ['reports run 3', 'sends'])
})

t.test('before a long one the event loop turns, and the reports of the others go', async (t) => {
  const { told, add } = setUp(t, 9, { busy: 20 })
  await add(1, 2)
  const at = told.indexOf('begins 2 alone')
  t.equal(told[at - 1], 'sends')
  t.same(
    told.filter((text) => text.startsWith('begins')),
    ['begins 1 alone', 'begins 2 alone'],
  )
})

t.test('a queue that never gets empty goes on', async (t) => {
  const { told, add } = setUp(t, 1)
  const links = Array.from({ length: 2500 }, (_, link) => link)
  await add(...links)
  await add(0)
  t.same(
    told.filter((text) => text.startsWith('begins')),
    [...links, 0].map((link) => `begins ${link} alone`),
  )
})
