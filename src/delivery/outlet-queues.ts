import { counted } from '../base/counted.js'
import { getLogger } from '../base/log.js'
import type { DeadLetterSettings } from '../core/delivery-options.js'
import { nodeName } from '../core/node.js'
import type { Outlet } from '../core/outlet.js'
import type { Record } from '../core/record.js'
import type { OutletReport } from '../core/report.js'
import type { TransferParts } from '../core/transfer/parts.js'
import type { Tally } from '../core/transfer/tally.js'
import { OutletQueue, type QueueTrouble } from './outlet-queue.js'

/** What each outlet of a link has to be given. */
export class OutletQueues {
  readonly #name: string
  readonly #deadLetters: DeadLetterSettings | false
  readonly #queues = new Map<Outlet, OutletQueue>()

  /** @param name - of the link, for the log */
  constructor(name: string, deadLetters: DeadLetterSettings | false) {
    this.#name = name
    this.#deadLetters = deadLetters
  }

  /** Number of records that wait for outlets. */
  get size(): number {
    let size = 0
    for (const queue of this.#queues.values()) size += queue.size
    return size
  }

  /** Whether something that waited is pulled again, as of the last resumption. */
  get hadVoid(): boolean {
    return [...this.#queues.values()].some(({ hadVoid }) => hadVoid)
  }

  /** An outlet that records wait for, and why; `undefined` when there is none. */
  get trouble(): QueueTrouble | undefined {
    for (const { trouble } of this.#queues.values()) if (trouble !== undefined) return trouble
    return undefined
  }

  /** Queue of the outlet at a place in the link. */
  of({ outlets, settings }: TransferParts, at: number): OutletQueue {
    const outlet = outlets[at] as Outlet
    let queue = this.#queues.get(outlet)
    if (queue === undefined) {
      const { copyRecords } = settings
      queue = new OutletQueue({ outlet, place: `outlet:${at}`, copyRecords, deadLetters: this.#deadLetters })
      this.#queues.set(outlet, queue)
    }
    return queue
  }

  /** Pushes batches to all outlets, at once. See {@link OutletQueue.offer}. */
  async push(
    parts: TransferParts,
    batches: readonly Record[][],
    tally: Tally,
    isRound: boolean,
  ): Promise<OutletReport[]> {
    const isClean = tally.buffered === 0 && tally.errors.length === 0 && tally.delivered
    const mayBeEmpty = !isRound && !tally.drain && isClean
    const offer = { batches, transfers: tally.inHand, update: tally.update }
    return Promise.all(parts.outlets.map((_, at) => this.of(parts, at).offer(offer, mayBeEmpty, tally)))
  }

  /** Offers all outlets what waits for them, at once. */
  async resume(parts: TransferParts, tally: Tally): Promise<OutletReport[]> {
    for (const [outlet, queue] of this.#queues) {
      if (parts.outlets.includes(outlet)) continue
      this.#queues.delete(outlet)
      const left = queue.clear()
      const gone = `${this.#name}: ${counted(left, 'record')} waited for ${nodeName(outlet)}, which the link has no more: ${left === 1 ? 'it is' : 'they are'} dropped`
      if (left > 0) getLogger('databay.Delivery').warn(gone)
    }
    return Promise.all(parts.outlets.map((_, at) => this.of(parts, at).resume(tally)))
  }

  /** Forgets what waits. Gives the number of records. */
  clear(): number {
    let size = 0
    for (const queue of this.#queues.values()) size += queue.clear()
    return size
  }
}
