import type { TransferReport } from '../core/report.js'
import { Histogram } from './histogram.js'
import type { LinkStats } from './planner-stats.js'

/** What a planner remembers of the transfers of one link. Made at its first: many links may be idle. */
export class LinkCounters {
  transfers = 0
  failed = 0
  skipped = 0
  late = 0
  missed = 0
  readonly #durations = new Histogram()
  readonly #lateness = new Histogram()

  /** A transfer has ended. */
  add({ scheduledAt, startedAt, endedAt, errors }: TransferReport): void {
    this.transfers++
    if (errors.length > 0) this.failed++
    this.#durations.record(endedAt - startedAt)
    this.#lateness.record(startedAt - scheduledAt)
  }

  /** @param running - how many of its transfers run now */
  read(link: string, running: number): LinkStats {
    const { transfers, failed, skipped, late, missed } = this
    const [durations, lateness] = [this.#durations.read(), this.#lateness.read()]
    return { link, running, transfers, failed, skipped, late, missed, durations, lateness }
  }
}
