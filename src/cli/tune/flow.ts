import type { ReportedError, TransferReport } from '../../core/report.js'

/** What came of one link's transfers in a window of time. A part of a transfer counts as that part. */
export interface LinkFlow {
  transfers: number
  records: number
  /** Transfers with an error, in the window or not. */
  failed: number
  /** All transfers, in the window or not. */
  all: number
  error: ReportedError | undefined
}

/**
 * Counts what transfers did within a window of time. Those that begin before it or end after it count by the share of them
 * that is within: so a window that is shorter than a transfer counts right, too.
 */
export class Flow {
  readonly #length: number
  readonly #links = new Map<string, LinkFlow>()
  #from = Infinity

  /** @param length - of the window, in milliseconds */
  constructor(length: number) {
    this.#length = length
  }

  /** Begins the window, at a time in milliseconds since 1970. */
  open(from: number): void {
    this.#from = from
  }

  add({ link, startedAt, endedAt, pulled, errors }: TransferReport): void {
    let flow = this.#links.get(link)
    if (flow === undefined) {
      flow = { transfers: 0, records: 0, failed: 0, all: 0, error: undefined }
      this.#links.set(link, flow)
    }
    flow.all++
    if (errors.length > 0) {
      flow.failed++
      flow.error ??= errors[0]
    }
    const share = this.#shareWithin(startedAt, endedAt)
    flow.transfers += share
    flow.records += share * pulled
  }

  /** How many links have made a transfer. */
  get linksSeen(): number {
    return this.#links.size
  }

  get links(): ReadonlyMap<string, Readonly<LinkFlow>> {
    return this.#links
  }

  /** Sums over all links. */
  get total(): { readonly transfers: number; readonly records: number } {
    const flows = [...this.#links.values()]
    return {
      transfers: flows.reduce((sum, { transfers }) => sum + transfers, 0),
      records: flows.reduce((sum, { records }) => sum + records, 0),
    }
  }

  #shareWithin(startedAt: number, endedAt: number): number {
    const to = this.#from + this.#length
    if (endedAt <= startedAt) return startedAt >= this.#from && startedAt < to ? 1 : 0
    const within = Math.min(endedAt, to) - Math.max(startedAt, this.#from)
    return within <= 0 ? 0 : within / (endedAt - startedAt)
  }
}
