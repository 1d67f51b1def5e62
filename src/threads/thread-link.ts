import { ThreadLostError, toError } from '../errors.js'
import { getLogger } from '../log.js'
import type { PlannedLink, TransferRequest } from '../planned-link.js'
import { failedReport, plainError, type TransferIdentity, type TransferReport } from '../report.js'
import { LaneLearner } from './lane-learner.js'
import type { RunReport } from './packed-reports.js'
import type { KnownLane } from './placement.js'
import type { LinkDescription } from './protocol.js'
import type { Thread } from './thread.js'

/** A link's place in a thread. */
interface Host {
  readonly id: number
  thread: Thread
  open: boolean
  /** On its way to be open. */
  opening: Promise<void> | undefined
}

/**
 * The main thread's side of a link that is hosted by a thread: a link to a planner, whose transfers are messages. It
 * has one host, or one in each thread when it is stateless.
 */
export class ThreadLink implements PlannedLink {
  readonly description: LinkDescription
  readonly #hosts: Host[]
  readonly #learner = new LaneLearner()
  readonly #onLane: () => void
  #transfers = 0
  #running = 0
  /** Which transfers were told to stop: some may be on their way still. */
  #stopped: { readonly upTo: number; readonly reason: Error } | undefined
  #buffered = 0
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
  ) {
    this.description = description
    this.#hosts = hosts.map(({ thread, id }) => ({ id, thread, open: false, opening: undefined }))
    this.#onLane = onLane
  }

  get name(): string {
    return this.description.name
  }

  get tags(): readonly string[] {
    return this.description.tags
  }

  get schedule() {
    return this.description.schedule
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
    return lane === 'auto' ? this.#learner.lane : lane
  }

  /** How many records it holds in buffers, as of the last report. */
  get buffered(): number {
    return this.#buffered
  }

  /** How many of its transfers are under way. */
  get running(): number {
    return this.#running
  }

  transfer(request: TransferRequest = {}): Promise<TransferReport> {
    return this.#transfer(request.scheduledAt ?? Date.now(), false)
  }

  async drain(): Promise<TransferReport | undefined> {
    // a stateless link keeps nothing, so only one host can have something
    return this.description.buffers && this.#buffered > 0 ? this.#transfer(Date.now(), true) : undefined
  }

  cancel(reason: Error): void {
    const upTo = this.#transfers - 1
    this.#stopped = { upTo, reason }
    for (const { thread, id } of this.#hosts) {
      thread.note({ note: 'cancel', link: id, upTo, reason: plainError(reason) })
    }
  }

  async onStart(): Promise<void> {
    const results = await Promise.allSettled(this.#hosts.map((host) => this.#open(host)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) {
      await this.onShutdown()
      throw failed.reason
    }
    this.#started = true
  }

  async onShutdown(): Promise<void> {
    this.#started = false
    const results = await Promise.allSettled(this.#hosts.map((host) => close(host)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Its thread was lost: opens it anew in the thread that takes its place. */
  lost(thread: Thread): void {
    this.#buffered = 0
    for (const host of this.#hosts) {
      if (host.thread !== thread) continue
      host.open = false
      host.opening = undefined
      if (!this.#started) continue
      this.#open(host).catch((error: unknown) => {
        getLogger('databay.WorkerPlanner').error(
          { err: toError(error) },
          `${this.name} could not be opened again after its thread was lost: it is tried again when it is next due`,
        )
      })
    }
  }

  /**
   * Moves it to another thread, with the state that its instances hand over. Transfers that come due meanwhile wait.
   *
   * @returns whether it was moved: it is not while it transfers
   */
  async moveTo(thread: Thread): Promise<boolean> {
    const [host] = this.#hosts
    if (host === undefined || this.#hosts.length > 1 || !host.open || this.#running > 0) return false
    let moved = false
    const move = async () => {
      const from = host.thread
      const { state } = await from.call('handOver', { link: host.id })
      host.thread = thread
      try {
        await thread.open({ ...this.#address(), id: host.id, state })
        moved = true
      } catch (error) {
        host.thread = from
        await from.open({ ...this.#address(), id: host.id, state })
        throw error
      }
    }
    host.open = false
    host.opening = move().then(
      () => {
        host.open = true
      },
      (error: unknown) => {
        // it stays, or is opened anew when it is next due
        host.open = !(error instanceof ThreadLostError)
        getLogger('databay.WorkerPlanner').warn({ err: toError(error) }, `${this.name} could not be moved`)
      },
    )
    await host.opening
    host.opening = undefined
    return moved
  }

  toString(): string {
    return this.description.text
  }

  async #transfer(scheduledAt: number, drain: boolean): Promise<TransferReport> {
    const transferNumber = this.#transfers++
    const host = this.#leastLoaded()
    this.#running++
    try {
      while (!host.open) await this.#open(host)
      if (this.#stopped !== undefined && transferNumber <= this.#stopped.upTo) throw this.#stopped.reason
      const request = { link: host.id, transferNumber, scheduledAt, drain }
      const report = await host.thread.run(request)
      this.#learn(report)
      return reportOf(this.#identity(host, transferNumber, scheduledAt), report)
    } catch (thrown) {
      const error = toError(thrown)
      const identity = this.#identity(host, transferNumber, scheduledAt)
      getLogger('databay.Link').error({ err: error }, `${identity.update} failed: ${error.message}`)
      return failedReport(identity, error, this.ignoreExceptions)
    } finally {
      this.#running--
    }
  }

  #leastLoaded(): Host {
    return this.#hosts.reduce((least, one) => (one.thread.load < least.thread.load ? one : least))
  }

  #identity(host: Host, transferNumber: number, scheduledAt: number): TransferIdentity {
    const update = [...this.tags, transferNumber].join('.')
    return { link: this.name, update, transferNumber, thread: host.thread.number, scheduledAt }
  }

  #learn(report: RunReport): void {
    this.#buffered = report.outlets.reduce((sum, outlet) => sum + outlet.buffered, report.buffered)
    if (this.description.lane !== 'auto') return
    if (this.#learner.learn(report.busy, report.endedAt - report.startedAt)) this.#onLane()
  }

  /** Opens it in a thread; does nothing when it is open, and waits when it is on its way. */
  #open(host: Host): Promise<void> {
    if (host.open) return Promise.resolve()
    if (host.opening === undefined) {
      const opening = host.thread.open({ ...this.#address(), id: host.id }).then(
        () => {
          host.open = true
          host.opening = undefined
        },
        (error: unknown) => {
          // its thread may have been lost meanwhile, and another opening be on its way
          if (host.opening === opening) host.opening = undefined
          throw error
        },
      )
      host.opening = opening
    }
    return host.opening
  }

  #address() {
    const { module, exportName, index } = this.description
    return { module, exportName, index }
  }
}

/** One literal rather than two spreads: it runs for every transfer, and is made once a shape. */
function reportOf(identity: TransferIdentity, report: RunReport): TransferReport {
  return {
    link: identity.link,
    update: identity.update,
    transferNumber: identity.transferNumber,
    thread: identity.thread,
    scheduledAt: identity.scheduledAt,
    startedAt: report.startedAt,
    endedAt: report.endedAt,
    busy: report.busy,
    pulled: report.pulled,
    filtered: report.filtered,
    added: report.added,
    dropped: report.dropped,
    buffered: report.buffered,
    grouped: report.grouped,
    batches: report.batches,
    outlets: report.outlets,
    errors: report.errors,
    failed: report.failed,
  }
}

async function close(host: Host): Promise<void> {
  await host.opening?.catch(() => undefined)
  if (!host.open) return
  host.open = false
  await host.thread.close(host.id)
}
