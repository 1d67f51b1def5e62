import type { Cancellation } from '../cancellation.js'
import { toError } from '../../base/errors.js'
import type { Inlet } from '../inlet.js'
import type { Outlet } from '../outlet.js'
import type { AnyStatefulProcessor } from '../processor.js'
import { isPromiseLike, type MaybePromise } from '../../base/maybe-promise.js'
import { nodeName } from '../node.js'
import type { CountsSoFar, OutletReport, ReportedError, Stage, TransferReport } from '../report.js'
import { type ErrorBudget, plainError } from '../../base/plain-error.js'
import type { Delivery, Failure, Fate } from './delivery.js'
import type { TransferParts } from './parts.js'
import type { Update } from '../update.js'
import { NONE, type Transfers } from './holdings.js'
import type { HostedRequest } from './hosted-request.js'
import { addUp, nothingOf } from './outlet-counts.js'
import { stageTimes } from './stage-times.js'
import { StreamProgress } from './stream-progress.js'
import type { TracedCall, TransferTrace } from './tracing.js'
import { TransferLog } from './transfer-log.js'
import { type Unsettled, UnsettledRound, UnsettledStream, UnsettledTransfer } from './unsettled.js'
import { endsInGrace, NO_WAITS, type Waits } from './waits.js'

/** Most errors that a report lists, most causes of them, and most characters about all of them. */
const REPORT_ERRORS = 1000
const REPORT_CHARACTERS = 256 * 1024

/** Most errors of a transfer that are logged one by one: the others are in its report. */
const LOGGED_ERRORS = 20

/** What the books of a transfer need to know of its link. */
type TallyParts = Pick<
  TransferParts,
  'name' | 'inlets' | 'outlets' | 'stages' | 'settings' | 'streaming' | 'troubles' | 'unsettled' | 'waits'
>

/** Keeps the books of one transfer: calls user code, notes what it did, and becomes the report. */
export class Tally {
  pulled = 0
  filtered = 0
  added = 0
  buffered = 0
  grouped = 0
  batches = 0
  /** Number of rounds that the transfer has begun. */
  rounds = 0
  /** Number of lists of each inlet, as long as it gave some, that are in them as a whole. */
  wholeLists = 0
  /** Number of dead letters that were made of records before they came to the outlets, and of those that were run again. */
  dead = 0
  replayed = 0
  outlets: readonly OutletReport[] = []
  /** Last failure whose records are not kept. */
  failure: Failure | undefined
  /** This transfer, when inlets or processors want to know what comes of their records. */
  unsettled: UnsettledTransfer | undefined
  /** The round of {@link Tally.unsettled} that is under way, or all of it when the transfer does not stream. */
  #underWay: Unsettled | undefined
  /** Transfers whose records go to the outlets: this one, and those that a buffer of the link has let go of. */
  inHand: Transfers = NONE
  /** Other transfers, records of which buffers have let go of; most transfers have none. */
  released: Set<Unsettled> | undefined
  readonly errors: ReportedError[] = []
  readonly update: Update
  readonly drain: boolean
  /** What follows the transfer; `undefined` when nothing does. */
  readonly trace: TransferTrace | undefined
  #dropped = 0
  /** Number of records that were lost when the round began. */
  #lostBefore = 0
  /** Number of errors, listed or not, and of those whose records are kept all the same. */
  #failures = 0
  #kept = 0
  /** Number of those that are of pulls, and of those with which an outlet refused records that nobody brings again. */
  #pullFailures = 0
  #refusals = 0
  /** Whether the transfer has rounds, and whether one is under way. */
  #streams = false
  #isInRound = false
  /** Whether no stage but `pull` has failed in the round. */
  #allInPull = true
  /** What may still be said of errors; most transfers have none. */
  #budget: ErrorBudget | undefined
  #busy = 0
  /** Time that each stage took so far. */
  readonly #stageTimes: number[]
  /** When the last call of user code was left. */
  #leftAt = 0
  /** Shows what rounds did; `undefined` where nobody wants to know. */
  #progress: StreamProgress | undefined
  /** Made at the first line: most transfers have none. */
  #log: TransferLog | undefined
  readonly #parts: TallyParts
  readonly #request: HostedRequest
  readonly #cancellation: Cancellation
  readonly #startedAt = Date.now()
  readonly #started = performance.now()

