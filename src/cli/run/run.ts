import { printableLines } from '../../base/printable.js'
import { PlannerStateError, toError } from '../../base/errors.js'
import type { StopSignal } from '../../base/stop-signals.js'
import { UndoStack } from '../../base/undo-stack.js'
import { PLANNER_EVENTS } from '../../planners/planner-events.js'
import type { WorkerPlanner } from '../../planners/worker-planner.js'
import { TransferError } from '../../core/report.js'
import { plainError } from '../../base/plain-error.js'
import type { RunArguments } from './arguments.js'
import { errorLine, errorStacks } from '../error-text.js'
import { jsonLine, passEvents, type Finish, type JsonEvent } from './json-events.js'
import { logTo } from '../log-output.js'
import { showProgress } from './progress.js'
import { ModuleWatcher } from './module-watcher.js'
import { RunCounts } from './run-counts.js'
import { exitCodeOf, onSignals } from '../signals.js'
import { counted } from './status-text.js'
import { summaryText } from './summary.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'

/**
 * Run of a planner: starts it, shows its progress, stops it at a signal, and tells the outcome.
 *
 * ```
 *   start ──► finished by itself ─────────────┬──► exit code 0, or 1 with the error
 *     │                                       │
 *     └─ first signal ──► drains, finishes ───┘
 *                            └─ a signal more than a second later ──► exit code 128 + signal, at once
 * ```
 */
export class Run {
  readonly #planner: WorkerPlanner
  readonly #args: RunArguments
  readonly #context: ProcessContext
  readonly #counts: RunCounts
  readonly #undo = new UndoStack()
  #starting: Promise<void> | undefined
  #announced = false
  #stopping = false
  /** Error after which nothing can be printed any more. */
  #outputError: Error | undefined

