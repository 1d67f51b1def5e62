/// <reference lib="esnext.disposable" preserve="true" />
import { PlannerStateError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { throwAny } from '../base/many-errors.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { isDurable, type PlannedLink } from '../core/planned-link.js'
import type { CountsSoFar, TransferReport } from '../core/report.js'
import { shutdownAtExit, stayUp } from './at-exit.js'
import type { DueTime } from './clock/trigger.js'
import { Dispatcher, dueNow } from './dispatcher.js'
import { cancelLinks } from './link-group.js'
import { ListenerLog } from './listener-log.js'
import type { PlannerCounts, PlannerEvents } from '../operate/planner-events.js'
import { PlannerEmitter } from './planner-emitter.js'
import { internalsOf } from './planner-internals.js'
import { PlannerLifecycle, type Step } from './planner-lifecycle.js'
import { PlannerLinks } from './planner-links.js'
import {
  resolvePlannerOptions,
  resolveShutdownOptions,
  resolveStartOptions,
  type PlannerOptions,
  type ResolvedPlannerOptions,
  type ShutdownOptions,
  type StartOptions,
} from './planner-options.js'
import { PlannerServices } from './planner-services.js'
import { PlannerStore } from './planner-store.js'
import type { PlannerReading } from '../operate/planner-reading.js'
import type { HttpEndpoint } from '../operate/service.js'
import type { PlannerState, PlannerStats } from '../operate/planner-stats.js'
import { StartLog } from './start-log.js'
import { StartRetries, type StartFailure } from './start-retries.js'

/**
 * Planner that keeps links and their lifecycle, and runs their transfers when its scheduling says so.
 *
 * To use scheduling of your own, extend this class: {@link BasePlanner.schedule} and {@link BasePlanner.unschedule}
 * take links in and out, {@link BasePlanner.startPlanner} and {@link BasePlanner.shutdownPlanner} start and stop it,
 * and at a link's due time it calls {@link BasePlanner.dispatch}. This class looks after overlap, lateness, errors, events
 * and the order of starting and stopping.
 */
export abstract class BasePlanner extends PlannerEmitter {
  protected readonly options: ResolvedPlannerOptions
  readonly #dispatcher: Dispatcher
  readonly #life: PlannerLifecycle
  readonly #links: PlannerLinks
  readonly #retries: StartRetries
  readonly #store: PlannerStore
  readonly #services: PlannerServices
  /** Called in a start before the first transfers. */
  readonly #scheduled: () => void
  readonly #startLog = new StartLog()
  #paused = false
  /** Listens no more to the signal that the planner was started with. */
  #forgetSignal: () => void = () => undefined
  readonly #listeners = new ListenerLog()

  /**
   * @param links - links to begin with; more can be added at any time
   * @param options - see {@link PlannerOptions}
   * @param known - names of the options that the subclass takes, beside those of every planner
   * @throws {@link InvalidOptionError}
   */
  constructor(links?: OneOrMany<PlannedLink>, options: PlannerOptions = {}, known: readonly string[] = []) {
    super()
    this.options = resolvePlannerOptions(options, known)
    const cancel = (why: string) => {
      cancelLinks(this.links, why)
    }
    const { tellsShutdownErrors = false, scheduled = () => undefined, dryRun = false, clock } = internalsOf(options)
    this.#store = new PlannerStore(this.options.store, clock && (() => clock.now()), dryRun)
    this.#scheduled = scheduled
    this.#services = new PlannerServices(this, this.options)
    const ignoreExceptions = this.options.ignoreExceptions && !tellsShutdownErrors
    this.#life = new PlannerLifecycle(this, { ...this.options, ignoreExceptions }, cancel, this.#steps())
    this.#dispatcher = new Dispatcher(
      this.options,
      {
        notify: (event, ...payload) => {
          this.notify(event, ...payload)
        },
        onFailure: (error) => {
          this.onException(error)
        },
        keep: (report, isDrain) => {
          this.#store.keep(report, isDrain)
        },
        onBlocked: (link, scheduledAt) => {
          const { catchUp } = this.#store
          if (scheduledAt === undefined) catchUp?.settle(link)
          else catchUp?.owe(link, scheduledAt)
        },
        nextDue: (link) => (this.running && !this.#paused ? this.nextDue(link) : undefined),
        onUsedUp: (link) => {
          this.unschedule(link)
        },
        onAllUsedUp: () => {
          this.#life.end()
        },
      },
      undefined,
      clock,
    )
    const scheduling = {
      add: (link: PlannedLink) => {
        this.#schedule(link)
        // once it is known whether the link has started
        queueMicrotask(() => this.#makeUp(link))
      },
      remove: (link: PlannedLink) => {
        this.#store.removed(link)
        this.unschedule(link)
      },
    }
    this.#retries = new StartRetries(this.options.startTimeout, {
      failed: (link, failure) => {
        this.#startFailed(link, failure)
      },
      failedLate: (link, failure) => {
        this.#dispatcher.noteStartFailure(link, failure)
        this.#startLog.failedLate(link, failure.error)
      },
      recovered: (link, attempts, isFirst) => {
        this.#startRecovered(link, attempts, isFirst)
      },
    })
    this.#links = new PlannerLinks(this.#dispatcher, scheduling, this.#life, this.options, this.#retries, this.#store)
    this.#links.admit(toArray(links))
  }

  /** Links of this planner: a copy of the list. */
  get links(): PlannedLink[] {
    return this.#links.all
  }

  /**
   * Whether this planner is started and not yet shut down. A paused one is running too, and so is one whose lost threads are
   * being replaced; one whose threads have ended for good is not.
   */
  get running(): boolean {
    return this.#life.running
  }

  /** State of this planner: `idle` before it is started and after it is shut down. One that is paused is `running`. */
  get state(): PlannerState {
    return this.#life.state
  }

  /** Whether this planner is paused as a whole. */
  get paused(): boolean {
    return this.#paused
  }

  /** Names of the links that could not be started, and are tried again. */
  get unstarted(): string[] {
    return this.#retries.names
  }

  /**
   * Names of the links of which transfers run now.
   * @internal
   */
  get transferring(): string[] {
    return this.#dispatcher.running
  }

  /**
   * Counts so far of the transfers that stream now.
   * @internal
   */
  get streaming(): CountsSoFar[] {
    return this.#dispatcher.streaming
  }

  /** Where metrics and probes are served; `undefined` without the option `http`, and while the planner is stopped. */
  get http(): HttpEndpoint | undefined {
    return this.#services.http
  }

  /** Totals of this planner since it was made. */
  get counts(): PlannerCounts {
    return this.#dispatcher.counts
  }

  /**
   * State of the planner, its links and its threads as plain data: what is due when, what became of it, durations and lateness
   * of transfers, utilization of threads. Always kept, and cheap.
   */
  stats(): PlannerStats {
    const { state, paused, counts } = this
    const { stats: links, accounts } = this.#dispatcher
    return { state, paused, counts, links, removed: accounts.removed, threads: [] }
  }

  /**
   * Figures for metrics, none of which takes time to work out.
   * @internal
   */
  reading(): PlannerReading {
    return { ...this.#dispatcher.reading, threads: [] }
  }

  /**
   * Settles when the planner has shut down: resolves after an orderly shutdown, rejects with what stopped it
   * otherwise. The next `start()` makes a new promise. A rejection that nobody handles ends the process with exit code 1, as
   * any unhandled rejection does.
   */
  get finished(): Promise<void> {
    return this.#life.finished
  }

  /**
   * Adds links. In a running planner they are started first, and then scheduled.
   *
   * @throws {@link InvalidOptionError} when one is no link or is in the planner already; then none is added
   */
  async addLinks(links: OneOrMany<PlannedLink>): Promise<void> {
    await this.#links.add(toArray(links))
  }

  /**
   * Removes links. In a running planner they are unscheduled, their running transfers may end, their buffers
   * are drained, and they are shut down, all within the `shutdownTimeout`.
   *
   * @throws {@link MissingLinkError} when one is not in this planner; then none is removed
   * @throws {@link ShutdownTimeoutError} when something did not end in time; what else failed on the way, too. The links are
   * removed all the same
   */
  async removeLinks(links: OneOrMany<PlannedLink>): Promise<void> {
    try {
      await this.#links.remove(toArray(links))
    } finally {
      if (this.running && this.#dispatcher.usedUp()) this.#life.end()
    }
  }

  /** Removes all links. Can be used while the planner is running. */
  async purge(): Promise<void> {
    await this.removeLinks(this.links)
  }

  /**
   * Starts the planner: starts all links' nodes, begins scheduling, and makes the first transfers. Resolves when all
   * that is done, but for the first transfers of links with `delivery`, which may wait for an outlet that is down; scheduling
   * runs meanwhile. When any of it fails, what was started is shut down in reverse, and this rejects.
   *
   * @throws {@link PlannerStateError} when this planner is started already
   * @throws {@link TransferError} when a first transfer fails
   * @throws the reason of the `signal` when that aborts before the planner runs
   */
  async start(options: StartOptions = {}): Promise<void> {
    const { signal } = resolveStartOptions(options)
    // a planner that runs already is not stopped by the signal of a start that is refused
    if (signal === undefined || this.state !== 'idle') return this.#life.start()
    signal.throwIfAborted()
    const stop = () => {
      if (this.running) this.#life.end()
      else this.shutdown().catch(() => undefined) // this start rejects
    }
    const starting = this.#life.start()
    signal.addEventListener('abort', stop)
    this.#forgetSignal = () => {
      signal.removeEventListener('abort', stop)
    }
    return starting.catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })
  }

  /**
   * Pauses links, or the planner. Transfers that are running end as usual; what comes due meanwhile is left out. Blocked links
   * are not tried again. A link stays paused until it is resumed, also when its module is reloaded, or until the planner is shut
   * down.
   *
   * @param links - the links. Default: the planner as a whole, which has nothing to do with which of its links are paused
   * @throws {@link PlannerStateError} when the planner is not running
   * @throws {@link MissingLinkError} when a link is not in this planner; then none is paused
   */
  pause(links?: OneOrMany<PlannedLink>): void {
    if (!this.running) throw new PlannerStateError('pause() needs a running planner')
    if (links !== undefined) {
      this.#setPaused(links, true)
      return
    }
    if (this.#paused) return
    this.pausePlanner()
    this.#dispatcher.blocked.pause()
    this.#paused = true
    this.notify('paused', {})
  }

  /**
   * Goes on after {@link BasePlanner.pause}, on the due times from before. Blocked links whose next try is due are tried.
   *
   * @param links - the links. Default: the planner as a whole; links that are paused stay so
   * @throws {@link PlannerStateError} when the planner is not running
   * @throws {@link MissingLinkError} when a link is not in this planner; then none is resumed
   */
  resume(links?: OneOrMany<PlannedLink>): void {
    if (!this.running) throw new PlannerStateError('resume() needs a running planner')
    if (links !== undefined) {
      this.#setPaused(links, false)
      return
    }
    if (!this.#paused) return
    this.resumePlanner()
    this.#dispatcher.blocked.resume()
    this.#paused = false
    this.notify('resumed', {})
  }

  /**
   * Makes one transfer of each link now, whenever it is due. A link whose `maxInstances` transfers still run is skipped. A
   * blocked link is tried now, whenever its next try is.
   *
   * @param links - the links. Default: all
   * @returns the reports of the links that were not skipped
   * @throws {@link PlannerStateError} when the planner is not running
   * @throws {@link MissingLinkError} when a link is not in this planner
   */
  async forceTransfer(links: OneOrMany<PlannedLink> = this.links): Promise<TransferReport[]> {
    if (!this.running) throw new PlannerStateError('forceTransfer() needs a running planner')
    const list = this.#links.known(toArray(links))
    const [only] = list
    // one link may be called again and again
    if (only !== undefined && list.length === 1) {
      const report = await this.#force(only)
      return report === undefined ? [] : [report]
    }
    const reports = await Promise.all(list.map((link) => this.#force(link)))
    return reports.filter((report) => report !== undefined)
  }

  /**
   * Shuts the planner down: stops scheduling, lets running transfers end (or tells them to stop), drains buffers
   * through the outlets, and shuts down all nodes, in reverse. Does nothing when the planner is not started; called
   * again meanwhile it waits for the same end, and `wait: false` then tells what still runs to stop.
   *
   * @throws what failed on the way; all else is shut down all the same
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    await this.#life.shutdown(resolveShutdownOptions(options))
  }

  /** Shuts down at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  override toString(): string {
    return this.constructor.name
  }

  /**
   * Takes a link into your scheduling: at its due times, call {@link BasePlanner.dispatch}. Called for each link when
   * the planner starts, and when one is added to a running planner.
   */
  protected abstract schedule(link: PlannedLink): void

  /** Takes a link out of your scheduling. Does nothing when it is not in it (any more). */
  protected abstract unschedule(link: PlannedLink): void

  /** Starts your scheduling. Called when all nodes are started and all links are scheduled. */
  protected abstract startPlanner(): void | Promise<void>

  /**
   * Stops your scheduling: no link may be dispatched any more when this has ended. Called before the nodes are shut
   * down.
   *
   * @param wait - whether running transfers will be waited for
   */
  protected abstract shutdownPlanner(wait: boolean): void | Promise<void>

  /** Pauses your scheduling. */
  protected pausePlanner(): void {
    throw new PlannerStateError(`${String(this)} cannot be paused`)
  }

  /** Goes on with your scheduling after a pause. */
  protected resumePlanner(): void {
    throw new PlannerStateError(`${String(this)} cannot be resumed`)
  }

  /**
   * Next due time of a link by your scheduling, in milliseconds since 1970, for {@link BasePlanner.stats}. Default: not known.
   *
   * @param _link - a link that was scheduled
   */
  protected nextDue(_link: PlannedLink): number | undefined {
    return undefined
  }

  /** Prepares what links need, before any is started; may {@link BasePlanner.register} more links. */
  protected prepare(): void | Promise<void> {}

  /** Makes {@link BasePlanner.prepare} or the links' start fail soon: the planner is to shut down without waiting. */
  protected force(): void {}

  /**
   * Undoes {@link BasePlanner.prepare}, after all links are shut down.
   *
   * @param _force - whether the time for the shutdown is over: nothing more should be waited for
   */
  protected release(_force: boolean): void | Promise<void> {}

  /**
   * Waits until a start that is under way has ended.
   *
   * @throws {@link PlannerStateError} while the planner shuts down
   */
  protected settled(): Promise<void> {
    return this.#life.settled()
  }

  /**
   * Whether a link is in this planner.
   * @internal
   */
  protected hasLink(link: PlannedLink): boolean {
    return this.#links.has(link)
  }

  /** Takes in a link that is found during {@link BasePlanner.prepare}. */
  protected register(link: PlannedLink): void {
    this.#links.admit([link])
  }

  /** Drops a link that {@link BasePlanner.register} took in. */
  protected unregister(link: PlannedLink): void {
    this.#links.dismiss(link, 'the planner is shut down')
  }

  /** Counts records that were lost with what held them. */
  protected countLost(records: number): void {
    this.#dispatcher.accounts.lose(records)
  }

  /** Counts a transfer that was not dispatched, such as the draining of a buffer, and emits its event. */
  protected count(report: TransferReport): void {
    this.#dispatcher.note(report)
  }

  /**
   * Runs one transfer of a link, unless as many as it may have are still running. To be called by your scheduling at
   * the link's due time; it need not wait.
   *
   * @param due - when the link was due. Default: now
   * @returns the report; `undefined` when the link is skipped. Never rejects
   */
  protected dispatch(link: PlannedLink, due: DueTime = dueNow()): Promise<TransferReport | undefined> {
    if (!this.#transfers) return Promise.resolve(undefined)
    this.#noteDue(link, due)
    return this.#dispatcher.dispatch(link, due)
  }

  #setPaused(links: OneOrMany<PlannedLink>, isPaused: boolean): void {
    for (const link of this.#links.known(toArray(links))) {
      if (!this.#dispatcher.setPaused(link, isPaused)) continue
      this.notify(isPaused ? 'paused' : 'resumed', { link: link.name })
    }
  }

  #force(link: PlannedLink): Promise<TransferReport | undefined> {
    const due = dueNow()
    this.#noteDue(link, due)
    return this.#dispatcher.dispatch(link, due, undefined, true)
  }

  #noteDue(link: PlannedLink, due: DueTime): void {
    if (link.settings.catchUp === true) this.#store.catchUp?.note(link, due)
  }

  /**
   * As {@link BasePlanner.dispatch}, where nobody waits for the report.
   * @internal
   */
  protected dispatchDue(link: PlannedLink, due: DueTime): void {
    if (!this.#transfers) return
    this.#noteDue(link, due)
    this.#dispatcher.dispatchDue(link, due)
  }

  /**
   * Tells the planner that something went wrong. Stops it, unless it ignores exceptions: `start()` or `finished` rejects
   * with the error.
   */
  protected onException(error: Error): void {
    if (!this.options.ignoreExceptions) this.stopFor(error)
  }

  /**
   * Stops the planner for an error after which it cannot go on, whether it ignores exceptions or not.
   * @internal
   */
  protected stopFor(error: Error): void {
    this.#life.fail(error)
  }

  /** Logs the rejection of an asynchronous listener. Called by the emitter. */
  [Symbol.for('nodejs.rejection')](error: unknown, event: string | symbol): void {
    this.#listeners.failed(error, String(event))
  }

  /** Emits an event; an error of a listener is logged and goes no further. */
  protected notify<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): void {
    try {
      this.emit(event, ...payload)
      this.#listeners.heard(event)
    } catch (thrown) {
      this.#listeners.failed(thrown, event)
    }
  }

  /**
   * Takes note that a link could not be opened again: it is tried again.
   * @internal
   */
  protected openFailed(link: PlannedLink, error: Error): void {
    if (this.#transfers && this.#links.has(link)) this.#retries.failed(link, error, false)
  }

  /**
   * Takes note that a link is open in all its threads.
   * @internal
   */
  protected opened(link: PlannedLink): void {
    this.#retries.opened(link)
    this.#dispatcher.blocked.soon(link)
  }

  /**
   * Tries a link again at once, if it could not be started: it is elsewhere now.
   * @internal
   */
  protected moved(link: PlannedLink): void {
    this.#retries.soon(link)
  }

  #startFailed(link: PlannedLink, failure: StartFailure | undefined): void {
    this.#dispatcher.noteStartFailure(link, failure)
    if (failure === undefined) {
      this.#startLog.end(link)
      return
    }
    const { name, module } = link
    const { attempts, error, retryAt } = failure
    this.#startLog.failed(link, failure)
    this.notify('startFailed', { link: name, module, error, attempts, retryAt })
  }

  #startRecovered(link: PlannedLink, attempts: number, isFirst: boolean): void {
    const { name, module } = link
    getLogger('databay.BasePlanner').info(`${name} has started, after ${attempts} tries that failed`)
    this.notify('startRecovered', { link: name, module, attempts })
    if (this.#paused || this.#makeUp(link)) return
    if (isFirst && link.settings.immediateTransfer) void this.dispatch(link)
  }

  /** Whether links that are due transfer. */
  get #transfers(): boolean {
    const { state } = this.#life
    return state === 'running' || state === 'starting'
  }

  /** What a start does, step by step. */
  #steps(): Step[] {
    let letGo: () => void = () => undefined
    let started = false
    const force = () => {
      this.force()
    }
    return [
      {
        do: () => {
          letGo = this.options.shutdownAtExit ? shutdownAtExit(this) : stayUp()
        },
        undo: () => {
          letGo()
          this.#forgetSignal()
          this.#dispatcher.reset()
          this.#listeners.end()
        },
      },
      {
        do: () => this.#services.open(),
        undo: () => this.#services.close(this.#life.stopReason),
      },
      {
        do: () => this.#store.own(),
        undo: () => {
          this.#store.release()
        },
      },
      {
        do: () => this.prepare(),
        undo: ({ limit }) => this.release(limit.isOver),
        force,
      },
      {
        do: async () => {
          started = false
          this.#dispatcher.accounts.find(this.links)
          await this.#links.startAll() // shuts those down itself that started when another fails
          started = true
        },
        undo: async ({ limit }) => {
          if (started) throwAny(await this.#links.stopAll(limit), 'several links failed to shut down')
        },
        force,
      },
      { undo: (shutdown) => this.#links.drain(shutdown) },
      { undo: (shutdown) => this.#links.endTransfers(shutdown) },
      {
        undo: () => {
          for (const link of this.links) this.unschedule(link)
        },
      },
      {
        do: () => {
          for (const link of this.links) this.#schedule(link)
          return this.startPlanner()
        },
        undo: ({ wait }) => {
          this.#store.catchUp?.end(this.links)
          return this.shutdownPlanner(wait)
        },
      },
      {
        do: (givenUp) => {
          this.#services.started()
          this.#scheduled()
          return Promise.race([this.#transferFirst(), givenUp])
        },
        undo: (shutdown) => {
          this.#paused = false
          this.#dispatcher.blocked.stop()
          this.#retries.cancel(this.links)
          return this.#links.endRemovals(shutdown)
        },
      },
    ]
  }

  #schedule(link: PlannedLink): void {
    this.#store.scheduled(link)
    this.schedule(link)
  }

  /** Makes the run that a link has missed while the process was down, if it is open. Gives whether it has made one. */
  #makeUp(link: PlannedLink): boolean {
    const { catchUp } = this.#store
    if (catchUp === undefined || this.#retries.has(link)) return false
    const missed = catchUp.take(link)
    if (missed !== undefined) this.dispatchDue(link, missed)
    return missed !== undefined
  }

  async #transferFirst(): Promise<void> {
    const others = this.links.filter((link) => !this.#makeUp(link))
    if (!this.options.immediateTransfer) return
    // a link that is to be tried again transfers once it has started
    const first = others.filter((link) => link.settings.immediateTransfer && !this.#retries.has(link))
    // one with delivery may be blocked, for as long as an outlet is down
    for (const link of first) if (isDurable(link)) this.dispatchDue(link, dueNow())
    await Promise.all(first.filter((link) => !isDurable(link)).map((link) => this.#transferOnce(link)))
  }

  /** Makes a first transfer. One that streams may never end: it is waited for as long as a short one takes. */
  async #transferOnce(link: PlannedLink): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const streaming = new Promise<void>((resolve, reject) => {
      const streams = () => {
        timer = setTimeout(resolve, STREAM_WAIT)
      }
      this.#dispatcher.dispatch(link, dueNow(), streams).then(() => {
        resolve()
      }, reject)
    })
    await streaming
    clearTimeout(timer)
  }
}

/** Time for which `start()` waits for a first transfer that streams, in milliseconds. */
const STREAM_WAIT = 1000
