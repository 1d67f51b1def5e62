import nodeSchedule from 'node-schedule'

/** Tells the time and wakes. Everything in this folder takes its time from one of these. */
export interface Clock {
  /** The wall clock, in milliseconds since 1970. It may be set, so it may jump. */
  now(): number
  /** Milliseconds since some start. Never jumps. */
  monotonic(): number
  /** Calls `wake` once, `delay` milliseconds from now; the returned function calls it off. */
  arm(delay: number, wake: () => void): () => void
}

/** How much later than asked the watchdog wakes, in milliseconds. */
const WATCHDOG = 50

/**
 * The clock of this machine. Wakes by one node-schedule job; the job's callback never throws.
 *
 * node-schedule goes by the wall clock: when that is set back by an hour, a job comes an hour late, and a job for a
 * date that has passed does not come at all. A plain timer behind it catches both. `awake` makes the one that comes
 * second do nothing; it also guards against a job that fired early, and so re-armed itself where `cancel()` does not
 * reach.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  arm(delay, wake) {
    let awake = false
    const milliseconds = Math.max(1, Math.ceil(delay))
    const fire = () => {
      if (awake) return
      release()
      wake()
    }
    const watchdog = setTimeout(fire, milliseconds + WATCHDOG)
    const job = nodeSchedule.scheduleJob(new Date(Date.now() + milliseconds), fire) as nodeSchedule.Job | null
    const release = () => {
      awake = true
      clearTimeout(watchdog)
      job?.cancel()
    }
    return release
  },
}
