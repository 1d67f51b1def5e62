import t from 'tap'
import { failedReport } from '../../../src/core/report.js'
import type { ThreadEvent } from '../../../src/threads/protocol/messages.js'
import { Outbox } from '../../../src/threads/worker/outbox.js'
import { turnOfTheLoop } from '../../helpers/nodes.js'

const identity = { link: '', update: '', transferNumber: 0, thread: 1, scheduledAt: 0 }
const report = failedReport(identity, new Error('some'), false)

/** An outbox, and what it sent: of reports the numbers of their runs. */
function setUp() {
  const sent: (string | number[])[] = []
  const postMessage = (event: ThreadEvent) => {
    if (!('event' in event)) sent.push([event[0] as number])
    else sent.push(event.event === 'reports' ? event.errors.map(({ run }) => run) : event.event)
  }
  return { sent, outbox: new Outbox({ postMessage }) }
}

t.test('reports go together when the turn of the event loop ends', async (t) => {
  const { sent, outbox } = setUp()
  for (const run of [1, 2, 3]) {
    outbox.add(run, report)
    outbox.flushSoon()
  }
  t.same(sent, [])
  await turnOfTheLoop()
  t.same(sent, [[1, 2, 3]])
})

t.test('reports go at once when they have to, and once only', async (t) => {
  const { sent, outbox } = setUp()
  outbox.add(1, report)
  outbox.flushSoon()
  outbox.flush()
  t.same(sent, [[1]])
  outbox.flush()
  await turnOfTheLoop()
  t.same(sent, [[1]])
})

t.test('no event overtakes a report', async (t) => {
  const { sent, outbox } = setUp()
  outbox.add(1, report)
  outbox.flushSoon()
  outbox.tell({ event: 'log', line: 'x' })
  outbox.tell({ event: 'answer', task: 1, answer: null })
  t.same(sent, [[1], 'log', 'answer'])
})
