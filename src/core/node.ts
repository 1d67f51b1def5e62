import { toError } from '../base/errors.js'
import { isPromiseLike, type MaybePromise } from '../base/maybe-promise.js'
import { scrub } from '../base/scrub.js'

/**
 * What inlets and outlets have in common: they are started once and stopped once per instance, however many links
 * share it.
 *
 * ```
 *              first holder                       last holder leaves
 *   idle ------------------> onStart --> active ---------------------> onShutdown --> idle
 * ```
 *
 * Holders are counted: an instance stays active until every link that started it has shut it down. The steps of
 * one instance never overlap.
 */
export abstract class Node {
  #holders = 0
  #active = false
  /** The start that holders wait for; `undefined` when it was over at once. */
  #start: Promise<void> | undefined
  /** The last of the steps that are under way; `undefined` when none is. */
  #last: Promise<void> | undefined
  /** Whether a step runs that has not come to its first wait. */
  #stepping = false
  #holder: string | undefined
  readonly #name: string | undefined

  /** @param name - the option `name` */
  constructor(name?: string) {
    this.#name = name
  }

  /**
   * The option `name`. Not called `name`, as classes that extend it may have a field of that name.
   * @internal
   */
  get givenName(): string | undefined {
    return this.#name
  }

  /** Whether this node is started and ready. Set after `onStart`, unset before `onShutdown`. */
  get active(): boolean {
    return this.#active
  }

  /**
   * Name of the link that started this node, or was the first of several to do so; `undefined` without a link.
   * @internal
   */
  get holder(): string | undefined {
    return this.#holder
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
   * a structured clone, or a promise of one; `undefined` when there is nothing. A node without this method is taken to keep state in its
   * instance, and its link is moved between threads only when its thread is lost.
   */
  saveState?(): unknown

  /**
   * Takes what {@link Node.saveState} of another instance handed over. Called before `onStart`. When it throws, the move
   * of the link is undone where it can be; where not, the link is tried again, and the node then begins without the
   * state, as after the loss of its thread. The log says so.
   */
  restoreState?(state: unknown): void | Promise<void>

  /**
   * How a node without a `name` is called in logs, reports and an inlet's `__inlet__` metadata: its class. Override it to show
   * more, but never what may hold secrets, such as headers or a URL's query.
   */
  toString(): string {
    return this.#name ?? this.constructor.name
  }

  /** Calls `onStart` unless the node is started. Called by links. */
  async tryStart(): Promise<void> {
    await this.tryStartNow()
  }

  /**
   * As {@link Node.tryStart}; when nothing keeps it waiting, the node is started when this returns. Does not throw.
   *
   * @param holder - name of the link
   * @internal
   */
  tryStartNow(holder?: string): MaybePromise<void> {
    this.#holders++
    if (this.#holders === 1) {
      this.#holder = holder
      this.#start = this.#after(() => this.#startNow())
    }
    return this.#start?.catch((error: unknown) => {
      this.#holders = Math.max(0, this.#holders - 1)
      throw error
    })
  }

  /** Calls `onShutdown` unless another link still uses the node, or it is not started. Called by links. */
  async tryShutdown(): Promise<void> {
    if (this.#holders === 0) return
    this.#holders--
    if (this.#holders > 0) return
    await this.#after(() => {
      if (!this.#active) return undefined // its start failed meanwhile
      this.#active = false
      return this.onShutdown()
    })
  }

  #startNow(): void | PromiseLike<void> {
    const started = () => {
      this.#active = true
    }
    const starting: void | PromiseLike<void> = this.onStart()
    if (isPromiseLike(starting)) return starting.then(started)
    started()
    return undefined
  }

  /**
   * Runs `step` when the step before it has ended, whichever way it did: at once when there is none.
   *
   * @returns `undefined` when it has ended well
   */
  #after(step: () => void | PromiseLike<void>): Promise<void> | undefined {
    // what a step asks of its own node comes after it
    if (this.#stepping) return Promise.resolve().then(() => this.#after(step))
    const result = this.#last === undefined ? this.#attempt(step) : this.#last.then(step)
    if (result === undefined) return undefined
    const last: Promise<void> = result
      .catch(() => undefined)
      .then(() => {
        if (this.#last === last) this.#last = undefined
      })
    this.#last = last
    return result
  }

  #attempt(step: () => void | PromiseLike<void>): Promise<void> | undefined {
    this.#stepping = true
    try {
      const result = step()
      return isPromiseLike(result) ? Promise.resolve(result) : undefined
    } catch (thrown) {
      return Promise.reject(toError(thrown))
    } finally {
      this.#stepping = false
    }
  }
}

/** Name of a node in logs, reports and errors: its option, or how it shows itself, or its class where that fails. It has no secrets. */
export function nodeName(node: Node): string {
  try {
    // a node of another copy of this package may not have it
    return scrub(node.givenName ?? String(node))
  } catch {
    return node.constructor.name
  }
}
