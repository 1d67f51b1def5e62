import { counted, isOrAre } from '../../base/counted.js'
import { isDeepStrictEqual } from 'node:util'
import { PlannerStateError, ThreadLostError, toError } from '../../base/errors.js'
import type { Duration } from '../../base/duration.js'
import { getLogger } from '../../base/log.js'
import { Repeats } from '../../base/repeats.js'
import { isDurable, type PlannedLink, type TransferRequest } from '../../core/planned-link.js'
import { transferText } from '../../core/update.js'
import { type CountsSoFar, failedReport, type TransferReport } from '../../core/report.js'
import { plainError } from '../../base/plain-error.js'
import { LinkAccounts, type Held } from '../../core/link-accounts.js'
import { LiveSchedule } from '../../core/live-schedule.js'
import type { KnownLane } from './placement.js'
import type { ResolvedSettings } from '../../core/link-options.js'
import type { LinkDescription } from '../protocol/link-description.js'
import { LinkHealth } from './link-health.js'
import { LinkMigration } from './link-migration.js'
import { LinkPlace } from './link-place.js'
import { LinkPlaces } from './link-places.js'
import { NotBegunError, Run, type RunOwner } from './run.js'
import type { Thread } from './thread.js'

/**
 * Number of times in a row that a thread may be lost while the link is opened there, until that counts as a failure: the
 * next try is later then. Loading its module may be what ends the thread.
 */
const MOST_LOST = 2

/** Called when something happens to a link by itself. */
export interface LinkHooks {
  /** Called when the link is found to mostly wait or to mostly compute. */
  laneKnown?(): void
  /** Called when the link's buffers were drained, as they could not be handed off. */
  drained?(report: TransferReport): void
  /** Called when records that were in the link's buffers are lost, which is logged. */
  lost?(records: number): void
  /** Called when the link could not be opened again. */
  openFailed?(link: ThreadLink, error: Error): void
  /** Called when the link was opened again, and is open in all its places. */
  opened?(link: ThreadLink): void
  /** Called when the link, which is not started, is in another thread now. */
  moved?(link: ThreadLink): void
}

/**
 * The main thread's side of a link that is hosted by a thread: a link to a planner, whose transfers are messages. It
 * has one place, or one in each thread when it is stateless.
 */
export class ThreadLink implements PlannedLink, RunOwner<LinkPlace> {
  #description: LinkDescription
  /** When this was made, by `performance.now()`. Whole milliseconds, as a fraction would take an object of its own. */
  readonly since = Math.round(performance.now())
  readonly #schedule: LiveSchedule
  readonly #places: LinkPlaces
  readonly #hooks: LinkHooks
  /** Made when a transfer has ended: many links may be idle. */
  #health: LinkHealth | undefined
  /** Number of the next transfer. */
  #transfers = 0
  /** Why transfers up to a number were told to stop: some may be on their way still. */
  #stopped: { readonly upTo: number; readonly reason: Error } | undefined
  /** Transfers that wait for the link to be opened; `undefined` while there were none. */
  #waiting: Set<Run<LinkPlace>> | undefined
  /** Transfers that stream; `undefined` while there were none. */
  #streaming: Set<Run<LinkPlace>> | undefined
  /** Number of transfers that threads were given, and whose end has not come. */
  #given = 0
  #buffered = 0
  /** What was logged of transfers that could not be made; `undefined` while there were none. */
  #failures: Repeats | undefined
  /** Made when a transfer has ended. */
  #accounts: LinkAccounts | undefined
  /** Number of the latest transfer whose report has come. */
  #latest = -1

  /** @param places - threads that host the link, and the ids under which it is open there */
  constructor(
    description: LinkDescription,
    places: readonly { readonly thread: Thread; readonly id: number }[],
    hooks: LinkHooks = {},
  ) {
    this.#description = description
    this.#schedule = new LiveSchedule(description.settings.schedule)
    this.#places = new LinkPlaces(places.map(({ thread, id }) => new LinkPlace(thread, id)))
    this.#hooks = hooks
  }

  /** Description of the link by a thread. */
  get description(): LinkDescription {
    return this.#description
  }

  /** Takes the description of a new version of the link's module. */
  redescribe(description: LinkDescription): void {
    const { schedule } = this.#description.settings
    this.#description = description
    // an interval that was set stays unless the module's has changed
    if (!isDeepStrictEqual(schedule, description.settings.schedule)) this.#schedule.set(description.settings.schedule)
  }

  get id(): string {
    return this.description.id
  }

  get name(): string {
    return this.description.id
  }

  get tags(): readonly string[] {
    return this.description.tags
  }

