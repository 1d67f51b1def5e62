import t, { type Test } from 'tap'
import { ThreadMaintenance } from '../../src/planners/thread-maintenance.js'
import type { Thread } from '../../src/threads/main/thread.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'

const threadOf = (number: number) => ({ number }) as unknown as Thread
const thread = threadOf(1)

/** Makes maintenance for a planner whose threads change when the test says so. */
function setUp(t: Test) {
  const logs = captureLogs(t)
  const planner = { running: true, now: 0, threads: [thread] }
  const changes: string[] = []
  let change: () => Promise<void> = () => Promise.resolve()
  const reconfiguration = {
    rebalance: () => {
      changes.push('rebalance')
      return change()
    },
    recycle: ({ number }: Thread) => {
      changes.push(`recycle ${number}`)
      return change()
    },
  }
  const maintenance = new ThreadMaintenance(
    {
      isRunning: () => planner.running,
      threads: () => planner.threads,
      reconfiguration,
    },
    () => planner.now,
  )
  const onChange = (how: () => Promise<void>) => (change = how)
  return { maintenance, planner, changes, onChange, logged: () => logs.entries().map(({ msg }) => msg) }
}

t.test('links are moved by one call at a time', async (t) => {
  const { maintenance, changes, onChange } = setUp(t)
  const gate = deferred()
  onChange(() => gate.promise)
  const first = maintenance.rebalance()
  await maintenance.rebalance()
  t.strictSame(changes, ['rebalance'])
  gate.resolve()
  await first
  await maintenance.rebalance()
  t.strictSame(changes, ['rebalance', 'rebalance'])
})

t.test('what fails is logged, and tried again', async (t) => {
  const { maintenance, changes, onChange, logged } = setUp(t)
  onChange(() => Promise.reject(new Error('no memory')))
  await maintenance.rebalance()
  await maintenance.rebalance()
  t.equal(changes.length, 2)
  t.strictSame(logged(), Array(2).fill('links could not be moved between threads'))
})

t.test('nothing is done to a planner that does not run, and that a shutdown ends it is no failure', async (t) => {
  const { maintenance, planner, changes, onChange, logged } = setUp(t)
  planner.running = false
  await maintenance.rebalance()
  await maintenance.recycle(thread)
  t.strictSame(changes, [])
  planner.running = true
  onChange(() => {
    planner.running = false
    return Promise.reject(new Error('the thread has ended'))
  })
  await maintenance.rebalance()
  planner.running = true
  await maintenance.recycle(thread)
  t.strictSame([changes, logged()], [['rebalance', 'recycle 1'], []])
})

t.test('a thread is recycled by one call at a time, and the next one at once', async (t) => {
  const { maintenance, planner, changes, onChange } = setUp(t)
  const gate = deferred()
  onChange(() => gate.promise)
  const first = maintenance.recycle(thread)
  await maintenance.recycle(threadOf(2))
  t.strictSame(changes, ['recycle 1'])
  planner.threads = [threadOf(1)] // a fresh one
  gate.resolve()
  await first
  await maintenance.recycle(threadOf(2))
  t.strictSame(changes, ['recycle 1', 'recycle 2'])
})

t.test('a thread that could not be recycled is left alone for a minute', async (t) => {
  const { maintenance, planner, changes, onChange, logged } = setUp(t)
  onChange(() => Promise.reject(new Error('its module does not load any more')))
  await maintenance.recycle(thread)
  planner.now = 59_999
  await maintenance.recycle(thread)
  t.strictSame([changes, logged()], [['recycle 1'], ['thread 1 could not be recycled']])
  planner.now = 60_000
  await maintenance.recycle(thread)
  t.equal(changes.length, 2)
})
