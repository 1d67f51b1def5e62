import { AsyncLocalStorage, createHook, type AsyncHook } from 'node:async_hooks'
import type { Pulse } from '../protocol/pulse.js'

/**
 * Shows in a pulse whose code the thread is in, also where that goes on after a wait, in a timer or in a rejection that
 * nobody handles. It makes every step of asynchronous code dearer, so it is for threads that were lost when it was not sure
 * by whom.
 */
export class Trace {
  readonly #pulse: Pulse
  readonly #links = new AsyncLocalStorage<number>()
  readonly #owners = new WeakMap<object, number>()
  readonly #hook: AsyncHook
  #ended = false

  constructor(pulse: Pulse) {
    this.#pulse = pulse
    this.#hook = createHook({
      init: (_id, type, _trigger, resource) => {
        const link = this.current
        if (type === 'PROMISE' && link !== undefined) this.#owners.set(resource, link)
      },
      before: () => {
        this.#pulse.inside = this.current
      },
      after: () => {
        this.#pulse.inside = undefined
      },
    }).enable()
  }

  /** Ends it, and what it costs. */
  end(): void {
    // what was begun within keeps its link, in newer versions of Node also once the storage is disabled
    this.#ended = true
    this.#hook.disable()
    this.#links.disable()
    this.#pulse.inside = undefined
  }

  /** The link that what runs now belongs to. */
  get current(): number | undefined {
    return this.#ended ? undefined : this.#links.getStore()
  }

  /** Does work, and counts all that comes of it as the link's. */
  run<T>(link: number, work: () => T): T {
    return this.#links.run(link, work)
  }

  /** A promise was rejected and nobody handles that: its thread is about to end. */
  blame(promise: Promise<unknown>): void {
    const owner = this.#owners.get(promise)
    if (owner !== undefined) this.#pulse.inside = owner
  }
}
