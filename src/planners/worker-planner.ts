import { resolve } from 'node:path'
import { PlannerStateError, toError } from '../base/errors.js'
import { importLater } from '../base/libraries.js'
import { getLogger } from '../base/log.js'
import type { Url } from '../base/node-types.js'
import { resolveOptions } from '../base/options.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { isLink } from '../core/link.js'
import { LinkOverrides } from '../core/link-overrides.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { ThreadLink } from '../threads/main/thread-link.js'
import type { ThreadPoolOptions } from '../threads/main/thread-pool-options.js'
import type { ThreadPool as Threads } from '../threads/main/thread-pool.js'
import type { ThreadStats } from '../threads/main/thread-stats.js'
import type { LinkDescription } from '../threads/protocol/link-description.js'
import { moduleUrl } from '../threads/protocol/module-url.js'
import { BasePlanner } from './base-planner.js'
import { clockScheduling } from './clock-scheduling.js'
import type { LinkSelection } from '../core/link-selection.js'
import { internalsOf } from './planner-internals.js'
import { unlessStopped } from './planner-lifecycle.js'
import { divide, PlannerModules, type LinkOrModule } from './planner-modules.js'
import { PLANNER_OPTIONS } from './planner-options.js'
import type { PlannerReading } from '../operate/planner-reading.js'
import type { PlannerStats } from '../operate/planner-stats.js'
import type { PlannerThreads } from './planner-threads.js'
import type { Scheduling } from './scheduling.js'
import { threadPool, type ThreadPool } from './thread-pool.js'
import { WORKER_PLANNER_OPTIONS, type WorkerPlannerOptions } from './worker-planner-options.js'

const importThreads = () => import('./planner-threads.js')

/**
 * The threads of a planner, for tests that end them.
 * @internal
 */
export let threadPoolOf: (planner: WorkerPlanner) => Threads

/**
 * Planner that keeps scheduling on the main thread and makes transfers in a pool of worker threads. A thread can run the
 * links of a link module. A live link runs on the main thread's event loop.
 *
 * ```ts
 * const planner = new WorkerPlanner(new URL('./links.js', import.meta.url), { threads: 4 })
 * await planner.start()
 * await planner.finished
 * ```
 */
