import t from 'tap'
import { defaultThreads, settingsOf, usefulThreads } from '../../../src/cli/tune/settings.js'

t.test('thread counts go up to twice as many as there are cores, and one for each core is among them', async (t) => {
  t.strictSame(defaultThreads(1), [1, 2])
  t.strictSame(defaultThreads(2), [1, 2, 4])
  t.strictSame(defaultThreads(6), [1, 2, 4, 6, 8])
  t.strictSame(defaultThreads(48), [1, 2, 4, 8, 16, 32, 48, 64])
  t.strictSame(defaultThreads(500), [1, 2, 4, 8, 16, 32, 64])
})

t.test('no more threads are tried than the machine has memory for', async (t) => {
  t.strictSame(defaultThreads(8, 3), [1, 2, 3])
  t.strictSame(defaultThreads(8, 1), [1])
})

t.test('more threads than links are left out', async (t) => {
  t.strictSame(usefulThreads([1, 2, 4, 8], 1), [1])
  t.strictSame(usefulThreads([1, 2, 4, 8], 2), [1, 2])
  t.strictSame(usefulThreads([1, 2, 4, 8], 3), [1, 2, 4], '4 threads are the next ones that have room for 3')
  t.strictSame(usefulThreads([1, 2, 4, 8], 100), [1, 2, 4, 8])
})

t.test('every thread count is tried with every number of transfers, the smallest first', async (t) => {
  t.strictSame(settingsOf([2, 1], [100, 5]), [
    { threads: 1, transfersPerThread: 5 },
    { threads: 1, transfersPerThread: 100 },
    { threads: 2, transfersPerThread: 5 },
    { threads: 2, transfersPerThread: 100 },
  ])
})
