import t from 'tap'
import { failedReport } from '../../../src/core/report.js'
import { LinkHealth } from '../../../src/threads/main/link-health.js'
import { captureLogs } from '../../helpers/logs.js'

const identity = { link: '', update: '', transferNumber: 0, thread: 1, scheduledAt: 0 }

/** The report of a transfer that took so many milliseconds, and held its thread for some of them. */
function report(busy: number, length: number) {
  return { ...failedReport(identity, new Error('any'), false), busy, startedAt: 0, endedAt: length }
}

t.test('the lane is learned, and the time that transfers take is summed up', async (t) => {
  const health = new LinkHealth()
  t.same([health.lane, health.busy, health.quarantinedUntil], [undefined, 0, undefined])
  t.same(
    [1, 2, 3, 4].map(() => health.learn(report(8, 10))),
    [false, false, true, false],
  )
  t.same([health.lane, health.busy], ['cpu', 32])
})

t.test('a link that ends its thread again and again is in quarantine for a while, which is logged', async (t) => {
  const logs = captureLogs(t, 'error')
  let now = 50_000
  t.intercept(performance, 'now', { value: () => now })
  t.intercept(Date, 'now', { value: () => 1_000_000 + now })
  const health = new LinkHealth()
  health.crashed('bad')
  health.crashed('bad')
  t.same([health.quarantinedUntil, logs.lines.length], [undefined, 0])
  health.crashed('bad')
  t.equal(health.quarantinedUntil, 1_051_000)
  t.same(logs.messages(), [
    `bad has ended its thread 3 times in a row: it makes no transfers until ${new Date(1_051_000).toISOString()}`,
  ])
  now += 1000
  t.equal(health.quarantinedUntil, undefined)
  now += 60_000
  health.learn(report(0, 1))
  health.crashed('bad')
  t.equal(health.quarantinedUntil, undefined, 'it was good for long enough')
})
