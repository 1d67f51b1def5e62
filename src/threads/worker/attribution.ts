import type { Pulse } from '../protocol/pulse.js'
import { Trace } from './trace.js'

/** Shows in the pulse which link's code the thread is in: it is the suspect when the thread is lost or hangs. */
export class Attribution {
  readonly #pulse: Pulse
  #trace: Trace | undefined

  /** @param traced - whether code is attributed to its link also after a wait: see {@link Trace} */
  constructor(pulse: Pulse, traced: boolean) {
    this.#pulse = pulse
    this.#trace = traced ? new Trace(pulse) : undefined
  }

  /**
   * Makes a function to call with `true` when the thread enters the code of a link, and with `false` when it leaves it.
   */
  insideOf(link: number): (inside: boolean) => void {
    return (inside) => {
      this.#pulse.inside = inside ? link : this.#trace?.current
    }
  }

  /** Does work that is all code of a link. */
  enter<T>(link: number, inside: (inside: boolean) => void, work: () => T): T {
    inside(true)
    try {
      return this.#trace === undefined ? work() : this.#trace.run(link, work)
    } finally {
      inside(false)
    }
  }

  /**
   * Does work that calls `inside` by itself whenever it enters the code of the link. Takes arguments, to need no
   * closure.
   */
  run<A, B, T>(link: number, work: (a: A, b: B) => T, a: A, b: B): T {
    return this.#trace === undefined ? work(a, b) : this.#trace.run(link, () => work(a, b))
  }

  /** Attributes a rejection that nobody handles to the link whose code made the promise. */
  blame(promise: Promise<unknown>): void {
    this.#trace?.blame(promise)
  }

  /** Ends the trace. */
  endTrace(): void {
    this.#trace?.end()
    this.#trace = undefined
  }
}
