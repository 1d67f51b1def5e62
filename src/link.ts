import { Cancellation } from './cancellation.js'
import { InvalidNodeError, show, TransferTimeoutError } from './errors.js'
import { isInlet, type Inlet } from './inlet.js'
import { describeSchedule, type Schedule } from './interval.js'
import { Releasers, type Node } from './lifecycle.js'
import {
  resolvePipeline,
  resolveSettings,
  type LinkOptions,
  type ProcessedLinkOptions,
  type ResolvedSettings,
} from './link-options.js'
import { isOutlet, type Outlet } from './outlet.js'
import type { PlannedLink, TransferRequest } from './planned-link.js'
import { toArray, type AnyGrouper, type AnyProcessor, type OneOrMany, type Processor } from './processor.js'
import type { TransferReport } from './report.js'
import { transfer } from './transfer.js'
import { Update } from './update.js'

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
}

class LinkBase<A, B> implements PlannedLink {
  /** The settings of this link, complete. */
  readonly settings: ResolvedSettings
  readonly #inlets: Inlet<A>[] = []
  readonly #outlets: Outlet<B>[] = []
  readonly #processors: readonly AnyProcessor[]
  readonly #groupers: readonly AnyGrouper[]
  readonly #running = new Set<Cancellation>()
  /** The started nodes and how to stop them; `undefined` while the link is stopped. */
  #started: Map<Node, () => Promise<void>> | undefined
  #transfers = 0

  constructor(options: LinkOptions<A, B, unknown>) {
    this.settings = resolveSettings(options)
    const pipeline = resolvePipeline(options)
    this.#processors = pipeline.processors
    this.#groupers = pipeline.groupers
    addNodes('inlet', this.#inlets, toArray(options.inlets), isInlet)
    addNodes('outlet', this.#outlets, toArray(options.outlets), isOutlet)
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

  get tags(): readonly string[] {
    return this.settings.tags
  }

  get name(): string {
    return this.tags.length === 0 ? 'link' : this.tags.join('.')
  }

  get schedule(): Schedule {
    return this.settings.schedule
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
    const { timeout } = this.settings
    const cancellation = new Cancellation()
    const update = new Update(this.tags, request.transferNumber ?? this.#transfers++, cancellation)
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            cancellation.cancel(
              new TransferTimeoutError(`${String(update)} did not end within ${timeout} ms`),
            )
          }, timeout)
    this.#running.add(cancellation)
    try {
      return await transfer(this.#parts(), {
        update,
        cancellation,
        scheduledAt: request.scheduledAt ?? Date.now(),
        thread: request.thread ?? 0,
        drain: request.drain ?? false,
      })
    } finally {
      this.#running.delete(cancellation)
      clearTimeout(timer)
    }
  }

  async drain(): Promise<TransferReport | undefined> {
    return this.buffered > 0 ? this.transfer({ drain: true }) : undefined
  }

  /** How many records the processors of this link and its outlets hold back. */
  get buffered(): number {
    return this.#allProcessors().reduce(
      (sum, one) => sum + (typeof one === 'function' ? 0 : (one.size ?? 0)),
      0,
    )
  }

