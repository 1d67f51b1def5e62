import type { OutletReport, ReportedError, TransferReport } from '../report.js'

/** The report of a run, without what the main thread knows already. */
export type RunReport = Omit<TransferReport, 'link' | 'update' | 'transferNumber' | 'thread' | 'scheduledAt'>

/**
 * The reports of many runs, as what a structured clone carries best: it copies numbers as one block, where objects cost
 * it some microseconds each.
 */
export interface PackedReports {
  /** For each report its run, its counts, and the counts of each of its outlets. */
  readonly numbers: Float64Array
  /** The names of each report's outlets. */
  readonly outlets: readonly (readonly string[])[]
  /** The errors of those reports that have some. */
  readonly errors: readonly {
    readonly report: number
    readonly errors: readonly ReportedError[]
    readonly failed: boolean
  }[]
}

const COUNTS = [
  'startedAt',
  'endedAt',
  'busy',
  'pulled',
  'filtered',
  'added',
  'dropped',
  'buffered',
  'grouped',
  'batches',
] as const satisfies (keyof RunReport)[]

const OUTLET_COUNTS = [
  'pushed',
  'filtered',
  'added',
  'dropped',
  'batches',
  'buffered',
] as const satisfies (keyof OutletReport)[]

export function packReports(reports: readonly { readonly run: number; readonly report: RunReport }[]): PackedReports {
  const numbers: number[] = []
  for (const { run, report } of reports) {
    numbers.push(run)
    for (const count of COUNTS) numbers.push(report[count])
    for (const outlet of report.outlets) for (const count of OUTLET_COUNTS) numbers.push(outlet[count])
  }
  return {
    numbers: Float64Array.from(numbers),
    outlets: reports.map(({ report }) => report.outlets.map(({ outlet }) => outlet)),
    errors: reports.flatMap(({ report: { errors, failed } }, report) =>
      errors.length > 0 ? [{ report, errors, failed }] : [],
    ),
  }
}

/** Calls `take` with each run and its report. */
export function unpackReports(packed: PackedReports, take: (run: number, report: RunReport) => void): void {
  const { numbers } = packed
  const failures = new Map(packed.errors.map((one) => [one.report, one]))
  let at = 0
  const next = () => numbers[at++] as number
  for (const [index, names] of packed.outlets.entries()) {
    const run = next()
    const failure = failures.get(index)
    // one literal, in the order of COUNTS: this runs for every transfer
    const report = {
      startedAt: next(),
      endedAt: next(),
      busy: next(),
      pulled: next(),
      filtered: next(),
      added: next(),
      dropped: next(),
      buffered: next(),
      grouped: next(),
      batches: next(),
      outlets: NO_OUTLETS,
      errors: failure?.errors ?? NO_ERRORS,
      failed: failure?.failed ?? false,
    }
    if (names.length > 0) report.outlets = names.map((outlet) => unpackOutlet(outlet, next))
    take(run, report)
  }
}

const NO_OUTLETS: readonly OutletReport[] = Object.freeze([])
const NO_ERRORS: readonly ReportedError[] = Object.freeze([])

/** In the order of OUTLET_COUNTS. */
function unpackOutlet(outlet: string, next: () => number): OutletReport {
  return {
    outlet,
    pushed: next(),
    filtered: next(),
    added: next(),
    dropped: next(),
    batches: next(),
    buffered: next(),
  }
}
