import { Cancellation } from './cancellation.js'
import { InvalidNodeError, TransferTimeoutError } from '../base/errors.js'
import { isInlet, type Inlet } from './inlet.js'
import { describeSchedule, type Schedule } from './schedule.js'
import { LONGEST_TIMER, type Duration } from '../base/duration.js'
import { nodeName, type Node } from './node.js'
import {
  resolvePipeline,
  resolveLink,
  type LinkOptions,
  type ProcessedLinkOptions,
  type ResolvedSettings,
} from './link-options.js'
import { getLogger } from '../base/log.js'
import type { MaybePromise } from '../base/maybe-promise.js'
import { isOutlet, type Outlet } from './outlet.js'
import type { PlannedLink, TransferRequest } from './planned-link.js'
import type { AnyGrouper, AnyProcessor, Processor } from './processor.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { blame, type TransferReport } from './report.js'
import { LiveSchedule } from './live-schedule.js'
import { transfer } from './transfer/transfer.js'
import type { TransferParts } from './transfer/parts.js'
import { bufferedBy } from './transfer/process.js'
import { Update } from './update.js'
import { stopNodes, throwErrors, logErrors, checkNew, describe } from './link-nodes.js'

/** Marks links across copies of this package. */
const LINK = Symbol.for('databay.Link')

/**
 * What whoever runs a link's transfers for a planner may ask for.
 * @internal
 */
export interface HostedRequest extends TransferRequest {
  /** Number of the transfer; counted by the link itself when left out. */
  readonly transferNumber?: number
  /** Number of the thread, 0 for the main thread. */
  readonly thread?: number
  /** See `TransferRun.drain`. */
  readonly drain?: boolean
  /** Why the transfer is told to stop before it begins. */
  readonly cancelled?: Error | undefined
  /** See `TransferRun.inside`. */
  readonly inside?: (inside: boolean) => void
}

class LinkBase<A, B> implements PlannedLink {
  /** The settings of this link, complete. */
  readonly settings: ResolvedSettings
  readonly tags: readonly string[]
  #id: string | undefined
  readonly #schedule: LiveSchedule
  readonly #inlets: Inlet<A>[]
  readonly #outlets: Outlet<B>[]
  readonly #processors: readonly AnyProcessor[]
  readonly #groupers: readonly AnyGrouper[]
  readonly #running: Cancellation[] = []
  /** The nodes that this link has started, in that order; `undefined` while the link is stopped. */
  #started: Set<Node> | undefined
  #stopping: Promise<void> | undefined
  #starting: Promise<void> | undefined
  /** Nodes that are being started, to be in the link when they are. */
  readonly #joining = new Set<Node>()
  #transfers = 0
  /** What a transfer needs; made anew when nodes were added or removed. */
  #parts: TransferParts | undefined

  constructor(options: LinkOptions<A, B, unknown>) {
    const { id, tags, settings } = resolveLink(options)
    this.#id = id
    this.tags = tags
    this.settings = settings
    this.#schedule = new LiveSchedule(this.settings.schedule)
    const pipeline = resolvePipeline(options)
    this.#processors = pipeline.processors
    this.#groupers = pipeline.groupers
    this.#inlets = checkNew('inlet', [], toArray(options.inlets), isInlet)
    this.#outlets = checkNew('outlet', [], toArray(options.outlets), isOutlet)
  }