  get schedule() {
    return this.#schedule.schedule
  }

  /** Changes how often the link is due: see `Link.setInterval`. */
  setInterval(interval: number | Duration): void {
    this.#schedule.setInterval(interval)
  }

  onReschedule(listener: () => void): () => void {
    return this.#schedule.onChange(listener)
  }

  get module(): string {
    return this.description.module
  }

  /** Whether the link is open in a thread, or moves to one. */
  get isOpen(): boolean {
    return this.#places.isOpen
  }

  get settings(): ResolvedSettings {
    return this.description.settings
  }

  /** The threads that host the link. */
  get threads(): readonly Thread[] {
    return this.#places.threads
  }

  get threadNumbers(): readonly number[] {
    return this.#places.threads.map(({ number }) => number)
  }

  /** What the link mostly does, as far as that is known. */
  get lane(): KnownLane {
    const { lane } = this.settings
    return lane === 'auto' ? this.#health?.lane : lane
  }

  /** Number of records in the link's buffers, as of the last report. */
  get buffered(): number {
    return this.#buffered
  }

  /** @internal */
  get inletInstances(): ReadonlyMap<number, string> {
    const { instances, nodes, parts } = this.description
    return new Map(instances.slice(0, nodes.inlets).map((instance, at) => [instance, parts[at] ?? 'an inlet']))
  }

  /** @internal */
  get outletInstances(): readonly number[] {
    const { instances, nodes } = this.description
    return instances.slice(nodes.inlets)
  }

  /** @internal */
  get accounts(): LinkAccounts | undefined {
    return this.#accounts
  }

  /** Time that the link's transfers held their threads in all, in milliseconds. */
  get busy(): number {
    return this.#health?.busy ?? 0
  }

  /** Number of the link's transfers that are under way in threads. */
  get running(): number {
    return this.#places.running
  }

