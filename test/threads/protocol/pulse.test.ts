import t from 'tap'
import { monotonic, Pulse } from '../../../src/threads/protocol/pulse.js'

t.test('what one side shows, the other sees', async (t) => {
  const ours = new Pulse()
  t.match(ours, { beats: 0, begun: 0, inside: undefined, deadline: Infinity })
  const theirs = new Pulse(ours.memory)
  theirs.beat()
  theirs.begun = 7
  theirs.inside = 0
  theirs.deadline = 1234.5
  t.match(ours, { beats: 1, begun: 7, inside: 0, deadline: 1234.5 })
  theirs.inside = undefined
  t.equal(ours.inside, undefined)
})

t.test('the clock goes on in milliseconds', async (t) => {
  const read = () => [performance.now(), monotonic(), performance.now()] as const
  const [start, before, started] = read()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const [end, after, ended] = read()
  const passed = after - before
  t.ok(passed > end - started - 1 && passed < ended - start + 1, `${passed} ms`)
})
