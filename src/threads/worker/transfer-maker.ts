import { ImplementationError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Link } from '../../core/link.js'
import { type CountsSoFar, failedReport, type TransferReport } from '../../core/report.js'
import type { HostedRequest } from '../../core/transfer/hosted-request.js'
import { sharedCounts, writeCounts, type SharedCounts } from '../protocol/progress.js'
import type { Pulse } from '../protocol/pulse.js'
import type { Attribution } from './attribution.js'
import type { OpenLink, OpenLinks } from './open-links.js'
import type { QueuedRun, RunMaker } from './run-queue.js'
import type { TimeLimits } from './time-limits.js'

/** Time from which on it is worth a look how much of a transfer was computing, in milliseconds. */
const BRIEF = 0.5

/** Makes transfers of the open links, and measures for how long each of them held the event loop. */
export class TransferMaker implements RunMaker {
  readonly #thread: number
  readonly #links: Pick<OpenLinks, 'get'>
  readonly #limits: Pick<TimeLimits, 'add' | 'remove'>
  readonly #attribution: Pick<Attribution, 'run'>
  readonly #pulse: Pick<Pulse, 'begun'>
  readonly #streams: (run: number, counts: SharedCounts) => void

  /**
   * @param thread - number of this thread
   * @param streams - called with the number of a run whose transfer has several rounds, and with what shows their counts
   */
  constructor(
    thread: number,
    links: Pick<OpenLinks, 'get'>,
    limits: Pick<TimeLimits, 'add' | 'remove'>,
    attribution: Pick<Attribution, 'run'>,
    pulse: Pick<Pulse, 'begun'>,
    streams: (run: number, counts: SharedCounts) => void,
  ) {
    this.#thread = thread
    this.#links = links
    this.#limits = limits
    this.#attribution = attribution
    this.#pulse = pulse
    this.#streams = streams
  }

  busyOf(link: number): number {
    return this.#links.get(link)?.busy ?? 0
  }

  make(run: QueuedRun, alone: boolean): MaybePromise<TransferReport> {
    const begun = run.run + 1
    this.#pulse.begun = begun
    // looked up only now: it may have been closed while others ended
    const open = this.#links.get(run.link)
    if (open === undefined) {
      return this.#failed(run, new ImplementationError(`link ${run.link} is not open in this thread`), false)
    }
    const { timeout } = open.link.settings
    if (timeout !== undefined) this.#limits.add(run.run, timeout)
    const since = performance.now()
    let transferring: MaybePromise<TransferReport>
    try {
      transferring = this.#attribution.run(run.link, begin, open.link, this.#request(open, run))
    } catch (thrown) {
      return this.#end(run, open, thrown) // a processor that cannot tell its size
    }
    if (!(transferring instanceof Promise)) {
      this.#limits.remove(run.run)
      // what keeps nobody waiting has held the event loop all the time
      return held(open, transferring, lengthOf(transferring))
    }
    // alone in the thread, all that the event loop does is its doing, also what comes after a wait
    const before = performance.now() - since
    const utilization = alone ? performance.eventLoopUtilization() : undefined
    return transferring.then(
      (report) => {
        this.#limits.remove(run.run)
        const wasAlone = utilization !== undefined && begun === this.#pulse.begun && lengthOf(report) >= BRIEF
        return held(open, report, wasAlone ? before + performance.eventLoopUtilization(utilization).active : 0)
      },
      (thrown: unknown) => this.#end(run, open, thrown),
    )
  }

  #request({ stopped, endedUpTo, inside }: OpenLink, queued: QueuedRun): HostedRequest {
    const { scheduledAt, transferNumber, drain, retry } = queued
    const cancelled = stopped !== undefined && transferNumber <= stopped.upTo ? stopped.reason : undefined
    let shared: SharedCounts | undefined
    const progress = (counts: CountsSoFar) => {
      const isFirst = shared === undefined
      shared ??= sharedCounts(counts.outlets.map(({ outlet }) => outlet))
      writeCounts(shared, counts)
      if (isFirst) this.#streams(queued.run, shared)
    }
    const ending = transferNumber <= endedUpTo
    return { scheduledAt, transferNumber, drain, retry, thread: this.#thread, cancelled, ending, inside, progress }
  }

  #end(run: QueuedRun, { link }: OpenLink, thrown: unknown): TransferReport {
    this.#limits.remove(run.run)
    return this.#failed(run, thrown, link.settings.ignoreExceptions)
  }

  #failed({ scheduledAt, transferNumber }: QueuedRun, thrown: unknown, ignored: boolean): TransferReport {
    // the main thread knows the rest
    const identity = { link: '', update: '', transferNumber, thread: this.#thread, scheduledAt }
    return failedReport(identity, thrown, ignored)
  }
}

function begin(link: Link, request: HostedRequest): MaybePromise<TransferReport> {
  return link.begin(request)
}

/** Length of a transfer, in milliseconds. */
function lengthOf({ startedAt, endedAt }: TransferReport): number {
  return endedAt - startedAt
}

/**
 * Notes how long a transfer held the event loop.
 *
 * @param seen - milliseconds that the event loop shows, which may be more than the calls of the link's nodes do
 */
function held(open: OpenLink, report: TransferReport, seen: number): TransferReport {
  open.busy = report.busy
  if (seen <= report.busy || seen < BRIEF) return report
  open.busy = seen
  return { ...report, busy: seen }
}
