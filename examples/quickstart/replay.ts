import type { Feature } from './feed.js'

export interface ReplayOptions {
  /**
   * Number of polls that it takes to see everything.
   * @default 40
   */
  readonly polls?: number
  /**
   * Time for which a poll shows events, in milliseconds.
   * @default 24 hours, as the feed "all earthquakes, past day"
   */
  readonly window?: number
}

const DAY = 24 * 3_600_000

/** Events that a poll shows. */
export interface Shown {
  /** Time in the replay, in milliseconds since 1970. */
  readonly now: number
  /** Events, newest first. */
  readonly features: readonly Feature[]
}

/**
 * A recorded feed that grows as the live one would: each poll is a step later, and shows the events of the last day.
 *
 * ```
 *   first event                                         last event
 *   ├──●──●●──●───●●●──●────●──●●─────●──●──●───●●──────●┤   time ►
 *      └─── poll n ───┘
 *         └─── poll n+1 ──┘         each event is in several polls
 * ```
 */
export class Replay {
  /** Number of polls that it takes to see everything; later polls show the same as the last. */
  readonly polls: number
  readonly #window: number
  readonly #newestFirst: readonly Feature[]
  readonly #first: number
  readonly #last: number

  /** @throws RangeError when events would be left out between two polls */
  constructor(features: readonly Feature[], { polls = 40, window = DAY }: ReplayOptions = {}) {
    this.polls = polls
    this.#window = window
    this.#newestFirst = [...features].sort((a, b) => b.properties.time - a.properties.time)
    this.#first = this.#newestFirst.at(-1)?.properties.time ?? 0
    this.#last = this.#newestFirst[0]?.properties.time ?? 0
    const step = (this.#last - this.#first) / polls
    if (step >= window) throw new RangeError(`polls: expected more than ${step / window} times ${polls}`)
  }

  /** Gives the events that a poll shows; the first poll is number 1. */
  at(poll: number): Shown {
    const share = poll / this.polls
    const now = share >= 1 ? this.#last : this.#first + share * (this.#last - this.#first)
    const features = this.#newestFirst.filter(({ properties: { time } }) => time <= now && time > now - this.#window)
    return { now, features }
  }
}
