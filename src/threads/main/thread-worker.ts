import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { InvalidOptionError, MissingDependencyError, toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { freeLocksOf } from '../../base/locks.js'
import { getLogger } from '../../base/log.js'
import type { Task } from '../protocol/messages.js'
import { niceIncrementOf } from './nice.js'
import type { ThreadPoolOptions } from './thread-pool-options.js'

const loadPiscina = lazy<typeof import('piscina')>('piscina')

/**
 * URL of the module that each worker runs. It lies beside `src`, in the sources as in the build; where a bundler has put
 * this file into another one, in the package as it is installed.
 *
 * @param workerUrl - where it is, if that was said
 * @throws {@link MissingDependencyError} when it is in neither place
 */
function findEntry(workerUrl: string | undefined): string {
  if (workerUrl !== undefined) return workerUrl
  const beside = new URL('../../../workers/transfer.js', import.meta.url)
  if ([beside, new URL('./transfer.ts', beside)].some((file) => existsSync(file))) return beside.href
  try {
    const manifest = createRequire(import.meta.url).resolve('databay/package.json')
    return new URL('dist/workers/transfer.js', pathToFileURL(manifest)).href
  } catch (cause) {
    throw new MissingDependencyError(
      "threads run a file of the package databay, which this bundle is too far from: make 'databay/worker' an entry of the bundle and give its URL as workerUrl, or install databay beside the bundle",
      { cause },
    )
  }
}

/**
 * Checks that there is a file at the URL of a worker's module: Piscina would start worker after worker.
 *
 * @throws {@link InvalidOptionError}
 */
export function checkWorkerUrl(workerUrl: string | undefined): void {
  if (workerUrl === undefined || existsSync(fileURLToPath(workerUrl))) return
  throw new InvalidOptionError('workerUrl', "the URL of a file: a bundle of 'databay/worker'", workerUrl, {
    hint: 'there is no such file',
  })
}

/** Number of tasks that Piscina may give a worker at once: the thread itself bounds them. */
const UNBOUNDED = 1_000_000

/**
 * Megabytes for young objects: record pipelines make many, and much of the time goes into collecting them. A third of
 * it may become old at once, and that must be less than the 16 MiB that Node grants a thread that has reached its
 * limit: with 64 MiB, two of twelve threads out of memory took the whole process with them; with 32, none of twenty.
 */
const YOUNG_GENERATION_MB = 32

/** Time until a worker is started again that ended before it took tasks, in milliseconds: twice as long each time. */
const REVIVAL = 500
const LONGEST_REVIVAL = 60_000

/** Options of a worker. */
type WorkerOptions = Pick<ThreadPoolOptions, 'niceIncrement' | 'memoryLimit' | 'workerUrl'>

/** What a thread needs to know of its workers. */
export interface WorkerHooks {
  /** Called when a worker is there. */
  created(worker: Worker): void
  /** Called once when a worker has ended by itself or was ended, with the reason. Another one takes its place. */
  lost(reason: Error): void
}

/**
 * The worker of one thread: a Piscina pool of one, which starts another worker when one has ended. The only file that
 * knows Piscina.
 */
export class ThreadWorker {
  /** Number of the thread. */
  readonly #thread: number
  readonly #options: WorkerOptions
  readonly #hooks: WorkerHooks
  /** `undefined` once this is destroyed. */
  #piscina: Piscina | undefined
  /** The worker that is there now. */
  #worker: Worker | undefined
  /** Why the worker is being ended, and when it has. */
  #ending: { readonly reason: Error; readonly ended: Promise<unknown> } | undefined

  constructor(thread: number, options: WorkerOptions, hooks: WorkerHooks) {
    this.#thread = thread
    this.#options = options
    this.#hooks = hooks
    this.#start(0)
  }

  /** Gives a worker a task. Resolves when the worker is done with it, rejects when the worker is not there any more. */
  run(worker: Worker, task: Task, transferList: MessagePort[]): Promise<unknown> {
    if (this.#piscina === undefined || this.#worker !== worker) {
      return Promise.reject(new Error('the thread of this task is gone'))
    }
    return this.#piscina.run(task, { transferList })
  }

  /** Ends the worker, whatever it is doing; another one takes its place. */
  async end(reason: Error): Promise<void> {
    if (this.#worker === undefined) return
    // a worker in a system call ends only after that: once is enough
    this.#ending ??= { reason, ended: this.#worker.terminate() }
    await this.#ending.ended
  }

  /** Ends the worker for good. No hook is called from here on. */
  async destroy(): Promise<void> {
    const piscina = this.#piscina
    this.#piscina = undefined
    this.#worker = undefined
    await piscina?.destroy()
  }

  /** @param failures - number of times in a row that a pool could not replace its worker */
  #start(failures: number): void {
    const since = performance.now()
    const { Piscina } = loadPiscina()
    const { niceIncrement, memoryLimit, workerUrl } = this.#options
    const piscina = new Piscina({
      filename: findEntry(workerUrl),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: UNBOUNDED,
      atomics: 'disabled',
      recordTiming: false,
      niceIncrement: niceIncrementOf(niceIncrement),
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        ...(memoryLimit !== undefined && { maxOldGenerationSizeMb: memoryLimit }),
      },
    })
    this.#piscina = piscina
    // what a worker throws outside of any task; its end is known by `exit`
    piscina.on('error', () => undefined)
    piscina.on('workerCreate', () => {
      // a worker that takes another's place is in the pool only after this
      queueMicrotask(() => this.#take(piscina))
    })
    piscina.on('workerDestroy', () => {
      queueMicrotask(() => {
        const isDead = this.#piscina === piscina && piscina.threads.length === 0
        const inRow = performance.now() - since > LONGEST_REVIVAL ? 0 : failures
        if (isDead) this.#revive(piscina, inRow)
      })
    })
  }

  /** Starts another pool: after a worker that ended before it took the other's place, Piscina starts no more. */
  #revive(piscina: Piscina, failures: number): void {
    const delay = Math.min(LONGEST_REVIVAL, REVIVAL * 2 ** failures)
    getLogger('databay.ThreadPool').error(
      `the worker that was to take the place of thread ${this.#thread} has ended at once: the next try is in ${delay} ms`,
    )
    setTimeout(() => {
      if (this.#piscina === piscina) this.#start(failures + 1)
    }, delay).unref()
  }

  #take(piscina: Piscina): void {
    const worker = piscina.threads.at(-1)
    if (worker === undefined || this.#worker !== undefined || this.#piscina !== piscina) return
    const id = worker.threadId
    this.#worker = worker
    worker.once('error', (error: unknown) => {
      this.#lose(worker, toError(error))
    })
    worker.once('exit', (code) => {
      freeLocksOf(id)
      this.#lose(worker, new Error(`its worker exited with code ${code}`))
    })
    this.#hooks.created(worker)
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    const reason = this.#ending?.reason ?? error
    this.#worker = undefined
    this.#ending = undefined
    this.#hooks.lost(reason)
  }
}
