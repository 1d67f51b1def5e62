import type { KnownLane } from './placement.js'

/** A transfer that holds its thread for less than this many milliseconds is in nobody's way. */
const SHORT = 5
/** From which share of its length on a transfer is one that computes. */
const MOSTLY = 0.5
/** How many transfers in a row must say the same. */
const AGREEING = 3

/** Learns from the transfers of a link whether it mostly waits or mostly computes. */
export class LaneLearner {
  #lane: KnownLane
  #candidate: KnownLane
  #agreeing = 0

  get lane(): KnownLane {
    return this.#lane
  }

  /**
   * Looks at one transfer.
   *
   * @param busy - how long it held the thread, in milliseconds
   * @param duration - how long it took, in milliseconds
   * @returns whether the lane has changed
   */
  learn(busy: number, duration: number): boolean {
    const seen = busy >= SHORT && busy >= MOSTLY * duration ? 'cpu' : 'io'
    this.#agreeing = seen === this.#candidate ? this.#agreeing + 1 : 1
    this.#candidate = seen
    if (this.#agreeing < AGREEING || seen === this.#lane) return false
    this.#lane = seen
    return true
  }
}
