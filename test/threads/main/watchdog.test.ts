import t from 'tap'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { LOOK_INTERVAL, Watchdog, type Watched } from '../../../src/threads/main/watchdog.js'

/** A thread whose pulse is beaten by hand, and a watchdog that looks at it again and again. */
function setUp(options = { grace: 1000, hangTimeout: 5000 }) {
  const thread: { pulse: Pulse | undefined } = { pulse: new Pulse() }
  const watchdog = new Watchdog<Watched>(options)
  let now = 10_000
  /** Looks for some time. Gives the time of the first find, in milliseconds from now, and its message. */
  const look = (milliseconds: number, alive = false) => {
    for (let passed = 0; passed < milliseconds; passed += LOOK_INTERVAL) {
      if (alive) thread.pulse?.beat()
      const [found] = watchdog.look([thread], now)
      if (found !== undefined) return { after: passed, message: found.reason.message }
      now += LOOK_INTERVAL
    }
    return undefined
  }
  return {
    thread,
    look,
    deadlineIn: (ms: number) => (thread.pulse!.deadline = now + ms),
    skip: (ms: number) => (now += ms),
  }
}

t.test('a thread that answers is left alone, however late its transfers are', async (t) => {
  const { look, deadlineIn } = setUp()
  deadlineIn(500)
  t.equal(look(60_000, true), undefined)
})

t.test('a thread that is held up beyond a deadline is found after the grace', async (t) => {
  const { look, deadlineIn } = setUp()
  look(1000, true)
  deadlineIn(2000)
  const found = look(10_000)
  t.equal(found?.after, 3000)
  t.equal(found?.message, 'it was ended, as a transfer held it up beyond its timeout and 1000 ms more')
})

t.test('one that is held up just after its deadline has the grace to see it', async (t) => {
  const { look, deadlineIn } = setUp()
  deadlineIn(0)
  look(3000, true)
  t.equal(look(10_000)?.after, 800, 'its last beat was one look before')
})

t.test('without a deadline a thread that does not answer is found after the longer time', async (t) => {
  const { look } = setUp()
  const found = look(60_000)
  t.equal(found?.after, 5000)
  t.equal(found?.message, 'it was ended, as it did not answer for 5000 ms')
  t.equal(setUp({ grace: 1000, hangTimeout: Infinity }).look(600_000), undefined)
})

t.test('time in which nobody could look does not count', async (t) => {
  const { look, skip } = setUp()
  look(1000, true)
  for (let pause = 0; pause < 10; pause++) {
    skip(3_600_000)
    t.equal(look(1000), undefined)
    look(200, true)
  }
})

t.test('a new worker begins anew, and none is not looked at', async (t) => {
  const { thread, look } = setUp()
  t.equal(look(4000), undefined)
  thread.pulse = new Pulse()
  t.equal(look(4000), undefined)
  thread.pulse = undefined
  t.equal(look(60_000), undefined)
  thread.pulse = new Pulse()
  t.equal(look(60_000)?.after, 5000)
})
