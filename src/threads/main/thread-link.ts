import { isDeepStrictEqual } from 'node:util'
import { PlannerStateError, ThreadLostError, toError } from '../../base/errors.js'
import type { Duration } from '../../base/duration.js'
import { getLogger } from '../../base/log.js'
import type { PlannedLink, TransferRequest } from '../../core/planned-link.js'
import { blame, failedReport, type TransferReport } from '../../core/report.js'
import { plainError } from '../../base/plain-error.js'
import { LiveSchedule } from '../../core/live-schedule.js'
import { LaneLearner } from './lane-learner.js'
import type { KnownLane } from './placement.js'
import type { LinkDescription } from '../protocol/link-description.js'
import { Quarantine } from './quarantine.js'
import type { LinkMigration } from './link-migration.js'
import type { Thread } from './thread.js'
import { type Host, newHost, leave, nothing, close } from './link-places.js'
import { NotBegunError } from './run.js'
import { Run } from './link-run.js'

/** What comes of a link that nobody asked for. */
export interface LinkHooks {
  /** Its buffers were drained, as they could not be handed over. */
  drained(report: TransferReport): void
  /** It has lost records that were in its buffers. */
  lost(records: number): void
}

/**
 * The main thread's side of a link that is hosted by a thread: a link to a planner, whose transfers are messages. It
 * has one host, or one in each thread when it is stateless.
 */
export class ThreadLink implements PlannedLink {
  #description: LinkDescription
  /** When it was made, by `performance.now()`. */
  readonly since = performance.now()
  readonly #schedule: LiveSchedule
  readonly #hosts: Host[]
  /** Those in which it makes no more transfers, until the last has ended. */
  #withdrawn: Set<Host> | undefined
  /** Made at its first transfer: many links may be idle. */
  #learner: LaneLearner | undefined
  readonly #onLane: () => void
  readonly #hooks: LinkHooks
  #transfers = 0
  #running = 0
  /** Which transfers were told to stop: some may be on their way still. */
  #stopped: { readonly upTo: number; readonly reason: Error } | undefined
  #buffered = 0
  #busy = 0
  /** Made when it ends its thread for the first time. */
  #quarantine: Quarantine | undefined
  /** Number of the latest transfer that a report has come of. */
  #latest = -1
  /** Whether the planner has started it: from then on it is opened again when its thread is lost. */
  #started = false

  /**
   * @param hosts - where it is hosted: a thread and the id under which it is open there
   * @param onLane - called when the link is found to mostly wait or mostly compute
   */
  constructor(
    description: LinkDescription,
    hosts: readonly { readonly thread: Thread; readonly id: number }[],
    onLane: () => void,
    hooks: LinkHooks = NO_HOOKS,
  ) {
    this.#description = description
    this.#schedule = new LiveSchedule(description.schedule)
    this.#hosts = hosts.map(({ thread, id }) => newHost(thread, id))
    this.#onLane = onLane
    this.#hooks = hooks
  }

  get description(): LinkDescription {
    return this.#description
  }

  /** Its module was loaded anew. */
  redescribe(description: LinkDescription): void {
    const { schedule } = this.#description
    this.#description = description
    // an interval that was set stays unless the module has another than before
    if (!isDeepStrictEqual(schedule, description.schedule)) this.#schedule.set(description.schedule)
  }

  get name(): string {
    return this.description.name
  }

  get tags(): readonly string[] {
    return this.description.tags
  }

  get schedule() {
    return this.#schedule.schedule
  }

  /** Changes how often it is due: see `Link.setInterval`. */
  setInterval(interval: number | Duration): void {
    this.#schedule.setInterval(interval)
  }

  onReschedule(listener: () => void): () => void {
    return this.#schedule.onChange(listener)
  }

  get immediateTransfer(): boolean {
    return this.description.immediateTransfer
  }

  get ignoreExceptions(): boolean {
    return this.description.ignoreExceptions
  }

  get maxInstances(): number {
    return this.description.maxInstances
  }

  /** The threads that host it. */
  get threads(): readonly Thread[] {
    return this.#hosts.map(({ thread }) => thread)
  }

