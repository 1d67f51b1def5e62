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
  t.same(limit.abandoned, [])
  limit.end()
})

t.test('transfers are told to stop when little time is left, and what remains at its end is abandoned', async (t) => {
  let low = 0
  const started = performance.now()
  const limit = new StopLimit(80, () => {
    low = performance.now() - started
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
  t.same(limit.abandoned, ['the first', 'the second'])
  t.ok(low >= 59 && low < 80, `a quarter before: after ${low} ms`)
  never.reject(new Error('nobody is told'))
  t.equal(
    await limit.wait(
      () => 'the third',
      () => never.promise.catch(() => 3),
    ),
    undefined,
  )
})
