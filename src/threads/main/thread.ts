import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads'
import { ThreadLostError, toError } from '../../base/errors.js'
import { getLogger, logLevels, writeLogLine } from '../../base/log.js'
import { restoreError, type PlainError } from '../../base/plain-error.js'
import { Batch } from './batch.js'
import { unpackDescriptions } from '../protocol/descriptions.js'
import { unpackReports } from '../protocol/reports.js'
import type { CallName, Calls, Note, OpenRequest, Task, ThreadEvent, ThreadSettings } from '../protocol/messages.js'
import type { LinkDescription } from '../protocol/link-description.js'
import { RunPacker } from '../protocol/runs.js'
import { Pulse } from '../protocol/pulse.js'
import { type Pending, throwPlain } from './thread-calls.js'
import { type HostedRun, NotBegunError, type Lost } from './run.js'

/** The most transfers in one message: a batch is told of as one, so it should not be too long on its way. */
const MAX_RUNS = 256

/** Runs a task in the worker of this thread. The only way to it: it belongs to the Piscina pool. */
export type RunTask = (worker: Worker, task: Task, transfer: MessagePort[]) => Promise<unknown>

/**
 * The main thread's side of one worker thread: calls it, gathers its transfers into messages, and hears what it tells.
 * Outlives the worker: when that is lost, another takes its place under the same number.
 */
export class Thread {
  /** From 1. */
  readonly number: number
  #trace = false
  /** Whether its worker does. */
  #traced = false
  readonly #runTask: RunTask
  readonly #settings: ThreadSettings
  #worker: Worker | undefined
  #port: MessagePort | undefined
  #ready: Promise<void>
  /** Whether the worker has taken its channel, and so takes tasks. */
  #greeted = false
  #becomeReady: () => void = () => undefined
  #failReady: (error: Error) => void = () => undefined
  #tasks = 0
  #runs = 0
  /** How many of them the workers before were given. */
  #runsBefore = 0
  readonly #pending = new Map<number, Pending<unknown>>()
  readonly #running = new Map<number, HostedRun>()
  readonly #outbox = new RunPacker(MAX_RUNS)
  #pulse = new Pulse()
  #ended = false
  readonly #opening: Batch<OpenRequest, PlainError | null, void>
  readonly #closing: Batch<number, PlainError | null, void>

  constructor(number: number, settings: ThreadSettings, runTask: RunTask) {
    this.number = number
    this.#settings = settings
    this.#runTask = runTask
    this.#ready = this.#awaitWorker()
    this.#opening = new Batch((links) => this.call('open', { links }), throwPlain)
    this.#closing = new Batch((links) => this.call('close', { links }), throwPlain)
  }

  /** The worker that is this thread now; `undefined` while it is being replaced. */
  get worker(): Worker | undefined {
    return this.#worker
  }

  /** Whether it watches closely whose code it is in, from its next worker on: see `ThreadSetup.trace`. */
  get trace(): boolean {
    return this.#trace
  }

