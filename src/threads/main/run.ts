import { ThreadLostError } from '../../base/errors.js'
import type { CountsSoFar, TransferIdentity, TransferReport } from '../../core/report.js'
import { updateText } from '../../core/update.js'
import { readCounts, type SharedCounts } from '../protocol/progress.js'

/** Error of a run whose thread was lost before the run had begun: it can be made in the thread that follows. */
export class NotBegunError extends ThreadLostError {}

/** Where a run is made. */
export interface RunPlace {
  /** Id under which the link is open in the thread. */
  readonly id: number
  readonly thread: { readonly number: number }
}

/** The link of a run. */
export interface RunOwner<P extends RunPlace> {
  readonly name: string
  readonly tags: readonly string[]
  /** Called when a run turns out to stream. */
  noteStream?(run: Run<P>): void
  /** Called when a run was made. */
  ended(run: Run<P>, report: TransferReport): void
  /**
   * Called when a run was lost with its thread, or could not be sent: with a {@link NotBegunError} when the thread had
   * not begun it. In a turn of its own.
   */
  failed(run: Run<P>, error: Error): void
}

/**
 * A transfer of a hosted link, whichever thread makes it. It is all that is kept for one under way: thousands may be.
 */
export class Run<P extends RunPlace = RunPlace> implements TransferIdentity {
  readonly #owner: RunOwner<P>
  /** Where the run is made. */
  at: P
  readonly transferNumber: number
  readonly scheduledAt: number
  /** Whether nothing is pulled and everything that buffers hold comes out. */
  readonly drain: boolean
  /** Whether a blocked link is only to try again what it has in hand. */
  readonly retry: boolean
  /** Called with the report by the link, once. */
  readonly resolve: (report: TransferReport) => void
  readonly #streams: (() => void) | undefined
  #counts: SharedCounts | undefined

  constructor(
    owner: RunOwner<P>,
    at: P,
    transferNumber: number,
    scheduledAt: number,
    drain: boolean,
    resolve: (report: TransferReport) => void,
    streams?: () => void,
    retry = false,
  ) {
    this.#owner = owner
    this.at = at
    this.transferNumber = transferNumber
    this.scheduledAt = scheduledAt
    this.drain = drain
    this.retry = retry
    this.resolve = resolve
    this.#streams = streams
  }

  /** Whether it is known to stream. */
  get isStream(): boolean {
    return this.#counts !== undefined
  }

  /** Counts of its rounds that have ended; `undefined` unless it is known to stream. */
  get soFar(): CountsSoFar | undefined {
    return this.#counts && readCounts(this.#counts)
  }

  /**
   * Takes note that it streams.
   *
   * @param counts - memory in which its thread shows what its rounds did
   */
  noteStream(counts: SharedCounts): void {
    this.#counts = counts
    this.#owner.noteStream?.(this)
    this.#streams?.()
  }

  get link(): string {
    return this.#owner.name
  }

  get update(): string {
    return updateText(this.#owner.tags, this.transferNumber)
  }

  get thread(): number {
    return this.at.thread.number
  }

  /** Ends the run with its report. */
  ended(report: TransferReport): void {
    this.#owner.ended(this, report)
  }

  /** Ends the run without a report: see {@link RunOwner.failed}. */
  failed(error: Error): void {
    this.#owner.failed(this, error)
  }
}
