import { AsyncLocalStorage, createHook, type AsyncHook } from 'node:async_hooks'
import type { Pulse } from '../protocol/pulse.js'

/**
 * Shows in the pulse which link's code the thread is in, also where that goes on after a wait, in a timer or in a
 * rejection that nobody handles. A trace makes every step of asynchronous code dearer, so a thread has one only after
 * it was lost and the main thread could not tell by which link.
 */
export class Trace {
  readonly #pulse: Pick<Pulse, 'inside'>
  readonly #links = new AsyncLocalStorage<number>()
  readonly #owners = new WeakMap<object, number>()
  readonly #hook: AsyncHook
  #ended = false

  constructor(pulse: Pick<Pulse, 'inside'>) {
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

  /** Ends the trace, and what it costs. */
  end(): void {
    // what was begun within keeps its link, in newer versions of Node also once the storage is disabled
    this.#ended = true
    this.#hook.disable()
    this.#links.disable()
    this.#pulse.inside = undefined
  }

  /** The link that the running code belongs to. */
  get current(): number | undefined {
    return this.#ended ? undefined : this.#links.getStore()
  }

  /** Does work, and counts everything that comes of it as the link's. */
  run<T>(link: number, work: () => T): T {
    return this.#links.run(link, work)
  }

  /** Shows whose promise was rejected without a handler: the thread is about to end. */
  blame(promise: Promise<unknown>): void {
    const owner = this.#owners.get(promise)
    if (owner !== undefined) this.#pulse.inside = owner
  }
}
