import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { readThreads, ThreadMeter } from '../../../src/threads/main/thread-stats.js'

t.test('of the transfers in a thread, those that it has begun run, and the others wait', async (t) => {
  const pulse = new Pulse()
  pulse.beat()
  const thread = { number: 2, worker: undefined, load: 5, waiting: 3, given: 12, pulse }
  t.strictSame(new ThreadMeter().read([thread]), [
    {
      thread: 2,
      utilization: 0,
      running: 2,
      waiting: 3,
      transfers: 7,
      heapUsed: pulse.heapUsed,
      external: pulse.external,
    },
  ])
  t.ok(pulse.heapUsed > 0)
})

t.test('a thread that is being replaced shows what waits for it, and no memory', async (t) => {
  // the numbers come from both sides, so they may not fit each other for a moment
  const thread = { number: 1, worker: undefined, load: 2, waiting: 3, given: 1, pulse: undefined }
  t.match(new ThreadMeter().read([thread]), [
    { utilization: 0, running: 0, waiting: 2, transfers: 0, heapUsed: 0, external: 0 },
  ])
})

t.test('utilization counts from when it was last asked for', async (t) => {
  const worker = new Worker('const until = Date.now() + 300; while (Date.now() < until); setInterval(() => {}, 1000)', {
    eval: true,
  })
  t.teardown(() => worker.terminate())
  const thread = { number: 1, worker, load: 0, waiting: 0, given: 0, pulse: undefined }
  const meter = new ThreadMeter()
  const utilization = () => meter.read([thread])[0]?.utilization ?? NaN
  await once(worker, 'online')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const first = utilization()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const second = utilization()
  t.ok(first > 0.1, `while it computed: ${first}`)
  t.ok(second >= 0 && second < first, `and then: ${second}`)
})

t.test('the time that a thread was busy never falls, though it may do so as seen from the main thread', async (t) => {
  const times = [5, 4.999, 6]
  const performance = { eventLoopUtilization: () => ({ active: times.shift() ?? 0 }) }
  const worker = { performance } as unknown as Worker
  const thread = { number: 1, worker, load: 0, waiting: 0, given: 0, pulse: undefined }
  t.strictSame(
    [1, 2, 3].map(() => readThreads([thread])[0]?.busy),
    [5, 5, 6],
  )
  t.equal(readThreads([{ ...thread, worker: undefined }])[0]?.busy, 0, 'one that is replaced begins again')
})