  /** What it is known to do mostly. */
  get lane(): KnownLane {
    const { lane } = this.description
    return lane === 'auto' ? this.#learner?.lane : lane
  }

  /** How many records it holds in buffers, as of the last report. */
  get buffered(): number {
    return this.#buffered
  }

  /** How long its transfers held their threads in all, in milliseconds. */
  get busy(): number {
    return this.#busy
  }

  /** How many of its transfers are under way. */
  get running(): number {
    return this.#running
  }

  get quarantinedUntil(): number | undefined {
    if (this.#quarantine === undefined) return undefined
    const left = this.#quarantine.left(performance.now())
    return left === 0 ? undefined : Date.now() + Math.round(left)
  }

  /** Where it is open, also where it makes no more transfers. */
  get #everywhere(): readonly Host[] {
    return this.#withdrawn === undefined ? this.#hosts : [...this.#hosts, ...this.#withdrawn]
  }

  /** Whether one of its instances is open under this id. */
  hasHost(id: number): boolean {
    return this.#hosts.some((host) => host.id === id)
  }

  transfer(request: TransferRequest = {}): Promise<TransferReport> {
    return this.#transfer(request.scheduledAt ?? Date.now(), false)
  }

  transferDue(scheduledAt: number, ended: (report: TransferReport) => void): void {
    this.#begin(scheduledAt, false, ended)
  }

  async drain(): Promise<TransferReport | undefined> {
    if (!this.description.buffers) return undefined
    // a link with buffers has one host
    const [host] = this.#hosts
    if (host?.moving === true) await host.opening
    // only the thread knows what the buffers hold now; what was handed over and not taken yet is opened for this
    if (host === undefined || (!host.open && host.state === undefined)) return undefined
    const report = await this.#transfer(Date.now(), true)
    return hasMoved(report) ? report : undefined
  }

  cancel(reason: Error): void {
    const upTo = this.#transfers - 1
    this.#stopped = { upTo, reason }
    for (const { thread, id } of this.#everywhere) {
      thread.note({ note: 'cancel', link: id, upTo, reason: plainError(reason) })
    }
  }

