import { ImplementationError, show, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'
import { TransferError, type TransferReport } from '../core/report.js'
import type { DueTime } from './clock/trigger.js'
import { LinkCounters } from './link-counters.js'
import type { ResolvedPlannerOptions } from './planner-options.js'
import type { PlannerCounts, PlannerEvents, SkippedEvent } from './planner-events.js'
import type { LinkStats } from './planner-stats.js'

/** What the dispatcher has to say to its planner. */
export interface DispatcherHooks {
  notify<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): void
  /** A transfer failed, and its link does not ignore that. */
  onFailure(error: Error): void
  /** A link has made all transfers that it may make. */
  onUsedUp(link: PlannedLink): void
  /** All links have. */
  onAllUsedUp(): void
}

interface LinkState {
  /** Transfers that run now. */
  running: number
  /** Transfers that were started since the planner was. */
  dispatched: number
  /** Whether it makes no more, as it is about to be removed. */
  retired: boolean
  /** Whether it was removed. */
  gone: boolean
  /** What it did so far; `undefined` when that is nothing. */
  counters: LinkCounters | undefined
  /** What is done when a transfer has ended. */
  readonly ended: (report: TransferReport) => TransferReport | undefined
  /** What is done when the link has broken its contract. */
  readonly broken: (thrown: unknown) => undefined
}

/** Runs the transfers of a planner's links: looks after overlap, lateness, errors and counts. */
export class Dispatcher {
  readonly #options: ResolvedPlannerOptions
  readonly #hooks: DispatcherHooks
  readonly #links = new Map<PlannedLink, LinkState>()
  readonly #counts = { transfers: 0, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 }
  #inFlight = 0
  #waiting: (() => void)[] = []

  constructor(options: ResolvedPlannerOptions, hooks: DispatcherHooks) {
    this.#options = options
    this.#hooks = hooks
  }

