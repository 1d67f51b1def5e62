import {
  classAdvice,
  InvalidOptionError,
  MissingLinkError,
  PlannerStateError,
  show,
  TransferCancelledError,
} from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { throwAny } from '../base/many-errors.js'
import type { PlannedLink } from '../core/planned-link.js'
import { threadTracer } from '../core/transfer/tracing.js'
import type { Dispatcher } from './dispatcher.js'
import { isGivenUp } from './late-starts.js'
import { cancelLinks, drainLinks, startLinks, stopLinks } from './link-group.js'
import { LinkIds, warnOfSharedIds } from './link-ids.js'
import type { PlannerLifecycle } from './planner-lifecycle.js'
import type { ResolvedPlannerOptions } from './planner-options.js'
import type { PlannerStore } from './planner-store.js'
import type { Scheduling } from './scheduling.js'
import type { Shutdown } from './shutdown.js'
import type { StartRetries } from './start-retries.js'
import { StopLimit } from './stop-limit.js'

/** Time that a link which is being opened has left when it is shut down, in milliseconds. */
const MOMENT = 500

type PlannerLinksOptions = Pick<
  ResolvedPlannerOptions,
  'startTimeout' | 'shutdownTimeout' | 'timeoutGrace' | 'drain' | 'immediateTransfer' | 'telemetry'
>

/** What is kept of a link that is in the planner. */
interface Admitted {
  /** Id of the link when it was taken in: the next version of its module may give it another. */
  readonly id: string | undefined
  /** Stops listening to changes of the link's schedule. */
  readonly unlisten: (() => void) | undefined
}

/** Links of a planner: adds and removes them, also while the planner runs, and follows changes of their schedules. */
export class PlannerLinks {
  readonly #dispatcher: Dispatcher
  readonly #scheduling: Pick<Scheduling, 'add' | 'remove'>
  readonly #life: Pick<PlannerLifecycle, 'running' | 'changing' | 'settled'>
  readonly #options: PlannerLinksOptions
  readonly #retries: StartRetries
  readonly #store: Pick<PlannerStore, 'prepare'>
  /** Links that are being added. */
  readonly #joining = new Set<PlannedLink>()
  /** Callbacks that wait until links have been added. */
  readonly #whenJoined: (() => void)[] = []
  /** Removals that are under way. */
  readonly #removals = new Set<Promise<void>>()
  readonly #ids = new LinkIds()
  readonly #admitted = new Map<PlannedLink, Admitted>()

  constructor(
    dispatcher: Dispatcher,
    scheduling: Pick<Scheduling, 'add' | 'remove'>,
    life: Pick<PlannerLifecycle, 'running' | 'changing' | 'settled'>,
    options: PlannerLinksOptions,
    retries: StartRetries,
    store: Pick<PlannerStore, 'prepare'>,
  ) {
    this.#dispatcher = dispatcher
    this.#scheduling = scheduling
    this.#life = life
    this.#options = options
    this.#retries = retries
    this.#store = store
  }

  /** The links: a copy of the list. */
  get all(): PlannedLink[] {
    return this.#dispatcher.links
  }

