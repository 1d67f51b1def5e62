import { counted } from '../../base/counted.js'
import { printableLines } from '../../base/printable.js'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { toError } from '../../base/errors.js'
import { exitCodeOf, type StopSignal } from '../../base/stop-signals.js'
import { UndoStack } from '../../base/undo-stack.js'
import { setLogLevel } from '../../base/log.js'
import { failureText } from '../../core/report.js'
import { closedLoopPlanner, type ClosedLoopOptions } from './closed-loop.js'
import type { WorkerPlanner } from '../../planners/worker-planner.js'
import { WORKER_PLANNER_OPTIONS, type WorkerPlannerOptions } from '../../planners/worker-planner-options.js'
import type { LinkOverride } from '../../core/link-overrides.js'
import { plainError } from '../../base/plain-error.js'
import { configured } from '../configured.js'
import { errorLine, showsStacks, withoutAdvice } from '../error-text.js'
import { refused } from '../refusal.js'
import { logTo } from '../log-output.js'
import { showLine } from '../run/progress.js'
import { onSignals } from '../signals.js'
import { shortNumber } from '../run/status-text.js'
import { EXIT, type Ending, type ProcessContext } from '../process-context.js'
import type { TuneArguments } from './arguments.js'
import { resultOf, type TuneResult } from './result.js'
import { measureRound, type RoundFigures, type RoundTimes } from './round.js'
import { namer } from './recommendation.js'
import { defaultThreads, settingsOf, usefulThreads, type Setting } from './settings.js'
import { tuneText } from './text.js'

/** Number of rounds in which each setting is measured. */
const ROUNDS = 5

/** Time for which links transfer before they are measured: at least, in milliseconds, and as a share of the measured time. */
const WARM_UP = { least: 200, share: 0.3 }

const TRANSFERS_PER_THREAD = 1000

/** Width of the result where there is no terminal, and at most, in characters. */
const WIDTH = { otherwise: 80, most: 120 }

/** The command `databay tune`: tries settings, and recommends one. */
export async function tuneCommand(args: TuneArguments, context: ProcessContext): Promise<Ending> {
  setLogLevel(args.logLevel)
  try {
    const { planner, ...config } = await configured(args, context)
    const { transfersPerThread } = planner
    const given = { ...(transfersPerThread === undefined ? {} : { transfersPerThread: [transfersPerThread] }), ...args }
    return await new Tune({ ...given, modules: config.modules }, context, ofThreads(planner, config.links)).toEnd()
  } catch (thrown) {
    return refused(thrown, context, showsStacks(args.logLevel))
  }
}

/** Options of a configuration that count beside those that are tried: nothing that watches or steers the planner, no store. */
const COUNTING = [...Object.keys(WORKER_PLANNER_OPTIONS), 'startTimeout', 'timeoutGrace']

/** What of a configuration counts. */
function ofThreads(planner: WorkerPlannerOptions, overrides: readonly LinkOverride[]): Partial<ClosedLoopOptions> {
  return { ...Object.fromEntries(Object.entries(planner).filter(([name]) => COUNTING.includes(name))), overrides }
}

class Tune {
  readonly #args: TuneArguments
  readonly #context: ProcessContext
  /** What the configuration says of links and their threads. */
  readonly #options: Partial<ClosedLoopOptions>
  readonly #times: RoundTimes
  readonly #cores = availableParallelism()
  readonly #rounds = new Map<Setting, RoundFigures[]>()
  #settings: readonly Setting[]
  #planner: WorkerPlanner | undefined
  #signal: StopSignal | undefined
  /** Number of transfers that there can be at once, if settings were left out for that. */
  #room: number | undefined
  #round = 0
  #trying: Setting | undefined
  #done = 0
  readonly #began = performance.now()

