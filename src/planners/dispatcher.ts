import { ImplementationError, show, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { Repeats } from '../base/repeats.js'
import { isDurable, type PlannedLink, type TransferRequest } from '../core/planned-link.js'
import { type CountsSoFar, TransferError, type TransferReport } from '../core/report.js'
import { BlockedLinks, type BlockedHooks } from './blocked-links.js'
import type { Clock } from './clock/clock.js'
import type { DueTime } from './clock/trigger.js'
import { LatenessLog } from './lateness-log.js'
import { LinkCounters } from './link-counters.js'
import { readLink } from './link-reading.js'
import { readStats, streamingOf } from './link-stats.js'
import { PlannerAccounts } from './planner-accounts.js'
import type { ResolvedPlannerOptions } from './planner-options.js'
import type { PlannerCounts, PlannerEvents, SkippedEvent } from '../operate/planner-events.js'
import { transferEnded } from '../operate/channels.js'
import type { PlannerReading } from '../operate/planner-reading.js'
import type { LinkStats } from '../operate/planner-stats.js'
import { TransferLengths } from '../operate/transfer-lengths.js'
import type { StartFailure } from './start-retries.js'

/** Calls of a dispatcher to its planner. */
export interface DispatcherHooks {
  /** Emits an event. */
  notify<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): void
  /** Keeps the report of a transfer, or of one that only drained buffers. */
  keep?(report: TransferReport, isDrain: boolean): void
  /** Called when a transfer has failed whose link does not ignore that. */
  onFailure(error: Error): void
  /** Called when a link is blocked by a run that was due at a time, and without one when it is not any more. */
  onBlocked?(link: PlannedLink, scheduledAt?: number): void
  /** Next due time of a link, in milliseconds since 1970; `undefined` when it has none. */
  nextDue?(link: PlannedLink): number | undefined
  /** Called when a link has begun the last transfer that it may make. */
  onUsedUp(link: PlannedLink): void
  /** Called when all links have made all transfers that they may make. */
  onAllUsedUp(): void
}

/** State of one link. */
interface LinkState {
  /** Number of transfers that run now. */
  running: number
  /** Number of transfers that have begun since the start of the planner. */
  dispatched: number
  /** Whether the link makes no more transfers, as it is about to be removed. */
  retired: boolean
  /** Whether the link is paused: it transfers only when it is forced to. */
  paused: boolean
  /** Whether the link was removed. */
  gone: boolean
  /** Why the link could not be started; `undefined` when it was. */
  startFailure: StartFailure | undefined
  /** Counts of the link; `undefined` while they are all 0. */
  counters: LinkCounters | undefined
  /** Log of the link's late and skipped due times; `undefined` while there were none. */
  lateness: LatenessLog | undefined
  /** What was logged of the link as it broke its contract; `undefined` while it has kept it. */
  breaches: Repeats | undefined
  /** Takes the report of a transfer that has ended. One closure a link, not one a transfer. */
  readonly ended: (report: TransferReport) => TransferReport | undefined
  /** Takes what a link threw that broke its contract. */
  readonly broken: (thrown: unknown) => undefined
}

