import type { TransferReport } from '../core/report.js'
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
  readonly #durations = new Histogram()
  readonly #lateness = new Histogram()

  /** Counts a transfer that has ended. */
  add({ scheduledAt, startedAt, endedAt, errors }: TransferReport): void {
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
