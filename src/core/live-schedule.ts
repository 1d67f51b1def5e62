import { isDeepStrictEqual } from 'node:util'
import { InvalidOptionError } from '../base/errors.js'
import type { Schedule } from './schedule.js'
import { toMilliseconds, type Duration } from '../base/duration.js'

const NOBODY: readonly (() => void)[] = []

/** A schedule that can be changed while a planner goes by it. */
export class LiveSchedule {
  #schedule: Schedule
  /** Mostly there is one, and there may be thousands of links. */
  #listeners: readonly (() => void)[] = NOBODY

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  get schedule(): Schedule {
    return this.#schedule
  }

  /** Has a listener called when the schedule has changed, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  /**
   * Replaces the interval, or a cron expression. Jitter and the alignment to the clock stay.
   *
   * @throws {@link InvalidOptionError} on no interval, or one that is not longer than the jitter; and whatever a listener
   * throws who cannot go by it: then all is as before
   */
  setInterval(interval: number | Duration): void {
    const every = toMilliseconds('interval', interval)
    const before = this.#schedule
    if (before.jitter >= every) {
      throw new InvalidOptionError('interval', `more than the jitter of ${before.jitter} ms`, interval)
    }
    this.#schedule = Object.freeze({ ...before, every, cron: undefined, timeZone: undefined })
    try {
      this.#tell()
    } catch (error) {
      this.#schedule = before
      this.#tell()
      throw error
    }
  }

  /** Replaces the schedule, if it is another. */
  set(schedule: Schedule): void {
    if (isDeepStrictEqual(schedule, this.#schedule)) return
    this.#schedule = schedule
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