  get links(): PlannedLink[] {
    return [...this.#links.keys()]
  }

  get counts(): PlannerCounts {
    return { ...this.#counts }
  }

  /** What each link did. */
  get stats(): LinkStats[] {
    return [...this.#links].map(([link, { running, counters = NOTHING }]) => {
      const { quarantinedUntil } = link
      const stats = { link: link.name, running, buffered: bufferedIn(link), ...counters.read() }
      return quarantinedUntil === undefined ? stats : { ...stats, quarantinedUntil }
    })
  }

  /** Names of the links that transfer now. */
  get running(): string[] {
    return [...this.#links].filter(([, { running }]) => running > 0).map(([{ name }]) => name)
  }

  has(link: PlannedLink): boolean {
    return this.#links.has(link)
  }

  add(link: PlannedLink): void {
    const state: LinkState = {
      running: 0,
      dispatched: 0,
      retired: false,
      gone: false,
      counters: undefined,
      ended: (report) => this.#ended(link, state, report),
      broken: (thrown) => this.#broken(link, state, thrown),
    }
    this.#links.set(link, state)
  }

  /** Makes no more transfers of a link, which is about to be removed. */
  retire(link: PlannedLink): void {
    const state = this.#links.get(link)
    if (state !== undefined) state.retired = true
  }

  /** Forgets a link: transfers of it that were not waited for to their end are not waited for any more. */
  delete(link: PlannedLink): void {
    const state = this.#links.get(link)
    if (state === undefined) return
    this.#links.delete(link)
    state.gone = true
    this.#inFlight -= state.running
    this.#tellWaiting()
  }

  /** Begins to count each link's transfers anew. */
  reset(): void {
    for (const state of this.#links.values()) state.dispatched = 0
  }

  /** Runs one transfer; `undefined` when the link is skipped. Never rejects because of the link. */
  dispatch(link: PlannedLink, due: DueTime): Promise<TransferReport | undefined> {
    try {
      const state = this.#admit(link, due)
      return state === undefined ? SKIPPED : begin(link, due.scheduledAt).then(state.ended, state.broken)
    } catch (thrown) {
      return Promise.reject(toError(thrown)) // a planner of a third party that cannot unschedule
    }
  }

  /** The same, where nobody wants to know what comes of it. */
  dispatchDue(link: PlannedLink, due: DueTime): void {
    const state = this.#admit(link, due)
    if (state === undefined) return
    if (link.transferDue !== undefined) link.transferDue(due.scheduledAt, state.ended)
    else void begin(link, due.scheduledAt).then(state.ended, state.broken)
  }

  /** Counts a transfer that begins; `undefined` when the link is skipped. */
  #admit(link: PlannedLink, due: DueTime): LinkState | undefined {
    const state = this.#links.get(link)
    if (state === undefined || this.#hasUsedUp(state)) return undefined
    if (due.missed > 0 || due.lateness > this.#options.lateAfter) this.#noteLate(link, due, countersOf(state))
    if (state.running >= link.settings.maxInstances) {
      this.#noteSkipped(link, due, 'running', state)
      return undefined
    }
    if (link.quarantinedUntil !== undefined) {
      this.#noteSkipped(link, due, 'quarantined', state)
      return undefined
    }
    state.dispatched++
    if (state.dispatched === this.#options.transfers) this.#hooks.onUsedUp(link)
    state.running++
    this.#inFlight++
    return state
  }

  #ended(link: PlannedLink, state: LinkState, report: TransferReport): TransferReport | undefined {
    if (!isReport(report)) {
      const message = `transfer() of ${link.name} must resolve with a TransferReport, got ${show(report)}`
      this.#broken(link, state, new ImplementationError(message))
      return undefined
    }
    this.#leave(state)
    countersOf(state).add(report)
    this.note(report)
    if (report.failed) this.#hooks.onFailure(new TransferError(report))
    this.#afterwards()
    return report
  }

  /** A link of a third party has broken its contract. */
  #broken(link: PlannedLink, state: LinkState, thrown: unknown): undefined {
    const failure = toError(thrown)
    const counters = countersOf(state)
    counters.transfers++
    counters.failed++
    this.#counts.transfers++
    this.#counts.failed++
    getLogger('databay.BasePlanner').error({ err: failure }, `${link.name} failed to transfer: ${failure.message}`)
    this.#leave(state)
    this.#hooks.onFailure(failure)
    this.#afterwards()
    return undefined
  }

  #leave(state: LinkState): void {
    if (state.gone) return
    state.running--
    this.#inFlight--
  }

  #afterwards(): void {
    this.#tellWaiting()
    if (this.usedUp()) this.#hooks.onAllUsedUp()
  }

  /** Counts a transfer that was made, and tells of it. */
  note(report: TransferReport): void {
    this.#counts.transfers++
    if (report.errors.length > 0) this.#counts.failed++
    this.#hooks.notify('transfer', report)
  }

  /** Counts a transfer that drained buffers; gives its error when it failed and stops the planner for that. */
  drained(report: TransferReport): Error | undefined {
    this.note(report)
    return report.failed && !this.#options.ignoreExceptions ? new TransferError(report) : undefined
  }

  /** Counts records that were lost with what held them. */
  countLost(records: number): void {
    this.#counts.lost += records
  }

  /** Waits until no transfer runs: of one link, or of all. */
  async idle(link?: PlannedLink): Promise<void> {
    const running = () => (link === undefined ? this.#inFlight : (this.#links.get(link)?.running ?? 0))
    while (running() > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Whether a link makes no more transfers: it has made all that it may make, or is about to be removed. */
  isUsedUp(link: PlannedLink): boolean {
    const state = this.#links.get(link)
    return state === undefined || this.#hasUsedUp(state)
  }

  #hasUsedUp({ retired, dispatched }: LinkState): boolean {
    return retired || dispatched >= this.#options.transfers
  }

  /** Whether every link has made all transfers that it may make. */
  usedUp(): boolean {
    const { transfers } = this.#options
    if (transfers === Infinity || this.#inFlight > 0 || this.#links.size === 0) return false
    for (const { dispatched } of this.#links.values()) if (dispatched < transfers) return false
    return true
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #noteLate(link: PlannedLink, { scheduledAt, lateness, missed }: DueTime, counters: LinkCounters): void {
    counters.late++
    counters.missed += missed
    this.#counts.late++
    this.#counts.missed += missed
    const andMissed = missed === 0 ? '' : `, and missed ${missed} due times, which are not made up`
    getLogger('databay.BasePlanner').warn(`${link.name} is ${Math.round(lateness)} ms late${andMissed}`)
    this.#hooks.notify('late', { link: link.name, scheduledAt, lateness, missed })
  }

  #noteSkipped(link: PlannedLink, due: DueTime, reason: SkippedEvent['reason'], state: LinkState): void {
    const { running } = state
    countersOf(state).skipped++
    this.#counts.skipped++
    const why = reason === 'running' ? `${running} of its transfers still run` : 'it is quarantined'
    getLogger('databay.BasePlanner').warn(`${link.name} is skipped: ${why}`)
    this.#hooks.notify('skipped', { link: link.name, scheduledAt: due.scheduledAt, reason, running })
  }
}

/** Of links that did nothing yet. */
const NOTHING = new LinkCounters()

function countersOf(state: LinkState): LinkCounters {
  return (state.counters ??= new LinkCounters())
}

/** Number of records in a link's buffers; 0 for a processor that cannot tell its size, which fails its transfers. */
function bufferedIn(link: PlannedLink): number {
  try {
    return link.buffered ?? 0
  } catch {
    return 0
  }
}

const SKIPPED = Promise.resolve(undefined)

/** Begins a transfer; also one of a link of a third party that throws, or yields no promise. */
function begin(link: PlannedLink, scheduledAt: number): Promise<TransferReport> {
  try {
    return Promise.resolve(link.transfer({ scheduledAt }))
  } catch (thrown) {
    return Promise.reject(toError(thrown))
  }
}

/** Whether it is a report: a link of a third party may yield anything. */
function isReport(report: TransferReport): boolean {
  return typeof report === 'object' && (report as unknown) !== null && Array.isArray(report.errors)
}
