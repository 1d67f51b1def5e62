import type { TransferReport } from '../../core/report.js'

/** Sums of records over the transfers of a run. */
export interface Totals {
  /** Records that inlets produced. */
  readonly pulled: number
  /** Records that outlets took. A record that two outlets took counts twice. */
  readonly pushed: number
  /** Records that were lost to errors. */
  readonly dropped: number
}

export const NO_TOTALS: Totals = { pulled: 0, pushed: 0, dropped: 0 }

/** Adds the records of a transfer. */
export function addReport(totals: Totals, report: TransferReport): Totals {
  return {
    pulled: totals.pulled + report.pulled,
    pushed: report.outlets.reduce((sum, outlet) => sum + outlet.pushed, totals.pushed),
    dropped: report.outlets.reduce((sum, outlet) => sum + outlet.dropped, totals.dropped + report.dropped),
  }
}
