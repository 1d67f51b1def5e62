import { availableParallelism } from 'node:os'
import { checkCount, checkObject } from '../base/check.js'
import { InvalidOptionError, MissingLinkError, PlannerStateError, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import type { TransferReport } from '../core/report.js'
import type { Hit, Hosting } from '../threads/main/hosting.js'
import { moduleUrl } from '../threads/protocol/module-url.js'
import { keyOf, type LinkAddress } from '../threads/protocol/link-description.js'
import type { ThreadLink } from '../threads/main/thread-link.js'
import type { Thread } from '../threads/main/thread.js'
import { ThreadPool as Threads } from '../threads/main/thread-pool.js'
import type { LostThread } from '../threads/main/thread-pool-options.js'
import { ThreadMeter, type ThreadStats } from '../threads/main/thread-stats.js'
import { BasePlanner } from './base-planner.js'
import { clockScheduling } from './clock-scheduling.js'
import { internalsOf } from './planner-internals.js'
import type { Scheduling } from './scheduling.js'
import { checkTime } from './planner-options.js'
import type { PlannerStats } from './planner-stats.js'
import { type WorkerPlannerOptions, OPTIONS, checkWear, checkNice, checkMemory } from './worker-planner-options.js'
import { type LinkOrModule, divide, isWithin } from './planner-modules.js'
import { NOBODY } from './thread-loss.js'
import type { ThreadPool } from './thread-pool.js'

/** How long to wait until a thread is recycled again that could not be, in milliseconds. */
const RETRY_RECYCLING = 60_000

/**
 * The threads of a planner, for tests that end them.
 * @internal
 */
export let threadPoolOf: (planner: WorkerPlanner) => Threads

/**
 * A planner that keeps scheduling on the main thread and makes every transfer in a pool of worker threads. What a
 * thread can run is a link of a link module; a live link that is given runs on the main thread's event loop.
 *
 * ```ts
 * const planner = new WorkerPlanner(new URL('./links.js', import.meta.url), { threads: 4 })
 * await planner.start()
 * await planner.finished
 * ```
 */
export class WorkerPlanner extends BasePlanner {
  static {
    threadPoolOf = (planner) => planner.#pool
  }

  /** The worker threads, for {@link ThreadPool.processor}. */
  readonly pool: ThreadPool
  readonly #pool: Threads
  /** There from the first start on: every thread loads this module, and hardly any starts a planner. */
  #hosting: Hosting | undefined
  readonly #scheduling: Scheduling
  readonly #threadMeter = new ThreadMeter()
  /** URLs of the link modules. */
  readonly #modules: Set<string>
  /** Links that were removed, of modules of which others stay: they do not come back at the next start. */
  readonly #removed = new Set<string>()
  /** URLs of link modules that are being added. */
  readonly #joining = new Set<string>()
  #saidLive = false
  /** Whether links are being moved between threads without anybody having asked. */
  #rebalancing = false
  /** When the next thread may be recycled. */
  #nextRecycling = 0

  /**
   * @param links - links and link modules to begin with
   * @throws {@link InvalidOptionError}
   */
  constructor(links?: OneOrMany<LinkOrModule>, options: WorkerPlannerOptions = {}) {
    checkObject('options', options)
    const { live, modules } = divide(toArray(links))
    const size = {
      threads: checkCount('threads', options.threads, availableParallelism()),
      transfersPerThread: checkCount('transfersPerThread', options.transfersPerThread, 1000),
      grace: checkTime('timeoutGrace', options.timeoutGrace, 1000),
      hangTimeout: checkTime('hangTimeout', options.hangTimeout, 300_000),
      memoryLimit: checkMemory(options.threadMemoryLimit),
      maxTransfersPerThread: checkWear(options.maxTransfersPerThread),
      niceIncrement: checkNice(options.niceIncrement),
    }
    super(live, options, OPTIONS)
    const { clock, dryRun = false, scheduling = clockScheduling(0, clock) } = internalsOf(options)
    this.#scheduling = scheduling({
      dispatch: (link) => this.dispatch(link),
      dispatchDue: (link, due) => {
        this.dispatchDue(link, due)
      },
    })
    const { startTimeout, shutdownTimeout } = this.options
    this.#pool = new Threads({ ...size, startTimeout, shutdownTimeout, dryRun })
    this.pool = Object.freeze({ processor: this.#pool.processor.bind(this.#pool) })
    this.#modules = new Set(modules)
    this.#pool.on('lost', (lost) => {
      this.#onLost(lost)
    })
    this.#pool.on('dueForRecycling', (thread) => {
      if (this.running) this.#recycle(thread)
    })
    this.#pool.on('unbalanced', () => {
      this.#rebalanceByItself()
    })
    this.#sayLive(live)
  }

  /** How many worker threads this planner has. */
  get threads(): number {
    return this.#pool.size
  }

  /** Number of threads that have something to do. */
  get busyThreads(): number {
    return this.#pool.busy
  }

  /** Most transfers that run at once in one thread. */
  get transfersPerThread(): number {
    return this.#pool.transfersPerThread
  }

  override stats(): PlannerStats {
    return { ...super.stats(), threads: this.threadStats() }
  }

  /** The `threads` of {@link WorkerPlanner.stats}, without the links: cheap also where these are thousands. */
  threadStats(): readonly ThreadStats[] {
    return this.#threadMeter.read(this.#pool.threads)
  }

  /**
   * Sets how many worker threads there are, also while links transfer. Links whose nodes hand over their state move to
   * further ones, by the time that they take. From threads that end, all links move: those that hand over no state begin
   * anew.
   *
   * @param threads - see {@link WorkerPlannerOptions.threads}
   * @throws {@link InvalidOptionError}
   */
  async setThreads(threads: number): Promise<void> {
    const size = checkCount('threads', threads, 1)
    await this.settled()
    const resized = this.#load().then(({ reconfiguration }) => reconfiguration.resize(size))
    await this.#orStopped('threads were set', resized)
  }

  /**
   * Moves links from threads that are busy to others, by the time that their transfers took since the last time. Links
   * whose nodes hand over no state stay. Done by itself when one thread is saturated while another idles.
   */
  async rebalance(): Promise<void> {
    if (!this.running) throw new PlannerStateError('rebalance() needs a running planner')
    const moved = this.#load().then(({ reconfiguration }) => reconfiguration.rebalance())
    await this.#orStopped('links were moved', moved)
  }

  /**
   * Loads a link module anew while its links transfer: its new version is opened in fresh threads, which take over all
   * links of those that host it now, with what their instances hand over. Links that it does not export any more are
   * removed, new ones are added. A thread loads all its modules anew, other ones too.
   *
   * @param module - URL or path of a module of this planner
   * @throws {@link MissingLinkError} when it is none
   * @throws {@link LinkModuleError} when the new version cannot be loaded or started: then the old one runs on
   */
  async reload(module: URL | string): Promise<void> {
    if (!this.running) throw new PlannerStateError('reload() needs a running planner')
    const url = moduleUrl('module', module)
    if (!this.#modules.has(url)) throw new MissingLinkError(`link module ${url} is not in this planner`)
    const hooks = {
      drained: (report: TransferReport) => this.count(report),
      wants: (link: LinkAddress) => this.#modules.has(link.module) && !this.#removed.has(keyOf(link)),
      remove: async (links: readonly ThreadLink[]) => {
        // others may have been removed meanwhile
        const here = links.filter((link) => this.links.includes(link))
        if (here.length === 0) return
        // those that fail to shut down are removed all the same
        await super.removeLinks(here).catch(logFailure('a link failed to shut down as its module was loaded anew'))
        this.#hosting?.drop(here)
      },
    }
    const add = (link: ThreadLink) => super.addLinks(link)
    const reloaded = this.#load().then((hosting) => hosting.reload(url, hooks, add))
    await this.#orStopped('a module was loaded anew', reloaded)
    getLogger('databay.WorkerPlanner').info('%s is loaded anew', url)
  }

  /**
   * Recycles the threads, one after the other: a fresh one takes the place of each, loads the link modules anew, and takes
   * over the links with what their instances hand over. Transfers that come due meanwhile wait for it.
   *
   * @throws {@link LinkModuleError} when a module cannot be loaded any more; then its thread stays as it is
   */
  async recycle(): Promise<void> {
    if (!this.running) throw new PlannerStateError('recycle() needs a running planner')
    const recycleAll = async () => {
      const { reconfiguration } = await this.#load()
      for (const thread of this.#pool.threads) await reconfiguration.recycle(thread)
    }
    await this.#orStopped('threads were recycled', recycleAll())
  }

  /** URLs of this planner's link modules: a copy of the list. */
  get modules(): string[] {
    return [...this.#modules]
  }

  /**
   * Adds links, and link modules with all their links. In a running planner they are started and scheduled.
   *
   * @throws {@link InvalidOptionError} when one is no link and no module, or is in the planner already
   * @throws {@link LinkModuleError} when a module cannot be used; then nothing is added
   */
  override async addLinks(links: OneOrMany<LinkOrModule>): Promise<void> {
    const { live, modules } = divide(toArray(links))
    for (const module of modules) this.#checkNewModule(module)
    // known from here on, so that it cannot be added twice; a start that follows at once takes it along
    const known = this.#pool.running ? this.#joining : this.#modules
    for (const module of modules) known.add(module)
    try {
      if (known === this.#modules) await super.addLinks(live)
      else await this.#addRunning(live, modules)
    } catch (error) {
      for (const module of modules) this.#modules.delete(module)
      throw error
    } finally {
      for (const module of modules) this.#joining.delete(module)
    }
    this.#sayLive(live)
  }

  /**
   * Removes links; a module's URL or path stands for all its links.
   *
   * @throws {@link MissingLinkError} when one is not in this planner; then none is removed
   */
  override async removeLinks(links: OneOrMany<LinkOrModule>): Promise<void> {
    const { live, modules } = divide(toArray(links))
    for (const module of modules) {
      if (!this.#modules.has(module)) throw new MissingLinkError(`link module ${module} is not in this planner`)
    }
    // at once while it is stopped: a start that follows does not take them along
    const known = () => new Set(this.links)
    if (!this.#pool.running && isWithin(live, known())) for (const module of modules) this.#forget(module)
    await this.settled()
    const hosted = modules.flatMap((module) => this.#hosting?.linksOf(module) ?? [])
    const all = [...new Set<PlannedLink>([...live, ...hosted])]
    const before = known()
    try {
      await super.removeLinks(all)
    } finally {
      // those that fail to shut down are removed all the same
      if (isWithin(all, before)) {
        this.#hosting?.drop(all)
        for (const module of modules) this.#forget(module)
        this.#noteRemoved(all)
      }
    }
  }

  /** Removes all links and link modules. */
  override async purge(): Promise<void> {
    await this.removeLinks([...this.links, ...this.#modules])
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

  protected override async prepare(): Promise<void> {
    const [hosting] = await Promise.all([this.#load(), this.#pool.start()])
    const hosted = await hosting.host([...this.#modules])
    const removed = hosted.filter(({ description }) => this.#removed.has(keyOf(description)))
    hosting.drop(removed)
    for (const link of hosted) if (!removed.includes(link)) this.register(link)
  }

  protected override force(): void {
    void this.#pool.destroy(true)
  }

  protected override async release(force: boolean): Promise<void> {
    for (const link of this.#hosting?.clear() ?? []) this.unregister(link)
    await this.#pool.destroy(force)
  }

  /** Loads what hosts the links, unless it is there. */
  async #load(): Promise<Hosting> {
    if (this.#hosting !== undefined) return this.#hosting
    const { Hosting } = await import('../threads/main/hosting.js')
    this.#hosting ??= new Hosting(this.#pool, {
      drained: (report) => this.count(report),
      lost: (records) => this.countLost(records),
    })
    return this.#hosting
  }

  /** A module goes with the last of its links; while some stay, the others are remembered. */
  #noteRemoved(links: readonly PlannedLink[]): void {
    const hosting = this.#hosting
    if (hosting === undefined) return
    for (const link of links) {
      if (!hosting.isHosted(link) || !this.#modules.has(link.description.module)) continue
      if (hosting.linksOf(link.description.module).length === 0) this.#forget(link.description.module)
      else this.#removed.add(keyOf(link.description))
    }
  }

  #forget(module: string): void {
    this.#modules.delete(module)
    for (const key of this.#removed) if (key.startsWith(`${module} `)) this.#removed.delete(key)
  }

  /** Moves links between threads, unless that is under way: it waits for transfers of the links that move. */
  #rebalanceByItself(): void {
    if (!this.running || this.#rebalancing) return
    this.#rebalancing = true
    this.rebalance()
      .catch(this.#logUnlessStopped('links could not be moved between threads'))
      .finally(() => {
        this.#rebalancing = false
      })
  }

  /** For what is done unasked: that a shutdown ends it is no failure. */
  #logUnlessStopped(message: string): (error: unknown) => void {
    return (error) => {
      if (this.running) logFailure(message)(error)
    }
  }

  /** Recycles a thread that is worn, unless one is being recycled or has just failed to be. */
  #recycle(thread: Thread): void {
    if (performance.now() < this.#nextRecycling) return
    this.#nextRecycling = Infinity
    const done = () => {
      this.#nextRecycling = performance.now() + (this.#pool.threads.includes(thread) ? RETRY_RECYCLING : 0)
    }
    this.#load()
      .then(({ reconfiguration }) => reconfiguration.recycle(thread))
      .catch(this.#logUnlessStopped(`thread ${thread.number} could not be recycled`))
      .finally(done)
  }

  #onLost(lost: LostThread): void {
    const hit = this.#hosting?.lost(lost) ?? NOBODY
    const quarantinedUntil = hit.culprit?.quarantinedUntil
    // transfers that ended before are reported first: what they left in buffers is lost too
    setImmediate(() => {
      this.#tellLost(lost, hit, quarantinedUntil)
    })
  }

  #tellLost(lost: LostThread, { names, culprit, ...hit }: Hit, quarantinedUntil: number | undefined): void {
    const { error } = lost
    const buffered = hit.buffered()
    const [thread, transfers] = [lost.thread.number, lost.runs.length]
    const by = culprit === undefined ? '' : ` by ${culprit.name}`
    getLogger('databay.WorkerPlanner').error(
      { err: error },
      `thread ${thread} was lost${by} with ${transfers} transfers and ${buffered} buffered records: ${error.message}`,
    )
    this.countLost(buffered)
    const event = { thread, error, culprit: culprit?.name, quarantinedUntil, links: names, transfers, buffered }
    this.notify('threadLost', event)
  }

  /**
   * What is under way when the planner is shut down fails for that.
   *
   * @param what - what was done, for the error
   */
  async #orStopped<T>(what: string, work: Promise<T>): Promise<T> {
    const { running } = this
    try {
      return await work
    } catch (error) {
      if (!running || this.running) throw error
      throw new PlannerStateError(`the planner was shut down while ${what}`, { cause: error })
    }
  }

  /** Adds to threads that are up, once a start that is under way has ended. */
  async #addRunning(live: readonly PlannedLink[], modules: readonly string[]): Promise<void> {
    await this.settled()
    const hosted = await this.#orStopped(
      'links were added',
      this.#load().then((hosting) => hosting.host(modules)),
    )
    for (const module of modules) this.#modules.add(module)
    try {
      await super.addLinks([...live, ...hosted])
    } catch (error) {
      this.#hosting?.drop(hosted)
      throw error
    }
  }

  #checkNewModule(module: string): void {
    if (this.#modules.has(module) || this.#joining.has(module)) {
      throw new InvalidOptionError('links', 'a link module that is not in this planner yet', module)
    }
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

function logFailure(message: string): (error: unknown) => void {
  return (error) => {
    getLogger('databay.WorkerPlanner').error({ err: toError(error) }, message)
  }
}
