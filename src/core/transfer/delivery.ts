import type { Cursor } from '../cursor.js'
import type { Inlet } from '../inlet.js'
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
  /** Keeps what has come of a transfer that streams, while it runs: of each inlet, so many lists were delivered. */
  progress(update: Update, lists: number): Promise<void>
}
