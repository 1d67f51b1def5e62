import { TransferCancelledError } from '../base/errors.js'
import { Cancellation } from '../core/cancellation.js'
import type { Node } from '../core/node.js'
import { Update } from '../core/update.js'
import { claim } from './claims.js'
import { SuiteHarness, type ResolvedSuiteOptions } from './harness.js'

/** Parts that the set-ups of inlets and of outlets share, checked and complete. */
export interface NodeSetup<N extends Node, O> extends ResolvedSuiteOptions {
  readonly create: (options: O) => N | Promise<N>
  readonly secrets: readonly string[]
}

/** Kind of nodes that a harness makes. */
export interface NodeKind<O> {
  /** Name for messages, such as `an Inlet`. */
  readonly name: string
  readonly is: (value: unknown) => boolean
  /** Options that `create` gets unless a check says otherwise. */
  readonly options: O
}

/** Harness of one check of an inlet or outlet: makes nodes, and shuts them down when the check ends. */
export class NodeHarness<N extends Node, O, S extends NodeSetup<N, O>> extends SuiteHarness<S> {
  readonly #kind: NodeKind<O>
  readonly #made: N[] = []
  #updates = 0

  constructor(setup: S, kind: NodeKind<O>) {
    super(setup)
    this.#kind = kind
  }

  /**
   * Makes a node, not started.
   *
   * @param option - name of the option that `create` is, for messages
   */
  async make(
    options: O = this.#kind.options,
    create: (options: O) => N | Promise<N> = this.setup.create,
    option = 'create',
  ): Promise<N> {
    const node = await this.calls.succeed(`${option}()`, () => create(options))
    claim(this.#kind.is(node), `${option}() gave ${describe(node)}: expected ${this.#kind.name}`)
    this.#made.push(node)
    return node
  }

  /** Makes a node and starts it. */
  async started(): Promise<N> {
    const node = await this.make()
    await this.start(node)
    return node
  }

  async start(node: N): Promise<void> {
    await this.calls.succeed(`${nameOf(node)}.onStart`, () => node.tryStart())
  }

  async stop(node: N): Promise<void> {
    await this.calls.succeed(`${nameOf(node)}.onShutdown`, () => node.tryShutdown())
  }

  /** Makes the update of the next transfer, and the function that cancels that transfer. */
  update(): { readonly update: Update; readonly cancel: () => void } {
    const cancellation = new Cancellation()
    const update = new Update(['contract_suite'], this.#updates++, cancellation)
    return { update, cancel: () => cancellation.cancel(new TransferCancelledError('the suite told it to stop')) }
  }

  protected override async closeMade(): Promise<void> {
    for (const node of this.#made) await this.stop(node).catch(() => undefined)
  }
}

/** Name of the class of a node or planner. */
export function nameOf(made: object): string {
  return made.constructor.name
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `an object of class ${nameOf(value)}` : String(value)
}
