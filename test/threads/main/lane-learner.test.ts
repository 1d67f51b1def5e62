import t from 'tap'
import { LaneLearner } from '../../../src/threads/main/lane-learner.js'

/** Lane of a link after these transfers, each of `[busy, duration]` in milliseconds, and where it has changed. */
function learned(transfers: readonly (readonly [busy: number, duration: number])[]) {
  const learner = new LaneLearner()
  const changes = transfers.map(([busy, duration]) => learner.learn(busy, duration))
  return { lane: learner.lane, changes }
}

const computes = [20, 25] as const
const waits = [1, 100] as const

t.test('nothing is known before three transfers agree', async (t) => {
  t.same(learned([]), { lane: undefined, changes: [] })
  t.same(learned([computes, computes]), { lane: undefined, changes: [false, false] })
  t.same(learned([computes, computes, computes]), { lane: 'cpu', changes: [false, false, true] })
  t.same(learned([waits, waits, waits]), { lane: 'io', changes: [false, false, true] })
})

t.test('a transfer that says otherwise makes it count anew', async (t) => {
  t.equal(learned([computes, computes, waits, computes, computes]).lane, undefined)
  t.equal(learned([computes, computes, waits, computes, computes, computes]).lane, 'cpu')
})

t.test('what is known changes only when three in a row say otherwise, and is told once', async (t) => {
  const known = [computes, computes, computes] as const
  t.equal(learned([...known, waits, waits]).lane, 'cpu')
  t.same(learned([...known, computes, waits, waits, waits, waits]), {
    lane: 'io',
    changes: [false, false, true, false, false, false, true, false],
  })
})

t.test('to compute is to hold the thread for 5 ms or more, and for half of the transfer', async (t) => {
  const three = (busy: number, duration: number) =>
    learned(Array.from({ length: 3 }, () => [busy, duration] as const)).lane
  t.equal(three(5, 10), 'cpu')
  t.equal(three(4.9, 4.9), 'io', 'all of its time, but not long')
  t.equal(three(50, 101), 'io', 'long, but mostly it waits')
  t.equal(three(50, 100), 'cpu')
})