export class WorkerPlanner extends BasePlanner {
  static {
    threadPoolOf = (planner) => {
      if (planner.#threads === undefined) throw new PlannerStateError('the planner has no threads yet')
      return planner.#threads.pool
    }
  }

  /** The worker threads, for {@link ThreadPool.processor}. */
  readonly pool: ThreadPool
  /** The threads; loaded at the first use, as every thread loads this module, and hardly any starts a planner. */
  #threads: PlannerThreads | undefined
  readonly #settings: ThreadPoolOptions
  readonly #scheduling: Scheduling
  readonly #modules: PlannerModules
  /** Links of the modules that belong to the planner; `undefined` for all. */
  readonly #selection: LinkSelection | undefined
  /** Settings that a configuration has for links. */
  readonly #overrides: LinkOverrides
  /** Whether the start that is under way is to end soon. */
  #forced = false
  #saidLive = false

  /**
   * @param links - links and link modules to begin with
   * @throws {@link InvalidOptionError}
   */
  constructor(links?: OneOrMany<LinkOrModule>, options: WorkerPlannerOptions = {}) {
    const { threadMemoryLimit, ...settings } = resolveOptions(
      undefined,
      options,
      WORKER_PLANNER_OPTIONS,
      Object.keys(PLANNER_OPTIONS),
    )
    const { live, modules } = divide(toArray(links))
    const overrides = new LinkOverrides(internalsOf(options).overrides)
    super(overrideLive(live, overrides), options, Object.keys(WORKER_PLANNER_OPTIONS))
    const {
      clock,
      dryRun = false,
      printsToError = false,
      selection,
      scheduling = clockScheduling(0, clock),
    } = internalsOf(options)
    this.#selection = selection
    this.#overrides = overrides
    this.#scheduling = scheduling({
      dispatch: (link) => this.dispatch(link),
      dispatchDue: (link, due) => {
        this.dispatchDue(link, due)
      },
    })
    const { startTimeout, shutdownTimeout, timeoutGrace, store, telemetry } = this.options
    this.#settings = {
      ...settings,
      grace: timeoutGrace,
      memoryLimit: threadMemoryLimit,
      startTimeout,
      shutdownTimeout,
      dryRun,
      store: store && resolve(store),
      telemetry,
      overrides: internalsOf(options).overrides,
      printsToError,
    }
    this.#modules = new PlannerModules(modules)
    this.pool = threadPool(() => this.#threads?.pool.threads ?? [])
    this.#sayLive(live.filter((link) => this.#threads?.hosting.isHosted(link) !== true))
  }

  /** Number of worker threads of this planner. */
  get threads(): number {
    return this.#threads?.pool.size ?? this.#settings.threads
  }

  /** Number of threads that have something to do. */
  get busyThreads(): number {
    return this.#threads?.pool.busy ?? 0
  }

  /** Most transfers that run at once in one thread. */
  get transfersPerThread(): number {
    return this.#settings.transfersPerThread
  }

  override stats(): PlannerStats {
    return { ...super.stats(), threads: this.threadStats() }
  }

  /** @internal */
  override reading(): PlannerReading {
    return { ...super.reading(), threads: this.#threads?.reading() ?? [] }
  }

  /** The `threads` of {@link WorkerPlanner.stats}, without the links: cheap also where these are thousands. */
  threadStats(): readonly ThreadStats[] {
    return this.#threads?.stats() ?? []
  }

  /**
   * Sets the number of worker threads, also while links transfer. Links whose nodes hand over their state move to further
   * threads, by the time that they take. From threads that end, all links move: links that hand over no state begin afresh.
   * Changes are made one at a time; of several numbers that wait for their turn, the last one counts for all.
   *
   * @param threads - see {@link WorkerPlannerOptions.threads}
   * @throws {@link InvalidOptionError}
   */
  async setThreads(threads: number): Promise<void> {
    const size = WORKER_PLANNER_OPTIONS.threads.read('threads', threads)
    await this.settled()
    const resized = this.#load().then(({ hosting }) => hosting.reconfiguration.resize(size))
    await unlessStopped(this, 'threads were set', resized)
  }

  /**
   * Moves links from busy threads to others, by the time that their transfers took since the last time. Links whose nodes
   * hand over no state stay. The planner does this by itself when one thread is saturated while another idles.
   */
  async rebalance(): Promise<void> {
    if (!this.running) throw new PlannerStateError('rebalance() needs a running planner')
    const moved = this.#load().then(({ hosting }) => hosting.reconfiguration.rebalance())
    await unlessStopped(this, 'links were moved', moved)
  }

  /**
   * Reloads a link module while its links transfer: its new version is opened in fresh threads, which take over all links of
   * the threads that host it now, with what their instances hand over. Links that it does not export any more are removed,
   * new ones are added. A fresh thread loads the other modules of its links again, too.
   *
   * @param module - URL or path of a module of this planner
   * @throws {@link MissingLinkError} when this planner has no such module
   * @throws {@link LinkModuleError} when the new version cannot be loaded or started: then the old one runs on
   */
  async reload(module: Url | string): Promise<void> {
    if (!this.running) throw new PlannerStateError('reload() needs a running planner')
    const url = moduleUrl('module', module)
    this.#modules.checkKnown([url])
    const hooks = {
      wants: (link: LinkDescription) => this.#wants(link),
      remove: async (links: readonly ThreadLink[]) => {
        // others may have been removed meanwhile
        const here = links.filter((link) => this.hasLink(link))
        if (here.length === 0) return
        // a link that fails to shut down is removed all the same
        await super.removeLinks(here).catch((error: unknown) => {
          const message = 'a link failed to shut down as its module was loaded anew'
          getLogger('databay.WorkerPlanner').error({ err: toError(error) }, message)
        })
        this.#threads?.hosting.drop(here)
      },
    }
    const add = (link: ThreadLink) => super.addLinks(link)
    const reloaded = this.#load().then(({ hosting }) => hosting.reload(url, hooks, add))
    await unlessStopped(this, 'a module was loaded anew', reloaded)
    getLogger('databay.WorkerPlanner').info('%s is loaded anew', url)
  }

  /**
   * Recycles the threads, one after the other: a fresh one takes the place of each, loads the link modules again, and takes
   * over the links with what their instances hand over. Transfers that come due meanwhile wait for it.
   *
   * @throws {@link LinkModuleError} when a module cannot be loaded any more; then its thread stays as it is
   */
  async recycle(): Promise<void> {
    if (!this.running) throw new PlannerStateError('recycle() needs a running planner')
    const recycled = this.#load().then(({ hosting }) => hosting.reconfiguration.recycleAll())
    await unlessStopped(this, 'threads were recycled', recycled)
  }

  /** URLs of this planner's link modules: a copy of the list. */
  get modules(): string[] {
    return this.#modules.all
  }

  /**
   * Adds links, and link modules with all their links. In a running planner they are started and scheduled.
   *
   * @throws {@link InvalidOptionError} when one is neither a link nor a module, or is in the planner already
   * @throws {@link LinkModuleError} when a module cannot be used; then nothing is added
   */
  override async addLinks(links: OneOrMany<LinkOrModule>): Promise<void> {
    const { live: given, modules } = divide(toArray(links))
    const live = overrideLive(given, this.#overrides)
    // noted from here on, so that no module is added twice; a start that follows at once takes them along
    const running = this.#areThreadsUp
    if (running) this.#modules.join(modules)
    else this.#modules.add(modules)
    try {
      const back = this.#removedOf(live)
      if (running) await this.#addRunning(live, modules, back)
      // the next start makes those that are taken back
      else await super.addLinks(live.filter((link) => !(back as readonly PlannedLink[]).includes(link)))
      for (const { description } of back) this.#modules.takeBack(description)
    } catch (error) {
      for (const module of modules) this.#modules.remove(module)
      throw error
    } finally {
      this.#modules.leave(modules)
    }
    this.#sayLive(live.filter((link) => this.#threads?.hosting.isHosted(link) !== true))
  }

  /**
   * Removes links; a module's URL or path stands for all its links.
   *
   * @throws {@link MissingLinkError} when one is not in this planner; then none is removed
   */
  override async removeLinks(links: OneOrMany<LinkOrModule>): Promise<void> {
    const { live, modules } = divide(toArray(links))
    this.#modules.checkKnown(modules)
    // at once while it is stopped: a start that follows does not take them along
    const isKnown = (link: PlannedLink) => this.hasLink(link)
    if (!this.#areThreadsUp && live.every(isKnown)) for (const module of modules) this.#modules.remove(module)
    await this.settled()
    const hosted = modules.flatMap((module) => this.#threads?.hosting.linksOf(module) ?? [])
    const all = [...new Set<PlannedLink>([...live, ...hosted])]
    const areKnown = all.every(isKnown)
    try {
      await super.removeLinks(all)
    } finally {
      // a link that fails to shut down is removed all the same
      if (areKnown) {
        this.#threads?.hosting.drop(all)
        for (const module of modules) this.#modules.remove(module)
        this.#noteRemoved(all)
      }
    }
  }

  /** Removes all links and link modules. */
  override async purge(): Promise<void> {
    await this.removeLinks([...this.links, ...this.modules])
  }

  override toString(): string {
    return `WorkerPlanner(threads:${this.threads})`
  }

  protected schedule(link: PlannedLink): void {
    this.#scheduling.add(link)
  }

  protected unschedule(link: PlannedLink): void {
    this.#scheduling.remove(link)
  }

  protected startPlanner(): void | Promise<void> {
    return this.#scheduling.start()
  }

  protected shutdownPlanner(wait: boolean): void | Promise<void> {
    return this.#scheduling.stop(wait)
  }

  protected override pausePlanner(): void {
    this.#scheduling.pause()
  }

  protected override resumePlanner(): void {
    this.#scheduling.resume()
  }

  protected override nextDue(link: PlannedLink): number | undefined {
    return this.#scheduling.nextDue?.(link)
  }

  protected override async prepare(): Promise<void> {
    const { pool, hosting } = await this.#load()
    if (this.#forced) throw new PlannerStateError('the planner was shut down while it started')
    await pool.start()
    const hosted = await hosting.host(this.modules)
    this.#overrides.check(hosted)
    this.#selection?.check(hosted)
    const unwanted = new Set(hosted.filter(({ description }) => !this.#wants(description)))
    hosting.drop([...unwanted])
    for (const link of hosted) if (!unwanted.has(link)) this.register(link)
  }

  protected override force(): void {
    this.#forced = true
    void this.#threads?.pool.destroy(true)
  }

  protected override async release(force: boolean): Promise<void> {
    this.#forced = false
    const hosted = this.#threads?.hosting.clear() ?? []
    try {
      await this.#threads?.pool.destroy(force)
    } finally {
      // no report comes any more: what is in their buffers now is lost
      for (const link of hosted) this.unregister(link)
    }
  }

  /** Whether a link of a module belongs to the planner: it is selected, not turned off, and was not removed. */
  #wants(link: LinkDescription): boolean {
    if (this.#overrides.disabling(link) !== undefined) return false
    return this.#selection?.has(link) !== false && this.#modules.wants(link)
  }

  get #areThreadsUp(): boolean {
    return this.#threads?.pool.running ?? false
  }

  /** Gives the threads; loads them at the first call. */
  async #load(): Promise<PlannerThreads> {
    if (this.#threads !== undefined) return this.#threads
    const { PlannerThreads } = await importLater(importThreads)
    this.#threads ??= new PlannerThreads(this.#settings, {
      isRunning: () => this.running,
      drained: (report) => {
        this.count(report)
      },
      recordsLost: (records) => {
        this.countLost(records)
      },
      openFailed: (link, error) => {
        this.openFailed(link, error)
      },
      opened: (link) => {
        this.opened(link)
      },
      moved: (link) => {
        this.moved(link)
      },
      threadLost: (event) => {
        this.countLost(event.buffered)
        this.notify('threadLost', event)
      },
      ended: (error) => {
        this.stopFor(error)
      },
    })
    return this.#threads
  }

  #noteRemoved(links: readonly PlannedLink[]): void {
    const hosting = this.#threads?.hosting
    if (hosting === undefined) return
    for (const link of links) {
      if (!hosting.isHosted(link)) continue
      const { description } = link
      this.#modules.removeLink(description, hosting.hasLinksOf(description.module))
    }
  }

  /** Adds links and modules to threads that are up, once a start that is under way has ended. */
  async #addRunning(
    live: readonly PlannedLink[],
    modules: readonly string[],
    back: readonly ThreadLink[],
  ): Promise<void> {
    await this.settled()
    const exported = await unlessStopped(
      this,
      'links were added',
      this.#load().then(({ hosting }) => hosting.host(modules)),
    )
    const hosted = exported.filter((link) => this.#overrides.disabling(link) === undefined)
    const wanted = new Set(hosted)
    this.#threads?.hosting.drop(exported.filter((link) => !wanted.has(link)))
    this.#modules.add(modules)
    try {
      this.#threads?.hosting.takeBack(back)
      await super.addLinks([...live, ...hosted])
    } catch (error) {
      this.#threads?.hosting.drop([...hosted, ...back])
      throw error
    }
  }

  /** The links among those to be added that are of a module of this planner, and were removed. */
  #removedOf(links: readonly PlannedLink[]): ThreadLink[] {
    const hosting = this.#threads?.hosting
    if (hosting === undefined) return []
    const back = links.filter((link) => hosting.isHosted(link)).filter((link) => !this.hasLink(link))
    for (const { description, name } of back) this.#modules.checkRemoved(description, name)
    return back
  }

  #sayLive(live: readonly PlannedLink[]): void {
    const [link] = live
    if (link === undefined || this.#saidLive) return
    this.#saidLive = true
    getLogger('databay.WorkerPlanner').warn(
      `${link.name} is a live link, so it runs on the main thread: to run it in a worker thread, export it from a module and give the planner that module's URL`,
    )
  }
}

/** Live links with the settings that a configuration has for them, without those that it turns off. */
function overrideLive(links: readonly PlannedLink[], overrides: LinkOverrides): PlannedLink[] {
  if (overrides.isEmpty) return [...links]
  for (const link of links) if (isLink(link)) link.override(overrides)
  return links.filter((link) => overrides.disabling(link) === undefined)
}
