import { ThreadLostError } from '../../base/errors.js'
import type { TransferIdentity, TransferReport } from '../../core/report.js'

/** What a run rejects with that had not begun when its thread was lost: it can be made in the one that follows. */
export class NotBegunError extends ThreadLostError {}

/** A transfer that is to be made in a thread, and who wants to know of it. */
export interface HostedRun extends TransferIdentity {
  /** Id under which its link is open in the thread. */
  readonly host: number
  readonly drain: boolean
  /** It was made. */
  ended(report: TransferReport): void
  /** It was lost with its thread: with a {@link NotBegunError} when it had not begun. Told in a turn of its own. */
  failed(error: Error): void
}

/** What was in a worker that is gone. */
export interface Lost {
  /** The links of the transfers that were in it. */
  readonly runs: readonly number[]
  /** The link whose code it was in, as far as it is known. */
  readonly inside: number | undefined
  /** Whether it was watched closely, so that more is not known: see `ThreadSetup.trace`. */
  readonly traced: boolean
}
