import t from 'tap'
import { OpenPulls } from '../../src/connectors/open-pulls.js'
import { Update } from '../../src/core/update.js'

t.test('pulls that buffers hold open cost the same each, however many there are and in which order they end', (t) => {
  const pulls = new OpenPulls<number>()
  const updates = Array.from({ length: 50_000 }, (_, number) => new Update(['a'], number))
  const started = performance.now()
  for (const [at, update] of updates.entries()) {
    if (pulls.takeBack() !== undefined) t.fail('it goes back')
    if (pulls.goOnAt(at) !== at) t.fail('it goes on elsewhere')
    pulls.add(update, at, 1)
  }
  for (const update of updates.toReversed()) pulls.end(update, true)
  t.equal(pulls.earliest, undefined)
  t.ok(performance.now() - started < 2000)
  t.end()
})

t.test('a failed pull is gone back to, and the end of one that was running then counts no more', (t) => {
  const pulls = new OpenPulls<number>()
  const [first, second, third] = [0, 1, 2].map((number) => new Update(['a'], number)) as [Update, Update, Update]
  pulls.add(first, 0, 1)
  pulls.add(second, 10, 2)
  pulls.add(second, 15, 2)
  pulls.add(third, 20, 3)
  pulls.end(second, false)
  t.equal(pulls.goOnAt(30), 10)
  t.same(pulls.takeBack(), { start: 10, starts: [10, 15, 20], records: 7 })
  pulls.end(third, false)
  t.equal(pulls.goOnAt(10), 10)
  t.same(pulls.earliest, { update: first, start: 0, records: 1, state: 'running' })
  pulls.end(first, true)
  t.equal(pulls.earliest, undefined)
  t.end()
})
