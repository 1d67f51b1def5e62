import t from 'tap'
import { Shutdown } from '../../src/planners/shutdown.js'
import { deferred } from '../helpers/nodes.js'
import { stateOf } from '../helpers/planners.js'

const HURRY = 'the planner shuts down without waiting'

function shutdownOf(drain = true) {
  const cancelled: string[] = []
  return { shutdown: new Shutdown(drain, (why) => cancelled.push(why)), cancelled }
}

t.test('it waits for transfers, and drains as the planner does, unless it is asked otherwise', async (t) => {
  const { shutdown, cancelled } = shutdownOf(false)
  t.match(shutdown, { wait: true, drain: false })
  shutdown.request({})
  t.match(shutdown, { wait: true, drain: false })
  shutdown.request({ drain: true })
  t.match(shutdown, { wait: true, drain: true })
  t.strictSame(cancelled, [])
})

t.test('not to wait tells transfers to stop, each time, and is not taken back', async (t) => {
  const { shutdown, cancelled } = shutdownOf()
  shutdown.request({ wait: false })
  shutdown.request({ wait: true, drain: false })
  t.match(shutdown, { wait: false, drain: false })
  t.strictSame(cancelled, [HURRY])
  shutdown.request({ wait: false })
  t.strictSame(cancelled, [HURRY, HURRY])
})

t.test('transfers may end, or are told to', async (t) => {
  const { shutdown, cancelled } = shutdownOf()
  t.equal(await shutdown.letEnd(() => Promise.resolve('ended')), 'ended')
  t.strictSame(cancelled, [])
  shutdown.request({ wait: false })
  await shutdown.letEnd(() => Promise.resolve())
  t.strictSame(cancelled, [HURRY, HURRY])
})

t.test('work that makes transfers is not told to stop at once, but after a second', async (t) => {
  const { shutdown, cancelled } = shutdownOf()
  const [work, quick] = [deferred(), deferred()]
  shutdown.request({ wait: false })
  cancelled.length = 0
  const working = stateOf(shutdown.letWork(() => work.promise))
  const done = shutdown.letWork(() => quick.promise)
  quick.resolve()
  await done
  const began = performance.now()
  while (cancelled.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  t.ok(performance.now() - began > 900)
  t.equal(working(), 'pending')
  work.resolve()
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.strictSame(cancelled, [HURRY], 'the other work had ended before')
  await t.rejects(
    shutdown.letWork(() => Promise.reject(new Error('no disk'))),
    { message: 'no disk' },
  )
})

t.test('its time begins when it begins, and shortly before the end transfers are told to stop', async (t) => {
  const { shutdown, cancelled } = shutdownOf()
  t.notOk(shutdown.limit.isOver)
  shutdown.begin(40)
  const { limit } = shutdown
  t.equal(
    await limit.wait(
      () => 'what never ends',
      () => new Promise(() => {}),
    ),
    undefined,
  )
  t.ok(limit.isOver)
  t.strictSame(cancelled, ['the time for the shutdown is nearly over'])
})
