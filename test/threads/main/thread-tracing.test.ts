import t from 'tap'
import { ThreadTracing } from '../../../src/threads/main/thread-tracing.js'

const TERM = 600_000

t.test('a thread that was lost is traced when it is not certain by which link, for a while', async (t) => {
  const tracing = new ThreadTracing()
  const [certain, uncertain] = [{ trace: false }, { trace: false }]
  tracing.lost(certain, true, 0)
  tracing.lost(uncertain, false, 0)
  t.same([certain.trace, uncertain.trace], [false, true])
  tracing.look([certain, uncertain], TERM - 1)
  t.ok(uncertain.trace)
  tracing.look([certain, uncertain], TERM)
  t.notOk(uncertain.trace)
  tracing.lost(uncertain, false, TERM)
  tracing.look([uncertain], TERM + 2 * TERM - 1)
  t.ok(uncertain.trace, 'for twice as long the next time')
})

t.test('the trace goes on when the thread is lost again, and it is certain by which link', async (t) => {
  const tracing = new ThreadTracing()
  const thread = { trace: false }
  tracing.lost(thread, false, 0)
  tracing.lost(thread, true, TERM - 1)
  tracing.look([thread], 2 * TERM - 2)
  t.ok(thread.trace)
  tracing.look([thread], 2 * TERM - 1)
  t.notOk(thread.trace)
})

t.test('a thread that takes the place of another is traced as that was', async (t) => {
  const tracing = new ThreadTracing()
  const [old, fresh, other] = [{ trace: false }, { trace: false }, { trace: true }]
  tracing.lost(old, false, 0)
  tracing.takeOver(old, fresh)
  t.ok(fresh.trace)
  tracing.look([fresh], TERM)
  t.notOk(fresh.trace)
  tracing.takeOver({ trace: false }, other)
  t.notOk(other.trace)
})
