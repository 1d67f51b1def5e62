import { EventEmitter } from 'node:events'
import { InvalidOptionError, MissingLinkError, PlannerStateError, show, toError } from '../base/errors.js'
import { UndoStack } from '../base/undo-stack.js'
import { checkBoolean, checkOptions } from '../base/check.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { TransferError, type TransferReport } from '../core/report.js'
import { shutdownAtExit } from './at-exit.js'
import { Dispatcher, type DueTime } from './dispatcher.js'
import { cancelLinks, drainLinks, startLinks, stopLinks } from './link-group.js'
import { oneError, throwAny } from '../base/many-errors.js'
import {
  PLANNER_OPTIONS,
  resolvePlannerOptions,
  type PlannerOptions,
  type ResolvedPlannerOptions,
  type ShutdownOptions,
} from './planner-options.js'
import type { PlannerCounts, PlannerEvents } from './planner-events.js'
import type { PlannerStats } from './planner-stats.js'
import { Deferred } from './deferred.js'
import { StopLimit } from './stop-limit.js'
import { type State, HURRIED_DRAIN, stayUp, isCancelled } from './planner-lifecycle.js'
import { isPlannedLink } from './planner-links.js'

/**
 * Keeps links and their lifecycle, and runs their transfers when its scheduling says so.
 *
 * To use scheduling of your own, extend this class: {@link BasePlanner.schedule} and {@link BasePlanner.unschedule}
 * take links in and out, {@link BasePlanner.startPlanner} and {@link BasePlanner.shutdownPlanner} start and stop it,
 * and at a link's due time it calls {@link BasePlanner.dispatch}. Overlap, lateness, errors, events and the order of
 * starting and stopping are looked after here.
 *
 * ```
 *            start()                                 shutdown(), or a failed transfer
 *   idle ---------------> starting ---> running -----------------------------> stopping ---> idle
 *     ^   open, onStart, schedule,                 unschedule, wait, drain,
 *     |   first transfers                          onShutdown, close
 *     +-------- undone in reverse when it fails
 * ```
 */
export abstract class BasePlanner extends EventEmitter<PlannerEvents> {
  protected readonly options: ResolvedPlannerOptions
  readonly #dispatcher: Dispatcher
  #state: State = 'idle'
  #paused = false
  /** Whether it gets ready or starts its links, and has not made a transfer yet. */
  #opening = false
  /** Undoes what `start()` has done so far. */
  #undo = new UndoStack()
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #shutdown: Required<ShutdownOptions>
  /** Ends `start()` early: a transfer failed, or the planner was shut down meanwhile. */
  #abortStart: (reason: Error) => void = () => undefined
  /** Waiting for links to have been added. */
  readonly #whenJoined: (() => void)[] = []
  /** Removals of links that are under way. */
  readonly #removals = new Set<Promise<void>>()
  /** What a start rejects with that was ended by `shutdown()`. */
  #askedToStop: Error | undefined
  /** What stopped the planner; `undefined` when it was asked to. */
  #stopReason: Error | undefined
  /** What failed while it stopped. */
  #stopErrors: unknown[] = []
  /** How long the shutdown that is under way may take. */
  #limit = new StopLimit(Infinity)
  #finished = new Deferred()
  /** Stops listening to changes of a link's schedule. */
  readonly #unlisten = new Map<PlannedLink, () => void>()
  /** Links that are being added. */
  readonly #joining = new Set<PlannedLink>()

