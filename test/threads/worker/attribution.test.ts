import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { Attribution } from '../../../src/threads/worker/attribution.js'

t.test('the pulse shows a link while the thread is in its code', async (t) => {
  const pulse = new Pulse()
  const attribution = new Attribution(pulse, false)
  const inside = attribution.insideOf(4)
  const seen = attribution.enter(4, inside, () => pulse.inside)
  t.same([seen, pulse.inside], [4, undefined])
  const failing = () => {
    throw new Error('its code throws')
  }
  t.throws(() => attribution.enter(4, inside, failing), { message: 'its code throws' })
  t.equal(pulse.inside, undefined)
  t.equal(
    attribution.run(5, (a: number, b: number) => [a + b, pulse.inside].join(), 1, 2),
    '3,',
    'work that tells by itself is not taken for the link’s',
  )
})

t.test('with a trace it shows the link also after a wait, until the trace is ended', async (t) => {
  const pulse = new Pulse()
  const attribution = new Attribution(pulse, true)
  t.teardown(() => attribution.endTrace())
  const later = async () => {
    await wait(1)
    return pulse.inside
  }
  t.equal(await attribution.enter(3, attribution.insideOf(3), later), 3)
  t.equal(await attribution.run(0, later, undefined, undefined), 0)
  const inside = attribution.insideOf(8)
  attribution.run(
    6,
    () => {
      inside(true)
      t.equal(pulse.inside, 8)
      inside(false)
      t.equal(pulse.inside, 6, 'the code of another one goes on')
    },
    undefined,
    undefined,
  )
  const rejected = attribution.run(9, () => Promise.reject(new Error('nobody listens')), undefined, undefined)
  rejected.catch(() => undefined)
  attribution.blame(rejected)
  t.equal(pulse.inside, 9)
  attribution.endTrace()
  t.equal(await attribution.enter(3, attribution.insideOf(3), later), undefined)
})
