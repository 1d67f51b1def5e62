/** Waiting at the same time: six waits of half a second in a transfer of about one second. */
import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { getLogger, Inlet, Link, Outlet, type Record, type Update } from 'databay'

const log = getLogger('databay.basic_asynchronous')

class RandomIntInlet extends Inlet<number> {
  async pull(update: Update): Promise<number> {
    await delay(500) // stands for a slow operation
    const number = randomInt(0, 101)
    log.debug(`${String(update)} produced:${number}`)
    return number
  }
}

class PrintOutlet extends Outlet<number> {
  async push(records: Record<number>[], update: Update): Promise<void> {
    log.debug(`${String(update)} push starts`)
    // one wait for each record, all at once
    await Promise.all(records.map((record) => this.#print(record, update)))
  }

  async #print(record: Record<number>, update: Update): Promise<void> {
    await delay(500)
    log.debug(`${String(update)} consumed:${record.payload}`)
  }
}

export const asynchronous = new Link({
  // they pull at once; `inletConcurrency: 1` would make them take turns, and a transfer take 2 seconds
  inlets: [new RandomIntInlet(), new RandomIntInlet(), new RandomIntInlet()],
  outlets: new PrintOutlet(),
  interval: { seconds: 2 },
  tags: 'async',
})
