import type { Job } from 'node-schedule'
import { toError } from '../../base/errors.js'
import { FileShortageError, lazy } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'

const nodeSchedule = lazy<typeof import('node-schedule')>('node-schedule')

/** Source of time and of wake-ups. Everything in this folder takes its time from a clock. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. The wall clock may be set, so it may jump. */
  now(): number
  /** Monotonic time, in milliseconds since some start. Never jumps. */
  monotonic(): number
  /** Calls `wake` once, `delay` milliseconds from now. The returned function cancels that. */
  arm(delay: number, wake: () => void): () => void
}

/** Delay of the watchdog after the time that was asked for, in milliseconds. */
const WATCHDOG = 50
/** Time before its due time at which a job is cancelled that would come late, in milliseconds. */
const AHEAD = 20

/**
 * Clock of this machine. Wakes by one node-schedule job, whose callback never throws. A wake-up within {@link AHEAD} is done
 * by a timer alone: thousands of links may be due every millisecond, a job takes as long as some of their transfers, and it
 * does not come when its millisecond passes while it is made.
 *
 * node-schedule follows the wall clock: when that is set back by an hour, a job comes an hour late, and a job for a
 * date that has passed does not come at all. A plain timer catches both. Just before the time it cancels a late job, which
 * would otherwise re-arm itself where `cancel()` does not reach, and keep the process alive. Just after the time it stands in
 * for a job that did not come. `awake` makes whichever comes second do nothing.
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
      // a timer drops the fraction of a millisecond, and must not come early
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
    // its own `scheduleJob` keeps the job of a date that has passed meanwhile, but does not return it
    const job = new (nodeSchedule().Job)(fire)
    if (job.schedule(date)) return job
    job.cancel()
  } catch (thrown) {
    if (thrown instanceof FileShortageError) return undefined // it can be loaded for a later wake-up
    isUsable = false
    const error = toError(thrown)
    getLogger('databay.Clock').warn({ err: error }, `due times are kept by timers alone: ${error.message}`)
  }
  return undefined
}
