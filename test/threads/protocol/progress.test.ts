import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { CountsSoFar } from '../../../src/core/report.js'
import { readCounts, sharedCounts, writeCounts } from '../../../src/threads/protocol/progress.js'

const outlet = (name: string, from: number) => ({
  outlet: name,
  pushed: from,
  filtered: from + 1,
  added: from + 2,
  dropped: from + 3,
  batches: from + 4,
  buffered: from + 5,
})

function counts(from: number, ...outlets: string[]): CountsSoFar {
  return {
    startedAt: Date.now() + 0.5,
    busy: from + 0.25,
    pulled: from,
    filtered: from + 1,
    added: from + 2,
    dropped: from + 3,
    buffered: from + 4,
    grouped: from + 5,
    batches: from + 6,
    rounds: from + 7,
    outlets: outlets.map((name, at) => outlet(name, from + 100 * (at + 1))),
  }
}

for (const outlets of [[], ['A'], ['A', 'B', 'A']]) {
  t.test(`counts of a transfer with ${outlets.length} outlets are read as they were written last`, async (t) => {
    const shared = sharedCounts(outlets)
    t.match(readCounts(shared), { pulled: 0, rounds: 0, outlets: outlets.map((name) => ({ outlet: name, pushed: 0 })) })
    for (const from of [1, 2 ** 40, 3]) {
      const written = counts(from, ...outlets)
      writeCounts(shared, written)
      t.strictSame(readCounts(structuredClone(shared)), written)
    }
  })
}

t.test('dead letters and waiting records are among the counts, and absent when there are none', async (t) => {
  const shared = sharedCounts(['A', 'B'])
  const plain = counts(1, 'A', 'B')
  const [a, b] = plain.outlets as [CountsSoFar['outlets'][number], CountsSoFar['outlets'][number]]
  const written = { ...plain, dead: 2, outlets: [{ ...a, dead: 1, waiting: 3 }, b] }
  writeCounts(shared, written)
  t.strictSame(readCounts(shared), written)
  writeCounts(shared, { ...plain, replayed: 4 })
  t.strictSame(readCounts(shared), { ...plain, replayed: 4 })
})

t.test('counts that are only written in part do not show', async (t) => {
  const shared = sharedCounts(['A'])
  const first = counts(1, 'A')
  writeCounts(shared, first)
  const broken = counts(2, 'A')
  Object.defineProperty(broken.outlets[0], 'dropped', {
    get: () => {
      throw new Error('the thread is ended here')
    },
  })
  t.throws(() => writeCounts(shared, broken))
  t.strictSame(readCounts(shared), first)
})

t.test('counts that are read while another thread writes are of one moment', async (t) => {
  const shared = sharedCounts(['A', 'B', 'C'])
  const worker = new Worker(new URL('../../fixtures/counts-writer.ts', import.meta.url), { workerData: shared })
  t.teardown(() => worker.terminate())
  const read = new Set<number>()
  for (const end = performance.now() + 5000; read.size < 300 && performance.now() < end;) {
    const { outlets, ...own } = readCounts(shared)
    const numbers = [own, ...outlets].flatMap((part) => Object.values(part).filter((one) => typeof one === 'number'))
    if (new Set(numbers).size !== 1) return t.fail(`they are of several moments: ${numbers.join(' ')}`)
    read.add(own.pulled)
    if (read.size === 1) await new Promise(setImmediate)
  }
  return t.ok(read.size > 100, 'they were written meanwhile')
})
