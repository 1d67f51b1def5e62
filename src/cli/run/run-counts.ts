import { OUTPUT_CLOSED } from '../../base/standard-output.js'
import type { BlockedEvent } from '../../operate/planner-events.js'
import type { WorkerPlanner } from '../../planners/worker-planner.js'
import type { Blocked, TransferReport } from '../../core/report.js'
import type { Abandoned } from './json-events.js'
import { Rate } from './rate.js'
import type { Status } from './status-text.js'
import { waitingIn, type Outcome } from './summary.js'
import { addReport, NO_TOTALS, type Totals } from './totals.js'

/** Time over which the rate of records is taken, in milliseconds. */
const RATE_WINDOW = 10_000

/** Whether a transfer failed only because the reader of standard output has gone away. */
export function isOutputClosed({ errors }: TransferReport): boolean {
  return errors.length > 0 && errors.every(({ fields }) => fields?.[OUTPUT_CLOSED] === true)
}

/** Counts of a run: links, transfers and records of its planner. */
export class RunCounts {
  readonly #planner: WorkerPlanner
  readonly #now: () => number
  readonly #begun: number
  readonly #rate: Rate
  readonly #onTransfer: (report: TransferReport) => void
  #totals: Totals = NO_TOTALS
  #links = 0
  #failed: TransferReport | undefined
  /** Links that are blocked, by their names: a planner that has stopped does not know them any more. */
  readonly #blocked = new Map<string, BlockedEvent>()
  readonly #onBlocked = (event: BlockedEvent): void => {
    this.#blocked.set(event.link, event)
  }
  readonly #onUnblocked = ({ link }: { readonly link: string }): void => {
    this.#blocked.delete(link)
  }

  /** @param now - clock, in milliseconds */
  constructor(planner: WorkerPlanner, now: () => number = () => performance.now()) {
    this.#planner = planner
    this.#now = now
    this.#begun = now()
    this.#rate = new Rate(RATE_WINDOW, this.#begun)
    this.#onTransfer = (report) => {
      this.#totals = addReport(this.#totals, report)
      if (report.failed && !isOutputClosed(report)) this.#failed ??= report
      if (report.blocked !== undefined) this.#noteBlocked(report, report.blocked)
    }
    planner.on('transfer', this.#onTransfer)
    planner.on('blocked', this.#onBlocked)
    planner.on('unblocked', this.#onUnblocked)
  }

  /** Report of the first transfer that failed, of a link that does not ignore that. */
  get failed(): TransferReport | undefined {
    return this.#failed
  }

  /** Links that are blocked. */
  get blocked(): readonly BlockedEvent[] {
    if (this.#blocked.size > 0 && this.#planner.running) {
      const names = new Set(this.#planner.links.map(({ name }) => name))
      for (const link of this.#blocked.keys()) if (!names.has(link)) this.#blocked.delete(link)
    }
    return [...this.#blocked.values()]
  }

  /** Number of links. When the planner has dropped them, as it does when it shuts down, the number that it had. */
  countLinks(): number {
    this.#links = Math.max(this.#links, this.#planner.links.length)
    return this.#links
  }

  /**
   * Current status of the run.
   *
   * @param isEnding - whether the run ends with the transfers that run
   */
  status(phase: Status['phase'], isEnding = phase === 'stopping'): Status {
    const { transfers, late, skipped, failed, dead } = this.#planner.counts
    const { blocked } = this
    const { streaming } = this.#planner
    const recordsSoFar = streaming.reduce((sum, { pulled }) => sum + pulled, 0)
    return {
      ...{ phase, links: this.countLinks(), transfers, late, skipped, failed },
      unstarted: this.#planner.unstarted.length,
      ...(blocked.length > 0 && { blocked: blocked.length, waiting: waitingIn(blocked) }),
      ...(dead !== undefined && { dead }),
      ...(isEnding && { waitsFor: this.#planner.transferring }),
      ...(streaming.length > 0 && { recordsSoFar }),
      recordsPerSecond: this.#rate.note(this.#totals.pulled + recordsSoFar, this.#now()),
      busyThreads: this.#planner.busyThreads,
      threads: this.#planner.threads,
    }
  }

  /** Outcome of the run so far. */
  outcome(): Outcome {
    const { blocked } = this
    return {
      links: this.countLinks(),
      counts: this.#planner.counts,
      totals: this.#totals,
      ...(blocked.length > 0 && { blocked }),
      elapsed: this.#now() - this.#begun,
    }
  }

  /** Work that is under way now. */
  underWay(): Abandoned {
    const { links } = this.#planner.stats()
    return {
      transfers: links.reduce((sum, link) => sum + link.running, 0),
      buffered: links.reduce((sum, link) => sum + link.buffered, 0),
    }
  }

  /** Stops counting. */
  close(): void {
    this.#planner.off('transfer', this.#onTransfer)
    this.#planner.off('blocked', this.#onBlocked)
    this.#planner.off('unblocked', this.#onUnblocked)
  }

  /** Takes note of a further try that failed. */
  #noteBlocked({ link, outlets }: TransferReport, last: Blocked): void {
    const known = this.#blocked.get(link)
    if (known === undefined) return // its event follows
    const waiting = outlets.reduce((sum, outlet) => sum + (outlet.waiting ?? 0), 0)
    this.#blocked.set(link, { ...last, link, since: known.since, attempts: known.attempts + 1, waiting })
  }
}
