import t from 'tap'
import type { Task } from '../../../src/threads/protocol/messages.js'
import { ThreadCalls } from '../../../src/threads/main/thread-calls.js'

function setUp() {
  const tasks: Task[] = []
  const send = async (task: Task) => tasks.push(task)
  return { calls: new ThreadCalls(), tasks, send }
}

t.test('each call is a task of its own, and gets its own answer', async (t) => {
  const { calls, tasks, send } = setUp()
  const one = calls.ask('load', { module: 'a' }, send)
  const other = calls.ask('load', { module: 'b' }, send)
  t.match(tasks, [
    { call: 'load', task: 0, module: 'a' },
    { call: 'load', task: 1, module: 'b' },
  ])
  t.equal(calls.size, 2)
  calls.answer(1, 22)
  calls.answer(0, 11)
  t.same([await one, await other, calls.size], [11, 22, 0])
})

t.test('a call fails with the error of the thread, or of sending it', async (t) => {
  const { calls, send } = setUp()
  const failed = calls.ask('load', { module: 'a' }, send)
  calls.fail(0, new Error('it does not load'))
  await t.rejects(failed, { message: 'it does not load' })
  await t.rejects(
    calls.ask('load', { module: 'b' }, () => Promise.reject(new Error('not sent'))),
    { message: 'not sent' },
  )
  t.equal(calls.size, 0)
})

t.test('when the worker is lost, all calls fail, and what is answered later does not count', async (t) => {
  const { calls, send } = setUp()
  const asked = [calls.ask('load', { module: 'a' }, send), calls.ask('rest', {}, send)]
  calls.failAll(new Error('lost'))
  calls.answer(0, 1)
  t.equal(calls.size, 0)
  for (const result of await Promise.allSettled(asked)) t.match(result, { reason: { message: 'lost' } })
})
