import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { ThreadLostError, toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { freeLocksOf, shareLocks } from '../../base/locks.js'
import { getLogger, logLevels, onLogLevels } from '../../base/log.js'
import type { ProcessorFunction } from '../../core/processor.js'
import { offload, type OffloadOptions } from './offload.js'
import { checkNiceable, niceIncrementOf } from './nice.js'
import type { ThreadSettings } from '../protocol/messages.js'
import { Thread, type RunTask } from './thread.js'
import { TraceTerm } from './trace-term.js'
import { Utilization } from './utilization.js'
import { LOOK_INTERVAL, Watchdog } from './watchdog.js'
import { ENTRY, UNBOUNDED, YOUNG_GENERATION_MB, REVIVAL, LONGEST_REVIVAL } from './thread-worker.js'
import type { ThreadPoolOptions, LostThread, ThreadPoolEvents } from './thread-pool-options.js'

const loadPiscina = lazy<typeof import('piscina')>('piscina')

/** How often a thread that leaves is looked at, whether it has done all that it was asked to do, in milliseconds. */
const AFTERWORK = 10

/** How long threads may take to let through what they have printed, in milliseconds. */
const MAX_REST = 500

/**
 * The worker threads: a Piscina pool of one thread for each, as a task has to go to the thread that hosts its link. (A
 * common pool would choose the thread itself, and could neither grow, shrink nor renew a single one while it runs.)
 */
export class ThreadPool extends EventEmitter<ThreadPoolEvents> {
  readonly #options: ThreadPoolOptions
  #threads: readonly Thread[] = []
  readonly #piscinas = new Map<Thread, Piscina>()
  /** Why workers are being ended that did nothing by themselves, and that they have. */
  readonly #endings = new WeakMap<Worker, { readonly reason: Error; readonly ended: Promise<unknown> }>()
  readonly #settings: ThreadSettings
  readonly #watchdog: Watchdog<Thread>
  /** For how long threads that were lost are traced. */
  readonly #terms = new WeakMap<Thread, TraceTerm>()
  readonly #utilization = new Utilization()
  #looking: NodeJS.Timeout | undefined
  #size: number
  /** Threads whose links go elsewhere, until they have ended. */
  readonly #leaving = new Set<Thread>()
  #running = false
  #stopListening: () => void = () => undefined

  constructor(options: ThreadPoolOptions) {
    super()
    this.#size = options.threads
    this.#options = options
    const { transfersPerThread, startTimeout = Infinity, shutdownTimeout = Infinity, dryRun = false } = options
    this.#settings = { transfersPerThread, startTimeout, shutdownTimeout, dryRun }
    this.#watchdog = new Watchdog({ grace: options.grace ?? 1000, hangTimeout: options.hangTimeout ?? Infinity })
  }

  /** How many threads the pool has while it runs. */
  get size(): number {
    return this.#size
  }

  /** How many transfers may run at once in one thread. */
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

  /** How many threads have something to do. */
  get busy(): number {
    return this.#threads.filter((thread) => thread.busy).length
  }

  /**
   * Starts the threads; resolves when all take tasks.
   *
   * @throws {@link ThreadLostError} when one cannot be started
   * @throws {@link MissingDependencyError} when they are to be nice, and the package for that is missing
   */
  async start(): Promise<void> {
    checkNiceable(this.#options.niceIncrement)
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
   * @param force - not even that
   */
  async destroy(force = false): Promise<void> {
    if (!force) await this.#rest(this.#all)
    this.#running = false
    clearInterval(this.#looking)
    this.#stopListening()
    for (const thread of this.#all) thread.end()
    this.#threads = []
    this.#leaving.clear()
    const piscinas = [...this.#piscinas.values()]
    this.#piscinas.clear()
    await Promise.all(piscinas.map((piscina) => piscina.destroy()))
  }

  /**
   * Ends a thread's worker, whatever it is doing; another takes its place.
   *
   * @param reason - why, for those whom it hits
   */
  async endWorker(thread: Thread, reason: Error): Promise<void> {
    const { worker } = thread
    if (worker === undefined) return
    let ending = this.#endings.get(worker)
    if (ending === undefined) {
      // one that is in a system call ends only after that
      ending = { reason, ended: worker.terminate() }
      this.#endings.set(worker, ending)
    }
    await ending.ended
  }

  /**
   * Sets how many threads there are. Further ones are started, or those with the highest numbers leave: they live on until
   * they are retired.
   *
   * @returns those that leave
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
    // whoever ends the one may end the other
    fresh.trace = thread.trace
    const term = this.#terms.get(thread)
    if (term !== undefined) this.#terms.set(fresh, term)
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
    const piscina = this.#piscinas.get(thread)
    this.#piscinas.delete(thread)
    thread.end('was retired')
    await piscina?.destroy()
  }

  /**
   * A processor for a link that runs on the main thread: it ships the records to the threads, chunk by chunk over all
   * of them, has a processor of a module do the work there, and ships them back in their order.
   *
   * The processor sees one chunk at a time, so it may not look across records; and what crosses must survive a
   * structured clone. It pays when the work on a record is dearer than its way there and back: some microseconds.
   *
   * @param module - URL or path of the module that exports the processor
   * @throws {@link InvalidOptionError}
   */
  processor(module: URL | string, options: OffloadOptions = {}): ProcessorFunction {
    return offload(this, module, options)
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

  async #rest(threads: readonly Thread[]): Promise<void> {
    const reachable = threads.filter((thread) => thread.worker !== undefined)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_REST)
    })
    await Promise.race([Promise.allSettled(reachable.map((thread) => thread.call('rest', {}))), late])
    clearTimeout(timer)
  }

  #startThread(number: number): Thread {
    const run: RunTask = (worker, task, transferList) => {
      const piscina = this.#piscinas.get(thread)
      if (piscina === undefined || thread.worker !== worker)
        return Promise.reject(new Error('the thread of this task is gone'))
      return piscina.run(task, { transferList })
    }
    const thread = new Thread(number, this.#settings, run)
    this.#startWorkers(thread)
    return thread
  }

  /** @param failures - how many pools of this thread in a row could not replace a worker */
  #startWorkers(thread: Thread, failures = 0): void {
    const since = performance.now()
    const { Piscina } = loadPiscina()
    const piscina = new Piscina({
      filename: ENTRY,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: UNBOUNDED,
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: niceIncrementOf(this.#options.niceIncrement),
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        ...(this.#options.memoryLimit !== undefined && { maxOldGenerationSizeMb: this.#options.memoryLimit }),
      },
    })
    this.#piscinas.set(thread, piscina)
    // what a thread throws outside of any task; its end is heard of by `exit`
    piscina.on('error', () => undefined)
    piscina.on('workerCreate', () => {
      // one that takes another's place is in the pool only after this
      queueMicrotask(() => this.#adopt(thread, piscina))
    })
    piscina.on('workerDestroy', () => {
      queueMicrotask(() => {
        const isDead = this.#piscinas.get(thread) === piscina && piscina.threads.length === 0
        const inRow = performance.now() - since > LONGEST_REVIVAL ? 0 : failures
        if (isDead) this.#revive(thread, piscina, inRow)
      })
    })
  }

  /** A worker that was to take another's place has ended before it could, after which Piscina starts no more: it is tried anew. */
  #revive(thread: Thread, piscina: Piscina, failures: number): void {
    const delay = Math.min(LONGEST_REVIVAL, REVIVAL * 2 ** failures)
    getLogger('databay.ThreadPool').error(
      `the worker that was to take the place of thread ${thread.number} has ended at once: the next try is in ${delay} ms`,
    )
    setTimeout(() => {
      if (this.#piscinas.get(thread) !== piscina) return
      this.#startWorkers(thread, failures + 1)
    }, delay).unref()
  }

  #adopt(thread: Thread, piscina: Piscina): void {
    const worker = piscina.threads.at(-1)
    if (worker === undefined || thread.worker !== undefined || this.#piscinas.get(thread) !== piscina) return
    const id = worker.threadId
    let failure: Error | undefined
    worker.once('error', (error: unknown) => {
      failure = toError(error)
      this.#lose(thread, worker, failure)
    })
    worker.once('exit', (code) => {
      freeLocksOf(id)
      this.#lose(thread, worker, failure ?? new Error(`its worker exited with code ${code}`))
    })
    thread.adopt(worker).catch(() => undefined) // lost again already: `exit` tells
  }

  #look(): void {
    for (const { thread, reason } of this.#watchdog.look(this.#all)) void this.endWorker(thread, reason)
    const now = performance.now()
    for (const thread of this.#threads)
      if (thread.trace && this.#terms.get(thread)?.isOver(now) === true) thread.trace = false
    const { maxTransfersPerThread = Infinity } = this.#options
    const due = this.#threads.find(({ given }) => given >= maxTransfersPerThread)
    if (due !== undefined) this.emit('dueForRecycling', due)
    if (this.#utilization.look(this.#threads)) this.emit('unbalanced')
  }

  /** When it is not sure who ended it, a thread is watched more closely for a while: that takes time. */
  #trace(thread: Thread, sure: boolean): void {
    const now = performance.now()
    if (sure) {
      if (thread.trace) this.#terms.get(thread)?.extend(now)
      return
    }
    const term = this.#terms.get(thread) ?? new TraceTerm()
    this.#terms.set(thread, term)
    term.begin(now)
    thread.trace = true
  }

  #lose(thread: Thread, worker: Worker, error: Error): void {
    if (thread.worker !== worker || !this.#running || !this.#piscinas.has(thread)) return
    const reason = this.#endings.get(worker)?.reason ?? error
    const lost = thread.lose(reason)
    this.#trace(thread, lost.inside !== undefined)
    this.emit('lost', { thread, error: reason, ...lost })
  }
}