  set trace(trace: boolean) {
    this.#trace = trace
    if (trace || !this.#traced) return
    this.#traced = false
    this.note({ note: 'endTrace' })
  }

  /** Resolves when the thread takes tasks. */
  get ready(): Promise<void> {
    return this.#ready
  }

  /** What the worker shows of what it does; `undefined` while there is none that takes tasks. */
  get pulse(): Pulse | undefined {
    return this.#greeted ? this.#pulse : undefined
  }

  /** How many transfers are in it or on their way to it. */
  get load(): number {
    return this.#running.size
  }

  /** How many of them it has not begun, as far as it shows. */
  get waiting(): number {
    return Math.max(0, this.#runs - this.#pulse.begun)
  }

  /** How many transfers its worker was given so far. */
  get given(): number {
    return this.#runs - this.#runsBefore
  }

  /** Whether it has anything to do. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#pending.size > 0
  }

  /** Takes a worker as this thread. */
  async adopt(worker: Worker): Promise<void> {
    const { port1, port2 } = new MessageChannel()
    this.#worker = worker
    this.#port = port1
    port1.on('message', (event: ThreadEvent) => {
      this.#hear(event)
    })
    this.#pulse = new Pulse()
    // runs are counted on from those of the worker before
    this.#pulse.begun = this.#runs
    this.#runsBefore = this.#runs
    this.#traced = this.#trace
    const setup = {
      thread: this.number,
      logLevels: logLevels(),
      ...this.#settings,
      pulse: this.#pulse.memory,
      trace: this.#trace,
    }
    await this.#ask('hello', { port: port2, setup }, [port2])
    // that it has taken the channel may have been the last thing that it told
    if (this.#worker !== worker) return
    this.#greeted = true
    this.#becomeReady()
  }

  /**
   * The worker is gone: what was in it fails, and what comes waits for the next one. A run that it had not begun
   * rejects with a {@link NotBegunError}.
   *
   * @returns what was lost
   */
  lose(error: Error): Lost {
    this.#hearRest()
    const { begun, inside } = this.#pulse
    const runs = [...this.#running].filter(([run]) => run < begun).map(([, { host }]) => host)
    this.#worker = undefined
    this.#greeted = false
    this.#port?.close()
    this.#port = undefined
    this.#becomeReady() // whoever waits for the lost one sees that there is none
    this.#ready = this.#awaitWorker()
    const message = `thread ${this.number} was lost: ${error.message}`
    const lost = new ThreadLostError(message, { cause: error })
    const notBegun = this.#ended ? lost : new NotBegunError(message, { cause: error })
    for (const { reject } of this.#pending.values()) reject(lost)
    const running = [...this.#running]
    this.#outbox.take()
    this.#pending.clear()
    this.#running.clear()
    queueMicrotask(() => {
      for (const [number, run] of running) tell(() => run.failed(number < begun ? lost : notBegun))
    })
    const traced = this.#traced
    this.#traced = false
    return { runs, inside, traced }
  }

  /**
   * Ends: whatever still waits for the thread fails.
   *
   * @param how - what has become of it, for the error
   */
  end(how = 'has ended with its planner'): void {
    this.#ended = true
    const error = new ThreadLostError(`thread ${this.number} ${how}`)
    this.#failReady(error)
    this.lose(error)
    this.#failReady(error)
  }

  /** Asks the thread to do something. Rejects with its error, or a {@link ThreadLostError}. */
  call<K extends CallName>(call: K, request: Calls[K]['request']): Promise<Calls[K]['answer']> {
    return this.#whenGreeted(() => this.#ask(call, request, []))
  }

  /** Loads a link module and tells its links, without starting them. Rejects as {@link Thread.call}. */
  describe(module: string): Promise<LinkDescription[]> {
    return this.call('describe', { module }).then(unpackDescriptions)
  }

  /** Opens a link; those of one tick go in one message. */
  open(request: OpenRequest): Promise<void> {
    return this.#opening.add(request)
  }

  /** Closes a link; those of one tick go in one message. */
  close(link: number): Promise<void> {
    return this.#closing.add(link)
  }

  /** Makes a transfer; those of one tick go in one message. */
  run(run: HostedRun): void {
    const number = this.#runs++
    this.#running.set(number, run)
    this.#outbox.add(number, run.host, run.transferNumber, run.scheduledAt, run.drain)
    if (this.#outbox.size === 1) queueMicrotask(() => this.#flush())
    // a full message does not wait for the rest of the tick
    if (this.#outbox.size === MAX_RUNS) this.#flush()
  }

  /** Tells the thread something that must not wait behind its tasks. */
  note(note: Note): void {
    this.#port?.postMessage(note)
  }

  #flush(): void {
    if (this.#outbox.size === 0) return
    const until = this.#runs
    const from = until - this.#outbox.size
    const runs = this.#outbox.take()
    // nothing is answered: the reports tell all, and a worker that is gone is lost with its runs
    const send = () => this.#send({ call: 'transfer', task: this.#tasks++, runs }, [])
    this.#whenGreeted(send).catch((error: unknown) => {
      // those that were lost have heard of it; what never got to a worker has not begun
      const notBegun = error instanceof ThreadLostError && !this.#ended
      const reason = notBegun ? new NotBegunError(error.message, { cause: error }) : toError(error)
      for (let run = from; run < until; run++) this.#settle(run)?.failed(reason)
    })
  }

  #settle(run: number): HostedRun | undefined {
    const waiting = this.#running.get(run)
    this.#running.delete(run)
    return waiting
  }

  /** Does something at once when it can be: a thread begins with the first of a tick while the rest is still gathered. */
  #whenGreeted<T>(what: () => Promise<T>): Promise<T> {
    return this.#greeted ? what() : this.#ready.then(what)
  }

  /** Gives the worker a task, and waits for its answer. */
  #ask<K extends CallName>(
    call: K,
    request: Calls[K]['request'],
    transfer: MessagePort[],
  ): Promise<Calls[K]['answer']> {
    return new Promise((resolve, reject) => {
      const task = this.#tasks++
      this.#pending.set(task, { resolve: resolve as (answer: unknown) => void, reject })
      this.#send({ call, task, ...request } as unknown as Task, transfer).catch((error: unknown) => {
        this.#answered(task)?.reject(toError(error))
      })
    })
  }

  /** Gives the worker a task. Resolves when it is done with it. */
  #send(task: Task, transfer: MessagePort[]): Promise<unknown> {
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(new ThreadLostError(`thread ${this.number} was lost`))
    return this.#runTask(worker, task, transfer)
  }

  #answered(task: number): Pending<unknown> | undefined {
    const pending = this.#pending.get(task)
    this.#pending.delete(task)
    return pending
  }

  #hear(event: ThreadEvent): void {
    switch (event.event) {
      case 'log':
        writeLogLine(event.line)
        break
      case 'reports':
        unpackReports(
          event.reports,
          (run) => this.#settle(run),
          (run, report) => {
            tell(() => run.ended(report))
          },
        )
        break
      case 'answer':
        this.#answered(event.task)?.resolve(event.answer)
        break
      case 'error':
        this.#answered(event.task)?.reject(restoreError(event.error))
        break
    }
  }

  /** Hears what the thread told before it was gone: transfers that ended did not fail. */
  #hearRest(): void {
    if (this.#port === undefined) return
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#hear(next.message as ThreadEvent)
    }
  }

  #awaitWorker(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      this.#becomeReady = resolve
      this.#failReady = reject
    })
    ready.catch(() => undefined)
    return ready
  }
}

/** Tells somebody, so that the next one hears of it whatever the first one does. */
function tell(what: () => void): void {
  try {
    what()
  } catch (thrown) {
    getLogger('databay.WorkerPlanner').error({ err: toError(thrown) }, 'the end of a transfer was not taken note of')
  }
}
