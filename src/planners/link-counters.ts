import type { OutletReport, TransferReport } from '../core/report.js'
import { TransferLengths } from '../operate/transfer-lengths.js'
import { Histogram } from '../operate/histogram.js'
import type { LinkStats } from '../operate/planner-stats.js'

/** Counts of one link's transfers. Made at the link's first one: many links may be idle. */
export class LinkCounters {
  transfers = 0
  failed = 0
  consecutiveFailures = 0
  lastSuccessAt: number | undefined
  skipped = 0
  late = 0
  missed = 0
  /** Records that inlets produced, that outlets took, that were dropped, and that became dead letters: those of each outlet. */
  pulled = 0
  pushed = 0
  dropped = 0
  dead = 0
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
    const { scheduledAt, startedAt, endedAt, errors, outlets } = report
    this.pulled += report.pulled
    this.dropped += report.dropped
    this.dead += report.dead ?? 0
    for (let at = 0; at < outlets.length; at++) {
      const { pushed, dropped, dead = 0 } = outlets[at] as OutletReport
      this.pushed += pushed
      this.dropped += dropped
      this.dead += dead
    }
    this.transfers++
    if (errors.length > 0) {
      this.failed++
      this.consecutiveFailures++
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
    | 'skipped'
    | 'late'
    | 'missed'
    | 'durations'
    | 'lateness'
  > {
    const { transfers, failed, consecutiveFailures, lastSuccessAt, skipped, late, missed } = this
    const lastSuccess = lastSuccessAt === undefined ? {} : { lastSuccessAt }
    const [durations, lateness] = [this.#durations.read(), this.#lateness.read()]
    return { transfers, failed, consecutiveFailures, ...lastSuccess, skipped, late, missed, durations, lateness }
  }
}
