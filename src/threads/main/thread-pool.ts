import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { ThreadLostError } from '../../base/errors.js'
import { shareLocks } from '../../base/locks.js'
import { logLevels, onLogLevels } from '../../base/log.js'
import { SETUP_SHUTDOWN, type ThreadSettings } from '../protocol/messages.js'
import { checkNiceable } from './nice.js'
import type { LostThread, ThreadPoolEvents, ThreadPoolOptions } from './thread-pool-options.js'
import { ThreadTracing } from './thread-tracing.js'
import { checkWorkerUrl, ThreadWorker } from './thread-worker.js'
import { Thread } from './thread.js'
import { Utilization } from './utilization.js'
import { LOOK_INTERVAL, Watchdog } from './watchdog.js'

/** Time between two looks whether a thread that leaves has done all that it was asked to do, in milliseconds. */
const AFTERWORK = 10

/** Time that threads may take to let through what they have printed, in milliseconds. */
const MAX_REST = 500

/**
 * The worker threads: each is a Piscina pool of one, as a task has to go to the thread that hosts its link. (A common
 * pool would choose the thread itself, and could neither grow, shrink nor renew a single one while it runs.)
 */
export class ThreadPool extends EventEmitter<ThreadPoolEvents> {
  readonly #options: ThreadPoolOptions
  readonly #settings: ThreadSettings
  readonly #watchdog: Watchdog<Thread>
  readonly #utilization = new Utilization()
  readonly #tracing = new ThreadTracing()
  #threads: readonly Thread[] = []
  /** Threads in no place: their links go elsewhere, or they are to take the place of another. */
  readonly #leaving = new Set<Thread>()
  readonly #workers = new Map<Thread, ThreadWorker>()
  #size: number
  #running = false
  #looking: NodeJS.Timeout | undefined
  #stopListening: () => void = () => undefined

  constructor(options: ThreadPoolOptions) {
    super()
    this.#size = options.threads
    this.#options = options
    const { transfersPerThread, startTimeout = Infinity, shutdownTimeout = Infinity } = options
    const { dryRun = false, store, overrides, printsToError = false, threadSetup, telemetry = false } = options
    const { grace = 1000 } = options
    const streamGrace = grace
    const limits = { transfersPerThread, startTimeout, shutdownTimeout, streamGrace }
    this.#settings = { ...limits, dryRun, store, overrides, printsToError, threadSetup, telemetry }
    this.#watchdog = new Watchdog({ grace, hangTimeout: options.hangTimeout ?? Infinity })
  }

  /** Number of threads that the pool has while it runs. */
  get size(): number {
    return this.#size
  }

  /** Number of transfers that may run at once in one thread. */
  get transfersPerThread(): number {
    return this.#settings.transfersPerThread
  }

  /** The threads; none while the pool does not run. */
  get threads(): readonly Thread[] {
    return this.#threads
  }

  /** Whether the threads are up. */
  get running(): boolean {
    return this.#running
  }

  /** Number of threads that have something to do. */
  get busy(): number {
    return this.#threads.filter((thread) => thread.busy).length
  }

