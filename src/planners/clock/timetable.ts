import type { Schedule } from '../../core/schedule.js'
import { CronTimes } from './cron-times.js'

/** Due times of a schedule. Pure: time comes in as an argument, in milliseconds. */
export interface Timetable {
  /** Clock of the times below: intervals count on one that never jumps, the rest follows the wall clock. */
  readonly clock: 'monotonic' | 'wall'
  /** First due time after `now`. */
  first(now: number): number
  /** First due time after both `due` and `now`, and the number of due times between the two, which were missed. */
  next(due: number, now: number): { readonly due: number; readonly missed: number }
}

/** Most missed times of a cron expression that are counted: working one out takes a tenth of a millisecond. */
const MAX_COUNTED = 1000

/** Makes the timetable of a schedule. */
export function timetable(schedule: Schedule): Timetable {
  const { every, cron, timeZone } = schedule
  if (cron !== undefined) return cronTimetable(new CronTimes(cron, timeZone))
  return new IntervalTimetable(every ?? Number.NaN, schedule.alignToClock)
}

const WEEK = 7 * 86_400_000
/** The first Monday after 1970-01-01T00:00Z, from which aligned weeks count. */
const MONDAY = Date.UTC(1970, 0, 5)

/** Timetable of an interval. Drift-free: every due time is whole intervals from the first, however late wake-ups come. */
class IntervalTimetable implements Timetable {
  readonly clock: Timetable['clock']
  readonly #every: number
  /** Time from which aligned intervals count. */
  readonly #origin: number

  constructor(every: number, alignToClock: boolean) {
    this.clock = alignToClock ? 'wall' : 'monotonic'
    this.#every = every
    this.#origin = every % WEEK === 0 ? MONDAY : 0
  }

  first(now: number): number {
    const every = this.#every
    if (this.clock === 'monotonic') return now + every
    return this.#origin + Math.floor((now - this.#origin) / every) * every + every
  }

  next(due: number, now: number): { readonly due: number; readonly missed: number } {
    const every = this.#every
    const missed = Math.max(0, Math.floor((now - due) / every))
    const steps = missed + 1
    if (this.clock === 'monotonic') return { due: due + steps * every, missed }
    // so far from 1970 a sum of intervals with a fraction of a millisecond is off by more each time
    return { due: this.#origin + (Math.round((due - this.#origin) / every) + steps) * every, missed }
  }
}

/** Timetable of a cron expression. */
function cronTimetable(times: CronTimes): Timetable {
  // items that share an expression ask the same, one after the other, and the answer takes long to work out
  let last = { after: Number.NaN, passed: Number.NaN, due: Number.NaN, missed: 0 }
  return {
    clock: 'wall',
    first: (now) => times.after(now),
    next(due, now) {
      if (due !== last.after || now < last.passed || now >= last.due) last = nextTime(times, due, now)
      return { due: last.due, missed: last.missed }
    },
  }
}

/** First time after both `after` and `now`, the time before it, and the number of times between `after` and `now`. */
function nextTime(times: CronTimes, after: number, now: number) {
  let passed = -Infinity
  let due = times.after(after)
  let missed = 0
  while (due <= now && missed < MAX_COUNTED) {
    passed = due
    due = times.after(due)
    missed++
  }
  if (due > now) return { after, passed, due, missed }
  return { after, passed: now, due: times.after(now), missed }
}
