import { TimeZone } from '../../planners/clock/time-zone.js'
import { DAY } from './cron-fields.js'

/** A stretch of time in which the clocks of a time zone do not change. Times are milliseconds since 1970. */
export interface Period {
  /** A change of the clock; of the first period, no change is known. */
  readonly from: number
  readonly to: number
  /** Local time minus UTC, in milliseconds. */
  readonly offset: number
  /** Offset before the change. */
  readonly earlier: number
}

/** The periods of a time zone: of `undefined`, that of the process. The first begins a day before `from`. */
export function zonePeriods(timeZone: string | undefined, from: number, to: number): Period[] {
  const zone = TimeZone.of(timeZone)
  const periods: Period[] = []
  for (let time = from - DAY; time < to;) {
    const { offset, to: end } = zone.stretchAt(time)
    const last = periods.at(-1)
    if (last?.offset === offset) periods[periods.length - 1] = { ...last, to: end }
    else periods.push({ from: time, to: end, offset, earlier: last?.offset ?? offset })
    time = end
  }
  return periods
}