  /** Whether a transfer of it streams, which may take as long as it likes. */
  get isStreaming(): boolean {
    return (this.#streaming?.size ?? 0) > 0
  }

  /** @internal */
  get streaming(): CountsSoFar[] {
    return [...(this.#streaming ?? [])].flatMap(({ soFar }) => soFar ?? [])
  }

  get quarantinedUntil(): number | undefined {
    return this.#health?.quarantinedUntil
  }

  /** Whether the link is open under this id somewhere. */
  hasId(id: number): boolean {
    return this.#places.has(id)
  }

  transfer(request: TransferRequest = {}): Promise<TransferReport> {
    return new Promise((resolve) => {
      this.#begin(request.scheduledAt ?? Date.now(), false, resolve, request.streams, request.retry)
    })
  }

  transferDue(scheduledAt: number, ended: (report: TransferReport) => void): void {
    this.#begin(scheduledAt, false, ended)
  }

  async drain(): Promise<TransferReport | undefined> {
    if (!this.description.buffers) return undefined
    const place = this.#places.first
    if (place.isMoving) await place.opening
    // only the thread knows what the buffers hold now; what was handed off and not taken yet is opened for this, unless
    // that may end a thread in which others drain
    if (!place.isOpen && !(place.hasState && this.quarantinedUntil === undefined)) return undefined
    const report = await new Promise<TransferReport>((resolve) => {
      this.#begin(Date.now(), true, resolve)
    })
    return hasMoved(report) ? report : undefined
  }

  cancel(reason: Error): void {
    const upTo = this.#transfers - 1
    this.#stopped = { upTo, reason }
    if (this.#given > 0) this.#places.note((link) => ({ note: 'cancel', link, upTo, reason: plainError(reason) }))
  }

  endStreams(): void {
    const upTo = this.#transfers - 1
    // there may be thousands of links, most of them idle
    if (this.#given > 0) this.#places.note((link) => ({ note: 'endStreams', link, upTo }))
  }

  endWaiting(reason: Error): void {
    const waiting = [...(this.#waiting ?? [])]
    this.#waiting?.clear()
    for (const run of waiting) this.#failWaiting(run, reason)
  }

  onStart(): Promise<void> {
    return this.#places.start(this.description)
  }

  onShutdown(): Promise<void> {
    this.#failures?.end((failures, time) => {
      getLogger('databay.Link').warn(
        `${this.name}: ${failures} transfers could not be made in ${time}, when it was shut down`,
      )
    })
    return this.#places.stop()
  }

  /** Takes note that the link has ended its thread, or held it up so that it had to be ended. */
  crashed(): void {
    this.#health ??= new LinkHealth()
    this.#health.crashed(this.name)
  }

  /**
   * Takes note that a thread of the link was lost: opens the link again in the worker that takes the place.
   *
   * @returns a function that gives the number of records lost in buffers; to be called once, when all reports of that
   * thread have come
   */
  lost(thread: Thread): () => number {
    const places = this.#places.in(thread)
    // what was handed off is here still
    const hit = places.filter(({ hasState }) => !hasState).map((place) => ({ place, before: place.handOffs }))
    for (const place of places) {
      if (!place.lost()) continue
      if (place.lostOpenings < MOST_LOST) this.#reopen(place)
      else this.#openFailed(new ThreadLostError(`thread ${thread.number} was lost again while ${this.name} was opened`))
    }
    return () => {
      // that it was handed off may have been among the last that the thread told
      return hit.some(({ place, before }) => place.handOffs === before) ? this.#lose() : 0
    }
  }

  startMigration(thread: Thread): LinkMigration | undefined {
    const place = this.#places.in(thread).find(({ isMoving }) => !isMoving)
    if (place === undefined) return undefined
    const upTo = this.#transfers - 1
    return new LinkMigration(place, {
      endStreams: ({ thread: from, id }) => {
        from.note({ note: 'endStreams', link: id, upTo })
      },
      wanted: () => (this.#isWanted ? this.description : undefined),
      isRetried: this.settings.onStartFailure === 'retry',
      keepsRecords: this.description.keepsRecords,
      drain: (from) => this.#drain(from),
      lose: (held) => {
        const lost = this.#lose(held)
        if (lost !== 0) this.#hooks.lost?.(lost)
        return lost
      },
      left: () => {
        if (isDurable(this)) this.#lose()
      },
      openFailed: (error) => {
        this.#openFailed(error)
      },
      reopen: (at) => {
        this.#reopen(at)
        if (!this.#places.started) this.#hooks.moved?.(this)
      },
    })
  }

  /** Has a further thread host the link too: see {@link LinkPlaces.add}. */
  replicateTo(thread: Thread, id: number, anyway: boolean): Promise<void> {
    return this.#places.add(thread, id, this.description, anyway)
  }

  /** Has a thread host the link no more: see {@link LinkPlaces.remove}. */
  removeReplicaFrom(thread: Thread): Promise<void> {
    return this.#places.remove(thread)
  }

  toString(): string {
    return this.description.text
  }

  /** Whether the link is to be open. In quarantine it stays closed: it is opened when it is due again. */
  get #isWanted(): boolean {
    return this.#places.started && this.quarantinedUntil === undefined
  }

  #begin(
    scheduledAt: number,
    drain: boolean,
    resolve: (report: TransferReport) => void,
    streams?: () => void,
    retry?: boolean,
  ): void {
    this.#run(new Run(this, this.#places.leastLoaded, this.#transfers++, scheduledAt, drain, resolve, streams, retry))
  }

  /** Makes a transfer: in its thread, or in another when that was lost before the transfer had begun. */
  #run(run: Run<LinkPlace>): void {
    if (!run.at.isOpen) void this.#openFirst(run)
    else if (this.#stopped !== undefined && run.transferNumber <= this.#stopped.upTo) {
      this.#fail(run, this.#stopped.reason)
    } else this.#give(run)
  }

  #give(run: Run<LinkPlace>): void {
    this.#given++
    run.at.run(run)
  }

  async #openFirst(run: Run<LinkPlace>): Promise<void> {
    this.#waiting ??= new Set()
    const waiting = this.#waiting
    waiting.add(run)
    // who has begun to open it tells that it failed
    const isFirst = run.at.opening === undefined
    try {
      if (!this.#places.started) throw new PlannerStateError(`${this.name} is shut down`)
      await run.at.open(this.description)
    } catch (thrown) {
      if (waiting.delete(run)) this.#failWaiting(run, thrown)
      if (isFirst && !(thrown instanceof ThreadLostError)) this.#openFailed(thrown)
      return
    }
    this.#sayOpen()
    if (waiting.delete(run)) this.#runAgain(run) // it may have been lost or have moved meanwhile
  }

  #runAgain(run: Run<LinkPlace>): void {
    run.at = this.#places.leastLoaded
    this.#run(run)
  }

  /** @internal */
  noteStream(run: Run<LinkPlace>): void {
    this.#streaming ??= new Set()
    this.#streaming.add(run)
  }

  /** @internal */
  ended(run: Run<LinkPlace>, report: TransferReport): void {
    this.#given--
    this.#streaming?.delete(run)
    this.#failures?.over((failures, time) => {
      getLogger('databay.Link').warn(`${this.name} transfers again: ${failures} transfers could not be made in ${time}`)
    })
    this.#learn(run.transferNumber, report)
    run.resolve(report)
  }