  /**
   * The links, each once, checked to be in the planner.
   *
   * @throws {@link MissingLinkError} when one is not in it
   */
  known(links: readonly PlannedLink[]): PlannedLink[] {
    const list = links.length > 1 ? [...new Set(links)] : [...links]
    for (const link of list) {
      if (!this.#dispatcher.has(link)) throw new MissingLinkError(`link ${show(String(link))} is not in this planner`)
    }
    return list
  }

  /**
   * Takes in links that are not started.
   *
   * @throws {@link InvalidOptionError} when one is no link, or is in the planner already
   */
  admit(links: readonly PlannedLink[]): void {
    this.#checkNew(links)
    for (const link of links) this.#admit(link)
  }

  /** Whether a link is in the planner. */
  has(link: PlannedLink): boolean {
    return this.#dispatcher.has(link)
  }

  /**
   * Forgets a link. What its buffers hold is lost.
   *
   * @param why - the reason, for the log
   */
  dismiss(link: PlannedLink, why: string): void {
    this.#dispatcher.delete(link, why)
    const admitted = this.#admitted.get(link)
    this.#admitted.delete(link)
    if (admitted === undefined) return
    admitted.unlisten?.()
    this.#ids.remove(admitted.id)
  }

  /**
   * Adds links. In a running planner they are started first, and then scheduled.
   *
   * @throws {@link InvalidOptionError} when one is no link, or is in the planner already; then none is added
   */
  async add(links: readonly PlannedLink[]): Promise<void> {
    this.#checkNew(links)
    for (const link of links) this.#joining.add(link)
    try {
      while (this.#life.changing) await this.#life.settled()
      if (this.#life.running) await this.#start(links)
      else for (const link of links) this.#admit(link)
    } finally {
      for (const link of links) this.#joining.delete(link)
      for (const goOn of this.#whenJoined.splice(0)) goOn()
    }
  }

  /**
   * Removes links. In a running planner their transfers may end, their buffers are drained, and they are shut down.
   *
   * @throws {@link MissingLinkError} when one is not in the planner; then none is removed
   * @throws what failed on the way; the links are removed all the same
   */
  async remove(links: readonly PlannedLink[]): Promise<void> {
    // links that are being added are in the planner first
    while (links.some((link) => this.#joining.has(link))) {
      await new Promise<void>((resolve) => this.#whenJoined.push(resolve))
    }
    const list = this.known(links)
    while (this.#life.changing) await this.#life.settled()
    const removal = this.#remove(list)
    this.#removals.add(removal)
    try {
      await removal
    } finally {
      this.#removals.delete(removal)
    }
  }

  /**
   * Starts all links. A link that is to be tried again does not keep the others from that.
   *
   * @throws what failed; then those that started are shut down
   */
  async startAll(): Promise<void> {
    warnOfSharedIds(this.all)
    const { immediateTransfer } = this.#options
    await this.#store.prepare(this.all, this.all)
    await startLinks(this.all, this.#options, (link, error, starting) => {
      this.#retries.failed(link, error, immediateTransfer, starting)
    })
  }

  /** Shuts all links down. Gives what failed. */
  stopAll(limit: StopLimit): Promise<unknown[]> {
    return this.#stopLinks(this.all, limit)
  }

  /** Ends removals that are under way: they make transfers of their own. */
  async endRemovals(shutdown: Shutdown): Promise<void> {
    const removals = Promise.allSettled(this.#removals)
    await shutdown.letWork(() =>
      shutdown.limit.wait(
        () => 'links that were being removed',
        () => removals,
      ),
    )
  }

  /** Ends the transfers that run. */
  async endTransfers(shutdown: Shutdown): Promise<void> {
    for (const link of this.all) link.endStreams?.()
    await shutdown.limit.wait(
      () => `transfers of ${this.#dispatcher.running.join(', ')}`,
      () => this.#endWaiting(this.all, () => shutdown.letEnd(() => this.#dispatcher.idle())),
    )
  }

  /**
   * Releases what the buffers of all links hold, if the shutdown is to.
   *
   * @throws what failed
   */
  async drain(shutdown: Shutdown): Promise<void> {
    if (!shutdown.drain || shutdown.limit.isOver) return
    throwAny(await shutdown.letWork(() => this.#drain(this.all, shutdown.limit)), 'several links failed to drain')
  }

  async #remove(links: readonly PlannedLink[]): Promise<void> {
    const errors: unknown[] = []
    for (const link of links) this.#dispatcher.retire(link)
    this.#retries.cancel(links)
    if (this.#life.running) {
      for (const link of links) this.#scheduling.remove(link)
      errors.push(...(await this.#stop(links)))
    }
    for (const link of links) {
      this.dismiss(link, 'it is removed')
      getLogger('databay.BasePlanner').info('Removed link: %s', link)
    }
    this.#dispatcher.accounts.sayPulledAgain('when they are in a planner again')
    throwAny(errors, 'several links failed to shut down')
  }

  /** Lets transfers of links end, drains their buffers and shuts them down, within the time for it; gives what failed. */
  async #stop(links: readonly PlannedLink[]): Promise<unknown[]> {
    const limit = new StopLimit(this.#options.shutdownTimeout, () => {
      cancelLinks(links, 'the time for the removal of its link is nearly over')
    })
    for (const link of links) link.endStreams?.()
    await limit.wait(
      () => `transfers of ${links.map(({ name }) => name).join(', ')}`,
      () => this.#endWaiting(links, () => Promise.all(links.map((link) => this.#dispatcher.idle(link)))),
    )
    const undrained = this.#options.drain && !limit.isOver ? await this.#drain(links, limit) : []
    const unstopped = await this.#stopLinks(links, limit)
    limit.end()
    return [...undrained, ...unstopped, ...limit.abandonment('links that were removed')]
  }

  /** Waits for transfers to end. Those that wait for their link to be opened are given up in a moment. */
  async #endWaiting<T>(links: readonly PlannedLink[], idle: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      const reason = new TransferCancelledError('its link was not open when it was shut down')
      for (const link of links) link.endWaiting?.(reason)
    }, MOMENT)
    try {
      return await idle()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Shuts links down, but for those whose start hangs still: these are shut down should it end. */
  #stopLinks(links: readonly PlannedLink[], limit: StopLimit): Promise<unknown[]> {
    this.#retries.cancel(links)
    const started = (link: PlannedLink) => link.isOpen !== undefined || !isGivenUp(link)
    return stopLinks(links.filter(started), limit)
  }

  #drain(links: readonly PlannedLink[], limit: StopLimit): Promise<unknown[]> {
    return drainLinks(links, limit, (link, report) => this.#dispatcher.drained(link, report))
  }

  /** Starts and schedules links that are added to a running planner. */
  async #start(links: readonly PlannedLink[]): Promise<void> {
    warnOfSharedIds(links, this.#ids)
    await this.#store.prepare(links, [...this.all, ...links])
    const failed: (() => void)[] = []
    this.#dispatcher.accounts.find(links)
    await startLinks(links, this.#options, (link, error, starting) => {
      failed.push(() => {
        this.#retries.failed(link, error, false, starting)
      })
    })
    try {
      // the planner may have changed meanwhile
      if (!this.#life.running) throw new PlannerStateError('the planner was shut down while links were added')
      for (const link of links) {
        this.#admit(link)
        this.#scheduling.add(link)
      }
      for (const retry of failed) retry()
    } catch (error) {
      for (const link of links.filter((link) => this.#dispatcher.has(link))) {
        this.#scheduling.remove(link)
        this.dismiss(link, 'it could not be added')
      }
      const limit = new StopLimit(this.#options.shutdownTimeout)
      await this.#stopLinks(links, limit)
      limit.end()
      throw error
    }
  }

  #admit(link: PlannedLink): void {
    this.#dispatcher.add(link)
    link.setStreamGrace?.(this.#options.timeoutGrace)
    link.setTracer?.(this.#options.telemetry ? threadTracer : undefined)
    const unlisten = link.onReschedule?.(() => {
      this.#reschedule(link)
    })
    const { id } = link
    this.#admitted.set(link, { id, unlisten })
    this.#ids.add(id)
    getLogger('databay.BasePlanner').info('Added link: %s', link)
  }

  /** Goes by the schedule of a link that has changed. */
  #reschedule(link: PlannedLink): void {
    if (!this.#life.running || this.#dispatcher.isUsedUp(link)) return
    this.#scheduling.remove(link)
    this.#scheduling.add(link) // throws when it cannot be kept: then the old one is restored
  }

  #checkNew(links: readonly PlannedLink[]): void {
    const before = new Set<PlannedLink>()
    links.forEach((link, index) => {
      if (!isPlannedLink(link))
        throw new InvalidOptionError(`links[${index}]`, 'a Link', link, { hint: classAdvice(link) })
      if (this.#dispatcher.has(link) || this.#joining.has(link) || before.has(link)) {
        throw new InvalidOptionError(`links[${index}]`, 'a link that is not in this planner yet', String(link))
      }
      before.add(link)
    })
  }
}

/** Whether `value` can be given to a planner. */
export function isPlannedLink(value: unknown): value is PlannedLink {
  return (
    typeof value === 'object' &&
    value !== null &&
    'transfer' in value &&
    'onStart' in value &&
    'onShutdown' in value &&
    'schedule' in value &&
    'settings' in value &&
    typeof value.settings === 'object' &&
    value.settings !== null
  )
}
