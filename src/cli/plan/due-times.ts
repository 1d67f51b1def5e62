import type { Schedule } from '../../core/schedule.js'
import { timetable } from '../../planners/clock/timetable.js'
import { CronReader, DAY, type CronFields } from './cron-fields.js'
import { append, cut, seriesOf, shifted, type Series } from './series.js'
import { zonePeriods, type Period } from './zone-periods.js'

/** All due times of a schedule in a window of time, without its jitter. */
export interface DueTimes {
  /** Those from `from` on, before `to`, in order; both are in the window. */
  within(from: number, to: number): readonly Series[]
}

/** Due times of a cron expression, which follow the clocks of a time zone. */
export interface CronDueTimes extends DueTimes {
  readonly fields: CronFields
  readonly periods: readonly Period[]
}

/** Works out the due times of schedules in a window of time, as series rather than one by one. */
export class DueTimesMaker {
  readonly #from: number
  readonly #to: number
  readonly #cron: CronReader
  readonly #periods = new Map<string | undefined, Period[]>()

  /** @param from - begin of the window, from which intervals count */
  constructor(from: number, to: number) {
    this.#from = from
    this.#to = to
    // no clock is a day away from UTC
    this.#cron = new CronReader(from - 2 * DAY, to + DAY)
  }

  of(schedule: Schedule): DueTimes | CronDueTimes {
    const { cron, timeZone } = schedule
    if (cron === undefined) return this.#ofInterval(schedule)
    let periods = this.#periods.get(timeZone)
    if (periods === undefined) {
      periods = zonePeriods(timeZone, this.#from, this.#to)
      this.#periods.set(timeZone, periods)
    }
    return cronDueTimes(this.#cron.read(cron), periods)
  }

  #ofInterval(schedule: Schedule): DueTimes {
    const { every = Number.NaN } = schedule
    const times = timetable(schedule)
    const first = times.first(this.#from)
    return {
      within(from, to) {
        const at = Math.ceil((from - first) / every)
        const begin = times.clock === 'monotonic' ? Math.max(0, at) : at
        const count = Math.ceil((to - first) / every) - begin
        return count <= 0 ? [] : [seriesOf(first + begin * every, every, count)]
      },
    }
  }
}

function cronDueTimes(fields: CronFields, periods: readonly Period[]): CronDueTimes {
  return {
    fields,
    periods,
    within(from, to) {
      const all: Series[] = []
      for (const period of periods) {
        if (period.to <= from || period.from >= to) continue
        const { offset, earlier } = period
        // a time that is skipped comes once, as the gap is over, unless the end of the gap is one anyway
        if (offset > earlier && period.from >= from && isMoved(fields, period)) append(all, seriesOf(period.from, 0, 1))
        const shown = !fields.keepsPace && offset < earlier ? period.from + earlier - offset : period.from
        const [begin, end] = [Math.max(from, shown), Math.min(to, period.to)]
        for (const some of localTimes(fields, begin + offset, end + offset)) append(all, shifted(some, -offset))
      }
      return all
    },
  }
}

/** Whether a change of the clock skips times, and the end of the gap is not one of the times. */
function isMoved(fields: CronFields, { from, offset, earlier }: Period): boolean {
  const gap = localTimes(fields, from + earlier, from + offset).next().done === false
  return gap && localTimes(fields, from + offset, from + offset + 1).next().done === true
}

/** Local times of an expression from `from` on, before `to`. */
export function* localTimes({ days, times }: CronFields, from: number, to: number): Generator<Series, undefined> {
  for (let at = firstAfter(days, from - DAY); at < days.length; at++) {
    const day = days[at] as number
    if (day >= to) break
    const isWhole = day >= from && day + DAY <= to
    for (const some of times) {
      const series = isWhole ? shifted(some, day) : cut(shifted(some, day), from, to)
      if (series !== undefined) yield series
    }
  }
}

/** Place of the first number above a limit in a sorted list. */
function firstAfter(sorted: readonly number[], limit: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) > limit) high = middle
    else low = middle + 1
  }
  return low
}