  /** @internal */
  failed(run: Run<LinkPlace>, error: Error): void {
    this.#given--
    this.#streaming?.delete(run)
    // in quarantine the others of its transfers, which may be many, would end thread after thread; and the drain of a
    // link that leaves its thread has to be in that
    const again = this.quarantinedUntil === undefined && !(run.drain && run.at.isMoving)
    if (error instanceof NotBegunError && again) this.#runAgain(run)
    else this.#fail(run, error)
  }

  /** Fails a transfer that waited for the link to be opened: no failure of a link that is tried again. */
  #failWaiting(run: Run<LinkPlace>, thrown: unknown): void {
    const { ignoreExceptions, onStartFailure } = this.settings
    this.#fail(run, thrown, ignoreExceptions || onStartFailure === 'retry')
  }

  #fail(run: Run<LinkPlace>, thrown: unknown, ignores = this.settings.ignoreExceptions): void {
    const error = toError(thrown)
    // with `delivery`, what the thread had in hand is pulled again
    const isIgnored = ignores || (this.settings.delivery !== 'memory' && error instanceof ThreadLostError)
    this.#failures ??= new Repeats()
    this.#failures.again(error.message, (counted) => {
      const where = run.soFar === undefined ? '' : ` in round ${run.soFar.rounds}`
      const text = `${transferText(run.update, this.name)} failed${where}: ${error.message}${counted}`
      getLogger('databay.Link').error({ err: error }, text)
    })
    // what it had done before its thread was lost
    const report = failedReport(run, error, isIgnored, run.soFar)
    if (report.rounds > 0) this.#count(report)
    const { quarantinedUntil } = this
    run.resolve(quarantinedUntil === undefined ? report : { ...report, quarantinedUntil })
  }

  #count(report: TransferReport): void {
    this.#accounts ??= new LinkAccounts()
    const lost = this.#accounts.add(report)
    if (lost > 0) this.#noteGone(lost)
  }

  #learn(transferNumber: number, report: TransferReport): void {
    this.#count(report)
    // transfers may overtake each other
    if (transferNumber >= this.#latest) {
      this.#latest = transferNumber
      let { buffered } = report
      for (const outlet of report.outlets) buffered += outlet.buffered
      this.#buffered = buffered
    }
    this.#health ??= new LinkHealth()
    if (this.#health.learn(report) && this.settings.lane === 'auto') this.#hooks.laneKnown?.()
  }

  /** Opens the link again in a place if it is not open there, and is to be. */
  #reopen(place: LinkPlace): void {
    if (place.isOpen || !this.#isWanted) {
      this.#sayOpen()
      return
    }
    place.open(this.description).then(
      () => {
        this.#sayOpen()
      },
      (thrown: unknown) => {
        // it is opened in the next worker
        if (!(thrown instanceof ThreadLostError)) this.#openFailed(thrown)
      },
    )
  }

  #openFailed(thrown: unknown): void {
    if (this.#places.started) this.#hooks.openFailed?.(this, toError(thrown))
  }

  #sayOpen(): void {
    if (this.#places.areOpen) this.#hooks.opened?.(this)
  }

  /** Releases what buffers hold in a place that the link leaves. */
  async #drain(place: LinkPlace): Promise<void> {
    if (!this.description.buffers) return
    const report = await new Promise<TransferReport>((resolve) => {
      this.#give(new Run(this, place, this.#transfers++, Date.now(), true, resolve))
    })
    if (hasMoved(report)) this.#hooks.drained?.(report)
  }

  #noteGone(lost: number): void {
    getLogger('databay.Link').error(
      `${this.name}: ${counted(lost, 'buffered record')} ${isOrAre(lost)} lost: it does not have their outlet any more`,
    )
    this.#hooks.lost?.(lost)
  }

  /**
   * Takes note of records that are gone from memory: of all that buffers hold, or of some of them. Gives the number of those that
   * are lost: with `delivery`, they are pulled again.
   */
  #lose(held?: Held): number {
    const isPulledAgain = isDurable(this)
    const gone = (isPulledAgain ? this.#accounts?.pullAgain(held) : this.#accounts?.lose(held)) ?? 0
    this.#buffered = held === undefined ? 0 : Math.max(0, this.#buffered - gone)
    return isPulledAgain ? 0 : gone
  }
}

/** Whether a drain had anything to release. */
function hasMoved({ grouped, dropped, outlets, errors }: TransferReport): boolean {
  const took = outlets.some((outlet) => outlet.pushed > 0 || outlet.dropped > 0)
  return took || grouped > 0 || dropped > 0 || errors.length > 0
}
