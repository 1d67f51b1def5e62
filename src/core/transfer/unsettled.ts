import type { Inlet } from '../inlet.js'
import type { AnyStatefulProcessor } from '../processor.js'
import type { Update } from '../update.js'

/**
 * A transfer that is not settled: it runs, or buffers hold records that it pulled. Its inlets and processors wait to
 * be told what came of them.
 */
export class UnsettledTransfer {
  readonly update: Update
  /** Inlets that are to be told, and whether their pull succeeded. */
  readonly inlets = new Map<Inlet, boolean>()
  /** Processors that are to be told, and their names; most transfers have none. */
  processors: Map<AnyStatefulProcessor, string> | undefined
  /** The link's transfers that are not settled. */
  readonly list: UnsettledTransfers
  /** Number of times that its records were put into buffers and are there still. */
  held = 0
  /** Whether records of it were dropped or refused. */
  failed = false
  /** Whether its inlets and processors were told. */
  told = false

  constructor(update: Update, list: UnsettledTransfers) {
    this.update = update
    this.list = list
  }
}

/** List of a link that never had any: the same for all of them. */
const NOT_ANY: UnsettledTransfer[] = []

/** What an inlet or a processor is to be told of a transfer. */
export interface Verdict {
  readonly part: Inlet | AnyStatefulProcessor
  /** Name of the processor; `undefined` for an inlet. */
  readonly processor?: string
  readonly update: Update
  readonly delivered: boolean
}

/**
 * The ended transfers of a link whose records are in buffers still, in their order. The oldest one is the low-water
 * mark: all before it was delivered. So parts learn of a delivered transfer only when all before it are settled.
 *
 * ```
 *   transfer   1        2      3       4        5
 *              settled  held   failed  settled  held
 *                       ^      |       + its parts learn it when 2 is settled
 *                       |      + its parts learn it at once, as inlets have to go back
 *                       + the low-water mark
 * ```
 */
export class UnsettledTransfers {
  /** Most links have none, ever. */
  #transfers: UnsettledTransfer[] = NOT_ANY

  /** The transfers, from the oldest one that is not settled on. */
  get all(): readonly UnsettledTransfer[] {
    return this.#transfers
  }

  /** Adds a transfer, which may have ended after later ones. */
  add(transfer: UnsettledTransfer): void {
    const { transferNumber } = transfer.update
    if (this.#transfers === NOT_ANY) this.#transfers = []
    let at = this.#transfers.length
    while (at > 0 && (this.#transfers[at - 1]?.update.transferNumber ?? 0) > transferNumber) at--
    this.#transfers.splice(at, 0, transfer)
  }

  /** Forgets all of them. */
  clear(): void {
    this.#transfers = NOT_ANY
  }

  /** Takes out what can be told by now: of each transfer that has failed, and of all that are settled before the mark. */
  settle(): Verdict[] {
    const verdicts: Verdict[] = []
    const tell = (transfer: UnsettledTransfer, delivered: boolean) => {
      transfer.told = true
      const { update, inlets, processors = [] } = transfer
      for (const [part, pulled] of inlets) verdicts.push({ part, update, delivered: delivered && pulled })
      for (const [part, processor] of processors) verdicts.push({ part, processor, update, delivered })
    }
    for (const transfer of this.#transfers) if (transfer.failed && !transfer.told) tell(transfer, false)
    let settled = 0
    for (const transfer of this.#transfers) {
      if (!transfer.told && transfer.held > 0) break
      if (!transfer.told) tell(transfer, true)
      settled++
    }
    this.#transfers.splice(0, settled)
    return verdicts
  }
}
