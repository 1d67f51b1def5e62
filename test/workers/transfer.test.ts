import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import { getLogger } from '../../src/base/log.js'
import type { Calls, Task, ThreadEvent } from '../../src/threads/protocol/messages.js'
import worker, * as entry from '../../workers/transfer.js'
import { captureLogs } from '../helpers/logs.js'
import { linkModule, until } from '../helpers/threads.js'

const run = worker as (task: object) => unknown

t.test('the entry takes the channel, and hands what comes to the host', async (t) => {
  captureLogs(t)
  const { port1, port2 } = new MessageChannel()
  const events: ThreadEvent[] = []
  port1.on('message', (event: ThreadEvent) => events.push(event))
  t.teardown(() => port1.close())
  const setup = {
    thread: 4,
    logLevels: [['databay', 'info']],
    transfersPerThread: 1,
    startTimeout: Infinity,
    shutdownTimeout: Infinity,
    streamGrace: 1000,
  } as const
  const hello: Calls['hello']['request'] = { port: port2, setup }

  await run({ call: 'describe', task: 0, module: 'x' })
  t.same(events, [], 'it does nothing before it has a channel')
  await run({ call: 'hello', task: 1, ...hello })
  await run({ call: 'describe', task: 2, module: linkModule({ tags: 'a' }).href } satisfies Task)
  getLogger('databay.test').info('from the thread')
  port1.postMessage({ note: 'logLevels', levels: [['databay', 'error']] })
  await once(port2, 'message')
  t.equal(getLogger('databay.test').level, 'error')
  await until(() => events.length === 3)
  t.match(events, [
    { event: 'answer', task: 1, answer: null },
    { event: 'answer', task: 2, answer: { id: ['a'], tags: { values: ['a'] } } },
    { event: 'log', line: /"name":"databay.test","thread":4,"msg":"from the thread"/ },
  ])
})

t.test('a thread may be ended at any moment while it loads the entry', async (t) => {
  // without this, Node ends the process now and then: see `__esModule`
  t.equal(entry.__esModule, true)
})
