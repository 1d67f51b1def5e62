import type { Feature } from './feed.js'

export interface ReplayOptions {
  /**
   * How many polls it takes to see everything.
   * @default 40
   */
  readonly polls?: number
  /**
   * How far back a poll shows events, in milliseconds.
   * @default 24 hours, as the feed "all earthquakes, past day"
   */
  readonly window?: number
}

const DAY = 24 * 3_600_000

/** What a poll shows. */
export interface Shown {
  /** The time that it is in the replay, in milliseconds since 1970. */
  readonly now: number
  /** Newest first. */
  readonly features: readonly Feature[]
}

/**
 * A recorded feed as the live one would grow: each poll is a step later, and shows the events of the last day.
 *
 * ```
 *   first event                                         last event
 *   ├──●──●●──●───●●●──●────●──●●─────●──●──●───●●──────●┤   time ►
 *      └─── poll n ───┘
 *         └─── poll n+1 ──┘         each event is in several polls
 * ```
 */
export class Replay {
  /** How many polls it takes to see everything; the later ones show what the last one did. */
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

  /** @param poll - 1 for the first */
  at(poll: number): Shown {
    const share = poll / this.polls
    const now = share >= 1 ? this.#last : this.#first + share * (this.#last - this.#first)
    const features = this.#newestFirst.filter(({ properties: { time } }) => time <= now && time > now - this.#window)
    return { now, features }
  }
}
