import type { LinkRetrySettings } from '../core/delivery-options.js'

/** Tries that failed in succession. */
export interface Tries {
  readonly attempts: number
  /** Time of the first of them, and from which on to try again, in milliseconds since 1970. */
  readonly since: number
  readonly retryAt: number
}

/** Clock and chance of a {@link Backoff}. */
export interface BackoffSources {
  /** @default Date.now */
  readonly now?: () => number
  /** A number from 0 to below 1. @default Math.random */
  readonly random?: () => number
}

/** Counts tries that failed, and says when to try again: the delay doubles each time, up or down by up to a half. */
export class Backoff {
  readonly #settings: LinkRetrySettings
  readonly #now: () => number
  readonly #random: () => number
  #attempts = 0
  #tries: Tries | undefined

  constructor(settings: LinkRetrySettings, { now = Date.now, random = Math.random }: BackoffSources = {}) {
    this.#settings = settings
    this.#now = now
    this.#random = random
  }

  /** The tries that failed; `undefined` when the last one did not. */
  get tries(): Tries | undefined {
    return this.#tries
  }

  /**
   * Counts a try that failed.
   *
   * @param hasProgressed - whether a part of it succeeded, so that the delays begin with the shortest again
   * @param least - shortest time to the next try in milliseconds, as a server may ask for; at most the longest delay counts
   */
  failed(hasProgressed: boolean, least = 0): Tries {
    const { minDelay, maxDelay } = this.#settings
    this.#attempts = hasProgressed ? 1 : this.#attempts + 1
    const now = this.#now()
    const delay = Math.min(maxDelay, minDelay * 2 ** Math.min(this.#attempts - 1, 50))
    const retryAt = now + Math.min(maxDelay, Math.max(least, delay * (0.5 + this.#random())))
    return (this.#tries = { attempts: this.#attempts, since: this.#tries?.since ?? now, retryAt })
  }

  /** Notes that a try succeeded. */
  succeeded(): void {
    this.#attempts = 0
    this.#tries = undefined
  }
}
