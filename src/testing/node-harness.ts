import { Cancellation } from '../core/cancellation.js'
import { TransferCancelledError } from '../base/errors.js'
import type { Node } from '../core/node.js'
import { Update } from '../core/update.js'
import { Calls, claim } from './claims.js'
import { captureLog, type LogCapture } from './log-capture.js'
import type { Harness } from './runner.js'

/** What the set-ups of inlets and outlets have in common, checked and complete. */
export interface NodeSetup<N extends Node, O> {
  readonly create: (options: O) => N | Promise<N>
  readonly before: () => unknown
  readonly after: () => unknown
  readonly secrets: readonly string[]
  /** In milliseconds. */
  readonly timeout: number
}

/** What one check of an inlet or outlet works with: nodes that are shut down when it ends, and the log. */
export class NodeHarness<N extends Node, O, S extends NodeSetup<N, O>> implements Harness {
  readonly setup: S
  readonly calls: Calls
  readonly #options: O
  readonly #is: (value: unknown) => boolean
  readonly #kind: string
  readonly #made: N[] = []
  #log: LogCapture | undefined
  #updates = 0

  /**
   * @param options - what `create` is given unless a check says otherwise
   * @param kind - what `create` must give: `an Inlet`
   */
  constructor(setup: S, options: O, kind: string, is: (value: unknown) => boolean) {
    this.setup = setup
    this.calls = new Calls(setup.timeout)
    this.#options = options
    this.#kind = kind
    this.#is = is
  }

  /** Everything that was logged since this check began, line by line. */
  get log(): readonly string[] {
    return this.#log?.lines ?? []
  }

  async open(): Promise<void> {
    this.#log = captureLog()
    await this.setup.before()
  }

  async close(): Promise<void> {
    for (const node of this.#made) await this.stop(node).catch(() => undefined)
    try {
      await this.setup.after()
    } finally {
      this.#log?.restore()
    }
  }

  /** A new node, not started. */
  async make(
    options: O = this.#options,
    create: (options: O) => N | Promise<N> = this.setup.create,
    option = 'create',
  ): Promise<N> {
    const node = await this.calls.succeed(`${option}()`, () => create(options))
    claim(this.#is(node), `${option}() gave ${describe(node)}: expected ${this.#kind}`)
    this.#made.push(node)
    return node
  }

  /** A new node that is started. */
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

  /** The next transfer's identity, and what tells that transfer to stop. */
  update(): { readonly update: Update; readonly cancel: () => void } {
    const cancellation = new Cancellation()
    const update = new Update(['contract_suite'], this.#updates++, cancellation)
    return { update, cancel: () => cancellation.cancel(new TransferCancelledError('the suite told it to stop')) }
  }
}

/** What a node's class is called. */
export function nameOf(node: object): string {
  return node.constructor.name
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `an object of class ${nameOf(value)}` : String(value)
}
