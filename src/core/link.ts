import { counted } from '../base/counted.js'
import type { Duration } from '../base/duration.js'
import { alike } from '../base/alike.js'
import { InvalidOptionError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { MaybePromise } from '../base/maybe-promise.js'
import { type OneOrMany, toArray } from '../base/one-or-many.js'
import { Cancellation } from './cancellation.js'
import { checkReplacing } from './delivery-options.js'
import { eventLoopWaits, STREAM_GRACE } from './event-loop.js'
import { type Inlet, isInlet } from './inlet.js'
import { LinkNodes, type NodeKind } from './link-nodes.js'
import {
  type GivenSettings,
  type LinkOptions,
  type ProcessedLinkOptions,
  type ResolvedSettings,
  resolveLink,
  resolvePipeline,
} from './link-options.js'
import type { LinkOverrides } from './link-overrides.js'
import { LiveSchedule } from './live-schedule.js'
import { type Node, nodeName } from './node.js'
import { isOutlet, type Outlet } from './outlet.js'
import type { PlannedLink, TransferRequest } from './planned-link.js'
import type { Pipeline, Steps1, Steps2, Steps3, Steps4, Steps5 } from './pipeline.js'
import type { AnyGrouper, AnyProcessor, Processor } from './processor.js'
import type { CountsSoFar, TransferReport } from './report.js'
import { describeSchedule, type Schedule } from './schedule.js'
import { abandon } from './transfer/holdings.js'
import { timedStagesOf } from './transfer/stage-times.js'
import type { DurableDelivery } from './transfer/durable.js'
import type { TransferParts } from './transfer/parts.js'
import type { Tracer } from './transfer/tracing.js'
import { bufferedBy } from './transfer/process.js'
import { RunningTransfers } from './running-transfers.js'
import type { HostedRequest } from './transfer/hosted-request.js'
import type { StreamProgress } from './transfer/stream-progress.js'
import { transfer } from './transfer/transfer.js'
import { TroubleLog } from './trouble-log.js'
import { UnsettledTransfers } from './transfer/unsettled.js'
import { Update } from './update.js'

/** Timers of links whose planner says nothing about them: the same for all. */
const WAITS = eventLoopWaits(STREAM_GRACE)

/** Marks links across copies of this package. */
const LINK = Symbol.for('databay.Link')

/** What opens and closes a link in a store. */
export interface LinkOpener {
  open(): Promise<void>
  close(): void
}

class LinkBase<A, B> implements PlannedLink {
  /** The settings of this link, complete. */
  readonly settings: ResolvedSettings
  /** Labels of this link: they name its updates. */
  readonly tags: readonly string[]
  /** Processors that alter the records on their way to the outlets, in this order. */
  readonly processors: readonly AnyProcessor[]
  /** Groupers that divide the records into batches, after the processors, in this order. */
  readonly groupers: readonly AnyGrouper[]
  #id: string | undefined
  /** Options that the settings are made of; `undefined` once it is settled that these stay. */
  #given: GivenSettings | undefined
  #schedule: LiveSchedule
  readonly #nodes: LinkNodes
  readonly #running = new RunningTransfers()
  /** Transfers that stream now. */
  readonly #streaming: StreamProgress[] = []
  /**
   * Log of what goes wrong in transfers.
   * @internal
   */
  readonly troubles = new TroubleLog()
  /**
   * The transfers of this link whose records are in buffers still.
   * @internal
   */
  readonly unsettled = new UnsettledTransfers()
  /** Number of the next transfer. */
  #transfers = 0
  #opener: LinkOpener | undefined
  /** What keeps how far the inlets have come, with `delivery`. */
  #durable: DurableDelivery | undefined
  /** What follows the transfers. */
  #tracer: Tracer | undefined
  /** Timers for transfers that stream. */
  #waits = WAITS
  /** Parts that a transfer needs; `undefined` when nodes were added or removed since the last one. */
  #parts: TransferParts | undefined

  constructor(options: LinkOptions<A, B, OneOrMany<AnyProcessor>>, ...others: unknown[]) {
    if (others.length > 0 || isInlet(options)) {
      const got = `${others.length + 1} argument${others.length > 0 ? 's' : ', an inlet'}`
      throw new InvalidOptionError('options', 'one object, as in new Link({ inlets, outlets, interval: 5 })', got)
    }
    const { id, tags, settings, given } = resolveLink(options)
    this.settings = settings
    this.tags = tags
    this.#id = id
    this.#given = given
    this.#schedule = new LiveSchedule(settings.schedule)
    const { processors, groupers } = resolvePipeline(options)
    this.processors = processors
    this.groupers = groupers
    this.#nodes = new LinkNodes(options.inlets, options.outlets, this)
    checkReplacing(settings, this.#nodes.outlets)
  }

  /** Inlets of this link: a copy of the list. */
  get inlets(): Inlet<A>[] {
    return [...this.#nodes.inlets] as Inlet<A>[]
  }

  /** Outlets of this link: a copy of the list. */
  get outlets(): Outlet<B>[] {
    return [...this.#nodes.outlets]
  }

  /**
   * The option `id`, or else the name of the export in the threads that host the link; `undefined` for a link that
   * has neither.
   */
  get id(): string | undefined {
    return this.#id
  }

  /** Name of the link in logs, reports and events: its id, or else its tags, or else `link`. */
  get name(): string {
    return this.#id ?? (this.tags.length === 0 ? 'link' : this.tags.join('.'))
  }

  /**
   * Sets how long streams that are told to end are waited for, in milliseconds.
   * @internal
   */
  setStreamGrace(grace: number): void {
    if (grace !== this.#waits.grace) this.#waits = eventLoopWaits(grace)
    this.#parts = undefined
  }

  /**
   * Sets what follows the transfers; `undefined` for nothing.
   * @internal
   */
  setTracer(tracer: Tracer | undefined): void {
    this.#tracer = tracer
    this.#parts = undefined
  }

  /**
   * Sets what keeps how far the inlets have come, from the next transfer on; `undefined` for nothing.
   * @internal
   */
  setDelivery(delivery: DurableDelivery | undefined): void {
    this.#durable = delivery
    this.unsettled.delivery = delivery
  }

  /**
   * Has the link opened in a store before its nodes start, and closed at its shutdown.
   * @internal
   */
  setOpener(opener: LinkOpener | undefined): void {
    this.#opener = opener
  }

  /**
   * Takes the name of its export for an id, unless it has one, and the settings that a configuration has for it.
   * @internal
   */
  nameAfterExport(id: string, overrides?: LinkOverrides): void {
    this.#id ??= id
    this.override(overrides)
  }

  /**
   * Takes the settings that a configuration has for this link in the place of its own. Only the first call counts.
   *
   * @throws {@link ConfigError} when they do not hold
   * @internal
   */
  override(overrides: LinkOverrides | undefined): void {
    const given = this.#given
    this.#given = undefined
    this.#parts = undefined
    const settings = given && overrides?.resolve(this, given)
    if (settings === undefined) return
    overrides?.blaming(this, () => {
      checkReplacing(settings, this.#nodes.outlets)
    })
    // an interval that was set since stays, unless the configuration has another
    if (!alike(settings.schedule, this.settings.schedule)) this.#schedule = new LiveSchedule(settings.schedule)
    ;(this as { settings: ResolvedSettings }).settings = settings
  }

  /** Due times of this link: as its options say, or as {@link LinkBase.setInterval} has changed them. */
  get schedule(): Schedule {
    return this.#schedule.schedule
  }

  /**
   * Changes how often this link is due, also while a planner runs it: its next due time is one new interval from now.
   *
   * @param interval - in seconds or as a duration
   * @throws {@link InvalidOptionError} when it is none, or not longer than the jitter
   * @throws {@link ScheduleIntervalError} when a planner of this link cannot keep it
   */
  setInterval(interval: number | Duration): void {
    this.#schedule.setInterval(interval)
  }

  /** Has a listener called when the schedule has changed, until the returned function is called. */
  onReschedule(listener: () => void): () => void {
    return this.#schedule.onChange(listener)
  }

  /** Whether planners that transfer once upon starting do so for this link. */
  get immediateTransfer(): boolean {
    return this.settings.immediateTransfer
  }

  /** Whether errors of this link's transfers are logged and counted only. */
  get ignoreExceptions(): boolean {
    return this.settings.ignoreExceptions
  }

  /** Number of transfers of this link that may run at once. */
  get maxInstances(): number {
    return this.settings.maxInstances
  }

  /**
   * Adds inlets. In a running planner they are started first, and used from the next transfer on.
   *
   * @throws {@link InvalidNodeError} when one is no inlet or is in this link already; then none is added
   */
  async addInlets(inlets: OneOrMany<Inlet<A>>): Promise<void> {
    await this.#add('inlet', inlets)
  }

  /**
   * Removes inlets. In a running planner they are shut down, unless another link uses them.
   *
   * @throws {@link InvalidNodeError} when one is not in this link; then none is removed
   */
  async removeInlets(inlets: OneOrMany<Inlet<A>>): Promise<void> {
    await this.#remove('inlet', inlets)
  }

  /**
   * Adds outlets. In a running planner they are started first, and used from the next transfer on.
   *
   * @throws {@link InvalidNodeError} when one is no outlet or is in this link already; then none is added
   */
  async addOutlets(outlets: OneOrMany<Outlet<B>>): Promise<void> {
    await this.#add('outlet', outlets)
  }

  /**
   * Removes outlets. In a running planner they are shut down, unless another link uses them.
   *
   * @throws {@link InvalidNodeError} when one is not in this link; then none is removed
   */
  async removeOutlets(outlets: OneOrMany<Outlet<B>>): Promise<void> {
    await this.#remove('outlet', outlets)
  }

  /**
   * Makes one transfer: pulls all inlets, processes, groups, and pushes to all outlets. Never rejects: what went
   * wrong is logged, and in the report.
   */
  async transfer(request: TransferRequest = {}): Promise<TransferReport> {
    return this.begin(request)
  }

  /**
   * Makes one transfer as {@link LinkBase.transfer} does; when no node keeps it waiting, the report is there at once.
   * @internal
   */
  begin(request: HostedRequest): MaybePromise<TransferReport> {
    const cancellation = new Cancellation()
    if (request.cancelled !== undefined) cancellation.cancel(request.cancelled)
    if (request.ending === true) cancellation.end()
    const update = new Update(this.tags, request.transferNumber ?? this.#transfers++, cancellation, undefined, this.#id)
    return this.#running.run(update, cancellation, this.settings.timeout, () =>
      transfer(this.#partsNow(), update, cancellation, request, this.#durable),
    )
  }

  /** Releases what buffers hold, through the outlets, without pulling; `undefined` when there is nothing to release. */
  async drain(): Promise<TransferReport | undefined> {
    return this.buffered > 0 ? this.begin({ drain: true }) : undefined
  }

  /** Number of records that the processors of this link and its outlets hold back. */
  get buffered(): number {
    return bufferedBy([...this.processors, ...this.#nodes.outlets.flatMap((outlet) => outlet.processors)])
  }

  /**
   * Counts so far of the transfers that stream now.
   * @internal
   */
  get streaming(): CountsSoFar[] {
    return this.#streaming.map(({ soFar }) => soFar)
  }

  /** Tells running transfers to stop. */
  cancel(reason: Error): void {
    this.#running.cancel(reason)
  }

  /** Tells running transfers that stream to end with what they have pulled. */
  endStreams(): void {
    this.#running.endStreams()
  }

  /** Starts the nodes; when one fails, those that were started are shut down, and this rejects. */
  async onStart(): Promise<void> {
    await this.startNow()
  }

  /**
   * Starts the nodes as {@link LinkBase.onStart} does; when none keeps it waiting, they are started when this returns.
   * Does not throw.
   * @internal
   */
  startNow(): MaybePromise<void> {
    const opening = this.#opener?.open()
    return opening === undefined ? this.#nodes.start() : opening.then(() => this.#nodes.start())
  }

  /** Shuts the nodes down, all of them even when some fail; rejects with what failed. */
  async onShutdown(): Promise<void> {
    this.troubles.end(this.name)
    this.#opener?.close()
    await this.#nodes.stop(() => this.#checkBuffers())
  }

  /** The inlets and outlets, in the order in which they are started. */
  nodes(): Node[] {
    return this.#nodes.all
  }

  /** The link as the manual prints it: tags, nodes and interval. Shows what nodes choose to show. */
  toString(): string {
    const list = (nodes: readonly Node[]) => `[${nodes.map(nodeName).join(', ')}]`
    const tags = `[${this.tags.map((tag) => `'${tag}'`).join(', ')}]`
    const { inlets, outlets } = this.#nodes
    return `Link(tags:${tags}, inlets:${list(inlets)}, outlets:${list(outlets)}, interval:${describeSchedule(this.schedule)})`
  }

  /** @internal */
  get [LINK](): true {
    return true
  }

  /** The parts that a transfer needs now: nodes added or removed meanwhile count from the next transfer on. */
  #partsNow(): TransferParts {
    this.#parts ??= this.#makeParts()
    return this.#parts
  }

  #makeParts(): TransferParts {
    const { processors, groupers } = this
    const nodes = { inlets: [...this.#nodes.inlets], outlets: [...this.#nodes.outlets], processors, groupers }
    return {
      ...nodes,
      name: this.name,
      stages: timedStagesOf(nodes),
      settings: this.settings,
      tracer: this.#tracer,
      troubles: this.troubles,
      unsettled: this.unsettled,
      streaming: this.#streaming,
      waits: this.#waits,
    }
  }

  async #add(kind: NodeKind, nodes: OneOrMany<Node>): Promise<void> {
    checkReplacing(this.settings, toArray(nodes).filter(isOutlet))
    await this.#nodes.add(kind, nodes, () => {
      this.#parts = undefined
      for (const inlet of toArray(nodes).filter(isInlet)) this.unsettled.noteInlet(inlet, false)
    })
  }

  async #remove(kind: NodeKind, nodes: OneOrMany<Node>): Promise<void> {
    await this.#nodes.remove(kind, nodes, () => {
      this.#parts = undefined
      for (const inlet of toArray(nodes).filter(isInlet)) this.unsettled.noteInlet(inlet, true)
    })
    // what its buffers hold comes out only if another link uses it
    for (const outlet of toArray(nodes).filter(isOutlet)) {
      if (outlet.active) continue
      for (const processor of outlet.processors) abandon(processor, this.unsettled)
    }
  }

  /** Logs what is in buffers still; gives what failed: a processor may not be able to tell its size. */
  #checkBuffers(): unknown[] {
    try {
      const { buffered } = this
      if (buffered > 0)
        getLogger('databay.Link').warn(`${this.name} shuts down with ${counted(buffered, 'record')} in its buffers`)
      return []
    } catch (thrown) {
      return [thrown]
    }
  }
}

/**
 * A relation between inlets and outlets: what to transfer, when, and how to shape it on the way.
 *
 * @typeParam A - type of the payloads that the inlets produce
 * @typeParam B - type of the payloads that the outlets are given
 */
export type Link<A = unknown, B = A> = LinkBase<A, B>

/**
 * How links are made. The compiler follows the payloads' type from the inlets through up to five processors to the
 * groupers and outlets; those after them are taken to keep the type, and so is a list of unknown length.
 *
 * The last signature says nearly all, and its errors are the ones that are shown. Those before it are for lists of unknown
 * length, and for functions whose parameters have no types in the program: there the compiler looks at the outlets before it
 * knows what such a function gives.
 *
 * @throws {@link InvalidOptionError} when an option is not as it should be
 * @throws {@link InvalidNodeError} when an inlet or outlet is none, or is given twice
 */
interface LinkConstructor {
  new <A, B = A>(options: ProcessedLinkOptions<A, B, Processor<A, B> | Steps1<A, B>>): Link<A, B>
  new <A, B = A, C = B>(options: ProcessedLinkOptions<A, C, Steps2<A, B, C>>): Link<A, C>
  new <A, B = A, C = B, D = C>(options: ProcessedLinkOptions<A, D, Steps3<A, B, C, D>>): Link<A, D>
  new <A, B = A, C = B, D = C, E = D>(options: ProcessedLinkOptions<A, E, Steps4<A, B, C, D, E>>): Link<A, E>
  new <A, B = A, C = B, D = C, E = D, F = E>(options: ProcessedLinkOptions<A, F, Steps5<A, B, C, D, E, F>>): Link<A, F>
  new <A>(options: ProcessedLinkOptions<A, A, readonly Processor<NoInfer<A>>[]>): Link<A>
  new <A, B = A, C = B, D = C, E = D, F = E>(
    options: LinkOptions<A, NoInfer<F>, Pipeline<A, B, C, D, E, F>>,
  ): Link<A, F>
  readonly prototype: LinkBase<unknown, unknown>
}

export const Link: LinkConstructor = LinkBase

/** Whether `value` is a {@link Link}, of this or of another copy of this package. */
export function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && LINK in value
}
