import { PlannerStateError, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { oneError } from '../base/many-errors.js'
import { isPromiseLike } from '../base/maybe-promise.js'
import { UndoStack } from '../base/undo-stack.js'
import { TransferError } from '../core/report.js'
import { Deferred } from './deferred.js'
import type { ResolvedPlannerOptions } from './planner-options.js'
import { Shutdown, type ShutdownRequest } from './shutdown.js'

/** State of a planner. */
export type State = 'idle' | 'starting' | 'running' | 'stopping'

/** Step of a planner's start. A shutdown, or a start that fails later on, undoes it. */
export interface Step {
  /**
   * Does the step. The next step begins when this one has ended. A step that is under way is not undone.
   *
   * @param givenUp - resolves when the start is given up, for steps that can end early
   */
  do?(givenUp: Promise<void>): unknown
  /** Undoes the step, also when it has failed. */
  undo?(shutdown: Shutdown): unknown
  /** Makes the step fail soon: the planner is to shut down without waiting. */
  force?(): void
}

/**
 * Life of a planner: starts it step by step, undoes the steps in reverse, and settles `finished`.
 *
 * ```
 *            start()                              shutdown(), end() or fail()
 *   idle ---------------> starting ---> running -----------------------------> stopping ---> idle
 *     ^   do each step                              undo each step, the last one first
 *     |
 *     +-------- undone when a step fails
 * ```
 */
export class PlannerLifecycle {
  readonly #planner: { toString(): string }
  readonly #options: Pick<ResolvedPlannerOptions, 'drain' | 'ignoreExceptions' | 'shutdownTimeout'>
  readonly #cancelTransfers: (why: string) => void
  readonly #steps: readonly Step[]
  #state: State = 'idle'
  /** Undoes of the steps that were done so far. */
  #undo = new UndoStack()
  /** Step that is under way. */
  #step: Step | undefined
  #shutdown: Shutdown
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  /** Gives up the start that is under way, for a reason. */
  #giveUp: (reason: Error) => void = () => undefined
  /** Error of a start that was ended by `shutdown()`. */
  #askedToStop: Error | undefined
  /** Whether the planner ends as soon as it has started. */
  #endsAtOnce = false
  /** Error that stopped the planner; `undefined` when it was asked to stop. */
  #stopReason: Error | undefined
  /** Errors of the shutdown. */
  #stopErrors: unknown[] = []
  #finished = new Deferred()

  /**
   * @param planner - the planner, for the log
   * @param cancelTransfers - tells running transfers to stop
   * @param steps - steps of the start, in their order
   */
  constructor(
    planner: { toString(): string },
    options: Pick<ResolvedPlannerOptions, 'drain' | 'ignoreExceptions' | 'shutdownTimeout'>,
    cancelTransfers: (why: string) => void,
    steps: readonly Step[],
  ) {
    this.#planner = planner
    this.#options = options
    this.#cancelTransfers = cancelTransfers
    this.#steps = steps
    this.#shutdown = this.#nextShutdown()
  }

  get state(): State {
    return this.#state
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  /** Error that stops the planner, or keeps it from starting; `undefined` when it was asked to stop. */
  get stopReason(): Error | undefined {
    return this.#stopReason
  }

  /** Whether the planner starts or stops. Callers look again after each wait, in which others may have changed the state. */
  get changing(): boolean {
    return this.#state === 'starting' || this.#state === 'stopping'
  }

  /** Settles when the planner has stopped: rejects with what stopped it, or with what failed on the way. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  /**
   * Does all steps. When one fails, those before it are undone.
   *
   * @throws {@link PlannerStateError} when the planner is not idle
   */
  async start(): Promise<void> {
    if (this.#state !== 'idle')
      throw new PlannerStateError(`start() needs a stopped planner: this one is ${this.#state}`)
    this.#state = 'starting'
    if (this.#finished.settled) this.#finished = new Deferred()
    this.#stopReason = undefined
    this.#stopErrors = []
    this.#askedToStop = undefined
    this.#endsAtOnce = false
    this.#shutdown = this.#nextShutdown()
    this.#undo = new UndoStack()
    this.#starting = this.#start()
    try {
      await this.#starting
    } catch (error) {
      if (error === this.#askedToStop) {
        this.#finished.resolve()
      } else {
        this.#finished.promise.catch(() => undefined) // start() itself rejects with it
        this.#finished.reject(toError(error))
      }
      throw error
    }
  }

  /**
   * Undoes all steps. Does nothing when the planner is idle; when it stops already, this waits for the same end.
   *
   * @throws what failed on the way; all else is undone all the same
   */
  async shutdown(request: ShutdownRequest): Promise<void> {
    if (this.#state === 'idle') return
    this.#shutdown.request(request)
    if (request.wait === false) this.#step?.force?.()
    if (!this.running && this.#stopping === undefined && !(await this.#abandonStart())) return
    this.#finished.promise.catch(() => undefined) // this call rejects with it
    await this.#stop()
  }

  /** Stops the planner by itself, when it runs or as soon as it has started. `finished` tells the end. */
  end(): void {
    if (this.running) this.#stop().catch(() => undefined)
    else if (this.#state === 'starting') this.#endsAtOnce = true
  }

  /** Stops the planner for an error, with which `start()` or `finished` rejects. */
  fail(error: Error): void {
    if (this.#state === 'starting') {
      this.#giveUp(error)
    } else if (this.#state === 'stopping') {
      if (this.#shutdown.wait || !isCancelled(error)) this.#stopErrors.push(error)
    } else if (this.#state === 'running') {
      const planner = String(this.#planner)
      getLogger('databay.BasePlanner').error({ err: error }, `${planner} shuts down: ${error.message}`)
      this.#stopReason = error
      this.end()
    }
  }

  /**
   * Waits until a start that is under way has ended.
   *
   * @throws what the start fails with; {@link PlannerStateError} while the planner stops
   */
  async settled(): Promise<void> {
    if (this.#state === 'starting') await this.#starting
    if (this.#state === 'stopping')
      throw new PlannerStateError('links and threads cannot change while the planner shuts down')
  }

  #nextShutdown(): Shutdown {
    return new Shutdown(this.#options.drain, this.#cancelTransfers)
  }

  async #start(): Promise<void> {
    getLogger('databay.BasePlanner').info('Starting %s', this.#planner)
    try {
      await this.#doSteps()
      this.#state = 'running'
    } catch (error) {
      if (error !== this.#askedToStop) this.#stopReason = toError(error)
      this.#state = 'stopping'
      await this.#undoSteps()
      this.#state = 'idle'
      throw error
    } finally {
      this.#giveUp = () => undefined
      this.#step = undefined
    }
    if (this.#endsAtOnce) this.end()
  }

  async #doSteps(): Promise<void> {
    let reason: Error | undefined
    const givenUp = new Promise<void>((resolve) => {
      this.#giveUp = (why) => {
        reason ??= why
        resolve()
      }
    })
    for (const step of this.#steps) {
      this.#step = step
      this.#undo.push(() => step.undo?.(this.#shutdown))
      try {
        const doing = step.do?.(givenUp)
        // at once where it can be: what is asked of the planner meanwhile finds it as far as it is
        if (isPromiseLike(doing)) await doing
      } catch (error) {
        throw reason ?? error // a step that was forced to end fails for that
      }
      if (reason !== undefined) throw reason
    }
  }

  /** Gives up a start that is under way, or waits until a failed one is undone. Tells whether the planner runs all the same. */
  async #abandonStart(): Promise<boolean> {
    this.#askedToStop ??= new PlannerStateError('the planner was shut down while it started')
    this.#giveUp(this.#askedToStop)
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
    await this.#undoSteps()
    this.#state = 'idle'
    const failed = oneError(this.#stopErrors, 'several things failed while the planner shut down')
    const reason = this.#stopReason ?? failed
    if (reason === undefined) this.#finished.resolve()
    else this.#finished.reject(reason)
    if (failed !== undefined) throw failed
  }

  async #undoSteps(): Promise<void> {
    this.#shutdown.begin(this.#options.shutdownTimeout)
    const { limit } = this.#shutdown
    const errors = await this.#undo.undo()
    limit.end()
    const planner = String(this.#planner)
    this.#stopErrors.push(...limit.abandonment(planner))
    for (const error of errors) {
      const err = toError(error)
      getLogger('databay.BasePlanner').error({ err }, `${planner} failed to shut down in part: ${err.message}`)
      if (!this.#options.ignoreExceptions) this.#stopErrors.push(error)
    }
    getLogger('databay.BasePlanner').info('%s is shut down', this.#planner)
  }
}

/**
 * Waits for work that fails when the planner is shut down meanwhile: it then fails for that.
 *
 * @param what - what is done, for the error
 */
export async function unlessStopped<T>(planner: { readonly running: boolean }, what: string, work: Promise<T>) {
  const { running } = planner
  try {
    return await work
  } catch (error) {
    if (!running || planner.running) throw error
    throw new PlannerStateError(`the planner was shut down while ${what}`, { cause: error })
  }
}

/** Whether the only fault of a transfer is that it was told to stop. */
function isCancelled(error: Error): boolean {
  return (
    error instanceof TransferError && error.report.errors.every(({ code }) => code === 'DATABAY_TRANSFER_CANCELLED')
  )
}
