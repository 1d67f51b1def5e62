import { once } from 'node:events'
import t from 'tap'
import type { ThreadLostEvent } from '../../src/operate/planner-events.js'
import { PlannerThreads } from '../../src/planners/planner-threads.js'
import { captureLogs } from '../helpers/logs.js'
import { linkModule, measureThreads, until } from '../helpers/threads.js'

measureThreads()

t.test('threads, the links that they host and their losses, without a planner', async (t) => {
  captureLogs(t, 'silent')
  const lost: ThreadLostEvent[] = []
  const ended: Error[] = []
  let running = true
  const threads = new PlannerThreads(
    { threads: 1, transfersPerThread: 10 },
    {
      isRunning: () => running,
      openFailed: () => undefined,
      opened: () => undefined,
      moved: () => undefined,
      drained: () => t.fail('nothing is drained'),
      recordsLost: () => t.fail('no record is lost but with its thread'),
      threadLost: (event) => lost.push(event),
      ended: (error) => ended.push(error),
    },
  )
  t.teardown(() => threads.pool.destroy())
  t.strictSame(threads.stats(), [])
  await threads.pool.start()
  const [link] = await threads.hosting.host([linkModule({ tags: 'hosted', buffer: 10 }).href])
  await link?.onStart()
  const report = await link?.transfer()
  t.match([report?.link, threads.stats()], ['hosted', [{ thread: 1, transfers: 1, running: 0 }]])

  await t.test('a thread that is lost is told with what it held, and replaced', async (t) => {
    const [thread] = threads.pool.threads
    await threads.pool.endWorker(thread!, new Error('ended by a test'))
    await until(() => lost.length > 0)
    t.match(lost, [{ thread: 1, error: { message: 'ended by a test' }, links: ['hosted'], transfers: 0, buffered: 1 }])
    t.match(await link?.transfer(), { link: 'hosted', buffered: 1 })
  })

  await t.test('a thread that is due for recycling is recycled', async (t) => {
    const [thread] = threads.pool.threads
    threads.pool.emit('dueForRecycling', thread!)
    await until(() => threads.pool.threads[0] !== thread)
    t.match(await link?.transfer(), { link: 'hosted' })
  })

  await t.test('that they have ended is told, unless the planner has stopped', async (t) => {
    const end = once(threads.pool, 'ended')
    await threads.pool.destroy()
    await end
    t.match(ended, [{ code: 'DATABAY_THREAD_LOST' }])
    await threads.pool.start()
    running = false
    await threads.pool.destroy()
    t.equal(ended.length, 1)
  })
})
