import type { KnownLane } from './placement.js'

/** Time from which on a transfer that holds its thread is in the way of others, in milliseconds. */
const SHORT = 5
/** Share of its length from which on a transfer that holds its thread computes. */
const MOSTLY = 0.5
/** Number of transfers in a row that must agree. */
const AGREEING = 3

/** Learns from the transfers of a link whether it mostly waits or mostly computes. */
export class LaneLearner {
  #lane: KnownLane
  #candidate: KnownLane
  #agreeing = 0

  /** What the link mostly does; `undefined` while that is not known. */
  get lane(): KnownLane {
    return this.#lane
  }

  /**
   * Learns from a transfer.
   *
   * @param busy - time that it held the thread, in milliseconds
   * @param duration - time that it took, in milliseconds
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
