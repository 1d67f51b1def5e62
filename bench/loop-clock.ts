import type { Clock } from '../src/planners/clock/clock.js'

/** A clock whose time jumps to the next due time on a call: links can be due again as soon as their transfers have ended. */
export class LoopClock implements Clock {
  #time = 0
  readonly #origin = Date.now()
  #next: { readonly at: number; readonly wake: () => void } | undefined

  now(): number {
    return this.#origin + this.#time
  }

  monotonic(): number {
    return this.#time
  }

  arm(delay: number, wake: () => void): () => void {
    const alarm = { at: this.#time + Math.max(0, delay), wake }
    this.#next = alarm
    return () => {
      if (this.#next === alarm) this.#next = undefined
    }
  }

  /** Sets the time to the next due time, and wakes whoever waits for it. */
  goOn(): void {
    const next = this.#next
    if (next === undefined) throw new Error('nothing is due any more')
    this.#next = undefined
    this.#time = next.at
    next.wake()
  }
}
