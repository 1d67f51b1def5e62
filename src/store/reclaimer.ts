import { getLogger } from '../base/log.js'
import { freePages } from './reclaim.js'
import type { Store } from './store.js'

/** Free pages that are worth the work: 4 MiB. */
const WORTH = 1024

/** How often it is looked for free space, in milliseconds. */
const PERIOD = 60_000

/** Gives the free space of a store back to the disk: at the start, and then from time to time. */
export class Reclaimer {
  readonly #store: Store
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  /**
   * @param store - of the process that owns it
   * @param period - time from one look to the next, in milliseconds
   */
  constructor(store: Store, period = PERIOD) {
    this.#store = store
    this.#timer = setInterval(() => {
      this.#look()
    }, period)
    this.#timer.unref()
    this.#look()
  }

  /** Stops: nothing of the store is used any more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#stop.abort()
  }

  #look(): void {
    if (this.#running !== undefined) return
    this.#running = this.#reclaim().finally(() => {
      this.#running = undefined
    })
  }

  async #reclaim(): Promise<void> {
    const { signal } = this.#stop
    try {
      if (this.#store.read(freePages) < WORTH) return
      const pages = await this.#store.reclaim(signal)
      if (!signal.aborted)
        getLogger('databay.Store').info(`${this.#store.files.store}: ${pages} free pages were given back`)
    } catch (error) {
      // others write, or the disk is full: the next look may do better
      getLogger('databay.Store').debug({ err: error }, 'free space was not given back')
    }
  }
}
