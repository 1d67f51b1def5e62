import diagnostics from 'node:diagnostics_channel'
import t from 'tap'
import type { TransferReport } from '../../src/core/report.js'
import { captureLogs } from '../helpers/logs.js'
import { handPlanner, tracedLink } from '../helpers/planners.js'
import { linkModule, workerPlanner } from '../helpers/threads.js'

t.test('the report of each transfer is published, while somebody listens', async (t) => {
  const link = tracedLink('orders')
  const planner = handPlanner(t, link)
  await planner.start()
  const reports: unknown[] = []
  const listener = (report: unknown) => reports.push(report)
  await planner.fire(link)
  diagnostics.subscribe('databay:transfer', listener)
  t.teardown(() => diagnostics.unsubscribe('databay:transfer', listener))
  const told: TransferReport[] = []
  planner.on('transfer', (report) => told.push(report))
  await planner.fire(link)
  await planner.fire(link)
  t.equal(reports.length, 2)
  t.equal(reports[0], told[0], 'it is the report of the event')
  t.match(reports, [{ link: 'orders', transferNumber: 1, startedAt: Number, endedAt: Number, errors: [] }, {}])
  diagnostics.unsubscribe('databay:transfer', listener)
  await planner.fire(link)
  t.equal(reports.length, 2)
})

t.test(
  'a failed transfer is published; what a subscriber throws is uncaught, as in all channels of Node',
  async (t) => {
    captureLogs(t)
    const uncaught: unknown[] = []
    process.once('uncaughtException', (error) => uncaught.push(error))
    const link = tracedLink('orders', [], {
      pull: () => {
        throw new Error('refused')
      },
    })
    const planner = handPlanner(t, link, { ignoreExceptions: true })
    await planner.start()
    const reports: TransferReport[] = []
    const listener = (report: unknown) => {
      reports.push(report as TransferReport)
      throw new Error('of the subscriber')
    }
    diagnostics.subscribe('databay:transfer', listener)
    t.teardown(() => diagnostics.unsubscribe('databay:transfer', listener))
    t.match(await planner.fire(link), { errors: [{ message: 'refused' }] })
    t.match(reports, [{ link: 'orders', errors: [{ message: 'refused' }] }])
    await new Promise((resolve) => setImmediate(resolve))
    t.match(uncaught, [{ message: 'of the subscriber' }], 'Node throws it where nobody is disturbed')
  },
)

t.test('transfers in threads are published on the main thread', async (t) => {
  const planner = workerPlanner(t, linkModule({ tags: 'hosted' }), { threads: 1 })
  await planner.start()
  const reports: unknown[] = []
  const listener = (report: unknown) => reports.push(report)
  diagnostics.subscribe('databay:transfer', listener)
  t.teardown(() => diagnostics.unsubscribe('databay:transfer', listener))
  await planner.forceTransfer()
  t.match(reports, [{ link: 'hosted', thread: 1, errors: [] }])
})
