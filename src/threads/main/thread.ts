import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads'
import { ThreadLostError, toError } from '../../base/errors.js'
import { logLevels, writeLogLine } from '../../base/log.js'
import { restoreError, type PlainError } from '../../base/plain-error.js'
import type { Held } from '../../core/link-accounts.js'
import type { LinkDescription } from '../protocol/link-description.js'
import type { CallName, Calls, Note, OpenAnswer, Task, ThreadEvent, ThreadSettings } from '../protocol/messages.js'
import { unpackDescriptions } from '../protocol/packed-descriptions.js'
import { packOpens, type OpenRequest } from '../protocol/packed-opens.js'
import { Pulse } from '../protocol/pulse.js'
import type { PackedRuns } from '../protocol/runs.js'
import { Batch } from './batch.js'
import { NotBegunError, type Run } from './run.js'
import { ThreadCalls, type Early } from './thread-calls.js'
import { ThreadRuns } from './thread-runs.js'

/** Gives the worker of a thread a task, and resolves when the worker is done with it. */
export type RunTask = (worker: Worker, task: Task, transferList: MessagePort[]) => Promise<unknown>

/** What was in a worker that is gone. */
export interface Lost {
  /** Ids of the links whose transfers had begun. */
  readonly runs: readonly number[]
  /** Id of the link whose code it was in, as far as that is known. */
  readonly inside: number | undefined
  /** Whether it was traced, so that more is not known: see `ThreadSetup.trace`. */
  readonly traced: boolean
}

/**
 * The main thread's side of one worker thread: calls it, sends it transfers, and hears what it tells. A thread outlives
 * its worker: when that is lost, another takes its place under the same number.
 */
