/**
 * What inlets and outlets have in common: they are started once and stopped once per instance, however many links
 * share it.
 *
 * ```
 *              first holder                       last holder leaves
 *   idle ──────────────────► onStart ──► active ─────────────────────► onShutdown ──► idle
 * ```
 *
 * Holders are counted: an instance stays active until every link that started it has shut it down. The steps of
 * one instance never overlap.
 */
export abstract class Node {
  #holders = 0
  #active = false
  #start: Promise<void> = Promise.resolve()
  #last: Promise<void> = Promise.resolve()

  /** Whether this node is started and ready. Set after `onStart`, unset before `onShutdown`. */
  get active(): boolean {
    return this.#active
  }

  /**
   * Called once per instance just before the first of its links starts. Override to open what the node needs; a
   * rejection stops the planner from starting.
   */
  onStart(): void | Promise<void> {}

  /** Called once per instance just after the last of its links has shut down. Override to close what it opened. */
  onShutdown(): void | Promise<void> {}

  /**
   * Hands over what the node would need to carry on as another instance in another thread: any value that survives
   * a structured clone, `undefined` when there is nothing. A node without this method is taken to keep state in its
   * instance, and its link is moved between threads only when its thread is lost.
   */
  saveState?(): unknown

  /** Takes what {@link Node.saveState} of another instance handed over. Called before `onStart`. */
  restoreState?(state: unknown): void

  /**
   * How the node names itself in logs, reports and an inlet's `__inlet__` metadata: its class. Override it to show
   * more, but never what may hold secrets, such as headers or a URL's query.
   */
  toString(): string {
    return this.constructor.name
  }

  /** Calls `onStart` unless the node is started. Called by links. */
  tryStart(): Promise<void> {
    this.#holders++
    if (this.#holders === 1) {
      this.#start = this.#after(async () => {
        await this.onStart()
        this.#active = true
      })
    }
    return this.#start.catch((error: unknown) => {
      this.#holders = Math.max(0, this.#holders - 1)
      throw error
    })
  }

  /** Calls `onShutdown` unless another link still uses the node, or it is not started. Called by links. */
  tryShutdown(): Promise<void> {
    if (this.#holders === 0) return Promise.resolve()
    this.#holders--
    if (this.#holders > 0) return Promise.resolve()
    return this.#after(async () => {
      if (!this.#active) return // its start failed meanwhile
      this.#active = false
      await this.onShutdown()
    })
  }

  /** Runs `step` when the step before it has ended, whichever way it did. */
  #after(step: () => Promise<void>): Promise<void> {
    const result = this.#last.then(step)
    this.#last = result.catch(() => undefined)
    return result
  }
}

/** What a node is called in logs, reports and errors: its class where its own `toString()` fails. */
export function nodeName(node: Node): string {
  try {
    return String(node)
  } catch {
    return node.constructor.name
  }
}

/** A stack of undo steps: what is acquired pushes its undo, and `undo()` runs them in reverse, each once. */
export class Releasers {
  readonly #steps: (() => unknown)[] = []

  push(step: () => unknown): void {
    this.#steps.push(step)
  }

  /** Runs every step, the last one first, even when some fail. Resolves with the errors. */
  async undo(): Promise<unknown[]> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    return errors
  }
}
