import type { Record } from '../record.js'
import type { OutletReport } from '../report.js'
import type { Delivery } from './delivery.js'
import type { TransferParts } from './parts.js'
import type { Tally } from './tally.js'

/** What a link with `delivery` does in its transfers in another way than others. */
export interface DurableDelivery extends Delivery {
  /**
   * Offers outlets what they have not taken before, and what dead letters are to be delivered again.
   *
   * @returns whether the transfer is to pull
   */
  resume(parts: TransferParts, tally: Tally): Promise<boolean>
  /**
   * Pushes batches to all outlets. What an outlet cannot take now waits for the next try; what it refuses becomes dead letters.
   *
   * @param isRound - whether this is a round of several, so that it does not tell who is given nothing
   */
  push(parts: TransferParts, batches: Record[][], tally: Tally, isRound: boolean): Promise<OutletReport[]>
}