  constructor(planner: WorkerPlanner, args: RunArguments, context: ProcessContext) {
    this.#planner = planner
    this.#args = args
    this.#context = context
    this.#counts = new RunCounts(planner)
    this.#undo.push(() => {
      this.#counts.close()
    })
  }

  /** Runs the planner to its end. Never rejects. */
  async toEnd(): Promise<Ending> {
    const { stdout, signals } = this.#context
    this.#show()
    stdout.on('error', this.#onOutputError)
    this.#undo.push(() => stdout.off('error', this.#onOutputError))
    stdout.on('unpipe', discard)
    this.#undo.push(() => stdout.off('unpipe', discard))
    const stoppedAtOnce = new Promise<StopSignal>((resolve) => {
      const actions = { stop: this.#onSignal, stopAtOnce: resolve }
      this.#undo.push(onSignals(signals, actions))
    })
    const ended = await Promise.race([this.#work(), stoppedAtOnce])
    await this.#undo.undo()
    return typeof ended === 'string' ? this.#tellAbandoned(ended) : this.#tellEnd(ended.error ?? this.#outputError)
  }

  /** Starts the planner, and waits until it has finished. Never rejects. */
  async #work(): Promise<{ readonly error: Error | undefined }> {
    try {
      // before the start, so that no change goes unseen
      if (this.#args.watch) await this.#watchModules()
      if (this.#stopping) return { error: undefined }
      this.#starting = this.#planner.start()
      await this.#starting
      this.#announce()
      await Promise.all([this.#planner.finished, this.#transferOthers()])
      return { error: undefined }
    } catch (thrown) {
      return { error: this.#isOwnStop(thrown) ? this.#hiddenFailure() : toError(thrown) }
    }
  }

  async #watchModules(): Promise<void> {
    const { modules, watchPath, json } = this.#args
    const watch = new ModuleWatcher(modules, watchPath, {
      reload: async (module) => {
        await this.#starting
        await this.#planner.reload(module)
      },
      reloaded: (module) => {
        const links = this.#planner.links.map(({ name }) => name)
        if (json) this.#emit({ event: 'reloaded', time: Date.now(), module, links })
        else this.#say(`${module} is loaded anew`)
      },
      failed: (module, error) => {
        if (this.#stopping || !this.#planner.running) return
        if (json) this.#emit({ event: 'reloadFailed', time: Date.now(), module, error: plainError(error) })
        this.#say(`${this.#debug ? errorStacks(error) : errorLine(error)}; the old version runs on`)
      },
      broken: (error) => {
        this.#say(`code cannot be watched: ${errorLine(error)}`)
      },
    })
    this.#undo.push(() => watch.close())
    await watch.open()
  }

  /** With `--once`: makes the transfers of the links that do not transfer on start. The others have made theirs. */
  async #transferOthers(): Promise<void> {
    const { once, planner } = this.#args
    if (once && planner.immediateTransfer !== false && this.#planner.running) await this.#planner.forceTransfer()
  }

  /** Whether an error means only that a signal came while the planner started. */
  #isOwnStop(thrown: unknown): boolean {
    return this.#stopping && thrown instanceof PlannerStateError
  }

  /** Failure of a first transfer in a start that a signal stopped: the start rejects with that it was stopped. */
  #hiddenFailure(): Error | undefined {
    const { failed } = this.#counts
    return failed === undefined || this.#args.planner.ignoreExceptions === true ? undefined : new TransferError(failed)
  }

  /** Shows the log, and the events or the progress of the run. */
  #show(): void {
    const { json } = this.#args
    this.#undo.push(logTo(this.#context.stderr, { json, stacks: this.#debug }))
    const announce = (payload: object) => {
      if ('link' in payload) this.#announce()
    }
    for (const event of PLANNER_EVENTS) {
      this.#planner.on(event, announce)
      this.#undo.push(() => this.#planner.off(event, announce))
    }
    if (json) {
      const unpass = passEvents(this.#planner, (event) => {
        this.#emit(event)
      })
      this.#undo.push(unpass)
      return
    }
    const status = () => this.#counts.status(this.#stopping ? 'stopping' : this.#announced ? undefined : 'starting')
    const progress = showProgress(this.#context, status, (text) => {
      this.#say(text)
    })
    this.#undo.push(() => {
      progress.close()
    })
  }

  /** Tells that the run has started, once: before anything about its links. */
  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#counts.countLinks()
    const { links, modules, threads } = this.#planner
    if (this.#args.json) {
      this.#emit({ event: 'started', time: Date.now(), threads, modules, links: links.map(({ name }) => name) })
    } else if (this.#context.stderr.isTTY !== true) {
      const what = `${counted(links.length, 'link')} of ${counted(modules.length, 'module')}`
      this.#say(`started ${what} in ${counted(threads, 'thread')}`)
    }
  }

  readonly #onSignal = (signal: StopSignal): void => {
    const running = counted(this.#counts.underWay().transfers, 'running transfer')
    this.#say(`${signal}: waiting for ${running}, then draining buffers; once more stops at once`)
    if (this.#args.json) this.#emit({ event: 'stopping', time: Date.now(), signal })
    this.#stop()
  }

  /** Stops the run when the reader of the standard output has gone away, as `head` does when it has enough. */
  readonly #onOutputError = (error: Error): void => {
    if (this.#outputError !== undefined) return
    this.#outputError = new Error(`standard output cannot be written: ${error.message}`, { cause: error })
    this.#stop()
  }

  #stop(): void {
    this.#stopping = true
    this.#planner.shutdown().catch(() => undefined) // `finished` tells
  }

  #tellAbandoned(signal: StopSignal): Ending {
    const abandoned = this.#counts.underWay()
    const code = exitCodeOf(signal)
    const buffered = abandoned.buffered === 0 ? '' : `, ${counted(abandoned.buffered, 'record')} left in buffers`
    this.#say(`${signal}: stopped at once, ${counted(abandoned.transfers, 'transfer')} abandoned${buffered}`)
    this.#tellOutcome({ code, abandoned })
    return { code, signal }
  }

  #tellEnd(error: Error | undefined): Ending {
    if (error !== undefined) this.#say(this.#debug ? errorStacks(error) : errorLine(error))
    const code = error === undefined ? EXIT.orderly : EXIT.failed
    this.#tellOutcome({ code, ...(error === undefined ? {} : { error: plainError(error) }) })
    return { code, signal: undefined }
  }

  #tellOutcome(finish: Finish): void {
    const outcome = this.#counts.outcome()
    if (this.#args.json) this.#emit({ event: 'finished', time: Date.now(), ...finish, ...outcome })
    else if (this.#announced) this.#say(summaryText(outcome))
  }

  get #debug(): boolean {
    return this.#args.logLevel === 'debug' || this.#args.logLevel === 'trace'
  }

  #say(text: string): void {
    this.#context.stderr.write(`databay: ${printableLines(text)}\n`)
  }

  #emit(event: JsonEvent): void {
    this.#context.stdout.write(jsonLine(event))
  }
}

/** Discards what threads still print when the standard output takes no more. Unread, it would keep them waiting. */
function discard(source: { resume(): unknown }): void {
  source.resume()
}
