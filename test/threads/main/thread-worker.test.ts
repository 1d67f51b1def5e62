import { once } from 'node:events'
import { MessageChannel, type Worker } from 'node:worker_threads'
import t from 'tap'
import { ThreadWorker } from '../../../src/threads/main/thread-worker.js'
import { captureLogs } from '../../helpers/logs.js'
import { measureThreads, until } from '../../helpers/threads.js'

measureThreads()

t.test('a thread has one worker at a time, until it is destroyed', async (t) => {
  const logs = captureLogs(t, 'error')
  const workers: Worker[] = []
  const reasons: string[] = []
  const thread = new ThreadWorker(
    4,
    {},
    {
      created: (worker) => workers.push(worker),
      lost: (reason) => reasons.push(reason.message),
    },
  )
  t.teardown(() => thread.destroy())
  await until(() => workers.length === 1)
  const [first] = workers as [Worker]

  await t.test('its tasks are done by that worker', async (t) => {
    const { port1, port2 } = new MessageChannel()
    t.teardown(() => port1.close())
    const setup = {
      thread: 4,
      logLevels: [],
      transfersPerThread: 1,
      startTimeout: 1,
      shutdownTimeout: 1,
      streamGrace: 1,
    }
    const answered = once(port1, 'message')
    await thread.run(first, { call: 'hello', task: 9, port: port2, setup }, [port2])
    t.match(await answered, [{ event: 'answer', task: 9 }])
  })

  await t.test('one that is ended is lost for the first reason given, and another takes its place', async (t) => {
    const ended = [thread.end(new Error('the reason')), thread.end(new Error('another'))]
    await Promise.all(ended)
    t.same(reasons, ['the reason'])
    await until(() => workers.length === 2)
    t.not(workers[1], first)
    await t.rejects(thread.run(first, { call: 'rest', task: 1 }, []), { message: 'the thread of this task is gone' })
  })

  await t.test('one that ends by itself is lost with its exit code', async (t) => {
    await workers[1]!.terminate()
    await until(() => workers.length === 3)
    t.same(reasons.splice(0), ['the reason', 'its worker exited with code 1'])
  })

  await t.test('nothing is told once it is destroyed', async (t) => {
    await thread.destroy()
    await thread.destroy()
    await thread.end(new Error('there is none to end'))
    t.same([reasons, workers.length, logs.lines], [[], 3, []])
    await t.rejects(thread.run(workers[2]!, { call: 'rest', task: 1 }, []), { message: /is gone$/ })
  })
})