  cancel(reason: Error): void {
    for (const cancellation of this.#running) cancellation.cancel(reason)
  }

  async onStart(): Promise<void> {
    if (this.#started !== undefined) return
    const started = new Map<Node, () => Promise<void>>()
    const undo = new Releasers()
    this.#started = started
    try {
      for (const node of this.nodes()) await startNode(node, started, undo)
    } catch (error) {
      this.#started = undefined
      await undo.undo()
      throw error
    }
  }

  async onShutdown(): Promise<void> {
    const started = this.#started
    this.#started = undefined
    const releasers = new Releasers()
    for (const stop of started?.values() ?? []) releasers.push(stop)
    const errors = await releasers.undo()
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'several nodes failed')
  }

  /** The inlets and outlets, in the order in which they are started. */
  nodes(): Node[] {
    return [...this.#inlets, ...this.#outlets]
  }

  /** How the manual prints a link: tags, nodes and interval. Shows what nodes choose to show. */
  toString(): string {
    const list = (nodes: readonly Node[]) => `[${nodes.map(String).join(', ')}]`
    const tags = `[${this.tags.map((tag) => `'${tag}'`).join(', ')}]`
    const when = describeSchedule(this.schedule)
    return `Link(tags:${tags}, inlets:${list(this.#inlets)}, outlets:${list(this.#outlets)}, interval:${when})`
  }

  /** @internal */
  get [LINK](): true {
    return true
  }

  #parts() {
    return {
      name: this.name,
      // the nodes as they are now: those added or removed meanwhile count from the next transfer on
      inlets: [...this.#inlets] as unknown as Inlet[],
      outlets: [...this.#outlets] as unknown as Outlet[],
      processors: this.#processors,
      groupers: this.#groupers,
      copyRecords: this.settings.copyRecords,
      ignoreExceptions: this.settings.ignoreExceptions,
      inletConcurrency: this.settings.inletConcurrency,
    }
  }

  #allProcessors(): AnyProcessor[] {
    return [...this.#processors, ...this.#outlets.flatMap((outlet) => outlet.processors)]
  }

  async #add<N extends Node>(
    kind: string,
    list: N[],
    nodes: N[],
    is: (value: unknown) => boolean,
  ): Promise<void> {
    checkNew(kind, list, nodes, is)
    const undo = new Releasers()
    const started = this.#started
    try {
      if (started !== undefined) for (const node of nodes) await startNode(node, started, undo)
      checkNew(kind, list, nodes, is) // again: waiting let others in
    } catch (error) {
      await undo.undo()
      throw error
    }
    list.push(...nodes)
  }

  async #remove<N extends Node>(kind: string, list: N[], nodes: N[]): Promise<void> {
    for (const node of nodes) {
      if (!list.includes(node))
        throw new InvalidNodeError(`${kind} ${show(String(node))} is not in this link`)
    }
    for (const node of nodes) list.splice(list.indexOf(node), 1)
    for (const node of nodes) {
      const stop = this.#started?.get(node)
      this.#started?.delete(node)
      await stop?.()
    }
  }
}

async function startNode(
  node: Node,
  started: Map<Node, () => Promise<void>>,
  undo: Releasers,
): Promise<void> {
  await node.tryStart()
  const stop = () => node.tryShutdown()
  started.set(node, stop)
  undo.push(() => {
    started.delete(node)
    return stop()
  })
}

function addNodes<N extends Node>(
  kind: string,
  list: N[],
  nodes: N[],
  is: (value: unknown) => boolean,
): void {
  checkNew(kind, list, nodes, is)
  list.push(...nodes)
}

function checkNew<N extends Node>(
  kind: string,
  list: N[],
  nodes: N[],
  is: (value: unknown) => boolean,
): void {
  nodes.forEach((node, index) => {
    if (!is(node)) throw new InvalidNodeError(`${kind}s[${index}]: expected an ${kind}, got ${show(node)}`)
    if (list.includes(node) || nodes.indexOf(node) !== index) {
      throw new InvalidNodeError(`${kind}s[${index}]: ${String(node)} is in this link already`)
    }
  })
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
    options: ProcessedLinkOptions<
      A,
      E,
      readonly [Processor<A, B>, Processor<B, C>, Processor<C, D>, Processor<D, E>]
    >,
  ): Link<A, E>
  new <A>(options: ProcessedLinkOptions<A, A, readonly Processor<A>[]>): Link<A>
  readonly prototype: LinkBase<unknown, unknown>
}

export const Link: LinkConstructor = LinkBase

/** Whether `value` is a {@link Link}, of this or of another copy of this package. */
export function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && LINK in value
}