/** Runs the transfers of a planner's links, and looks after overlap, lateness, errors and counts. */
export class Dispatcher {
  readonly #options: ResolvedPlannerOptions
  readonly #hooks: DispatcherHooks
  readonly #now: (() => number) | undefined
  readonly #links = new Map<PlannedLink, LinkState>()
  /** Accounts of the links' records. */
  readonly accounts = new PlannerAccounts(() => this.#links.keys())
  /** Links that are blocked. */
  readonly blocked: BlockedLinks
  readonly #counts = { transfers: 0, failed: 0, skipped: 0, late: 0, missed: 0 }
  /** Dead letters, and records of dead letters that were run again. */
  readonly #letters = { dead: 0, replayed: 0 }
  /** Lengths of the transfers of links that have left. */
  readonly #removed = new TransferLengths()
  #inFlight = 0
  /** Callbacks that wait until no transfer runs: of a link, by its state, or of all. */
  readonly #waiting = new Map<LinkState | undefined, (() => void)[]>()

  /**
   * @param now - a clock in milliseconds that never jumps, for the log
   * @param clock - the clock by which blocked links are tried again
   */
  constructor(options: ResolvedPlannerOptions, hooks: DispatcherHooks, now?: () => number, clock?: Clock) {
    this.#options = options
    this.#hooks = hooks
    this.#now = now
    const calls: BlockedHooks = {
      notify: (event, ...payload) => {
        hooks.notify(event, ...payload)
      },
      changed: (link, scheduledAt) => {
        hooks.onBlocked?.(link, scheduledAt)
      },
      retry: (link) => this.#retry(link),
      transfer: (link) => {
        this.dispatchDue(link, dueNow())
      },
    }
    this.blocked = new BlockedLinks(calls, clock)
  }

  /** The links: a copy of the list. */
  get links(): PlannedLink[] {
    return [...this.#links.keys()]
  }

  /** Totals of all links, also of those that were removed. */
  get counts(): PlannerCounts {
    const { dead, replayed } = this.#letters
    const blocked = this.blocked.size
    let waiting = 0
    for (const link of this.blocked.links) waiting += this.accounts.undelivered(link).waiting ?? 0
    return {
      ...this.#counts,
      lost: this.accounts.lost,
      ...(blocked > 0 && { blocked }),
      ...(waiting > 0 && { waiting }),
      ...(dead > 0 && { dead }),
      ...(replayed > 0 && { replayed }),
    }
  }

  /** Stats of each link. */
  get stats(): LinkStats[] {
    this.accounts.settle()
    return [...this.#links].map(([link, state]) =>
      readStats(link, state, this.accounts, {
        blocked: this.blocked.get(link),
        nextDueAt: this.#nextDueAt(link, state),
      }),
    )
  }

  /** Figures of each link that take no time to work out, and of those that have left. */
  get reading(): Pick<PlannerReading, 'counts' | 'links' | 'removed'> {
    const links = [...this.#links].map(([link, state]) =>
      readLink(link, state, this.accounts, {
        isBlocked: this.blocked.get(link) !== undefined,
        nextDueAt: this.#nextDueAt(link, state),
      }),
    )
    return { counts: this.counts, links, removed: this.#removed }
  }

  #nextDueAt(link: PlannedLink, state: LinkState): number | undefined {
    return state.paused || this.#hasUsedUp(state) ? undefined : this.#hooks.nextDue?.(link)
  }

  /** Names of the links of which transfers run now. */
  get running(): string[] {
    return [...this.#links].filter(([, { running }]) => running > 0).map(([{ name }]) => name)
  }

  /** Counts so far of the transfers that stream now. */
  get streaming(): CountsSoFar[] {
    return [...this.#links].flatMap(([link, { running }]) => (running > 0 ? streamingOf(link) : []))
  }

  has(link: PlannedLink): boolean {
    return this.#links.has(link)
  }

  add(link: PlannedLink): void {
    const state: LinkState = {
      running: 0,
      dispatched: 0,
      retired: false,
      paused: false,
      gone: false,
      startFailure: undefined,
      counters: undefined,
      lateness: undefined,
      breaches: undefined,
      ended: (report) => this.#ended(link, state, report),
      broken: (thrown) => this.#broken(link, state, thrown),
    }
    this.#links.set(link, state)
  }

  /** Takes note why a link could not be started, or that it is not tried any more. */
  noteStartFailure(link: PlannedLink, failure: StartFailure | undefined): void {
    const state = this.#links.get(link)
    if (state !== undefined) state.startFailure = failure
  }

  /** Pauses a link, or lets it go on. Gives whether that is a change. */
  setPaused(link: PlannedLink, isPaused: boolean): boolean {
    const state = this.#links.get(link)
    if (state === undefined || state.paused === isPaused) return false
    state.paused = isPaused
    return true
  }

  /** Lets a link make no more transfers: it is about to be removed. */
  retire(link: PlannedLink): void {
    const state = this.#links.get(link)
    if (state !== undefined) state.retired = true
    this.blocked.forget(link)
  }

  /**
   * Forgets a link. Its transfers that still run are not waited for any more, and what its buffers hold is lost.
   *
   * @param why - the reason, for the log
   */
  delete(link: PlannedLink, why: string): void {
    const state = this.#links.get(link)
    if (state === undefined) return
    this.accounts.close(link, why)
    this.blocked.forget(link)
    this.#links.delete(link)
    if (state.counters?.lengths !== undefined) this.#removed.add(state.counters.lengths)
    endLogs(link, state)
    state.gone = true
    this.#inFlight -= state.running
    state.running = 0
    this.#tellWaiting(state)
  }

  /**
   * Takes note that the planner has stopped: sets the number of transfers that each link has made back to 0. What buffers
   * hold is lost.
   */
  reset(): void {
    this.blocked.reset()
    this.accounts.loseHeld(this.links, 'the planner is shut down')
    this.accounts.sayPulledAgain('at the next start')
    for (const [link, state] of this.#links) {
      state.dispatched = 0
      state.paused = false
      endLogs(link, state)
    }
  }

  /**
   * Runs one transfer. Gives its report, or `undefined` when the link is skipped. Never rejects because of the link.
   *
   * @param streams - called when the transfer turns out to stream
   * @param isForced - whether it is made now, also when the link is blocked
   */
  dispatch(
    link: PlannedLink,
    due: DueTime,
    streams?: () => void,
    isForced = false,
  ): Promise<TransferReport | undefined> {
    try {
      const state = this.#admit(link, due, isForced)
      const { scheduledAt } = due
      if (state === undefined) return SKIPPED
      const request = streams === undefined ? { scheduledAt } : { scheduledAt, streams }
      return begin(link, request).then(state.ended, state.broken)
    } catch (thrown) {
      return Promise.reject(toError(thrown)) // a planner of a third party that cannot unschedule
    }
  }

  /** Runs one transfer whose report nobody waits for. */
  dispatchDue(link: PlannedLink, due: DueTime): void {
    const state = this.#admit(link, due)
    if (state === undefined) return
    if (link.transferDue !== undefined) link.transferDue(due.scheduledAt, state.ended)
    else void begin(link, { scheduledAt: due.scheduledAt }).then(state.ended, state.broken)
  }

  /** Has a blocked link try again what it has in hand, which does not count as one of its transfers. Gives whether it does. */
  #retry(link: PlannedLink): boolean {
    const state = this.#links.get(link)
    if (state === undefined || state.running >= link.settings.maxInstances) return false
    if (link.quarantinedUntil !== undefined || state.paused) return false
    if (state.startFailure !== undefined && this.#waitsForStart(link)) return false
    state.running++
    this.#inFlight++
    void begin(link, { scheduledAt: dueNow().scheduledAt, retry: true }).then(state.ended, state.broken)
    return true
  }

  /** Counts a transfer that begins. Gives `undefined` when the link is skipped. */
  #admit(link: PlannedLink, due: DueTime, isForced = false): LinkState | undefined {
    const state = this.#links.get(link)
    if (state === undefined || this.#hasUsedUp(state)) return undefined
    if (state.paused && !isForced) {
      this.#noteSkipped(link, due, 'paused', state)
      return undefined
    }
    const late = due.missed > 0 || due.lateness > this.#options.lateAfter
    if (late) this.#noteLate(link, due, state)
    if (state.startFailure !== undefined && this.#waitsForStart(link)) {
      this.#noteSkipped(link, due, 'starting', state)
      return undefined
    }
    if (!isForced && this.blocked.skips(link)) {
      this.#noteSkipped(link, due, 'blocked', state)
      return undefined
    }
    if (state.running >= link.settings.maxInstances) {
      this.#noteSkipped(link, due, link.isOpen === false ? 'starting' : 'running', state)
      return undefined
    }
    if (link.quarantinedUntil !== undefined) {
      this.#noteSkipped(link, due, 'quarantined', state)
      return undefined
    }
    if (!late) state.lateness?.onTime()
    state.dispatched++
    if (state.dispatched === this.#options.transfers) this.#hooks.onUsedUp(link)
    state.running++
    this.#inFlight++
    return state
  }

  /**
   * Whether a link that could not be started is skipped until it has. Where exceptions stop the planner, its transfers fail
   * instead, unless it says that it is to be tried again.
   */
  #waitsForStart(link: PlannedLink): boolean {
    if (link.isOpen === true) return false
    const { onStartFailure, ignoreExceptions } = link.settings
    return onStartFailure === 'retry' || ignoreExceptions || this.#options.ignoreExceptions
  }

  #ended(link: PlannedLink, state: LinkState, report: TransferReport): TransferReport | undefined {
    if (!isReport(report)) {
      const message = `transfer() of ${link.name} must resolve with a TransferReport, got ${show(report)}`
      this.#broken(link, state, new ImplementationError(message))
      return undefined
    }
    state.breaches?.over((failures, time) => {
      getLogger('databay.BasePlanner').warn(`${link.name} transfers again: it failed to ${failures} times in ${time}`)
    })
    this.#leave(state)
    this.#countersOf(state).add(report)
    if (state.gone) this.accounts.addLate(link, report)
    else this.accounts.add(link, report)
    if (isDurable(link)) this.#countLetters(report)
    this.note(report, false)
    if (!state.retired && !state.gone) this.blocked.ended(link, report)
    if (report.failed) {
      this.#hooks.onFailure(new TransferError(report, { stops: !this.#options.ignoreExceptions }))
    }
    this.#afterwards(state)
    return report
  }

  /** Counts a transfer of a link of a third party that has broken its contract. */
  #broken(link: PlannedLink, state: LinkState, thrown: unknown): undefined {
    const failure = toError(thrown)
    const counters = this.#countersOf(state)
    counters.transfers++
    counters.failed++
    this.#counts.transfers++
    this.#counts.failed++
    state.breaches ??= new Repeats(this.#now)
    state.breaches.again(failure.message, (counted) => {
      const message = `${link.name} failed to transfer: ${failure.message}${counted}`
      getLogger('databay.BasePlanner').error({ err: failure }, message)
    })
    this.#leave(state)
    this.blocked.ended(link, undefined)
    this.#hooks.onFailure(failure)
    this.#afterwards(state)
    return undefined
  }

  #leave(state: LinkState): void {
    if (state.gone) return
    state.running--
    this.#inFlight--
  }

  #afterwards(state: LinkState): void {
    this.#tellWaiting(state)
    if (this.usedUp()) this.#hooks.onAllUsedUp()
  }

  /** Counts a transfer that has ended, and emits its event: for one of a link that keeps accounts of its own. */
  note(report: TransferReport, isDrain = true): void {
    this.#hooks.keep?.(report, isDrain)
    this.#counts.transfers++
    if (report.errors.length > 0) this.#counts.failed++
    if (transferEnded.hasSubscribers) transferEnded.publish(report)
    this.#hooks.notify('transfer', report)
  }

  /** Counts a transfer that drained buffers. Gives its error when it failed and exceptions are not ignored. */
  drained(link: PlannedLink, report: TransferReport): Error | undefined {
    this.accounts.add(link, report)
    // a blocked link has drained nothing
    if (report.blocked !== undefined && report.errors.length === 0) return undefined
    if (isDurable(link)) this.#countLetters(report)
    this.note(report)
    return report.failed && !this.#options.ignoreExceptions ? new TransferError(report) : undefined
  }

  #countLetters({ dead = 0, replayed = 0, outlets }: TransferReport): void {
    this.#letters.dead += dead
    this.#letters.replayed += replayed
    for (const outlet of outlets) {
      this.#letters.dead += outlet.dead ?? 0
      this.#letters.replayed += outlet.replayed ?? 0
    }
  }

