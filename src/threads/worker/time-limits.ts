import { LONGEST_TIMER } from '../../base/duration.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { monotonic, type Pulse } from '../protocol/pulse.js'
import { Deadlines } from './deadlines.js'

/**
 * Limits the time of what a thread does. The pulse shows the earliest deadline: so the main thread sees when work holds
 * the event loop up for longer than that, and no timer of this thread can fire.
 */
export class TimeLimits {
  readonly #pulse: Pick<Pulse, 'deadline'>
  readonly #deadlines = new Deadlines()
  /** Key of the next work among the deadlines. Runs have the numbers from 0 on. */
  #key = -1

  constructor(pulse: Pick<Pulse, 'deadline'>) {
    this.#pulse = pulse
  }

  /**
   * Shows the deadline of a run.
   *
   * @param run - number of the run
   * @param timeout - time that the run may take, in milliseconds
   */
  add(run: number, timeout: number): void {
    this.#add(run, monotonic() + timeout)
  }

  /** Takes back the deadline of a run that has ended, if it has one. */
  remove(run: number): void {
    if (this.#deadlines.size === 0) return
    this.#deadlines.delete(run)
    this.#pulse.deadline = this.#deadlines.earliest
  }

  /**
   * Does work, and waits for it until the time is over.
   *
   * @param limit - time that the work may take, in milliseconds
   * @param late - makes the error for work that takes longer
   */
  within<T>(limit: number, late: () => Error, work: () => MaybePromise<T>): MaybePromise<T> {
    if (limit === Infinity) return work()
    const deadline = monotonic() + limit
    let working: MaybePromise<T>
    this.#pulse.deadline = Math.min(this.#deadlines.earliest, deadline)
    try {
      working = work()
    } finally {
      this.#pulse.deadline = this.#deadlines.earliest
    }
    return working instanceof Promise ? this.#wait(limit, deadline, late, working) : working
  }

  async #wait<T>(limit: number, deadline: number, late: () => Error, working: Promise<T>): Promise<T> {
    const key = this.#key--
    this.#add(key, deadline)
    let timer: NodeJS.Timeout | undefined
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late()), Math.min(limit, LONGEST_TIMER))
    })
    try {
      return await Promise.race([working, expired])
    } finally {
      clearTimeout(timer)
      this.remove(key)
    }
  }

  #add(key: number, deadline: number): void {
    this.#deadlines.add(key, deadline)
    this.#pulse.deadline = this.#deadlines.earliest
  }
}
