import { classAdvice, InvalidNodeError, show, sortOf, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import { throwAny } from '../base/many-errors.js'
import type { MaybePromise } from '../base/maybe-promise.js'
import { type OneOrMany, toArray } from '../base/one-or-many.js'
import { UndoStack } from '../base/undo-stack.js'
import { type Inlet, isInlet } from './inlet.js'
import { type Node, nodeName } from './node.js'
import { isOutlet, type Outlet } from './outlet.js'
import { blame } from './report.js'

/** The kind of a node, as errors name it. */
export type NodeKind = 'inlet' | 'outlet'

const SEVERAL = 'several nodes failed'

const IS_OF_KIND = { inlet: isInlet, outlet: isOutlet }

const METHOD_OF_KIND = { inlet: 'pull', outlet: 'push' }

/**
 * The inlets and outlets of a link: which they are, and which of them the link has started.
 *
 * ```
 *            start()                        stop()
 *   stopped --------> starting --> started --------> stopping --> stopped
 *      ^                 |
 *      +-----------------+ one failed: those before it are shut down
 * ```
 *
 * Starting and stopping never overlap: each waits for the other.
 */
export class LinkNodes {
  readonly #inlets: Inlet[]
  readonly #outlets: Outlet[]
  /** The nodes that the link has started, in that order; `undefined` while it is stopped. */
  #started: Set<Node> | undefined
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  /** Nodes that are being started, to be in the link when they are; `undefined` while there were none. */
  #joining: Set<Node> | undefined

  readonly #link: { readonly name: string } | undefined

  /**
   * @param link - the link, whose name the nodes learn when they are started
   * @throws {@link InvalidNodeError} when an inlet or outlet is none, or is given twice
   */
  constructor(inlets: unknown, outlets: unknown, link?: { readonly name: string }) {
    this.#link = link
    this.#inlets = checkNew('inlet', [], toArray(inlets as OneOrMany<Inlet>))
    this.#outlets = checkNew('outlet', [], toArray(outlets as OneOrMany<Outlet>))
  }

  get inlets(): readonly Inlet[] {
    return this.#inlets
  }

  get outlets(): readonly Outlet[] {
    return this.#outlets
  }

  /** All nodes, in the order in which they are started. */
  get all(): Node[] {
    return [...this.#inlets, ...this.#outlets]
  }

  /** Whether the link is started, or on its way to be. */
  get isStarted(): boolean {
    return this.#started !== undefined
  }

  /**
   * Adds nodes. While the link is started, they are started first.
   *
   * @param added - called as soon as they are nodes of the link
   * @throws {@link InvalidNodeError} when one is of another kind or in the link already; then none is added
   */
  async add(kind: NodeKind, nodes: OneOrMany<Node>, added: () => void): Promise<void> {
    const [list, joining] = [this.#listOf(kind), toArray(nodes)]
    checkNew(kind, [...list, ...(this.#joining ?? [])], joining)
    if (this.#started !== undefined) await this.#join(joining, this.#started)
    list.push(...joining)
    added()
  }

  /**
   * Removes nodes, and shuts down those that the link has started.
   *
   * @param removed - called when they are no nodes of the link any more, before they shut down
   * @throws {@link InvalidNodeError} when one is not in the link; then none is removed
   */
  async remove(kind: NodeKind, nodes: OneOrMany<Node>, removed: () => void): Promise<void> {
    const list = this.#listOf(kind)
    const leaving = new Set(toArray(nodes))
    for (const node of leaving) {
      if (!list.includes(node)) throw new InvalidNodeError(`${kind} ${describe(node)} is not in this link`)
    }
    for (const node of leaving) list.splice(list.indexOf(node), 1)
    removed()
    throwAny(await stopNodes([...leaving].filter((node) => this.#started?.delete(node))), SEVERAL)
  }

  /** Starts the nodes one after the other: at once when none keeps it waiting. Does not throw. */
  start(): MaybePromise<void> {
    if (this.#stopping !== undefined || this.#starting !== undefined) return this.#startLater()
    const starting = this.#startAll()
    if (!(starting instanceof Promise)) return undefined
    this.#starting = starting.finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  /**
   * Shuts down the nodes that the link has started, the last one first, all of them even when some fail.
   *
   * @param check - called before they shut down; gives what is wrong
   * @throws what failed
   */
  stop(check: () => unknown[]): Promise<void> {
    this.#stopping ??= this.#stopAll(check).finally(() => {
      this.#stopping = undefined
    })
    return this.#stopping
  }

  #listOf(kind: NodeKind): Node[] {
    return kind === 'inlet' ? this.#inlets : this.#outlets
  }

  async #startLater(): Promise<void> {
    // the caller of stop() hears of its failure
    if (this.#stopping !== undefined) await this.#stopping.catch(() => undefined)
    await (this.#starting ?? this.start())
  }

  #startAll(): MaybePromise<void> {
    if (this.#started !== undefined) return undefined
    const started = new Set<Node>()
    this.#started = started
    const nodes = this.all
    for (let at = 0; at < nodes.length; at++) {
      const starting = this.#startNode(nodes[at] as Node, started)
      if (starting instanceof Promise) return this.#startRest(starting, nodes.slice(at + 1), started)
    }
    return undefined
  }

  /** Starts the nodes that follow one that is still being started. */
  async #startRest(first: Promise<void>, nodes: readonly Node[], started: Set<Node>): Promise<void> {
    try {
      await first
      for (const node of nodes) await this.#startNode(node, started)
    } catch (error) {
      this.#started = undefined
      logAll(await stopNodes(started))
      throw error
    }
  }

  async #stopAll(check: () => unknown[]): Promise<void> {
    // the caller of start() hears of its failure
    if (this.#starting !== undefined) await this.#starting.catch(() => undefined)
    const started = this.#started
    this.#started = undefined
    const errors = started === undefined ? [] : check()
    throwAny([...errors, ...(await stopNodes(started ?? []))], SEVERAL)
  }

  /** Starts a node, unless the link was stopped or has removed the node by then. Does not throw. */
  #startNode(node: Node, started: Set<Node>): MaybePromise<void> {
    const wanted = () => this.#started === started && (this.#has(node) || this.#joining?.has(node) === true)
    if (!wanted()) return undefined
    const end = (): MaybePromise<void> => {
      if (!wanted()) return node.tryShutdown()
      started.add(node)
      return undefined
    }
    const starting = node.tryStartNow(this.#link?.name)
    if (!(starting instanceof Promise)) return end()
    return starting.then(end, (thrown: unknown) => {
      throw blame(thrown, nodeName(node), 'start')
    })
  }

  async #join(nodes: readonly Node[], started: Set<Node>): Promise<void> {
    const all = (this.#joining ??= new Set())
    for (const node of nodes) all.add(node)
    try {
      for (const node of nodes) await this.#startNode(node, started)
    } catch (error) {
      logAll(await stopNodes(nodes.filter((node) => started.delete(node))))
      throw error
    } finally {
      for (const node of nodes) all.delete(node)
    }
  }

  #has(node: Node): boolean {
    const [inlets, outlets]: [readonly Node[], readonly Node[]] = [this.#inlets, this.#outlets]
    return inlets.includes(node) || outlets.includes(node)
  }
}

/** Shuts nodes down, the last one first, all of them even when some fail; resolves with the errors. */
function stopNodes(nodes: Iterable<Node>): Promise<unknown[]> {
  const undo = new UndoStack()
  for (const node of nodes) {
    undo.push(() =>
      node.tryShutdown().catch((thrown: unknown) => {
        throw blame(thrown, nodeName(node), 'shutdown')
      }),
    )
  }
  return undo.undo()
}

/** Logs errors that come on top of a thrown one. */
function logAll(errors: readonly unknown[]): void {
  for (const thrown of errors) {
    getLogger('databay.Link').error({ err: toError(thrown) }, 'a node failed to shut down')
  }
}

/** The nodes, once it is clear that they can be put in the list. */
function checkNew<N extends Node>(kind: NodeKind, list: readonly Node[], nodes: N[]): N[] {
  nodes.forEach((node, index) => {
    const name = `${kind}s[${index}]`
    const advice = classAdvice(node)
    if (advice !== undefined)
      throw new InvalidNodeError(
        `${name} is the class ${(node as { name?: string }).name || 'without a name'}; ${advice}`,
      )
    if (!IS_OF_KIND[kind](node)) throw new InvalidNodeError(`${name}: expected an ${kind}, got ${describe(node)}`)
    const method = METHOD_OF_KIND[kind]
    if (typeof (node as unknown as { readonly [name: string]: unknown })[method] !== 'function')
      throw new InvalidNodeError(`${name}: ${nodeName(node)} has no method ${method}()`)
    if (list.includes(node) || nodes.indexOf(node) !== index) {
      throw new InvalidNodeError(`${name}: ${nodeName(node)} is in this link already`)
    }
  })
  return nodes
}

/** A value that is no node, without what an object holds, which may be secret. */
function describe(node: unknown): string {
  if (isInlet(node) || isOutlet(node)) return nodeName(node)
  return typeof node === 'object' ? sortOf(node) : show(node)
}
