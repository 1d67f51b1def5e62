import t from 'tap'
import { primesBelow } from '../../examples/cpu-heavy/primes.js'
import { runShown } from './readme.js'

t.test('primes are counted', async (t) => {
  t.same([2, 3, 100, 20_000].map(primesBelow), [0, 1, 25, 2262])
})

t.test('all threads work, and the main thread stays free', async (t) => {
  const [threads, main, command] = await runShown(t, 'CPU-heavy links')
  const late = (stdout = '') => /p50 ([\d.]+) ms, p99 ([\d.]+) ms/.exec(stdout)?.slice(1).map(Number) ?? []
  const [, p99 = Infinity] = late(threads?.stdout)
  const [p50 = 0] = late(main?.stdout)
  t.ok(p99 < p50, `with threads 99 % of the delays are below ${p99} ms, without them half are above ${p50} ms`)
  for (const ended of [threads, main]) t.match(ended?.stdout, /^400 transfers .* 4000 records in/)
  t.match(command?.stderr, /400 transfers of 8 links .* 4000 records pulled, 4000 pushed, 0 dropped/)
})