  constructor(
    parts: TallyParts,
    update: Update,
    cancellation: Cancellation,
    request: HostedRequest,
    trace?: TransferTrace,
  ) {
    this.#parts = parts
    this.trace = trace
    this.#stageTimes = parts.stages.none.slice()
    this.#request = request
    this.#cancellation = cancellation
    this.update = update
    this.drain = request.drain ?? false
  }

  /** Log lines of the transfer. */
  get log(): TransferLog {
    this.#log ??= new TransferLog(this.#parts, this.update)
    return this.#log
  }

  /** Place of the first processor, and of the first grouper, among the stages of the link. */
  get firstStages(): { readonly processors: number; readonly groupers: number } {
    return this.#parts.stages
  }

  /** Place of an inlet among the stages of the link. */
  stageOfInlet(inlet: Inlet): number {
    return this.#parts.inlets.indexOf(inlet)
  }

  /** Place of an outlet among the stages of the link. */
  stageOfOutlet(outlet: Outlet): number {
    return this.#parts.stages.outlets + this.#parts.outlets.indexOf(outlet)
  }

  /** Reason for which the transfer was told to stop; `undefined` while it was not. */
  get cancelled(): Error | undefined {
    return this.#cancellation.reason
  }

  /** Timers, which the transfer itself has none of. */
  get waits(): Waits {
    return this.#parts.waits ?? NO_WAITS
  }

  /** What keeps how far inlets have come; `undefined` for links without `delivery`. */
  get delivery(): Delivery | undefined {
    return this.#parts.unsettled.delivery
  }

