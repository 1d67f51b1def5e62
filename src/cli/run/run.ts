import { counted } from '../../base/counted.js'
import { printableLines } from '../../base/printable.js'
import { ConfigError, InvalidOptionError, PlannerStateError, toError } from '../../base/errors.js'
import { exitCodeOf, type StopSignal } from '../../base/stop-signals.js'
import { UndoStack } from '../../base/undo-stack.js'
import type { BlockedEvent } from '../../operate/planner-events.js'
import type { WorkerPlanner } from '../../planners/worker-planner.js'
import type { PlannedLink } from '../../core/planned-link.js'
import { failureText, TransferError, type TransferReport } from '../../core/report.js'
import { plainError } from '../../base/plain-error.js'
import type { RunArguments } from './arguments.js'
import { errorLine, errorStacks, showsStacks, withoutAdvice } from '../error-text.js'
import { jsonLine, passEvents, type Finish, type JsonEvent } from './json-events.js'
import { logTo } from '../log-output.js'
import { showProgress } from './progress.js'
import { ModuleWatcher } from './module-watcher.js'
import { isOutputClosed, RunCounts } from './run-counts.js'
import { onSignals } from '../signals.js'
import { startRows, startTable, type StartRow } from './start-table.js'
import { summaryText } from './summary.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'

/** Arguments that choose links: they are wrong when there are no such links. */
const SELECTORS = ['--link', '--tag']