export class Thread {
  /** Number of this thread, from 1. */
  readonly number: number
  readonly #settings: ThreadSettings
  readonly #runTask: RunTask
  readonly #calls = new ThreadCalls()
  readonly #runs = new ThreadRuns(
    (runs) => this.#sendRuns(runs),
    (thrown) => this.#whyNotSent(thrown),
  )
  readonly #opening: Batch<OpenRequest, OpenAnswer, Held | undefined>
  readonly #closing: Batch<number, PlainError | null, void>
  #worker: Worker | undefined
  #port: MessagePort | undefined
  #pulse = new Pulse()
  #trace = false
  /** Whether the present worker has a trace. */
  #traced = false
  /** Whether the worker has taken its channel, and so takes tasks. */
  #greeted = false
  #ready: Promise<void>
  #becomeReady: () => void = () => undefined
  #failReady: (error: Error) => void = () => undefined
  #ended = false

  constructor(number: number, settings: ThreadSettings, runTask: RunTask) {
    this.number = number
    this.#settings = settings
    this.#runTask = runTask
    this.#ready = this.#awaitWorker()
    this.#opening = new Batch(
      (links, early) => this.call('open', { links: packOpens(links) }, early as Early),
      takeOpened,
    )
    this.#closing = new Batch((links, early) => this.call('close', { links }, early as Early), throwAny)
  }

  /** The worker that is this thread now; `undefined` while it is being replaced. */
  get worker(): Worker | undefined {
    return this.#worker
  }

  /** Whether the thread is traced, from its next worker on: see `ThreadSetup.trace`. */
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

  /** What the worker shows of what it does; `undefined` while no worker takes tasks. */
  get pulse(): Pulse | undefined {
    return this.#greeted ? this.#pulse : undefined
  }

  /** Number of transfers in the thread and on their way to it. */
  get load(): number {
    return this.#runs.size
  }

  /** Number of transfers that the worker has not begun, as far as it shows. */
  get waiting(): number {
    return this.#runs.waiting(this.#pulse.begun)
  }

  /** Number of transfers that the present worker was given so far. */
  get given(): number {
    return this.#runs.given
  }

  /** Number of transfers of a link in the thread and on their way to it. */
  loadOf(link: number): number {
    return this.#runs.countOf(link)
  }

  /** Resolves when a link has no transfers in the thread and on their way to it. */
  idleOf(link: number): Promise<void> {
    return this.#runs.idleOf(link)
  }

  /** Whether the thread has anything to do. */
  get busy(): boolean {
    return this.#runs.size > 0 || this.#calls.size > 0
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
    this.#pulse.begun = this.#runs.restart()
    this.#traced = this.#trace
    const setup = {
      thread: this.number,
      logLevels: logLevels(),
      ...this.#settings,
      pulse: this.#pulse.memory,
      trace: this.#trace,
    }
    try {
      await this.#calls.ask('hello', { port: port2, setup }, (task) => this.#greet(task, port2))
    } catch (thrown) {
      const { message } = toError(thrown)
      const cause = new ThreadLostError(`thread ${this.number} could not be started: ${message}`, { cause: thrown })
      if (this.#worker === worker) this.#failReady(cause)
      throw thrown
    }
    // that it has taken the channel may have been the last thing that it told
    if (this.#worker !== worker) return
    this.#greeted = true
    this.#becomeReady()
  }

  /**
   * Gives up the worker, which is gone: what was in it fails, and what comes waits for the next one. A run that it had
   * not begun fails with a {@link NotBegunError}.
   *
   * @returns what was lost
   */
  lose(error: Error): Lost {
    this.#hearRest()
    const { begun, inside } = this.#pulse
    this.#worker = undefined
    this.#greeted = false
    this.#port?.close()
    this.#port = undefined
    this.#becomeReady() // what waits for the lost one finds that there is none
    this.#ready = this.#awaitWorker()
    const message = `thread ${this.number} was lost: ${error.message}`
    const lost = new ThreadLostError(message, { cause: error })
    this.#calls.failAll(lost)
    const runs = this.#runs.lose(begun, lost, this.#ended ? lost : new NotBegunError(message, { cause: error }))
    const traced = this.#traced
    this.#traced = false
    return { runs, inside, traced }
  }

  /**
   * Ends the thread: whatever still waits for it fails.
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

  /**
   * Asks the thread to do something. Rejects with the thread's error, or with a {@link ThreadLostError}.
   *
   * @param early - takes what is answered in parts
   */
  call<K extends CallName>(call: K, request: Calls[K]['request'], early?: Early): Promise<Calls[K]['answer']> {
    return this.#whenGreeted(() => this.#calls.ask(call, request, (task) => this.#send(task, []), early))
  }

  /** Loads a link module and gives its links, without starting them. Rejects as {@link Thread.call}. */
  describe(module: string): Promise<LinkDescription[]> {
    return this.call('describe', { module }).then(unpackDescriptions)
  }

  /**
   * Opens a link. The requests of one tick go in one message.
   *
   * @returns numbers of the records of its state that are lost, which the thread has logged; `undefined` when there are none
   */
  open(request: OpenRequest): Promise<Held | undefined> {
    return this.#opening.add(request)
  }

  /** Closes a link. The requests of one tick go in one message. */
  close(link: number): Promise<void> {
    return this.#closing.add(link)
  }

  /** Makes a transfer. Those of one tick go in one message. */
  run(run: Run): void {
    this.#runs.add(run)
  }

  /** Tells the thread something that must not wait behind its tasks. */
  note(note: Note): void {
    this.#port?.postMessage(note)
  }

  /** Sends runs to the worker. Rejects when they did not get there. */
  #sendRuns(runs: PackedRuns): Promise<unknown> {
    return this.#greeted ? this.#send(runs, NO_PORTS) : this.#ready.then(() => this.#send(runs, NO_PORTS))
  }

  /** The error that runs fail with which could not be sent. */
  #whyNotSent(thrown: unknown): Error {
    const error = toError(thrown)
    // what never got to a worker has not begun
    return error instanceof ThreadLostError && !this.#ended ? new NotBegunError(error.message, { cause: error }) : error
  }

  /** Does something at once when it can be. */
  #whenGreeted<T>(what: () => Promise<T>): Promise<T> {
    return this.#greeted ? what() : this.#ready.then(what)
  }

  /** Sends the first task. Rejects when the worker is done with it and has not answered: it runs another module. */
  async #greet(task: Task, port: MessagePort): Promise<void> {
    await this.#send(task, [port])
    this.#hearRest()
    if ('task' in task)
      this.#calls.fail(task.task, new Error("its worker does not run 'databay/worker': see workerUrl"))
  }

  /** Gives the worker a task. Resolves when the worker is done with it. */
  #send(task: Task, transferList: MessagePort[]): Promise<unknown> {
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(new ThreadLostError(`thread ${this.number} was lost`))
    return this.#runTask(worker, task, transferList)
  }

  #hear(event: ThreadEvent): void {
    if (!('event' in event)) {
      this.#runs.take(event)
      return
    }
    switch (event.event) {
      case 'log':
        writeLogLine(event.line)
        break
      case 'reports':
        this.#runs.take(event)
        break
      case 'streams':
        this.#runs.noteStream(event.run, event.counts)
        break
      case 'answer':
        this.#calls.answer(event.task, event.answer)
        break
      case 'part':
        this.#calls.part(event.task, event.at, event.answers)
        break
      case 'error':
        this.#calls.fail(event.task, restoreError(event.error))
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

const NO_PORTS: MessagePort[] = []

function takeOpened(answer: OpenAnswer): Held | undefined {
  if (answer === null) return undefined
  if ('lost' in answer) return answer.lost
  throw restoreError(answer)
}

function throwAny(error: PlainError | null): void {
  if (error !== null) throw restoreError(error)
}
