import type { TransferReport } from 'databay'

/** Adds up what the transfers of a run did. */
export class Totals {
  transfers = 0
  skipped = 0
  /** Responses of the feed. */
  polls = 0
  /** Rows given to the CSV files. */
  written = 0
  /** Milliseconds that the links held their threads. */
  busy = 0

  add(report: TransferReport): void {
    this.transfers++
    this.polls += report.pulled
    this.busy += report.busy
    for (const { pushed } of report.outlets) this.written += pushed
  }
}