  onStart(): Promise<void> {
    const [host] = this.#hosts
    if (host === undefined || this.#hosts.length > 1) return this.#startAll()
    // mostly it is one, and there may be thousands of links
    return this.#open(host).then(() => {
      this.#started = true
    })
  }

  async #startAll(): Promise<void> {
    const results = await Promise.allSettled(this.#hosts.map((host) => this.#open(host)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      await this.onShutdown().catch((error: unknown) => {
        getLogger('databay.WorkerPlanner').error({ err: toError(error) }, `${this.name} failed to shut down`)
      })
      throw failed.reason
    }
    this.#started = true
  }

  async onShutdown(): Promise<void> {
    this.#started = false
    const results = await Promise.allSettled(this.#everywhere.map((host) => close(host)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** It has ended its thread, or held it up so that it had to be ended. */
  crashed(): void {
    this.#quarantine ??= new Quarantine()
    this.#quarantine.crashed(performance.now())
    const { crashes } = this.#quarantine
    const until = this.quarantinedUntil
    if (until === undefined) return
    getLogger('databay.WorkerPlanner').error(
      `${this.name} has ended its thread ${crashes} times in a row: it makes no transfers until ${new Date(until).toISOString()}`,
    )
  }

  /**
   * Its thread was lost: opens it anew in the thread that takes its place.
   *
   * @returns gives how many records were lost in its buffers; to be called once, when all reports of that thread have come
   */
  lost(thread: Thread): () => number {
    const hosts = this.#hosts.filter((host) => host.thread === thread)
    // what was handed over is here still
    const hit = hosts.filter(({ state }) => state === undefined).map((host) => ({ host, before: host.handOffs }))
    for (const host of hosts) {
      host.open = false
      if (host.moving) {
        host.onLost()
        continue
      }
      host.opening = undefined
      this.#reopen(host)
    }
    return () => {
      // that it was handed over may have been among the last that the thread told
      if (!hit.some(({ host, before }) => host.handOffs === before)) return 0
      const lost = this.#buffered
      this.#buffered = 0
      return lost
    }
  }

  /** Begins to move from a thread to another: see {@link LinkMigration}. */
  startMigration(thread: Thread): LinkMigration | undefined {
    const host = this.#hosts.find((one) => one.thread === thread && !one.moving)
    if (host === undefined) return undefined
    const { opening } = host
    let { open } = host
    let letGo: () => void = () => undefined
    host.moving = true
    host.open = false
    host.onLost = () => {
      open = false
    }
    host.opening = new Promise((resolve) => {
      letGo = resolve
    })
    const idle = async () => {
      await opening?.catch(() => undefined)
      // it was on its way to be open there
      open ||= host.open
      host.open = false
      if (host.running > 0) await new Promise<void>((resolve) => (host.onIdle = resolve))
    }
    return {
      id: host.id,
      get open() {
        return open
      },
      idle: idle(),
      arrive: async (to, state) => {
        host.thread = to
        if (state !== undefined) {
          host.state = { state }
          host.handOffs++
        }
        if (this.#started && this.quarantinedUntil === undefined) await this.#openIn(host, () => undefined)
      },
      stay: () => {
        host.open = open
      },
      giveUp: async () => {
        if (this.#buffered > 0) this.#hooks.drained(await this.#drainLast(host))
        const lost = this.#buffered
        this.#buffered = 0
        if (lost > 0) this.#hooks.lost(lost)
        return lost
      },
      end: () => {
        host.moving = false
        host.onLost = nothing
        host.opening = undefined
        letGo()
        this.#reopen(host)
      },
    }
  }

  /**
   * Is hosted by a further thread too: it is stateless. Until it is open there, transfers go to the others.
   *
   * @param anyway - whether it is hosted there also when it cannot be opened: it is tried again when it is next due
   */
  async replicateTo(thread: Thread, id: number, anyway: boolean): Promise<void> {
    const host = newHost(thread, id)
    try {
      if (this.#started) await this.#open(host)
    } catch (thrown) {
      if (anyway || thrown instanceof ThreadLostError) this.#hosts.push(host)
      throw thrown
    }
    this.#hosts.push(host)
    // it may have been shut down meanwhile
    if (!this.#started) await close(host)
  }

  /** Is hosted by a thread no more, once its transfers there have ended; another hosts it too. */
  async removeReplicaFrom(thread: Thread): Promise<void> {
    const at = this.#hosts.findIndex((host) => host.thread === thread)
    const [host] = at < 0 || this.#hosts.length === 1 ? [] : this.#hosts.splice(at, 1)
    if (host === undefined) return
    this.#withdrawn ??= new Set()
    this.#withdrawn.add(host)
    try {
      if (host.running > 0) await new Promise<void>((resolve) => (host.onIdle = resolve))
      await close(host)
    } finally {
      this.#withdrawn.delete(host)
    }
  }

  toString(): string {
    return this.description.text
  }

  #transfer(scheduledAt: number, drain: boolean): Promise<TransferReport> {
    return new Promise((resolve) => {
      this.#begin(scheduledAt, drain, resolve)
    })
  }

  #begin(scheduledAt: number, drain: boolean, resolve: (report: TransferReport) => void): void {
    this.#running++
    const what = { transferNumber: this.#transfers++, scheduledAt, drain }
    this.#run(new Run(this, this.#leastLoaded(), what, resolve))
  }

  /** Drains its buffers where it is open still, though it makes no other transfers there. */
  #drainLast(host: Host): Promise<TransferReport> {
    return new Promise((resolve) => {
      const what = { transferNumber: this.#transfers++, scheduledAt: Date.now(), drain: true }
      this.#running++
      host.running++
      host.thread.run(new Run(this, host, what, resolve))
    })
  }

  /** Makes a transfer in its thread, or in the one that takes its place when the first was lost before it began. */
  #run(run: Run): void {
    if (!run.at.open) {
      void this.#openFirst(run)
    } else if (this.#stopped !== undefined && run.transferNumber <= this.#stopped.upTo) {
      this.#fail(run, this.#stopped.reason)
    } else {
      run.at.running++
      run.at.thread.run(run)
    }
  }

  async #openFirst(run: Run): Promise<void> {
    try {
      if (!this.#started) throw new PlannerStateError(`${this.name} is shut down`)
      await this.#open(run.at)
    } catch (thrown) {
      this.#fail(run, thrown)
      return
    }
    this.#runAnew(run) // it may have been lost or have moved meanwhile
  }

  #runAnew(run: Run): void {
    run.at = this.#leastLoaded()
    this.#run(run)
  }

  /**
   * One of its runs has ended.
   * @internal
   */
  ended(run: Run, report: TransferReport): void {
    leave(run.at)
    this.#running--
    this.#learn(run.transferNumber, report)
    this.#quarantine?.pass(performance.now())
    run.resolve(report)
  }

  /**
   * One of its runs was lost with its thread.
   * @internal
   */
  failed(run: Run, error: Error): void {
    leave(run.at)
    // in quarantine the others of its transfers, which may be many, would end thread after thread; and the drain of one that
    // leaves its thread has to be in that
    const anew = this.quarantinedUntil === undefined && !(run.drain && run.at.moving)
    if (error instanceof NotBegunError && anew) this.#runAnew(run)
    else this.#fail(run, error)
  }

  #fail(run: Run, thrown: unknown): void {
    this.#running--
    const error = toError(thrown)
    getLogger('databay.Link').error({ err: error }, `${run.update} failed: ${error.message}`)
    const report = failedReport(run, error, this.ignoreExceptions)
    const { quarantinedUntil } = this
    run.resolve(quarantinedUntil === undefined ? report : { ...report, quarantinedUntil })
  }

  #leastLoaded(): Host {
    let [least] = this.#hosts as [Host, ...Host[]]
    for (const one of this.#hosts) if (one.thread.load < least.thread.load) least = one
    return least
  }

  #learn(transferNumber: number, report: TransferReport): void {
    this.#busy += report.busy
    // transfers may overtake each other
    if (transferNumber >= this.#latest) {
      this.#latest = transferNumber
      let { buffered } = report
      for (const outlet of report.outlets) buffered += outlet.buffered
      this.#buffered = buffered
    }
    if (this.description.lane !== 'auto') return
    this.#learner ??= new LaneLearner()
    if (this.#learner.learn(report.busy, report.endedAt - report.startedAt)) this.#onLane()
  }

  /** Opens it again if it was lost, unless the planner has not started it or has stopped it. */
  #reopen(host: Host): void {
    // in quarantine it stays closed: it is opened when it is due again
    if (host.open || !this.#started || this.quarantinedUntil !== undefined) return
    this.#open(host).catch((error: unknown) => {
      getLogger('databay.WorkerPlanner').error(
        { err: toError(error) },
        `${this.name} could not be opened again: it is tried again when it is next due`,
      )
    })
  }

  /** Opens it in its thread; does nothing when it is open, and waits when it is on its way. */
  #open(host: Host): Promise<void> {
    if (host.open) return Promise.resolve()
    if (host.opening === undefined) {
      const end = () => {
        // its thread may have been lost meanwhile, and another opening be on its way
        if (host.opening === opening) host.opening = undefined
      }
      const opening: Promise<void> = this.#openIn(host, end)
      host.opening = opening
    }
    return host.opening
  }

  /** @param end - called when it is open, or failed */
  #openIn(host: Host, end: () => void): Promise<void> {
    const { module, exportName, index } = this.description
    const request = { module, exportName, index, id: host.id }
    return host.thread.open(host.state === undefined ? request : { ...request, ...host.state }).then(
      () => {
        end()
        // its thread was lost as soon as that had answered: it is opened anew
        if (host.thread.worker === undefined) return
        host.open = true
        host.state = undefined
      },
      (thrown: unknown) => {
        end()
        throw blame(thrown, this.name, 'start')
      },
    )
  }
}

const NO_HOOKS: LinkHooks = { drained: () => undefined, lost: () => undefined }

/** Whether a drain had anything to release. */
function hasMoved({ grouped, dropped, outlets, errors }: TransferReport): boolean {
  const took = outlets.some((outlet) => outlet.pushed > 0 || outlet.dropped > 0)
  return took || grouped > 0 || dropped > 0 || errors.length > 0
}
