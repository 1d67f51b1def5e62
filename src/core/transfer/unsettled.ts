import type { Inlet } from '../inlet.js'
import type { Delivery } from './delivery.js'
import type { AnyStatefulProcessor } from '../processor.js'
import type { RoundCounts } from '../round-counts.js'
import type { Update } from '../update.js'

/** Records that go through a link together and are not settled: those of a transfer, or of one of its rounds. */
export interface Unsettled {
  /** The link's transfers that are not settled. */
  readonly list: UnsettledTransfers
  /** Number of buffers, and of running transfers that have taken them out of one, that have records of it. */
  held: number
  /** Whether records of it were dropped or refused. */
  readonly failed: boolean
  /** Notes that records of it were dropped or refused. */
  fail(): void
}

/** A round of a transfer that streams, which is not settled. */
export class UnsettledRound implements Unsettled {
  held = 0
  /** Whether its records have come as far as they can. */
  ended = false
  /** Number of lists that each inlet has given, as long as it did, up to the end of this round. */
  readonly lists: number
  readonly #transfer: UnsettledTransfer
  #failed = false

  constructor(transfer: UnsettledTransfer, lists: number) {
    this.#transfer = transfer
    this.lists = lists
  }

  get list(): UnsettledTransfers {
    return this.#transfer.list
  }

  get failed(): boolean {
    return this.#failed
  }

  fail(): void {
    this.#failed = true
    this.#transfer.fail()
  }
}

/**
 * A transfer that is not settled: it runs, or buffers hold records that it pulled. Its inlets and processors wait to
 * be told what came of them.
 */
export class UnsettledTransfer implements Unsettled {
  readonly update: Update
  /** Inlets that are to be told, and whether their pull succeeded. */
  readonly inlets = new Map<Inlet, boolean>()
  /** Processors that are to be told, and their names; most transfers have none. */
  processors: Map<AnyStatefulProcessor, string> | undefined
  readonly list: UnsettledTransfers
  held = 0
  /** Whether the list has it, and what is not told of it. */
  state: 'running' | 'ended' | 'told' = 'running'
  /** Number of rounds that it began. */
  rounds = 0
  /** The rounds of one that streams. */
  stream: UnsettledStream | undefined
  #failed = false

  constructor(update: Update, list: UnsettledTransfers) {
    this.update = update
    this.list = list
  }

  /** Whether records of it were dropped or refused. */
  get failed(): boolean {
    return this.#failed
  }

  /** Whether buffers hold records of it. */
  get isHeld(): boolean {
    return this.held > 0 || this.stream?.isHeld === true
  }

  fail(): void {
    if (this.#failed || this.state === 'told') return
    this.#failed = true
    if (this.state === 'ended') this.list.noteFailed(this)
  }
}

/** The rounds of a transfer that streams. Keeps those that are not settled, and counts the delivered ones before them. */
export class UnsettledStream {
  /** Rounds that are not settled, in their order; no more are kept once the transfer has failed. */
  readonly open: UnsettledRound[]
  /** Number of lists of each inlet, as long as it gave some, that rounds began with. */
  lists: number
  #deliveredRounds: number
  #deliveredLists: number

  constructor(delivered: { readonly rounds: number; readonly lists: number } = { rounds: 0, lists: 0 }) {
    this.open = []
    this.lists = delivered.lists
    this.#deliveredRounds = delivered.rounds
    this.#deliveredLists = delivered.lists
  }

  /** Whether buffers hold records of a round. */
  get isHeld(): boolean {
    return this.open.some(({ held }) => held > 0)
  }

