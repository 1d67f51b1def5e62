import type { Job } from 'node-schedule'
import { toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'

const nodeSchedule = lazy<typeof import('node-schedule')>('node-schedule')

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
/** How long before its time a job is called off that would come late, in milliseconds. */
const AHEAD = 20

/**
 * The clock of this machine. Wakes by one node-schedule job; the job's callback never throws. When it is to wake within
 * {@link AHEAD}, the timer alone does it: thousands of links are due every millisecond, and each job takes as long as some
 * of their transfers, and does not come when its millisecond passes while it is made.
 *
 * node-schedule goes by the wall clock: when that is set back by an hour, a job comes an hour late, and a job for a
 * date that has passed does not come at all. A plain timer catches both: just before the time it calls a late job off,
 * which would otherwise re-arm itself where `cancel()` does not reach, and keep the process alive; just after the time
 * it takes a job's place that did not come. `awake` makes the one that comes second do nothing.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  arm(delay, wake) {
    const milliseconds = Math.max(1, Math.ceil(delay))
    if (milliseconds <= AHEAD) {
      const timer = setTimeout(wake, milliseconds)
      return () => {
        clearTimeout(timer)
      }
    }
    let awake = false
    let timer: NodeJS.Timeout | undefined
    const release = () => {
      awake = true
      clearTimeout(timer)
      job?.cancel()
    }
    const fire = () => {
      if (awake) return
      release()
      wake()
    }
    const date = Date.now() + milliseconds
    const at = performance.now() + milliseconds
    const job = scheduleJob(new Date(date), fire)
    timer = setTimeout(() => {
      const left = at - performance.now()
      const late = job === undefined || date - Date.now() - left > AHEAD
      if (late) job?.cancel()
      // not before its time: a timer leaves out the part of a millisecond
      timer = setTimeout(fire, Math.max(1, Math.ceil(late ? left : left + WATCHDOG)))
    }, milliseconds - AHEAD)
    return release
  },
}

let isUsable = true

/**
 * Schedules a job of node-schedule; `undefined` when its time has passed meanwhile, or when the package cannot be used, as
 * where `Object.prototype` is frozen: the timer beside it does without.
 */
function scheduleJob(date: Date, fire: () => void): Job | undefined {
  if (!isUsable) return undefined
  try {
    // not by its `scheduleJob`, which keeps the job of a date that has passed meanwhile, but does not give it
    const job = new (nodeSchedule().Job)(fire)
    if (job.schedule(date)) return job
    job.cancel()
  } catch (thrown) {
    isUsable = false
    const error = toError(thrown)
    getLogger('databay.Clock').warn({ err: error }, `due times are kept by timers alone: ${error.message}`)
  }
  return undefined
}
