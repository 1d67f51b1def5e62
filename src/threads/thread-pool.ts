import { EventEmitter, once } from 'node:events'
import type { MessagePort, Worker } from 'node:worker_threads'
import { Piscina, queueOptionsSymbol } from 'piscina'
import { PlannerStateError, toError } from '../errors.js'
import { freeLocksOf, shareLocks } from '../locks.js'
import { logLevels, onLogLevels } from '../log.js'
import type { ProcessorFunction } from '../processor.js'
import { offload, type OffloadOptions } from './offload.js'
import type { Task } from './protocol.js'
import { Thread } from './thread.js'

/** What each thread runs. Found beside `src`, in the sources as in the build. */
const ENTRY = new URL('../../workers/transfer.js', import.meta.url).href

/** Bounded by ourselves, so Piscina shall not. */
const UNBOUNDED = 1_000_000

/**
 * Megabytes for young objects: record pipelines make many, and with V8's default most of the time goes into collecting
 * them. Measured: 1.5 to 4 times the records a second, at no more memory.
 */
const YOUNG_GENERATION_MB = 64

/** How long threads may take to let through what they have printed, in milliseconds. */
const MAX_REST = 500

export interface ThreadPoolOptions {
  /** How many threads, all of them from the start to the end. */
  readonly threads: number
  /** How many transfers may run at once in one thread. */
  readonly transfersPerThread: number
}

/** A thread whose worker has ended by itself, and how much was in it. */
export interface LostThread {
  readonly thread: Thread
  readonly error: Error
  readonly transfers: number
}

/** A task as Piscina's balancer sees it. */
interface PinnedTask {
  readonly [queueOptionsSymbol]?: { readonly worker: Worker } | null
}

/**
 * The worker threads: one Piscina pool of a fixed size, in which each task names its thread.
 */
export class ThreadPool extends EventEmitter<{ lost: [lost: LostThread] }> {
  /** How many threads the pool has while it runs. */
  readonly size: number
  readonly #transfersPerThread: number
  #threads: readonly Thread[] = []
  #piscina: Piscina | undefined
  #stopListening: () => void = () => undefined

  constructor(options: ThreadPoolOptions) {
    super()
    this.size = options.threads
    this.#transfersPerThread = options.transfersPerThread
  }

  /** The threads; none while the pool does not run. */
  get threads(): readonly Thread[] {
    return this.#threads
  }

  /** Whether the threads are up. */
  get running(): boolean {
    return this.#piscina !== undefined
  }

  /** How many threads have something to do. */
  get busy(): number {
    return this.#threads.filter((thread) => thread.busy).length
  }

  /** Starts the threads; resolves when all take tasks. */
  async start(): Promise<void> {
    shareLocks() // threads find only what is there before them
    const piscina = new Piscina({
      filename: ENTRY,
      minThreads: this.size,
      maxThreads: this.size,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: UNBOUNDED,
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      loadBalancer: (task, workers) => {
        const pin = (task as PinnedTask)[queueOptionsSymbol]
        const worker = workers.find(({ id }) => id === pin?.worker.threadId)
        if (worker === undefined) throw new Error('the thread of this task is gone')
        return worker
      },
    })
    this.#piscina = piscina
    this.#threads = Array.from(
      { length: this.size },
      (_, index) => new Thread(index + 1, this.#transfersPerThread, (...run) => this.#run(...run)),
    )
    // what a thread throws outside of any task; its end is heard of by `exit`
    piscina.on('error', () => undefined)
    piscina.on('workerCreate', ({ id }: { id: number }) => {
      // one that takes another's place is in the balancer's list only after this
      queueMicrotask(() => this.#adopt(piscina, id))
    })
    this.#stopListening = onLogLevels(() => {
      for (const thread of this.#threads) thread.note({ note: 'logLevels', levels: logLevels() })
    })
    await Promise.all(this.#threads.map((thread) => thread.ready))
  }

  /**
   * Ends the threads, whatever they are doing. What they have printed is let through, unless they do not answer.
   *
   * @param hurry - not even that
   */
  async destroy(hurry = false): Promise<void> {
    if (!hurry) await this.#rest()
    const piscina = this.#piscina
    this.#piscina = undefined
    this.#stopListening()
    for (const thread of this.#threads) thread.end()
    this.#threads = []
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

  async #rest(): Promise<void> {
    const reachable = this.#threads.filter((thread) => thread.worker !== undefined)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_REST)
    })
    await Promise.race([Promise.allSettled(reachable.map((thread) => thread.call('rest', {}))), late])
    clearTimeout(timer)
  }

  #adopt(piscina: Piscina, id: number): void {
    const worker = piscina.threads.find(({ threadId }) => threadId === id)
    const thread = this.#threads.find((one) => one.worker === undefined)
    if (worker === undefined || thread === undefined || piscina !== this.#piscina) return
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

  #lose(thread: Thread, worker: Worker, error: Error): void {
    if (thread.worker !== worker || this.#piscina === undefined) return
    this.emit('lost', { thread, error, transfers: thread.lose(error) })
  }

  #run(worker: Worker, task: Task, transferList: MessagePort[]): Promise<unknown> {
    if (this.#piscina === undefined) return Promise.reject(new PlannerStateError('the threads are not running'))
    try {
      return this.#piscina.run({ ...task, [queueOptionsSymbol]: { worker } }, { transferList })
    } catch (thrown) {
      return Promise.reject(toError(thrown))
    }
  }
}

/** Ends a thread's worker, as a crash would; another takes its place. */
export async function endWorker(thread: Thread): Promise<void> {
  const { worker } = thread
  if (worker === undefined) return
  const ended = once(worker, 'exit')
  await worker.terminate()
  await ended
}
