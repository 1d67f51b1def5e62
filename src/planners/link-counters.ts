import { TransferLengths } from '../operate/transfer-lengths.js'
import type { Blocked, ReportedError, TransferReport } from '../core/report.js'
import { Histogram } from '../operate/histogram.js'
import type { LastError, LinkStats } from '../operate/planner-stats.js'

/** Counts of one link's transfers. Made at the link's first one: many links may be idle. */
export class LinkCounters {
  transfers = 0
  failed = 0
  consecutiveFailures = 0
  lastSuccessAt: number | undefined
  /** Report of the transfer that ended last. */
  lastReport: TransferReport | undefined
  lastError: LastError | undefined
  skipped = 0
  late = 0
  missed = 0
  /** Lengths of the transfers in buckets; `undefined` when no metrics are asked for. */
  readonly lengths: TransferLengths | undefined
  readonly #durations = new Histogram()
  readonly #lateness = new Histogram()

  /** @param hasBuckets - whether metrics are asked for */
  constructor(hasBuckets = false) {
    if (hasBuckets) this.lengths = new TransferLengths()
  }

  /** Counts a transfer that has ended. */
  add(report: TransferReport): void {
    const { scheduledAt, startedAt, endedAt, errors, blocked } = report
    this.transfers++
    this.lastReport = report
    if (errors.length > 0) {
      this.failed++
      this.consecutiveFailures++
      const failure = blocked ?? errors[0]
      if (failure !== undefined) this.lastError = lastErrorOf(failure, endedAt)
    } else {
      this.consecutiveFailures = 0
      this.lastSuccessAt = endedAt
    }
    this.#durations.record(endedAt - startedAt)
    this.#lateness.record(startedAt - scheduledAt)
    this.lengths?.record(endedAt - startedAt, startedAt - scheduledAt)
  }

  /** The counts as plain data. */
  read(): Pick<
    LinkStats,
    | 'transfers'
    | 'failed'
    | 'consecutiveFailures'
    | 'lastSuccessAt'
    | 'lastReport'
    | 'lastError'
    | 'skipped'
    | 'late'
    | 'missed'
    | 'durations'
    | 'lateness'
  > {
    const { transfers, failed, consecutiveFailures, lastSuccessAt, lastReport, lastError, skipped, late, missed } = this
    return {
      ...{ transfers, failed, consecutiveFailures, skipped, late, missed },
      ...(lastSuccessAt !== undefined && { lastSuccessAt }),
      ...(lastReport && { lastReport }),
      ...(lastError && { lastError }),
      durations: this.#durations.read(),
      lateness: this.#lateness.read(),
    }
  }
}

function lastErrorOf({ node, stage, message, code }: ReportedError | Blocked, at: number): LastError {
  return { at, node, stage, message, ...(typeof code === 'string' && { code }) }
}
