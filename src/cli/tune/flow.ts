import type { ReportedError, TransferReport } from '../../core/report.js'

/** Sums over one link's transfers in a window of time. A part of a transfer counts as that part. */
export interface LinkFlow {
  /** Number of transfers in the window. */
  transfers: number
  /** Number of records pulled in the window. */
  records: number
  /** Number of transfers with an error, in the window or not. */
  failed: number
  /** Number of all transfers, in the window or not. */
  all: number
  /** First error. */
  error: ReportedError | undefined
}

/**
 * Counts transfers and their records within a window of time. A transfer that begins before it or ends after it counts by its
 * share within, so that a window shorter than a transfer counts right, too.
 */
export class Flow {
  readonly #length: number
  readonly #links = new Map<string, LinkFlow>()
  #from = Infinity

  /** @param length - length of the window, in milliseconds */
  constructor(length: number) {
    this.#length = length
  }

  /** Begins the window, at a time in milliseconds since 1970. */
  open(from: number): void {
    this.#from = from
  }

  /** Counts a transfer. */
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

  /** Number of links that have made a transfer. */
  get linksSeen(): number {
    return this.#links.size
  }

  /** Sums of each link, by its name. */
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