const NO_EFFECT =
  '--ignore-exceptions has no effect: a run goes on after failed transfers, and stops only with --stop-on-error'

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
  /** Whether the one transfer of a link was not made, as the link could not be started. */
  #isUnstarted = false
  /** Whether the reader of the standard output has gone away. */
  #outputClosed = false

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
    if (this.#args.ignoreExceptions) this.#say(NO_EFFECT)
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
        else this.#note(`${module} is loaded anew`)
      },
      failed: (module, error) => {
        if (this.#stopping || !this.#planner.running) return
        if (json) this.#emit({ event: 'reloadFailed', time: Date.now(), module, error: plainError(error) })
        const end = '; the old version runs on'
        this.#say(this.#debug ? errorStacks(error, end) : errorLine(error, end))
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
    if (!once || planner.immediateTransfer === false || !this.#planner.running) return
    await this.#planner.forceTransfer()
    const { unstarted } = this.#planner
    if (unstarted.length === 0) return
    this.#isUnstarted = true
    this.#say(`${unstarted.join(', ')} could not be started, and with --once is not tried again`)
    this.#stop()
  }

  /** Whether an error means only that a signal came while the planner started. */
  #isOwnStop(thrown: unknown): boolean {
    return this.#stopping && thrown instanceof PlannerStateError
  }

  /** Failure of a first transfer in a start that a signal stopped: the start rejects with that it was stopped. */
  #hiddenFailure(): Error | undefined {
    const { failed } = this.#counts
    return failed === undefined || this.#args.planner.ignoreExceptions !== false ? undefined : new TransferError(failed)
  }

  /** Shows the log, and the events or the progress of the run. */
  #show(): void {
    const { json, quiet } = this.#args
    this.#undo.push(logTo(this.#context.stderr, { json, stacks: this.#debug }))
    const lookAtOutput = (report: TransferReport) => {
      if (isOutputClosed(report)) this.#closeOutput()
    }
    this.#planner.on('transfer', lookAtOutput)
    this.#undo.push(() => this.#planner.off('transfer', lookAtOutput))
    if (json) {
      const unpass = passEvents(this.#planner, (event) => {
        this.#emit(event)
      })
      this.#undo.push(unpass)
      return
    }
    const status = () => {
      const phase = this.#stopping ? 'stopping' : this.#announced ? undefined : 'starting'
      return this.#counts.status(phase, this.#stopping || this.#args.once)
    }
    if (quiet) return
    const progress = showProgress(this.#context, status, (text) => {
      this.#say(text)
    })
    this.#undo.push(() => {
      progress.close()
    })
  }

  /** Tells that the links are started: called before their first transfers. */
  announce(): void {
    this.#announced = true
    this.#counts.countLinks()
    const { links, modules, threads } = this.#planner
    const now = Date.now()
    if (this.#args.json) {
      const names = links.map(({ name }) => name)
      this.#emit({ event: 'started', time: now, threads, modules, links: names, schedules: this.#startRows(now) })
    } else {
      const what = `${counted(links.length, 'link')} of ${counted(modules.length, 'module')}`
      const table = startTable(this.#startRows(now), now)
      this.#note([`started ${what} in ${counted(threads, 'thread')}`, ...table.map((line) => `  ${line}`)].join('\n'))
    }
  }

  #startRows(now: number): StartRow[] {
    const { once, planner } = this.#args
    const immediate = planner.immediateTransfer !== false
    const isAtOnce = (link: PlannedLink) => immediate && (once || link.settings.immediateTransfer)
    const stats = this.#planner.unstarted.length === 0 ? [] : this.#planner.stats().links
    const troubles = stats.map(({ startFailure }) => startFailure?.message)
    return startRows(this.#planner.links, isAtOnce, troubles, now)
  }

  readonly #onSignal = (signal: StopSignal): void => {
    const running = counted(this.#counts.underWay().transfers, 'running transfer')
    this.#note(`${signal}: waiting for ${running}, then draining buffers; once more stops at once`)
    if (this.#args.json) this.#emit({ event: 'stopping', time: Date.now(), signal })
    this.#stop()
  }

  /** Stops the run when its standard output takes no more. */
  readonly #onOutputError = (error: Error): void => {
    if ('code' in error && error.code === 'EPIPE') {
      this.#closeOutput()
      return
    }
    if (this.#outputError !== undefined) return
    this.#outputError = new Error(`standard output cannot be written: ${error.message}`, { cause: error })
    this.#stop()
  }

  /** Stops the run, as the reader of its output wants no more: that is no error. */
  #closeOutput(): void {
    if (this.#outputClosed) return
    this.#outputClosed = true
    this.#note('the reader of the standard output has gone away: stopping')
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

  #tellEnd(thrown: Error | undefined): Ending {
    const error = this.#told(thrown)
    if (error !== undefined) this.#say(this.#debug ? errorStacks(error) : errorLine(error))
    if (this.#isLimited) for (const blocked of this.#counts.blocked) this.#say(blockedLine(blocked))
    const code = this.#exitCode(error)
    this.#tellOutcome({ code, ...(error === undefined ? {} : { error: plainError(error) }) })
    return { code, signal: undefined }
  }

  /** What is to be told of an error that has ended the run. */
  #told(error: Error | undefined): Error | undefined {
    if (error instanceof TransferError && isOutputClosed(error.report)) return undefined
    return error && withoutAdvice(error)
  }

  #exitCode(error: Error | undefined): number {
    if (error instanceof ConfigError) return EXIT.badArguments
    if (error instanceof InvalidOptionError && SELECTORS.includes(error.option)) return EXIT.badArguments
    return error === undefined && !this.#isIncomplete ? EXIT.orderly : EXIT.failed
  }

  #tellOutcome(finish: Finish): void {
    const outcome = this.#counts.outcome()
    if (this.#args.json) this.#emit({ event: 'finished', time: Date.now(), ...finish, ...outcome })
    else if (this.#announced) this.#note(summaryText(outcome))
  }

  /** Whether one of so many transfers that were asked for has failed, or could not be made. */
  get #isIncomplete(): boolean {
    const isShort = this.#counts.failed !== undefined || this.#counts.blocked.length > 0
    return this.#isUnstarted || (this.#isLimited && isShort)
  }

  /** Whether so many transfers were asked for. */
  get #isLimited(): boolean {
    return this.#args.planner.transfers !== undefined
  }

  get #debug(): boolean {
    return showsStacks(this.#args.logLevel)
  }

  /** Writes what is not needed when all is well. */
  #note(text: string): void {
    if (!this.#args.quiet) this.#say(text)
  }

  #say(text: string): void {
    this.#context.stderr.write(`databay: ${printableLines(text)}\n`)
  }

  #emit(event: JsonEvent): void {
    this.#context.stdout.write(jsonLine(event))
  }
}

/** Tells of a link that is blocked at the end of a run. */
function blockedLine({ link, waiting, attempts, ...why }: BlockedEvent): string {
  const tries = attempts === 1 ? '' : `, ${attempts} times`
  const records = waiting === 0 ? '' : `; ${counted(waiting, 'record')} waiting: the next run pulls them again`
  return `${link} is blocked: ${failureText(why)}${tries}${records}`
}

/** Discards what threads still print when the standard output takes no more. Unread, it would keep them waiting. */
function discard(source: { resume(): unknown }): void {
  source.resume()
}
