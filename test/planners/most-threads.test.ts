import t from 'tap'
import { checkThreads, mostThreads, usualThreads } from '../../src/planners/most-threads.js'
import { WorkerPlanner } from '../../src/planners/worker-planner.js'

t.test('a machine can have as many threads as it has cores and memory for', async (t) => {
  t.match(mostThreads({ cores: 2, memory: 24_000 }), { most: 256 })
  t.match(mostThreads({ cores: 64, memory: 1_000_000 }), { most: 4096 })
  t.match(mostThreads({ cores: 64, memory: 512 }), { most: 16 })
  t.match(mostThreads({ cores: 1, memory: 10 }), { most: 1 })
  t.equal(usualThreads({ cores: 8, memory: 24_000 }), 8)
  t.equal(usualThreads({ cores: 8, memory: 64 }), 2)
})

t.test('more threads are refused, with the bound and where it comes from', async (t) => {
  const here = { cores: 2, memory: 1024 }
  t.equal(checkThreads('threads', 32, here), 32)
  t.throws(() => checkThreads('--threads', 33, here), {
    code: 'DATABAY_INVALID_OPTION',
    message:
      '--threads: expected at most 32, which is what this machine can have (one for each 32 MiB of its 1024 MiB of memory), got 33',
  })
  t.throws(() => checkThreads('threads', 999, { cores: 2, memory: 100_000 }), {
    message: /at most 256, .* \(64 for each of its cores, and at least 256\), got 999/,
  })
  for (const bad of [0, -1, 1.5, Infinity, NaN, '4'] as number[]) {
    t.throws(() => checkThreads('threads', bad), { message: /^threads: expected an integer of at least 1, got / })
  }
})

t.test('a planner refuses them as it is made, and while it runs', async (t) => {
  t.throws(() => new WorkerPlanner([], { threads: 99_999 }), {
    message: /^threads: expected at most \d+, which is what/,
  })
  const planner = new WorkerPlanner([], { threads: 1 })
  await t.rejects(planner.setThreads(99_999), { message: /^threads: expected at most / })
  t.equal(planner.threads, 1)
})
