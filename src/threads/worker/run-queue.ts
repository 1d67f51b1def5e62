import type { HostedRequest, Link } from '../../core/link.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { TransferReport } from '../../core/report.js'
import type { RunRequest } from '../protocol/runs.js'
import type { HostedLink } from './open-links.js'

/** From how many milliseconds on a transfer that holds the event loop makes the others wait noticeably. */
export const LONG = 5

/** From how many milliseconds on it is worth a look how much of a transfer was computing. */
export const BRIEF = 0.5

/** How many runs that have begun are kept in the queue at most. */
export const QUEUE_CHUNK = 1024

/** A run that waits for its turn, and the message that it came with. */
export interface QueuedRun {
  readonly run: RunRequest
  readonly message: RunMessage
}

/** How many runs of a message have not ended, and who is told when all have. */
export interface RunMessage {
  left: number
  done: () => void
}

/** How long a transfer took, in milliseconds. */
export function lengthOf({ startedAt, endedAt }: TransferReport): number {
  return endedAt - startedAt
}

/**
 * Notes how long a transfer held the event loop, in milliseconds.
 *
 * @param seen - as far as the event loop shows it, which may be more than the calls of the link's nodes do
 */
export function held(hosted: HostedLink, report: TransferReport, seen: number): TransferReport {
  hosted.busy = report.busy
  if (seen <= report.busy || seen < BRIEF) return report
  hosted.busy = seen
  return { ...report, busy: seen }
}

/** Begins a transfer; a link of another version of this package has only `transfer`. */
export function begin(link: Link, request: HostedRequest): MaybePromise<TransferReport> {
  return 'begin' in link ? link.begin(request) : (link as Link).transfer(request)
}