  constructor(args: TuneArguments, context: ProcessContext, options: Partial<ClosedLoopOptions>) {
    this.#args = args
    this.#options = options
    this.#context = context
    const window = (args.seconds * 1000) / ROUNDS
    this.#times = { window, warmUp: Math.max(WARM_UP.least, WARM_UP.share * window) }
    const { threads = defaultThreads(this.#cores), transfersPerThread = [TRANSFERS_PER_THREAD] } = args
    this.#settings = settingsOf(threads, transfersPerThread)
  }

  async toEnd(): Promise<Ending> {
    const { signals, stderr } = this.#context
    const undo = new UndoStack()
    undo.push(logTo(stderr, { json: this.#args.json, stacks: false }))
    const stoppedAtOnce = new Promise<StopSignal>((resolve) => {
      undo.push(onSignals(signals, { stop: (signal) => this.#onSignal(signal), stopAtOnce: resolve }))
    })
    const progress = showLine(
      this.#context,
      ({ width = Infinity } = {}) => this.#status().slice(0, width),
      (text) => this.#say(text),
    )
    undo.push(() => {
      progress.close()
    })
    const ended = await Promise.race([this.#work(), stoppedAtOnce])
    await undo.undo()
    if (typeof ended === 'string') return { code: exitCodeOf(ended), signal: ended }
    return this.#tell(ended)
  }

  /** Never rejects. */
  async #work(): Promise<TuneResult | Error> {
    try {
      for (this.#round = 1; this.#round <= ROUNDS; this.#round++) {
        // to and fro: what changes slowly hits all alike
        const backwards = this.#round % 2 === 0
        for (let at = 0; at < this.#settings.length; at++) {
          const setting = this.#settings[backwards ? this.#settings.length - 1 - at : at]
          if (setting !== undefined) await this.#try(setting)
        }
      }
    } catch (thrown) {
      return withoutAdvice(toError(thrown))
    }
    const { modules, push, seconds } = this.#args
    const measured = this.#settings.map((setting) => ({ ...setting, rounds: this.#rounds.get(setting) ?? [] }))
    return resultOf(measured, { modules, cores: this.#cores, node: process.version, push, seconds }, this.#room)
  }

  async #try(setting: Setting): Promise<void> {
    this.#trying = setting
    const { modules, push } = this.#args
    const planner = closedLoopPlanner([...modules], { ...this.#options, ...setting, push })
    this.#planner = planner
    this.#checkTold()
    let room = Infinity
    planner.once('transfer', () => {
      room = planner.links.reduce((sum, { settings }) => sum + settings.maxInstances, 0)
    })
    const figures = await measureRound(planner, this.#times)
    this.#checkTold()
    checkWork(figures)
    this.#rounds.set(setting, [...(this.#rounds.get(setting) ?? []), figures])
    this.#done++
    if (this.#done === 1 && this.#args.threads === undefined) this.#leaveOut(room)
  }

  /** @throws when a signal has asked to end */
  #checkTold(): void {
    if (this.#signal !== undefined) throw new Error('it was told to end')
  }

  /** Leaves out settings with more threads than there are transfers at once: they are of no use. */
  #leaveOut(transfers: number): void {
    const useful = new Set(usefulThreads(defaultThreads(this.#cores), transfers))
    const settings = this.#settings.filter(({ threads }) => useful.has(threads))
    if (settings.length < this.#settings.length) this.#room = transfers
    this.#settings = settings
  }

  #onSignal(signal: StopSignal): void {
    this.#signal = signal
    this.#say(`${signal}: ends without a result; once more stops at once`)
    this.#planner?.shutdown({ wait: this.#args.push }).catch(() => undefined) // `measureRound` tells
  }

  #status(): string {
    if (this.#trying === undefined) return 'starting'
    const all = ROUNDS * this.#settings.length
    const latest = this.#rounds.get(this.#trying)?.at(-1)
    const rate =
      latest === undefined ? '' : ` (${shortNumber(latest.flow.total.records / latest.seconds)} records/s before)`
    const left = this.#done === 0 ? '' : ` | ${this.#left(all)} s left`
    const round = `round ${Math.min(this.#round, ROUNDS)} of ${ROUNDS}`
    return `${round} | ${namer(this.#settings)(this.#trying)}${rate} | ${this.#done}/${all} done${left}`
  }

  #left(all: number): number {
    return Math.ceil((((performance.now() - this.#began) / this.#done) * (all - this.#done)) / 1000)
  }

  #tell(ended: TuneResult | Error): Ending {
    const { stdout } = this.#context
    const { json } = this.#args
    if (this.#signal !== undefined) return { code: exitCodeOf(this.#signal), signal: undefined }
    if (ended instanceof Error) {
      this.#say(errorLine(ended))
      if (json) stdout.write(`${JSON.stringify({ error: plainError(ended) }, undefined, 2)}\n`)
      return { code: EXIT.failed, signal: undefined }
    }
    const width = Math.min(WIDTH.most, (stdout.isTTY === true ? stdout.columns : undefined) ?? WIDTH.otherwise)
    stdout.write(json ? `${JSON.stringify(ended, undefined, 2)}\n` : tuneText(ended, width))
    return { code: EXIT.orderly, signal: undefined }
  }

  #say(text: string): void {
    this.#context.stderr.write(`databay: ${printableLines(text)}\n`)
  }
}

/** @throws when there is nothing to compare */
function checkWork({ flow }: RoundFigures): void {
  for (const [link, { all, failed, error }] of flow.links) {
    if (failed < all || error === undefined) continue
    throw new Error(`all ${counted(all, 'transfer')} of ${link} failed: ${failureText(error)}`)
  }
  if (flow.total.records > 0) return
  const pulled = [...flow.links.values()].reduce((sum, { all }) => sum + all, 0)
  throw new Error(
    `no inlet gave a record while it was measured, in ${counted(pulled, 'transfer')}: there is nothing to compare`,
  )
}
