import t from 'tap'
import { jsonLine, passEvents, type JsonEvent } from '../../../src/cli/run/json-events.js'
import { PLANNER_EVENTS } from '../../../src/operate/planner-events.js'
import { SchedulePlanner } from '../../../src/planners/schedule-planner.js'
import { failedReport } from '../../../src/core/report.js'

t.test('an event is one line', async (t) => {
  const line = jsonLine({ event: 'stopping', time: 1, signal: 'SIGINT' })
  t.equal(line, '{"event":"stopping","time":1,"signal":"SIGINT"}\n')
})

t.test("a planner's events are passed on as plain data, until that is ended", async (t) => {
  const planner = new SchedulePlanner()
  const events: JsonEvent[] = []
  const unpass = passEvents(planner, (event) => events.push(event))
  t.same(planner.eventNames(), PLANNER_EVENTS, 'whatever a planner emits')
  const report = failedReport({ link: 'a', update: 'a.0', transferNumber: 0, thread: 1, scheduledAt: 0 }, 'x', true)
  const emitAll = () => {
    planner.emit('transfer', report)
    planner.emit('skipped', { link: 'a', scheduledAt: 1, reason: 'running', running: 2 })
    planner.emit('late', { link: 'a', scheduledAt: 1, lateness: 2, missed: 3 })
    const blame = { culprit: 'a', quarantinedUntil: 4 }
    const lost = { thread: 1, error: new RangeError('gone'), links: ['a'], transfers: 2, buffered: 3 }
    planner.emit('threadLost', { ...lost, ...blame })
  }
  emitAll()
  t.match(events, [
    { event: 'transfer', time: Number, report },
    { event: 'skipped', time: Number, link: 'a', scheduledAt: 1, reason: 'running', running: 2 },
    { event: 'late', time: Number, link: 'a', scheduledAt: 1, lateness: 2, missed: 3 },
    {
      event: 'threadLost',
      thread: 1,
      culprit: 'a',
      quarantinedUntil: 4,
      links: ['a'],
      transfers: 2,
      buffered: 3,
      error: { name: 'RangeError', message: 'gone' },
    },
  ])
  t.strictSame(
    events.map((event) => JSON.parse(jsonLine(event)) as unknown),
    events,
    'nothing is lost in JSON',
  )
  unpass()
  emitAll()
  t.equal(events.length, 4)
})