  /**
   * Starts the threads; resolves when all take tasks.
   *
   * @throws {@link ThreadLostError} when one cannot be started
   * @throws {@link MissingDependencyError} when they are to be nice, and the package for that is missing
   * @throws {@link InvalidOptionError} when there is no file at `workerUrl`
   */
  async start(): Promise<void> {
    checkNiceable(this.#options.niceIncrement)
    checkWorkerUrl(this.#options.workerUrl)
    shareLocks() // threads find only what is there before them
    this.#running = true
    this.#threads = Array.from({ length: this.size }, (_, index) => this.#startThread(index + 1))
    this.#stopListening = onLogLevels(() => {
      for (const thread of this.#all) thread.note({ note: 'logLevels', levels: logLevels() })
    })
    await this.#areReady(this.#threads)
    this.#looking = setInterval(() => {
      this.#look()
    }, LOOK_INTERVAL).unref()
  }

  /**
   * Ends the threads, whatever they are doing. What they have printed is let through, unless they do not answer.
   *
   * @param force - whether not even that is waited for
   */
  async destroy(force = false): Promise<void> {
    if (!force) await this.#rest(this.#all)
    const ended = this.#running
    this.#running = false
    if (ended) this.emit('ended')
    clearInterval(this.#looking)
    this.#stopListening()
    for (const thread of this.#all) thread.end()
    this.#threads = []
    this.#leaving.clear()
    const workers = [...this.#workers.values()]
    this.#workers.clear()
    await Promise.all(workers.map((worker) => worker.destroy()))
  }

  /**
   * Ends a thread's worker, whatever it is doing; another takes its place.
   *
   * @param reason - why, for the transfers and tasks that fail by it
   */
  async endWorker(thread: Thread, reason: Error): Promise<void> {
    await this.#workers.get(thread)?.end(reason)
  }

  /**
   * Sets the number of threads. Further ones are started, or those with the highest numbers leave: they live on until
   * they are retired.
   *
   * @returns the threads that leave
   */
  async resize(size: number): Promise<readonly Thread[]> {
    this.#size = size
    if (!this.#running) return []
    const leaving = this.#threads.slice(size)
    for (const thread of leaving) this.#leaving.add(thread)
    const kept = this.#threads.slice(0, size)
    const further = Array.from({ length: size - kept.length }, (_, index) => this.#startThread(kept.length + index + 1))
    this.#threads = [...kept, ...further]
    await this.#areReady(further)
    return leaving
  }

  /** Starts a thread that is to take the place of another. Until it has, it belongs to no one. */
  async startReplacement(thread: Thread): Promise<Thread> {
    if (!this.#running) throw new ThreadLostError(`thread ${thread.number} has ended with its planner`)
    const fresh = this.#startThread(thread.number)
    this.#leaving.add(fresh)
    this.#tracing.takeOver(thread, fresh)
    try {
      await this.#areReady([fresh])
    } catch (thrown) {
      await this.retire(fresh)
      throw thrown
    }
    return fresh
  }

  /** Puts a thread in the place of another, which leaves: it lives on until it is retired. */
  replace(old: Thread, fresh: Thread): void {
    this.#leaving.delete(fresh)
    this.#leaving.add(old)
    this.#threads = this.#threads.map((thread) => (thread === old ? fresh : thread))
  }

  /** Ends a thread that has left, when it has done what it was asked to do before. */
  async retire(thread: Thread): Promise<void> {
    const since = performance.now()
    // the links are elsewhere, but it may shut one down, describe a module, or process records
    while (thread.busy && performance.now() - since < this.#settings.shutdownTimeout) await wait(AFTERWORK)
    await this.#rest([thread])
    this.#leaving.delete(thread)
    const worker = this.#workers.get(thread)
    this.#workers.delete(thread)
    thread.end('was retired')
    await worker?.destroy()
  }

  get #all(): Thread[] {
    return [...this.#threads, ...this.#leaving]
  }

  /** Waits until threads that are being started take tasks. */
  async #areReady(threads: readonly Thread[]): Promise<void> {
    let onLost: (lost: LostThread) => void = () => undefined
    const lost = new Promise<never>((_, reject) => {
      onLost = ({ thread, error }) => {
        if (!threads.includes(thread)) return
        reject(new ThreadLostError(`thread ${thread.number} could not be started: ${error.message}`, { cause: error }))
      }
    })
    this.on('lost', onLost)
    try {
      await Promise.race([Promise.all(threads.map((thread) => thread.ready)), lost])
    } finally {
      this.off('lost', onLost)
    }
  }

  /** Waits for what threads have printed. */
  async #rest(threads: readonly Thread[]): Promise<void> {
    const reachable = threads.filter((thread) => thread.worker !== undefined)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#settings.threadSetup === undefined ? MAX_REST : MAX_REST + SETUP_SHUTDOWN)
    })
    await Promise.race([Promise.allSettled(reachable.map((thread) => thread.call('rest', {}))), late])
    clearTimeout(timer)
  }

  #startThread(number: number): Thread {
    const worker = new ThreadWorker(number, this.#options, {
      created: (worker) => {
        thread.adopt(worker).catch(() => undefined) // it is lost again already: `lost` follows
      },
      lost: (reason) => this.#lose(thread, reason),
    })
    const thread = new Thread(number, this.#settings, (at, task, ports) => worker.run(at, task, ports))
    this.#workers.set(thread, worker)
    return thread
  }

  #look(): void {
    for (const { thread, reason } of this.#watchdog.look(this.#all)) void this.endWorker(thread, reason)
    this.#tracing.look(this.#threads, performance.now())
    const { maxTransfersPerThread = Infinity } = this.#options
    const due = this.#threads.find(({ given }) => given >= maxTransfersPerThread)
    if (due !== undefined) this.emit('dueForRecycling', due)
    if (this.#utilization.look(this.#threads)) this.emit('unbalanced')
  }

  #lose(thread: Thread, error: Error): void {
    const lost = thread.lose(error)
    this.#tracing.lost(thread, lost.inside !== undefined, performance.now())
    this.emit('lost', { thread, error, ...lost })
  }
}