  /**
   * Lets go of the rounds that are settled.
   *
   * @returns numbers of rounds, and of lists of each inlet, that were delivered, from the first one on
   */
  settle(): { readonly rounds: number; readonly lists: number } {
    let settled = 0
    for (const { ended, failed, held, lists } of this.open) {
      if (!ended || failed || held > 0) break
      settled++
      this.#deliveredRounds++
      this.#deliveredLists = lists
    }
    this.open.splice(0, settled)
    return { rounds: this.#deliveredRounds, lists: this.#deliveredLists }
  }

  /**
   * Number of lists of each inlet up to the first round that failed, if buffers or outlets still have records of rounds before
   * it; `undefined` if not.
   */
  get listsHeld(): number | undefined {
    const failed = this.open.findIndex((round) => round.failed)
    const before = failed < 0 ? this.open : this.open.slice(0, failed)
    return before.some(({ held }) => held > 0) ? before.at(-1)?.lists : undefined
  }

  /** Notes that nothing of the transfer was delivered, whatever became of its rounds. */
  takeBack(): void {
    for (const round of this.open) round.fail()
    this.open.length = 0
    this.#deliveredRounds = 0
    this.#deliveredLists = 0
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
  /** Whether records of the transfer were dropped or refused: `delivered` is false also where a pull failed. */
  readonly failed: boolean
  readonly rounds: RoundCounts
  /** What keeps how far the inlets of the link have come. */
  readonly delivery: Delivery | undefined
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
  /** What keeps how far the inlets of the link have come; `undefined` without `delivery`. */
  delivery: Delivery | undefined
  /** Transfers that have not failed, in their order, from the mark on. Most links have none, ever. */
  #waiting = NOT_ANY
  /** Transfers that have failed and are not told. */
  #failed = NOT_ANY
  /** Whether some of those that have failed are among the others too. */
  #mixed = false
  /** Inlets that the link has no more. */
  #removed: WeakSet<Inlet> | undefined

  /** The transfers that are not told. */
  get all(): readonly UnsettledTransfer[] {
    this.#sort()
    return [...this.#failed, ...this.#waiting]
  }

  /** Adds a transfer, which may have ended after later ones. */
  add(transfer: UnsettledTransfer): void {
    transfer.state = 'ended'
    if (transfer.failed) {
      if (this.#failed === NOT_ANY) this.#failed = []
      this.#failed.push(transfer)
      return
    }
    const { transferNumber } = transfer.update
    if (this.#waiting === NOT_ANY) this.#waiting = []
    let at = this.#waiting.length
    while (at > 0 && (this.#waiting[at - 1]?.update.transferNumber ?? 0) > transferNumber) at--
    if (at === this.#waiting.length) this.#waiting.push(transfer)
    else this.#waiting.splice(at, 0, transfer)
  }

  /** Notes that a transfer has failed after it had ended. Called by the transfer. */
  noteFailed(transfer: UnsettledTransfer): void {
    if (this.#failed === NOT_ANY) this.#failed = []
    this.#failed.push(transfer)
    this.#mixed = true
  }

  /** Notes that the link has an inlet no more, or has it again. One that is shut down is told nothing. */
  noteInlet(inlet: Inlet, isRemoved: boolean): void {
    if (isRemoved) (this.#removed ??= new WeakSet()).add(inlet)
    else this.#removed?.delete(inlet)
  }

  /** Forgets all of them. */
  clear(): void {
    this.#waiting = NOT_ANY
    this.#failed = NOT_ANY
    this.#mixed = false
  }

  /** Takes out what can be told by now: of each transfer that has failed, and of all that are settled before the mark. */
  settle(): Verdict[] {
    this.#sort()
    const verdicts: Verdict[] = []
    const failed = this.#failed
    this.#failed = NOT_ANY
    for (const transfer of failed) {
      if (!this.#keepsHeld(transfer, verdicts)) this.#tell(transfer, verdicts)
      else if (this.#failed === NOT_ANY) this.#failed = [transfer]
      else this.#failed.push(transfer)
    }
    let settled = 0
    for (const transfer of this.#waiting) {
      if (transfer.isHeld) break
      this.#tell(transfer, verdicts)
      settled++
    }
    if (settled > 0) this.#waiting.splice(0, settled)
    return verdicts
  }

  /**
   * Whether a failed transfer of a link with `delivery` has rounds on their way that come before what failed. These are not
   * pulled again: the inlets go back to behind them at once, and are told when they are settled.
   */
  #keepsHeld(transfer: UnsettledTransfer, verdicts: Verdict[]): boolean {
    const lists = this.delivery && transfer.stream?.listsHeld
    if (lists === undefined) return false
    this.delivery?.cutShort(transfer.update, lists)
    // what they have seen of the rounds that failed comes again before that
    this.#tellProcessors(transfer, verdicts, { rounds: transfer.rounds, deliveredRounds: 0 })
    return true
  }

  #tell(transfer: UnsettledTransfer, verdicts: Verdict[]): void {
    transfer.state = 'told'
    const { update, inlets, failed, rounds, stream } = transfer
    const { delivery } = this
    const delivered = stream?.settle()
    const counts = { rounds, deliveredRounds: delivered?.rounds ?? (failed ? 0 : rounds) }
    // an inlet knows its own lists, not what the link makes of them
    const own = stream === undefined ? counts : { rounds: stream.lists, deliveredRounds: delivered?.lists ?? 0 }
    for (const [part, pulled] of inlets) {
      if (this.#removed?.has(part) === true && !part.active) continue
      verdicts.push({ part, update, delivered: !failed && pulled, failed, rounds: own, delivery })
    }
    this.#tellProcessors(transfer, verdicts, counts)
  }

  #tellProcessors(transfer: UnsettledTransfer, verdicts: Verdict[], rounds: RoundCounts): void {
    const { processors, update, failed } = transfer
    if (processors === undefined) return
    transfer.processors = undefined
    for (const [part, processor] of processors) {
      verdicts.push({ part, processor, update, delivered: !failed, failed, rounds, delivery: this.delivery })
    }
  }

  /** Takes those that have failed from among the others. */
  #sort(): void {
    if (!this.#mixed) return
    this.#waiting = this.#waiting.filter(({ failed }) => !failed)
    this.#mixed = false
  }
}
