import t from 'tap'
import { monotonic } from '../../../src/threads/protocol/pulse.js'
import { TimeLimits } from '../../../src/threads/worker/time-limits.js'
import { deferred } from '../../helpers/nodes.js'

const late = () => new Error('it took too long')

function setUp() {
  const pulse = { deadline: Infinity }
  return { pulse, limits: new TimeLimits(pulse), left: () => pulse.deadline - monotonic() }
}

t.test('the pulse shows the earliest deadline of the runs that have not ended', async (t) => {
  const { pulse, limits, left } = setUp()
  limits.add(7, 60_000)
  limits.add(8, 1000)
  limits.add(9, 2000)
  t.ok(left() <= 1000)
  limits.remove(8)
  t.ok(left() > 1000 && left() <= 2000)
  limits.remove(99)
  limits.remove(9)
  limits.remove(7)
  t.equal(pulse.deadline, Infinity)
})

t.test('work that is done at once shows its deadline while it holds the thread', async (t) => {
  const { pulse, limits, left } = setUp()
  t.equal(
    limits.within(500, late, () => left() <= 500),
    true,
  )
  t.equal(pulse.deadline, Infinity)
  limits.add(1, 100)
  t.ok(
    limits.within(500, late, () => left() <= 100),
    'an earlier one stays',
  )
  const failed = () => {
    throw new Error('at once')
  }
  t.throws(() => limits.within(500, late, failed), { message: 'at once' })
  limits.remove(1)
  t.equal(pulse.deadline, Infinity)
})

t.test('work that goes on is waited for, until its time is over', async (t) => {
  const { pulse, limits, left } = setUp()
  const slow = deferred<string>()
  const working = limits.within(60_000, late, () => slow.promise)
  t.ok(left() <= 60_000)
  slow.resolve('done')
  t.equal(await working, 'done')
  t.equal(pulse.deadline, Infinity)
  await t.rejects(async () => limits.within(5, late, () => deferred().promise), { message: 'it took too long' })
  t.equal(pulse.deadline, Infinity)
})

t.test('work without a limit shows no deadline', async (t) => {
  const { pulse, limits } = setUp()
  t.equal(
    limits.within(Infinity, late, () => pulse.deadline),
    Infinity,
  )
})
