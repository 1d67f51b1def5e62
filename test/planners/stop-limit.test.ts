import t from 'tap'
import { StopLimit } from '../../src/planners/stop-limit.js'
import { deferred } from '../helpers/nodes.js'

t.test('what ends in time gives its result, or its error', async (t) => {
  const limit = new StopLimit(60_000)
  t.equal(await limit.wait(String, () => 1), 1)
  t.equal(await limit.wait(String, () => Promise.resolve(2)), 2)
  await t.rejects(
    limit.wait(String, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.same(limit.abandonment('it'), [])
  limit.end()
})

t.test('transfers are told to stop when little time is left, and what remains at its end is abandoned', async (t) => {
  let low = 0
  let inTime = false
  const started = performance.now()
  const limit = new StopLimit(80, () => {
    low = performance.now() - started
    inTime = !limit.isOver
  })
  const never = deferred<number>()
  const [first, second] = await Promise.all([
    limit.wait(
      () => 'the first',
      () => never.promise,
    ),
    limit.wait(
      () => 'the second',
      () => never.promise,
    ),
  ])
  t.same([first, second], [undefined, undefined])
  t.ok(limit.isOver)
  const message = 'it: the time for the shutdown was over before the first, the second had ended'
  t.match(limit.abandonment('it'), [{ code: 'DATABAY_SHUTDOWN_TIMEOUT', message }])
  t.ok(low >= 59 && inTime, `a quarter before: after ${low} ms`)
  never.reject(new Error('nobody is told'))
  t.equal(
    await limit.wait(
      () => 'the third',
      () => never.promise.catch(() => 3),
    ),
    undefined,
  )
})
