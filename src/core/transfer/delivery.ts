import type { Cursor } from '../cursor.js'
import type { Inlet } from '../inlet.js'
import type { Record } from '../record.js'
import type { Blocked, OutletReport, Stage } from '../report.js'
import type { RoundCounts } from '../round-counts.js'
import type { Update } from '../update.js'

/** What came of a pull. */
export interface PullVerdict {
  readonly inlet: Inlet
  readonly update: Update
  readonly delivered: boolean
  /** Number of lists of the inlet, and how many of them, from the first one on, were delivered. */
  readonly rounds: RoundCounts
}

/** The cursor of one pull. Notes which value belongs to which list. */
export interface PullCursor extends Cursor {
  /** The value that the inlet has advanced to, for {@link PullCursor.given}. */
  mark(): unknown
  /**
   * Notes that a list was given, one after the other.
   *
   * @param mark - the value that the inlet had advanced to when the last of the list came
   */
  given(mark: unknown): void
  /** Notes that the pull has given all that it had: what the inlet has advanced to by now belongs to its end. */
  complete(): void
  /** Notes that the pull is over: it may not advance any more. */
  end(): void
}

/** Records that a part of a link failed on or refused. */
export interface Refusal {
  readonly stage: 'process' | 'group' | 'push'
  /** The part, as it names itself, and its place in the link, like `processor:0` or `outlet:1 processor:0`. */
  readonly node: string
  readonly place: string
  /** Name of the outlet, where they were for this one alone. */
  readonly outlet?: string
  readonly error: Error
  readonly records: readonly Record[]
  /**
   * Number of times that they were tried.
   * @default 1
   */
  readonly attempts?: number
}

/** What became of records that a part of a link failed on or refused. */
export type Fate = 'dead' | 'dropped'

/** Failure of a part of a link. */
export interface Failure {
  readonly node: string
  readonly stage: Stage
  readonly error: Error
}

/** A transfer that ends, as far as it says whether its link is blocked. */
export interface EndedTransfer {
  readonly drain: boolean
  /** Last failure whose records are not kept: they neither wait nor are dead letters. `undefined` when there was none. */
  readonly failure: Failure | undefined
  readonly outlets: readonly OutletReport[]
}

/** What keeps how far the inlets of a link have come, for a link with `delivery`. Transfers know it by this alone. */
export interface Delivery {
  /**
   * Begins a pull.
   *
   * @throws {@link FencedError} when the link was opened elsewhere
   */
  begin(inlet: Inlet, update: Update): PullCursor
  /** Keeps what came of pulls; resolves when that is on the disk. Inlets and outlets are told later. */
  settle(verdicts: readonly PullVerdict[]): Promise<void>
  /** Notes that of each inlet, no more than so many lists came into rounds of a transfer: what follows is pulled again. */
  cutShort(update: Update, lists: number): void
  /** Keeps what has come of a transfer that streams, while it runs: of each inlet, so many lists were delivered. */
  progress(update: Update, lists: number): Promise<void>
  /** Whether records wait for an outlet, so that nothing may be pulled. */
  readonly isWaiting: boolean
  /**
   * Makes dead letters of records, or drops them when the link says so. `undefined` when neither can be, so that the records
   * have to come again.
   */
  bury(refusal: Refusal, update: Update): Fate | undefined
  /** Keeps what is not kept yet when a transfer ends. */
  finish(): Promise<void>
  /** Why the link is blocked now that a transfer ends; `undefined` when it is not. */
  blockedAfter(transfer: EndedTransfer): Blocked | undefined
  /** Notes that the link is closed. */
  close(): void
}