  /**
   * @param links - links to begin with; more can be added at any time
   * @param options - see {@link PlannerOptions}
   * @param known - names of the options that the subclass takes, beside those of every planner
   * @throws {@link InvalidOptionError}
   */
  constructor(links?: OneOrMany<PlannedLink>, options: PlannerOptions = {}, known: readonly string[] = []) {
    super()
    this.options = resolvePlannerOptions(options, [...PLANNER_OPTIONS, ...known])
    this.#shutdown = { wait: true, drain: this.options.drain }
    this.#dispatcher = new Dispatcher(this.options, {
      notify: (event, ...payload) => this.notify(event, ...payload),
      onFailure: (error) => this.onException(error),
      onUsedUp: (link) => this.unschedule(link),
      onAllUsedUp: () => {
        if (this.running) this.#stopByItself()
      },
    })
    const list = toArray(links)
    this.#checkNew(list)
    for (const link of list) this.#admit(link)
  }

  /** Links of this planner: a copy of the list. */
  get links(): PlannedLink[] {
    return this.#dispatcher.links
  }

  /** Whether this planner is started and not yet shut down; a paused one is running too. */
  get running(): boolean {
    return this.#state === 'running'
  }

  /** Whether this planner is paused. */
  get paused(): boolean {
    return this.#paused
  }

  /** What this planner did since it was made. */
  get counts(): PlannerCounts {
    return this.#dispatcher.counts
  }

  /**
   * How its links and threads do, as plain data: how long transfers took, how late they were, how busy threads are. Always
   * kept, and cheap.
   */
  stats(): PlannerStats {
    return { links: this.#dispatcher.stats, threads: [] }
  }

  /**
   * Settles when the planner has shut down: resolves after an orderly shutdown, rejects with what stopped it
   * otherwise. The next `start()` makes a new promise. A rejection that nobody handles ends the process with exit code 1, as
   * any unhandled rejection does.
   */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  /**
   * Adds links. In a running planner they are started first, and then scheduled.
   *
   * @throws {@link InvalidOptionError} when one is no link or is in the planner already; then none is added
   */
  async addLinks(links: OneOrMany<PlannedLink>): Promise<void> {
    const list = toArray(links)
    this.#checkNew(list)
    for (const link of list) this.#joining.add(link)
    try {
      while (this.#isChanging) await this.settled()
      if (this.running) await this.#startAdded(list)
      else for (const link of list) this.#admit(link)
    } finally {
      for (const link of list) this.#joining.delete(link)
      for (const tell of this.#whenJoined.splice(0)) tell()
    }
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
    // those that are being added are so first
    while (toArray(links).some((link) => this.#joining.has(link))) await this.#joined()
    const list = this.#checkKnown(links)
    while (this.#isChanging) await this.settled()
    const removal = this.#remove(list)
    this.#removals.add(removal)
    try {
      await removal
    } finally {
      this.#removals.delete(removal)
    }
  }

  async #remove(list: readonly PlannedLink[]): Promise<void> {
    const errors: unknown[] = []
    for (const link of list) this.#dispatcher.retire(link)
    if (this.running) {
      for (const link of list) this.unschedule(link)
      const limit = new StopLimit(this.options.shutdownTimeout, () =>
        cancelLinks(list, 'the time for the removal of its link is nearly over'),
      )
      await limit.wait(
        () => `transfers of ${list.map(({ name }) => name).join(', ')}`,
        () => Promise.all(list.map((link) => this.#dispatcher.idle(link))),
      )
      if (this.options.drain && !limit.isOver) errors.push(...(await this.#drain(list, limit)))
      errors.push(...(await stopLinks(list, limit)), ...limit.abandonment('links that were removed'))
      limit.end()
    }
    for (const link of list) {
      this.#dismiss(link)
      getLogger('databay.BasePlanner').info('Removed link: %s', link)
    }
    if (this.running && this.#dispatcher.usedUp()) this.#stopByItself()
    throwAny(errors, 'several links failed to shut down')
  }

  /** Removes all links. Can be used while the planner is running. */
  async purge(): Promise<void> {
    await this.removeLinks(this.links)
  }

  /**
   * Starts the planner: starts all links' nodes, begins scheduling, and makes the first transfers. Resolves when all
   * that is done; scheduling runs meanwhile. When any of it fails, what was started is shut down in reverse, and this
   * rejects.
   *
   * @throws {@link PlannerStateError} when it is started already
   * @throws {@link TransferError} when a first transfer fails
   */
  async start(): Promise<void> {
    if (this.#state !== 'idle')
      throw new PlannerStateError(`start() needs a stopped planner: this one is ${this.#state}`)
    this.#state = 'starting'
    if (this.#finished.settled) this.#finished = new Deferred()
    this.#stopReason = undefined
    this.#stopErrors = []
    this.#askedToStop = undefined
    this.#shutdown = { wait: true, drain: this.options.drain }
    this.#undo = new UndoStack()
    this.#starting = this.#start()
    try {
      await this.#starting
    } catch (error) {
      if (error === this.#askedToStop) {
        this.#finished.resolve()
      } else {
        this.#finished.promise.catch(() => undefined) // start() itself tells it
        this.#finished.reject(toError(error))
      }
      throw error
    }
  }

  /** Pauses scheduling. Transfers that are running end as usual; what comes due meanwhile is left out. */
  pause(): void {
    if (!this.running) throw new PlannerStateError('pause() needs a running planner')
    if (this.#paused) return
    this.pausePlanner()
    this.#paused = true
  }

  /** Goes on after {@link BasePlanner.pause}, on the due times from before. */
  resume(): void {
    if (!this.running) throw new PlannerStateError('resume() needs a running planner')
    if (!this.#paused) return
    this.resumePlanner()
    this.#paused = false
  }

  /**
   * Makes one transfer of each link now, whenever it is due. A link that is still transferring is skipped.
   *
   * @param links - the links. Default: all
   * @returns the reports, of those not skipped
   * @throws {@link PlannerStateError} when the planner is not running
   * @throws {@link MissingLinkError} when a link is not in this planner
   */
  async forceTransfer(links: OneOrMany<PlannedLink> = this.links): Promise<TransferReport[]> {
    if (!this.running) throw new PlannerStateError('forceTransfer() needs a running planner')
    const list = this.#checkKnown(links)
    const reports = await Promise.all(list.map((link) => this.dispatch(link)))
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
    checkOptions('shutdown', options, ['wait', 'drain'])
    const wait = checkBoolean('wait', options.wait, true)
    const drain = checkBoolean('drain', options.drain, this.#shutdown.drain)
    if (this.#state === 'idle') return
    this.#shutdown = { wait: this.#shutdown.wait && wait, drain }
    if (!wait) {
      this.#cancel()
      if (this.#opening) this.hurry()
    }
    if (!this.running && this.#stopping === undefined && !(await this.#abandonStart())) return
    this.#finished.promise.catch(() => undefined) // told by this call
    await this.#stop()
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

  /** Goes on with it. */
  protected resumePlanner(): void {
    throw new PlannerStateError(`${String(this)} cannot be resumed`)
  }

  /** Gets ready what links need, before any is started; more links may be registered with {@link BasePlanner.register}. */
  protected prepare(): void | Promise<void> {}

  /** Ends what keeps {@link BasePlanner.prepare} or the links' start: the planner is to shut down without waiting. */
  protected hurry(): void {}

  /**
   * Undoes {@link BasePlanner.prepare}, after all links are shut down.
   *
   * @param _hurry - whether the time for the shutdown is over: nothing more should be waited for
   */
  protected release(_hurry: boolean): void | Promise<void> {}

  /**
   * Waits until a start that is under way has ended.
   *
   * @throws {@link PlannerStateError} while the planner shuts down
   */
  protected async settled(): Promise<void> {
    if (this.#state === 'starting') await this.#starting
    if (this.#state === 'stopping')
      throw new PlannerStateError('links and threads cannot change while the planner shuts down')
  }

  /** Takes in a link that is found during {@link BasePlanner.prepare}. */
  protected register(link: PlannedLink): void {
    this.#checkNew([link])
    this.#admit(link)
  }

  /** Counts records that were lost with what held them. */
  protected countLost(records: number): void {
    this.#dispatcher.countLost(records)
  }

  /** Counts a transfer that was not dispatched, such as one that drains a buffer, and tells of it. */
  protected count(report: TransferReport): void {
    this.#dispatcher.note(report)
  }

  /** Drops a link that {@link BasePlanner.register} took in. */
  protected unregister(link: PlannedLink): void {
    this.#dismiss(link)
  }

  /**
   * Runs one transfer of a link, unless as many as it may have are still running. To be called by your scheduling at
   * the link's due time; it need not wait.
   *
   * @param due - when it was due. Default: now
   * @returns the report; `undefined` when it was skipped. Never rejects
   */
  protected dispatch(link: PlannedLink, due: DueTime = dueNow()): Promise<TransferReport | undefined> {
    if (this.#state === 'idle' || this.#state === 'stopping') return Promise.resolve(undefined)
    return this.#dispatcher.dispatch(link, due)
  }

  /**
   * As {@link BasePlanner.dispatch}, where nobody wants to know what comes of it.
   * @internal
   */
  protected dispatchDue(link: PlannedLink, due: DueTime): void {
    if (this.#state !== 'idle' && this.#state !== 'stopping') this.#dispatcher.dispatchDue(link, due)
  }

  /**
   * Says that something went wrong. Stops the planner, unless it ignores exceptions: `start()` or `finished` rejects
   * with the error.
   */
  protected onException(error: Error): void {
    if (this.options.ignoreExceptions) return
    if (this.#state === 'starting') {
      this.#abortStart(error)
    } else if (this.#state === 'stopping') {
      if (this.#shutdown.wait || !isCancelled(error)) this.#stopErrors.push(error)
    } else if (this.#state === 'running') {
      getLogger('databay.BasePlanner').error({ err: error }, `${String(this)} shuts down: ${error.message}`)
      this.#stopReason = error
      this.#stopByItself()
    }
  }

  /** Emits an event; an error of a listener is logged and goes no further. */
  protected notify<K extends keyof PlannerEvents>(event: K, ...payload: PlannerEvents[K]): void {
    try {
      // the payload's type follows from the event; the emitter's own types cannot see that here
      ;(this as EventEmitter).emit(event, ...payload)
    } catch (thrown) {
      getLogger('databay.BasePlanner').error({ err: toError(thrown) }, `a listener of '${event}' failed`)
    }
  }

  async #start(): Promise<void> {
    getLogger('databay.BasePlanner').info('Starting %s', this)
    try {
      await this.#startAll()
      this.#state = 'running'
    } catch (error) {
      this.#state = 'stopping'
      this.#limit = this.#beginLimit()
      await this.#undoAll()
      this.#state = 'idle'
      throw error
    } finally {
      this.#abortStart = () => undefined
      this.#opening = false
    }
    if (this.#dispatcher.usedUp()) this.#stopByItself()
  }

  async #startAll(): Promise<void> {
    let abandoned: Error | undefined
    const abandon = new Promise<void>((resolve) => {
      this.#abortStart = (reason) => {
        abandoned ??= reason
        resolve()
      }
    })
    // each step ends before it can be undone
    const step = async (work: () => unknown, undo: () => unknown) => {
      this.#undo.push(undo)
      try {
        await work()
      } catch (error) {
        throw abandoned ?? error // what was ended in a hurry fails for that
      }
      if (abandoned !== undefined) throw abandoned
    }
    this.#undo.push(this.options.shutdownAtExit ? shutdownAtExit(this) : stayUp())
    this.#opening = true
    await step(
      () => this.prepare(),
      () => this.release(this.#limit.isOver),
    )
    const links = this.links
    let started = false
    await step(
      async () => {
        // those that started are shut down again when another fails
        await startLinks(links, this.options)
        started = true
      },
      async () => {
        if (started) throwAny(await stopLinks(this.links, this.#limit), 'several links failed to shut down')
      },
    )
    this.#opening = false
    this.#undo.push(async () => {
      if (this.#shutdown.drain && !this.#limit.isOver) await this.#drainAll()
    })
    this.#undo.push(() =>
      this.#limit.wait(
        () => `transfers of ${this.#dispatcher.running.join(', ')}`,
        () => this.#idle(),
      ),
    )
    this.#undo.push(() => {
      for (const link of this.links) this.unschedule(link)
    })
    await step(
      async () => {
        for (const link of links) this.schedule(link)
        await this.startPlanner()
      },
      () => this.shutdownPlanner(this.#shutdown.wait),
    )
    if (!this.options.immediateTransfer) return
    const first = links.filter((link) => link.settings.immediateTransfer).map((link) => this.dispatch(link))
    await Promise.race([Promise.all(first), abandon])
    if (abandoned !== undefined) throw abandoned
  }

  /** Whether it starts or shuts down. To be looked at after each wait: who waits lets others in. */
  get #isChanging(): boolean {
    return this.#state !== 'idle' && !this.running
  }

  #joined(): Promise<void> {
    return new Promise((resolve) => this.#whenJoined.push(resolve))
  }

  /** Ends a start that is under way, or waits until a failed one is undone; whether the planner runs all the same. */
  async #abandonStart(): Promise<boolean> {
    this.#askedToStop ??= new PlannerStateError('the planner was shut down while it started')
    this.#abortStart(this.#askedToStop)
    await this.#starting?.catch(() => undefined)
    return this.#state !== 'idle'
  }

  #stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#state = 'stopping'
      this.#stopping = this.#stopAll().finally(() => {
        this.#stopping = undefined
      })
    }
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    this.#limit = this.#beginLimit()
    // links that are being removed are so before the rest is undone
    const removals = Promise.allSettled(this.#removals)
    await this.#hurried(() =>
      this.#limit.wait(
        () => 'links that were being removed',
        () => removals,
      ),
    )
    await this.#undoAll()
    this.#state = 'idle'
    const failed = oneError(this.#stopErrors, 'several things failed while the planner shut down')
    const reason = this.#stopReason ?? failed
    if (reason === undefined) this.#finished.resolve()
    else this.#finished.reject(reason)
    if (failed !== undefined) throw failed
  }

  async #undoAll(): Promise<void> {
    this.#paused = false
    const errors = await this.#undo.undo()
    this.#limit.end()
    this.#stopErrors.push(...this.#limit.abandonment(String(this)))
    for (const error of errors) {
      const err = toError(error)
      getLogger('databay.BasePlanner').error({ err }, `${String(this)} failed to shut down in part: ${err.message}`)
      if (!this.options.ignoreExceptions) this.#stopErrors.push(error)
    }
    this.#dispatcher.reset()
    getLogger('databay.BasePlanner').info('%s is shut down', this)
  }

  /** Stops without anybody asking: `finished` tells what came of it. */
  #stopByItself(): void {
    this.#stop().catch(() => undefined)
  }

  /** Starts and schedules links that are added to a running planner. */
  async #startAdded(links: readonly PlannedLink[]): Promise<void> {
    await startLinks(links, this.options)
    try {
      // waiting let others in
      if (!this.running) throw new PlannerStateError('the planner was shut down while links were added')
      for (const link of links) {
        this.#admit(link)
        this.schedule(link)
      }
    } catch (error) {
      for (const link of links.filter((link) => this.#dispatcher.has(link))) {
        this.unschedule(link)
        this.#dismiss(link)
      }
      const limit = new StopLimit(this.options.shutdownTimeout)
      await stopLinks(links, limit)
      limit.end()
      throw error
    }
  }

  /** The time that a shutdown may take from now on: shortly before it is over, transfers are told to stop. */
  #beginLimit(): StopLimit {
    return new StopLimit(this.options.shutdownTimeout, () =>
      cancelLinks(this.links, 'the time for the shutdown is nearly over'),
    )
  }

  async #drainAll(): Promise<void> {
    const errors = await this.#hurried(() => this.#drain(this.links, this.#limit))
    throwAny(errors, 'several links failed to drain')
  }

  /** Waits for what may make transfers; for a moment only, when nobody waits for transfers. */
  async #hurried<T>(work: () => Promise<T>): Promise<T> {
    const timer = this.#shutdown.wait ? undefined : setTimeout(() => this.#cancel(), HURRIED_DRAIN)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Releases what buffers hold; gives what failed. */
  async #drain(links: readonly PlannedLink[], limit: StopLimit): Promise<unknown[]> {
    const failed: Error[] = []
    const errors = await drainLinks(links, limit, (report) => {
      this.#dispatcher.note(report)
      if (report.failed && !this.options.ignoreExceptions) failed.push(new TransferError(report))
    })
    return [...errors, ...failed]
  }

  /** Waits until no transfer runs. */
  async #idle(): Promise<void> {
    if (!this.#shutdown.wait) this.#cancel()
    await this.#dispatcher.idle()
  }

  #cancel(): void {
    cancelLinks(this.links, 'the planner shuts down without waiting')
  }

  #admit(link: PlannedLink): void {
    this.#dispatcher.add(link)
    const unlisten = link.onReschedule?.(() => this.#reschedule(link))
    if (unlisten !== undefined) this.#unlisten.set(link, unlisten)
    getLogger('databay.BasePlanner').info('Added link: %s', link)
  }

  #dismiss(link: PlannedLink): void {
    this.#dispatcher.delete(link)
    this.#unlisten.get(link)?.()
    this.#unlisten.delete(link)
  }

  /** Goes by the schedule of a link that has changed. */
  #reschedule(link: PlannedLink): void {
    if (!this.running || this.#dispatcher.isUsedUp(link)) return
    this.unschedule(link)
    this.schedule(link) // throws when it cannot be kept: then the old one is restored
  }

  /** @throws {@link MissingLinkError} when one is not in this planner */
  #checkKnown(links: OneOrMany<PlannedLink>): PlannedLink[] {
    const list = [...new Set(toArray(links))]
    for (const link of list) {
      if (!this.#dispatcher.has(link)) throw new MissingLinkError(`link ${show(String(link))} is not in this planner`)
    }
    return list
  }

  #checkNew(links: readonly PlannedLink[]): void {
    const before = new Set<PlannedLink>()
    links.forEach((link, index) => {
      if (!isPlannedLink(link)) throw new InvalidOptionError(`links[${index}]`, 'a Link', link)
      if (this.#dispatcher.has(link) || this.#joining.has(link) || before.has(link)) {
        throw new InvalidOptionError(`links[${index}]`, 'a link that is not in this planner yet', String(link))
      }
      before.add(link)
    })
  }
}

function dueNow(): DueTime {
  return { scheduledAt: Date.now(), lateness: 0, missed: 0 }
}
