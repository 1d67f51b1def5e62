import { CronPattern } from '../../core/cron.js'
import { append, seriesOf, shifted, type Series } from './series.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Some Monday. */
const MONDAY = Date.UTC(2024, 0, 1)

/** A cron expression, taken apart: on each of its days it has the same times. */
export interface CronFields {
  /** Local times of a day, in milliseconds since it began. */
  readonly times: readonly Series[]
  /** Its days: local times at which they begin, in milliseconds since 1970. */
  readonly days: readonly number[]
  /** Whether the times of an hour that comes twice come twice. */
  readonly keepsPace: boolean
}

/**
 * Takes cron expressions apart, for a stretch of local time. What a field means is asked of the pattern itself, so that it is
 * the same here as where links are due; once for each field, as there may be thousands of expressions.
 */
export class CronReader {
  readonly #from: number
  readonly #to: number
  readonly #values = new Map<string, readonly number[]>()
  readonly #times = new Map<string, readonly Series[]>()

  /** @param from - local time, as if it were UTC, in whose day the first days are */
  constructor(from: number, to: number) {
    this.#from = Math.floor(from / DAY) * DAY
    this.#to = to
  }

  read(cron: string): CronFields {
    const given = cron.trim().split(/\s+/)
    const [seconds, minutes, hours, ...days] = given.length === 5 ? ['0', ...given] : given
    return {
      times: this.#timesOf(`${seconds}`, `${minutes}`, `${hours}`),
      days: this.#valuesOf(`0 0 0 ${days.join(' ')}`, this.#from, this.#to),
      keepsPace: new CronPattern(cron).keepsPace,
    }
  }

  #timesOf(seconds: string, minutes: string, hours: string): readonly Series[] {
    const key = `${seconds} ${minutes} ${hours}`
    const known = this.#times.get(key)
    if (known !== undefined) return known
    const ofMinute: Series[] = []
    for (const second of this.#valuesOf(`${seconds} * * * * *`, MONDAY, MONDAY + MINUTE)) {
      append(ofMinute, seriesOf(second - MONDAY, 0, 1))
    }
    const times: Series[] = []
    for (const hour of this.#valuesOf(`0 0 ${hours} * * *`, MONDAY, MONDAY + DAY)) {
      for (const minute of this.#valuesOf(`0 ${minutes} * * * *`, MONDAY, MONDAY + HOUR)) {
        for (const some of ofMinute) append(times, shifted(some, hour + minute - 2 * MONDAY))
      }
    }
    this.#times.set(key, times)
    return times
  }

  /** The local times of an expression from `from` on, before `to`. */
  #valuesOf(cron: string, from: number, to: number): readonly number[] {
    const key = `${cron} ${from} ${to}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const pattern = new CronPattern(cron)
    const values: number[] = []
    for (let at = pattern.after(from - 1); at < to; at = pattern.after(at)) values.push(at)
    this.#values.set(key, values)
    return values
  }
}