  /** Waits until no transfer runs, of one link or of all. */
  async idle(link?: PlannedLink): Promise<void> {
    const state = link && this.#links.get(link)
    if (link !== undefined && state === undefined) return
    const running = () => (state === undefined ? this.#inFlight : state.running)
    while (running() > 0) {
      await new Promise<void>((resolve) => {
        const waiting = this.#waiting.get(state)
        if (waiting === undefined) this.#waiting.set(state, [resolve])
        else waiting.push(resolve)
      })
    }
  }

  /** Whether a link makes no more transfers: it has begun all that it may make, or is about to be removed. */
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

  #countersOf(state: LinkState): LinkCounters {
    return (state.counters ??= new LinkCounters(this.#options.http !== undefined))
  }

  /** Tells who waits for a link, or for all, that no transfer runs any more. */
  #tellWaiting(state: LinkState): void {
    if (this.#waiting.size === 0) return
    if (state.running === 0) this.#tell(state)
    if (this.#inFlight === 0) this.#tell(undefined)
  }

  #tell(whose: LinkState | undefined): void {
    const waiting = this.#waiting.get(whose)
    this.#waiting.delete(whose)
    for (const resolve of waiting ?? []) resolve()
  }

  #noteLate(link: PlannedLink, { scheduledAt, lateness, missed }: DueTime, state: LinkState): void {
    const counters = this.#countersOf(state)
    counters.late++
    counters.missed += missed
    this.#counts.late++
    this.#counts.missed += missed
    this.#latenessOf(link, state).late(lateness, missed)
    this.#hooks.notify('late', { link: link.name, scheduledAt, lateness, missed })
  }

  #latenessOf(link: PlannedLink, state: LinkState): LatenessLog {
    return (state.lateness ??= new LatenessLog(link, this.#now))
  }

  #noteSkipped(link: PlannedLink, due: DueTime, reason: SkippedEvent['reason'], state: LinkState): void {
    const { running } = state
    this.#countersOf(state).skipped++
    this.#counts.skipped++
    const why = {
      running: `${running} of its transfers still run`,
      quarantined: 'it is quarantined',
      starting: state.startFailure === undefined ? 'it is being opened' : 'it could not be started yet',
      blocked: undefined, // it was logged that it is
      paused: undefined, // somebody wants it so
    }[reason]
    if (why !== undefined) this.#latenessOf(link, state).skipped(reason, why)
    this.#hooks.notify('skipped', { link: link.name, scheduledAt: due.scheduledAt, reason, running })
  }
}

/** Has logged what was only counted of a link that is due no more. */
function endLogs({ name }: PlannedLink, { lateness, breaches }: LinkState): void {
  lateness?.end()
  breaches?.end((failures, time) => {
    getLogger('databay.BasePlanner').warn(`${name} is due no more: it failed to transfer ${failures} times in ${time}`)
  })
}

const SKIPPED = Promise.resolve(undefined)

/** A due time that is now. */
export function dueNow(): DueTime {
  return { scheduledAt: Date.now(), lateness: 0, missed: 0 }
}

/** Begins a transfer, also of a link of a third party that throws, or yields no promise. */
function begin(link: PlannedLink, request: TransferRequest): Promise<TransferReport> {
  try {
    return Promise.resolve(link.transfer(request))
  } catch (thrown) {
    return Promise.reject(toError(thrown))
  }
}

/** Whether a value is a report: a link of a third party may yield anything. */
function isReport(report: TransferReport): boolean {
  return typeof report === 'object' && (report as unknown) !== null && Array.isArray(report.errors)
}
