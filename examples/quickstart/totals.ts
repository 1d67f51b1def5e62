import type { TransferReport } from 'databay'

/** Totals of the transfers of a run. */
export class Totals {
  transfers = 0
  skipped = 0
  /** Number of responses of the feed. */
  polls = 0
  /** Number of rows given to the CSV files. */
  written = 0
  /** Time that the links held their threads, in milliseconds. */
  busy = 0

  add(report: TransferReport): void {
    this.transfers++
    this.polls += report.pulled
    this.busy += report.busy
    for (const { pushed } of report.outlets) this.written += pushed
  }
}
