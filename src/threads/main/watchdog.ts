import { monotonic, type Pulse } from '../protocol/pulse.js'

/** Time between two looks at the threads, in milliseconds. */
export const LOOK_INTERVAL = 200

/** A thread, as a watchdog sees it. */
export interface Watched {
  /** Pulse of the thread; `undefined` while it has no worker that takes tasks. */
  readonly pulse: Pulse | undefined
}

/** Options of a {@link Watchdog}. */
export interface WatchdogOptions {
  /** Time that a thread may be held up beyond a transfer's deadline, in milliseconds. */
  readonly grace: number
  /** Time that a thread may be held up in any case, in milliseconds. */
  readonly hangTimeout: number
}

/** A pulse that has not beaten since some looks. */
interface Standstill {
  readonly pulse: Pulse
  readonly beats: number
  readonly milliseconds: number
}

/**
 * Finds threads whose event loop is held up for too long: beyond the deadline of a transfer in them, or beyond the time
 * that code may take in any case. Time counts by the looks, so that a process that was stopped and goes on finds
 * nothing wrong.
 */
export class Watchdog<T extends Watched> {
  readonly #options: WatchdogOptions
  /** Standstills by thread. Weak, as threads come and go. */
  readonly #standstills = new WeakMap<T, Standstill>()

  constructor(options: WatchdogOptions) {
    this.#options = options
  }

  /**
   * Looks at the threads once. To be called every {@link LOOK_INTERVAL}.
   *
   * @param now - the time by {@link monotonic}
   * @returns the threads that should be ended, and why
   */
  look(threads: readonly T[], now: number = monotonic()): { readonly thread: T; readonly reason: Error }[] {
    return threads.flatMap((thread) => {
      const reason = this.#check(thread, now)
      return reason === undefined ? [] : [{ thread, reason }]
    })
  }

  #check(thread: T, now: number): Error | undefined {
    const { pulse } = thread
    const before = this.#standstills.get(thread)
    if (pulse === undefined) {
      this.#standstills.delete(thread)
      return undefined
    }
    const { beats, deadline } = pulse
    const still = before?.pulse === pulse && before.beats === beats
    const milliseconds = still ? before.milliseconds + LOOK_INTERVAL : 0
    this.#standstills.set(thread, { pulse, beats, milliseconds })
    const { grace, hangTimeout } = this.#options
    // a thread that stands still for a moment only is about to see the deadline by itself
    if (milliseconds >= grace && now >= deadline + grace) {
      return new Error(`it was ended, as a transfer held it up beyond its timeout and ${grace} ms more`)
    }
    if (milliseconds >= hangTimeout) return new Error(`it was ended, as it did not answer for ${hangTimeout} ms`)
    return undefined
  }
}
