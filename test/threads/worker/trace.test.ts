import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Pulse } from '../../../src/threads/protocol/pulse.js'
import { Trace } from '../../../src/threads/worker/trace.js'

const pulse = new Pulse()
const trace = new Trace(pulse)

t.test('what comes of a link is known as its own, wherever it goes on', async (t) => {
  const seen: (number | undefined)[] = []
  const look = () => seen.push(pulse.inside)
  const both = [3, 0].map((link) =>
    trace.run(link, async () => {
      t.equal(trace.current, link)
      await wait(5)
      look()
      await Promise.resolve()
      look()
      await new Promise((resolve) => {
        setTimeout(resolve, 5)
        setImmediate(look)
      })
    }),
  )
  await Promise.all(both)
  t.same(seen.sort(), [0, 0, 0, 3, 3, 3])
  t.equal(trace.current, undefined)
})

t.test('when it has ended, nothing is known any more', async (t) => {
  const ended = new Trace(pulse)
  const waiting = ended.run(8, async () => {
    await wait(5)
    return ended.current
  })
  ended.end()
  t.equal(pulse.inside, undefined)
  t.equal(await waiting, undefined)
})

t.test('a rejection that nobody handles is known as the link that made the promise', async (t) => {
  const reason = new Error('nobody listens')
  const [mine, others] = [4, 5].map((link) => trace.run(link, () => Promise.reject(reason)))
  mine!.catch(() => undefined)
  others!.catch(() => undefined)
  trace.blame(mine!)
  t.equal(pulse.inside, 4)
  trace.blame(others!)
  t.equal(pulse.inside, 5)
  trace.blame(Promise.resolve())
  t.equal(pulse.inside, 5, 'of one that is nobody’s, nothing is known')
})