  /** Whether a transfer that streams is to end with the records that it has pulled. */
  get ending(): boolean {
    if (this.#cancellation.ending || this.delivery === undefined) return this.#cancellation.ending
    return this.delivery.isWaiting || this.#pullFailures > 0
  }

  /** Whether the transfer only tries again what failed before. */
  get isRetry(): boolean {
    return this.#request.retry === true
  }

  /** Whether something has failed whose records are not kept. */
  get hasFailed(): boolean {
    return this.#failures > this.#kept
  }

  /** Whether something has failed that no more rounds may follow. */
  get hasBroken(): boolean {
    return this.#failures > this.#kept + this.#refusals
  }

  /** Whether no more rounds may begin. */
  get isOver(): boolean {
    if (this.cancelled !== undefined) return true
    // with `delivery`, what was pulled before a pull failed goes to the outlets
    const isBroken = this.delivery === undefined ? this.hasBroken : this.#failures > this.#kept + this.#pullFailures
    return isBroken && !this.#parts.settings.ignoreExceptions
  }

  /** Number of records that were lost. */
  get lost(): number {
    return this.#dropped + this.outlets.reduce((sum, { dropped }) => sum + dropped, 0)
  }

  /** Whether every record of the round is where it should be, as far as that is known. */
  get delivered(): boolean {
    // another inlet that failed has nothing to do with what came of the others, unless that was dropped
    return this.lost === this.#lostBefore && this.#allInPull
  }

  /** Begins with rounds: see {@link Tally.beginRound}. */
  beginStream(): void {
    this.#streams = true
    this.update.noteRounds()
    this.noteListener().stream = new UnsettledStream()
    const { streams, progress } = this.#request
    const { streaming } = this.#parts
    if (streams === undefined && progress === undefined && streaming === undefined) return
    this.#progress = new StreamProgress(this.#request, this.waits, () => this.#countsSoFar())
    streaming?.push(this.#progress)
  }

  /** Ends what {@link Tally.beginStream} began. */
  endStream(): void {
    this.#progress?.end()
  }

  /**
   * Begins a round of a transfer that streams.
   *
   * @param lists - number of lists of each inlet, as long as it gave some, up to the end of this round, and how many of
   * them are in it or in those before as a whole
   */
  beginRound({ lists, whole }: { readonly lists: number; readonly whole: number }): void {
    this.rounds++
    this.wholeLists = whole
    this.#isInRound = true
    this.#progress?.roundBegins(this.rounds)
    this.#lostBefore = this.lost
    this.#allInPull = true
    const transfer = this.noteListener()
    transfer.rounds = this.rounds
    const round = new UnsettledRound(transfer, whole)
    const { stream } = transfer
    if (stream !== undefined) {
      stream.settle()
      stream.lists = lists
      if (!transfer.failed) stream.open.push(round)
    }
    this.#underWay = round
    this.inHand = [round]
  }

  /** Ends a round: whether its records were delivered is known, but for those in buffers. */
  endRound(outlets: readonly OutletReport[] | undefined): void {
    if (outlets !== undefined) this.addOutlets(outlets)
    const round = this.#underWay as UnsettledRound
    if (!this.delivered) round.fail()
    round.ended = true
    this.#isInRound = false
    this.#progress?.roundEnds()
  }

  /** Adds what outlets did to what they have done in the transfer before. */
  addOutlets(outlets: readonly OutletReport[]): void {
    this.outlets = this.outlets.length === 0 ? outlets : addUp(this.outlets, outlets)
  }

  /** Notes that an outlet has not kept records that it took in rounds: nothing of the transfer was delivered. */
  takeBack(outlet: number, records: number): void {
    this.outlets = this.outlets.map((report, at) =>
      at === outlet ? { ...report, pushed: report.pushed - records, dropped: report.dropped + records } : report,
    )
    this.unsettled?.stream?.takeBack()
    this.unsettled?.fail()
    // what buffers have let go of was among them
    for (const transfer of this.released ?? []) transfer.fail()
    this.logDrop(records, `${this.outlets[outlet]?.outlet ?? 'an outlet'} did not keep them`)
  }

  /** Notes that an inlet is pulled that is to be told what comes of its records. */
  willTell(inlet: Inlet): void {
    this.noteListener().inlets.set(inlet, true)
  }

  /** Notes that a processor is called that is to be told what comes of its records. */
  willTellProcessor(processor: AnyStatefulProcessor, name: string): Unsettled {
    const told = this.noteListener()
    told.processors ??= new Map()
    told.processors.set(processor, name)
    return this.#underWay ?? told
  }

  /** Notes that a part of the link wants to know what comes of this transfer. */
  noteListener(): UnsettledTransfer {
    if (this.unsettled === undefined) {
      this.unsettled = new UnsettledTransfer(this.update, this.#parts.unsettled)
      this.#underWay = this.unsettled
      this.inHand = [...this.inHand, this.unsettled]
    }
    return this.unsettled
  }

  /** Notes that its pull failed, if it was pulled at all. */
  pullFailed(inlet: Inlet): void {
    if (this.unsettled?.inlets.has(inlet) === true) this.unsettled.inlets.set(inlet, false)
  }

  /** Notes transfers of which a buffer has let go of records: this transfer has these until it ends. */
  noteReleased(transfers: Transfers): void {
    for (const transfer of transfers) {
      if (transfer === this.#underWay || this.released?.has(transfer) === true) continue
      this.released ??= new Set()
      this.released.add(transfer)
      transfer.held++
    }
  }

  /** Waits for something, until the transfer is told to stop: then it rejects with the reason. */
  until<T>(work: Promise<T>): Promise<T> {
    return this.#cancellation.race(work)
  }

  /**
   * Waits for something that has to come to its end: also when the transfer is told to stop, but for the grace only. Then it
   * rejects with the reason.
   */
  async untilGrace<T>(work: Promise<T>): Promise<T> {
    await this.until(work).catch(() => undefined)
    const stopped = this.cancelled
    if (stopped === undefined || (await endsInGrace(work, this.waits))) return work
    this.log.abandoned(work, stopped)
    throw stopped
  }

  /** Waits for something, until the transfer is told to stop or to end. */
  async untilEnding(work: Promise<unknown>): Promise<void> {
    await this.#cancellation.orEnding(work)
  }

  /**
   * Calls user code, and waits for it until the transfer is told to stop. What such code gives later is of no use any
   * more, and said to be so.
   *
   * @param stage - place of the stage whose time it is; left out for what is of none
   * @param given - number of records that are given to it
   * @param processor - name of the processor that is called, which may be one of an outlet
   */
  call<T>(work: () => T | PromiseLike<T>, stage?: number, given?: number, processor?: string): MaybePromise<T> {
    if (this.trace === undefined || stage === undefined) return this.#call(work, stage)
    return this.trace.call(this.#traced(stage, given, processor), () => this.#call(work, stage))
  }

  #traced(place: number, given: number | undefined, processor: string | undefined): TracedCall {
    if (processor !== undefined) return { stage: 'process', node: processor, given }
    const { stage, node } = this.#parts.stages.all[place] ?? { stage: 'push', node: 'outlet' }
    return { stage, node, given, round: stage === 'pull' && this.#streams ? this.rounds + 1 : undefined }
  }

  #call<T>(work: () => T | PromiseLike<T>, stage: number | undefined): MaybePromise<T> {
    const result = this.enter(work, stage)
    // an object with a `then` may do its work again each time that it is called
    return isPromiseLike(result) ? this.#wait(Promise.resolve(result), stage) : result
  }

  /**
   * Calls user code, whatever the transfer is told.
   *
   * @param stage - place of the stage whose time it is; left out for what is of none
   */
  enter<T>(work: () => T, stage?: number): T {
    const started = performance.now()
    this.#request.inside?.(true)
    try {
      return work()
    } finally {
      this.#request.inside?.(false)
      this.#leftAt = performance.now()
      const taken = this.#leftAt - started
      this.#busy += taken
      this.#addTime(stage, taken)
    }
  }

  async #wait<T>(pending: Promise<T>, stage: number | undefined): Promise<T> {
    const since = this.#leftAt
    try {
      return await this.#cancellation.race(pending)
    } catch (thrown) {
      if (thrown === this.#cancellation.reason) this.log.abandoned(pending, this.#cancellation.reason)
      throw thrown
    } finally {
      if (stage !== undefined) this.#addTime(stage, performance.now() - since)
    }
  }

  #addTime(stage: number | undefined, taken: number): void {
    if (stage !== undefined) this.#stageTimes[stage] = (this.#stageTimes[stage] ?? 0) + taken
  }

  /** Notes an error whose records are dead letters, or dropped for good: it is over and done with. */
  failDead(error: Error, node: string, stage: Stage, records: number): void {
    this.#kept++
    this.#failures++
    this.#list(error, { node, stage, ...this.#roundOf(stage) })
    this.log.dead({ node, stage, message: plainError(error).message }, records)
  }

  /** Notes an error as {@link Tally.fail} does. Its records are kept: they wait. */
  failKept(thrown: unknown, node: string, stage: Stage): void {
    this.#kept++
    this.#failures++
    this.#note(toError(thrown), node, stage, true)
  }

  /** Notes and logs that an outlet refused records. Rounds go on, unless an inlet goes back for them. */
  failRefused(thrown: unknown, outlet: string): void {
    if (this.delivery === undefined && !this.#parts.inlets.some(redelivers)) this.#refusals++
    this.fail(thrown, outlet, 'push')
  }

  /**
   * Notes and logs an error of user code. Of very many errors, the report lists some and says how many more there are.
   *
   * @param ofRound - whether it belongs to the round under way, or to the next one when it is of `pull`
   */
  fail(thrown: unknown, node: string, stage: Stage, ofRound = true): void {
    this.#failures++
    if (stage === 'pull') this.#pullFailures++
    this.#allInPull &&= stage === 'pull'
    const error = toError(thrown)
    this.failure = { node, stage, error }
    this.#note(error, node, stage, ofRound)
  }

  #note(error: Error, node: string, stage: Stage, ofRound: boolean): void {
    const round = ofRound ? this.#roundOf(stage) : {}
    this.#list(error, { node, stage, ...round })
    if (this.#failures > LOGGED_ERRORS) return
    this.log.failed(error, { node, stage, ...round, message: plainError(error).message })
  }

  #list(error: Error, where: Pick<ReportedError, 'node' | 'stage' | 'round'>): void {
    this.trace?.failed(error, where.node, where.stage)
    if (this.errors.length >= REPORT_ERRORS) return
    this.#budget ??= { characters: REPORT_CHARACTERS, errors: REPORT_ERRORS }
    this.errors.push({ ...plainError(error, this.#budget), ...where })
  }

  #roundOf(stage: Stage): Pick<ReportedError, 'round'> {
    // only `pull` runs ahead
    if (stage === 'pull' && this.#streams) return { round: this.rounds + 1 }
    return this.#isInRound ? { round: this.rounds } : {}
  }

  /**
   * Takes records back that were pulled and that nobody is given: those of a link with `delivery` are pulled again, and others
   * are dropped.
   */
  giveBack(records: number, why: string): void {
    if (this.delivery === undefined || records === 0) {
      this.drop(records, why)
      return
    }
    this.pulled -= records
    this.unsettled?.fail()
    this.log.pulledAgain(records, why)
  }

  /** Counts records that did not come to the outlets, and are settled all the same. */
  settleRefused(fate: Fate, records: number, why: string): void {
    if (fate === 'dead') this.dead += records
    else this.letGo(records, () => (this.#dropped += records), why)
  }

  /** Counts and logs records that are dropped for good: as far as their inlets are concerned, they are delivered. */
  letGo(records: number, count: () => void, why: string): void {
    count()
    this.#lostBefore += records
    this.logDrop(records, why)
  }

  /** Counts and logs records that no outlet will get. */
  drop(records: number, why: string): void {
    this.#dropped += records
    this.logDrop(records, why)
  }

  /** Logs records that were dropped, if there are any. */
  logDrop(records: number, why: string): void {
    if (records > 0) this.log.dropped(records, why)
  }

  /** Counts and logs records that came from no inlet or processor. */
  add(records: number, why: string): void {
    this.added += records
    if (records > 0) this.log.added(records, why)
  }

  report(): TransferReport {
    if (this.#failures > LOGGED_ERRORS) this.#noteOmitted()
    if (this.#failures === 0) this.#parts.troubles?.well(this.#parts.name)
    const blocked = this.delivery?.blockedAfter(this)
    if (this.delivery !== undefined) this.#parts.troubles?.blocked(blocked !== undefined)
    // until the report is there: what it counts is not seen twice, nor missed
    if (this.#progress !== undefined) this.#leave(this.#progress)
    const { update } = this
    const { scheduledAt = this.#startedAt, thread = 0 } = this.#request
    return {
      link: this.#parts.name,
      update: String(update),
      transferNumber: update.transferNumber,
      thread,
      scheduledAt,
      startedAt: this.#startedAt,
      endedAt: this.#startedAt + (performance.now() - this.#started),
      busy: this.#busy,
      pulled: this.pulled,
      filtered: this.filtered,
      added: this.added,
      dropped: this.#dropped,
      buffered: this.buffered,
      ...(this.dead > 0 && { dead: this.dead }),
      ...(this.replayed > 0 && { replayed: this.replayed }),
      grouped: this.grouped,
      batches: this.batches,
      rounds: this.rounds,
      outlets: this.outlets,
      stages: stageTimes(this.#parts.stages, this.#stageTimes),
      errors: this.errors,
      failed: this.hasFailed && blocked === undefined && !this.#parts.settings.ignoreExceptions,
      ...(blocked && { blocked }),
    }
  }

  #leave(progress: StreamProgress): void {
    const { streaming } = this.#parts
    const at = streaming?.indexOf(progress) ?? -1
    if (at >= 0) streaming?.splice(at, 1)
  }

  #countsSoFar(): CountsSoFar {
    const { outlets } = this.#parts
    return {
      startedAt: this.#startedAt,
      busy: this.#busy,
      pulled: this.pulled,
      filtered: this.filtered,
      added: this.added,
      dropped: this.#dropped,
      buffered: this.buffered,
      grouped: this.grouped,
      batches: this.batches,
      rounds: this.rounds,
      ...(this.dead > 0 && { dead: this.dead }),
      ...(this.replayed > 0 && { replayed: this.replayed }),
      outlets: this.outlets.length > 0 ? this.outlets : outlets.map((outlet) => nothingOf(nodeName(outlet))),
    }
  }

  /** Says how many errors were not logged, and how many are not even listed. */
  #noteOmitted(): void {
    const unlisted = this.#failures - this.errors.length
    const unlogged = this.#failures - LOGGED_ERRORS
    if (unlogged > 0) this.log.unlogged(unlogged)
    if (unlisted <= 0) return
    const message = `${unlisted} more errors of this transfer are not listed`
    this.errors.push({ name: 'Error', message, node: 'transfer', stage: 'transfer' })
  }
}

function redelivers({
  redelivers,
  onTransferEnd,
}: Pick<Inlet, 'onTransferEnd'> & { readonly redelivers?: boolean }): boolean {
  // an inlet of another copy of this package may have no such field
  return redelivers ?? onTransferEnd !== undefined
}
