import type { EventLoopUtilization } from 'node:perf_hooks'
import t from 'tap'
import { Utilization, type Utilized } from '../../../src/threads/main/utilization.js'

/** A thread whose event loop is busy for a given share of the time. */
class FakeThread implements Utilized {
  share: number
  worker: { performance: { eventLoopUtilization: never } } | undefined
  #active = 0
  #all = 0

  constructor(share: number) {
    this.share = share
    this.restart()
  }

  restart(): void {
    const measure = (now?: EventLoopUtilization, before?: EventLoopUtilization) =>
      now !== undefined && before !== undefined
        ? { utilization: (now.active - before.active) / (now.idle - before.idle) }
        : { idle: this.#all, active: this.#active, utilization: 0 }
    this.worker = { performance: { eventLoopUtilization: measure as never } }
  }

  pass(): void {
    this.#all += 100
    this.#active += 100 * this.share
  }
}

/** Number of the look that finds the threads unbalanced, if one does. */
function looks(utilization: Utilization, threads: readonly FakeThread[], limit = 200): number | undefined {
  for (let look = 1; look <= limit; look++) {
    for (const thread of threads) thread.pass()
    if (utilization.look(threads)) return look
  }
  return undefined
}

t.test('one saturated thread beside an idle one is seen after a while, and again', async (t) => {
  const utilization = new Utilization()
  const threads = [new FakeThread(1), new FakeThread(0.7), new FakeThread(0.1)]
  t.equal(looks(utilization, threads), 30, 'a first measure, and five that agree')
  t.equal(looks(utilization, threads), 25)
})

t.test('threads that are all busy, or all have time, are as they should be', async (t) => {
  for (const shares of [[1, 1], [1, 0.6], [0.9, 0], [0, 0], [1]]) {
    const threads = shares.map((share) => new FakeThread(share))
    t.equal(looks(new Utilization(), threads), undefined, shares.join())
  }
})

t.test('a moment of balance begins the while anew, and a thread without a worker does not count', async (t) => {
  const utilization = new Utilization()
  const [busy, idle] = [new FakeThread(1), new FakeThread(0)]
  t.equal(looks(utilization, [busy, idle], 25), undefined)
  idle.share = 1
  t.equal(looks(utilization, [busy, idle], 5), undefined)
  idle.share = 0
  t.equal(looks(utilization, [busy, idle], 20), undefined)
  idle.worker = undefined
  t.equal(looks(utilization, [busy, idle]), undefined)
  idle.restart()
  t.ok((looks(utilization, [busy, idle]) ?? 0) >= 25)
})