  /** Inlets of this link: a copy of the list. */
  get inlets(): Inlet<A>[] {
    return [...this.#inlets]
  }

  /** Outlets of this link: a copy of the list. */
  get outlets(): Outlet<B>[] {
    return [...this.#outlets]
  }

  get processors(): readonly AnyProcessor[] {
    return this.#processors
  }

  get groupers(): readonly AnyGrouper[] {
    return this.#groupers
  }

  /**
   * The option `id`, or else the name of the export in the threads that host the link; `undefined` for a link that
   * has neither.
   */
  get id(): string | undefined {
    return this.#id
  }

  /** What the link is called in logs, reports and events: its id, or else its tags, or else `link`. */
  get name(): string {
    return this.#id ?? (this.tags.length === 0 ? 'link' : this.tags.join('.'))
  }

  /**
   * Takes the name of its export for an id, unless it has one.
   * @internal
   */
  nameAfterExport(id: string): void {
    this.#id ??= id
  }

  /** When this link is due: as it was made, or as {@link LinkBase.setInterval} has changed it. */
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

  onReschedule(listener: () => void): () => void {
    return this.#schedule.onChange(listener)
  }

  get immediateTransfer(): boolean {
    return this.settings.immediateTransfer
  }

  get ignoreExceptions(): boolean {
    return this.settings.ignoreExceptions
  }

  get maxInstances(): number {
    return this.settings.maxInstances
  }

  /**
   * Adds inlets. In a running planner they are started first, and used from the next transfer on.
   *
   * @throws {@link InvalidNodeError} when one is no inlet or is in this link already; then none is added
   */
  async addInlets(inlets: OneOrMany<Inlet<A>>): Promise<void> {
    await this.#add('inlet', this.#inlets, toArray(inlets), isInlet)
  }

  /**
   * Removes inlets. In a running planner they are shut down, unless another link uses them.
   *
   * @throws {@link InvalidNodeError} when one is not in this link; then none is removed
   */
  async removeInlets(inlets: OneOrMany<Inlet<A>>): Promise<void> {
    await this.#remove('inlet', this.#inlets, toArray(inlets))
  }

  /** As {@link LinkBase.addInlets}, for outlets. */
  async addOutlets(outlets: OneOrMany<Outlet<B>>): Promise<void> {
    await this.#add('outlet', this.#outlets, toArray(outlets), isOutlet)
  }

  /** As {@link LinkBase.removeInlets}, for outlets. */
  async removeOutlets(outlets: OneOrMany<Outlet<B>>): Promise<void> {
    await this.#remove('outlet', this.#outlets, toArray(outlets))
  }

  /**
   * Makes one transfer: pulls all inlets, processes, groups, and pushes to all outlets. Never rejects: what went
   * wrong is logged, and in the report.
   */
  async transfer(request: HostedRequest = {}): Promise<TransferReport> {
    return this.begin(request)
  }

  /**
   * As {@link LinkBase.transfer}; when no node keeps it waiting, the report is there at once.
   * @internal
   */
  begin(request: HostedRequest): MaybePromise<TransferReport> {
    const { timeout } = this.settings
    const cancellation = new Cancellation()
    if (request.cancelled !== undefined) cancellation.cancel(request.cancelled)
    const update = new Update(this.tags, request.transferNumber ?? this.#transfers++, cancellation)
    let timer: NodeJS.Timeout | undefined
    if (timeout !== undefined) {
      const late = () => new TransferTimeoutError(`${String(update)} did not end within ${timeout} ms`)
      cancellation.expireAt(performance.now() + timeout, late)
      timer = setTimeout(() => cancellation.cancel(late()), Math.min(timeout, LONGEST_TIMER))
    }
    this.#running.push(cancellation)
    const end = () => {
      // the last one takes its place: which is where does not count
      const last = this.#running.pop()
      if (last !== cancellation && last !== undefined) this.#running[this.#running.indexOf(cancellation)] = last
      if (timer !== undefined) clearTimeout(timer)
    }
    let report: MaybePromise<TransferReport>
    try {
      report = transfer(this.#partsNow(), {
        update,
        cancellation,
        scheduledAt: request.scheduledAt ?? Date.now(),
        thread: request.thread ?? 0,
        drain: request.drain ?? false,
        inside: request.inside,
      })
    } catch (thrown) {
      end() // a processor that cannot tell its size
      throw thrown
    }
    if (report instanceof Promise) return report.finally(end)
    end()
    return report
  }

  async drain(): Promise<TransferReport | undefined> {
    return this.buffered > 0 ? this.transfer({ drain: true }) : undefined
  }

  /** How many records the processors of this link and its outlets hold back. */
  get buffered(): number {
    return bufferedBy([...this.#processors, ...this.#outlets.flatMap((outlet) => outlet.processors)])
  }

  cancel(reason: Error): void {
    for (const cancellation of this.#running) cancellation.cancel(reason)
  }

  async onStart(): Promise<void> {
    await this.startNow()
  }

  /**
   * As {@link LinkBase.onStart}; when no node keeps it waiting, it is started when this returns. Does not throw.
   * @internal
   */
  startNow(): MaybePromise<void> {
    if (this.#stopping !== undefined || this.#starting !== undefined) return this.#startLater()
    const starting = this.#startNodes()
    if (!(starting instanceof Promise)) return undefined
    this.#starting = starting.finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async onShutdown(): Promise<void> {
    this.#stopping ??= this.#stopNodes().finally(() => {
      this.#stopping = undefined
    })
    await this.#stopping
  }

  /** The inlets and outlets, in the order in which they are started. */
  nodes(): Node[] {
    return [...this.#inlets, ...this.#outlets]
  }

  /** How the manual prints a link: tags, nodes and interval. Shows what nodes choose to show. */
  toString(): string {
    const list = (nodes: readonly Node[]) => `[${nodes.map(nodeName).join(', ')}]`
    const tags = `[${this.tags.map((tag) => `'${tag}'`).join(', ')}]`
    const when = describeSchedule(this.schedule)
    return `Link(tags:${tags}, inlets:${list(this.#inlets)}, outlets:${list(this.#outlets)}, interval:${when})`
  }

  /** @internal */
  get [LINK](): true {
    return true
  }

  /** The nodes as they are now: those added or removed meanwhile count from the next transfer on. */
  #partsNow(): TransferParts {
    this.#parts ??= {
      name: this.name,
      inlets: [...this.#inlets] as unknown as Inlet[],
      outlets: [...this.#outlets] as unknown as Outlet[],
      processors: this.#processors,
      groupers: this.#groupers,
      copyRecords: this.settings.copyRecords,
      ignoreExceptions: this.settings.ignoreExceptions,
      inletConcurrency: this.settings.inletConcurrency,
    }
    return this.#parts
  }

  async #startLater(): Promise<void> {
    // whoever stops it is told
    if (this.#stopping !== undefined) await this.#stopping.catch(() => undefined)
    await (this.#starting ?? this.startNow())
  }

  #startNodes(): MaybePromise<void> {
    if (this.#started !== undefined) return undefined
    const started = new Set<Node>()
    this.#started = started
    const nodes = this.nodes()
    for (let at = 0; at < nodes.length; at++) {
      const starting = this.#startNode(nodes[at] as Node, started)
      if (starting instanceof Promise) return this.#startRest(starting, nodes.slice(at + 1), started)
    }
    return undefined
  }

  /** Starts what follows a node that is still being started. */
  async #startRest(first: Promise<void>, nodes: readonly Node[], started: Set<Node>): Promise<void> {
    try {
      await first
      for (const node of nodes) await this.#startNode(node, started)
    } catch (error) {
      this.#started = undefined
      logErrors(await stopNodes(started))
      throw error
    }
  }

  async #stopNodes(): Promise<void> {
    // whoever starts it is told
    if (this.#starting !== undefined) await this.#starting.catch(() => undefined)
    const started = this.#started
    this.#started = undefined
    const errors = started === undefined ? [] : this.#checkBuffers()
    throwErrors([...errors, ...(await stopNodes(started ?? []))])
  }

  /** Says what is in its buffers still; gives what failed: a processor may not be able to tell its size. */
  #checkBuffers(): unknown[] {
    try {
      const { buffered } = this
      if (buffered > 0)
        getLogger('databay.Link').warn(`${this.name} shuts down with ${buffered} records in its buffers`)
      return []
    } catch (thrown) {
      return [thrown]
    }
  }

  #has(node: Node): boolean {
    const [inlets, outlets]: [readonly Node[], readonly Node[]] = [this.#inlets, this.#outlets]
    return inlets.includes(node) || outlets.includes(node)
  }

  /** Starts a node, unless the link was stopped or has removed the node by then. Does not throw. */
  #startNode(node: Node, started: Set<Node>): MaybePromise<void> {
    const wanted = () => this.#started === started && (this.#joining.has(node) || this.#has(node))
    if (!wanted()) return undefined
    const end = (): MaybePromise<void> => {
      if (!wanted()) return node.tryShutdown()
      started.add(node)
      return undefined
    }
    // a node of another version of this package has only `tryStart`
    const starting = 'tryStartNow' in node ? node.tryStartNow() : (node as Node).tryStart()
    if (!(starting instanceof Promise)) return end()
    return starting.then(end, (thrown: unknown) => {
      throw blame(thrown, nodeName(node), 'start')
    })
  }

  async #add<N extends Node>(kind: string, list: N[], nodes: N[], is: (value: unknown) => boolean): Promise<void> {
    checkNew(kind, [...list, ...this.#joining], nodes, is)
    if (this.#started !== undefined) await this.#join(nodes, this.#started)
    list.push(...nodes)
    this.#parts = undefined
  }

  async #join(nodes: readonly Node[], started: Set<Node>): Promise<void> {
    for (const node of nodes) this.#joining.add(node)
    try {
      for (const node of nodes) await this.#startNode(node, started)
    } catch (error) {
      logErrors(await stopNodes(nodes.filter((node) => started.delete(node))))
      throw error
    } finally {
      for (const node of nodes) this.#joining.delete(node)
    }
  }

  async #remove<N extends Node>(kind: string, list: N[], nodes: N[]): Promise<void> {
    const leaving = new Set(nodes)
    for (const node of leaving) {
      if (!list.includes(node)) throw new InvalidNodeError(`${kind} ${describe(node)} is not in this link`)
    }
    for (const node of leaving) list.splice(list.indexOf(node), 1)
    this.#parts = undefined
    throwErrors(await stopNodes([...leaving].filter((node) => this.#started?.delete(node))))
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
 * How links are made. The compiler follows the payloads' type from the inlets through up to four processors to the
 * groupers and outlets; a list of more is taken to keep the type.
 *
 * @throws {@link InvalidOptionError} when an option is not as it should be
 * @throws {@link InvalidNodeError} when an inlet or outlet is none, or is given twice
 */
interface LinkConstructor {
  new <A>(options: LinkOptions<A>): Link<A>
  new <A, B>(options: ProcessedLinkOptions<A, B, Processor<A, B> | readonly [Processor<A, B>]>): Link<A, B>
  new <A, B, C>(options: ProcessedLinkOptions<A, C, readonly [Processor<A, B>, Processor<B, C>]>): Link<A, C>
  new <A, B, C, D>(
    options: ProcessedLinkOptions<A, D, readonly [Processor<A, B>, Processor<B, C>, Processor<C, D>]>,
  ): Link<A, D>
  new <A, B, C, D, E>(
    options: ProcessedLinkOptions<A, E, readonly [Processor<A, B>, Processor<B, C>, Processor<C, D>, Processor<D, E>]>,
  ): Link<A, E>
  new <A>(options: ProcessedLinkOptions<A, A, readonly Processor<NoInfer<A>>[]>): Link<A>
  readonly prototype: LinkBase<unknown, unknown>
}

export const Link: LinkConstructor = LinkBase

/** Whether `value` is a {@link Link}, of this or of another copy of this package. */
export function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && LINK in value
}
