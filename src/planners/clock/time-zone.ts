const DAY = 86_400_000

/** Most stretches that are remembered: enough for the days around a change. */
const MOST_SEEN = 12

/** A stretch of time with one offset, as far as it was looked at: a day before and after, at least. */
export interface Stretch {
  /** Start of the day, by UTC, around which it was looked. */
  readonly today: number
  /** Start, in milliseconds since 1970: a change of the clock, or where the look began. */
  readonly from: number
  /** End: the next change of the clock, or where the look ended. */
  readonly to: number
  /** Local time minus UTC, in milliseconds. */
  readonly offset: number
  /** Offset just before the start: the same, where no change was seen. */
  readonly earlier: number
  /** Offset from the end on: the same, where no change was seen. */
  readonly later: number
}

/** Offsets of a time zone, and when they change. Local times are milliseconds since 1970, as if they were UTC. */
export class TimeZone {
  /** Time zones by name, shared: making a format takes longer than all its uses, and there are a few hundred at most. */
  static readonly #named = new Map<string, TimeZone>()

  readonly #format: Intl.DateTimeFormat | undefined
  /** The stretches that were asked for last: the same ones are asked for again and again. */
  #seen: Stretch[] = []

  /** The time zone of an IANA name; of `undefined`, that of the process, also when it changes. */
  static of(name: string | undefined): TimeZone {
    if (name === undefined) return new TimeZone(undefined)
    const zone = TimeZone.#named.get(name) ?? new TimeZone(name)
    TimeZone.#named.set(name, zone)
    return zone
  }

  private constructor(name: string | undefined) {
    if (name === undefined) return
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  }

  /** Local time minus UTC, in milliseconds. */
  offsetAt(time: number): number {
    if (this.#format === undefined) return -new Date(time).getTimezoneOffset() * 60_000
    const [, sign, hours, minutes, seconds] = OFFSET.exec(this.#format.format(time)) ?? []
    const offset = Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000 + Number(seconds ?? 0) * 1000
    return sign === '-' ? -offset : offset
  }

  /** The stretch of time that a time is in. Two changes within a day are taken for one. */
  stretchAt(time: number): Stretch {
    const today = Math.floor(time / DAY) * DAY
    const seen = this.#seen.find((one) => one.today === today && one.from <= time && time < one.to)
    if (seen !== undefined) return seen
    const stretch = this.#look(time, today)
    // the time zone of the process may be another one the next time
    if (this.#format !== undefined) this.#seen = [stretch, ...this.#seen].slice(0, MOST_SEEN)
    return stretch
  }

  #look(time: number, today: number): Stretch {
    const offset = this.offsetAt(time)
    let [from, to] = [today - DAY, today + 2 * DAY]
    let [earlier, later] = [offset, offset]
    for (let day = from; day <= today + DAY; day += DAY) {
      const before = this.offsetAt(day)
      const after = this.offsetAt(day + DAY)
      if (before === after) continue
      const change = this.#changeBetween(day, day + DAY, before)
      if (change > time) {
        to = change
        later = after
        break
      }
      from = change
      earlier = before
    }
    return { today, from, to, offset, earlier, later }
  }

  /** First time at or after `start` at which the clock shows a local time, or has skipped it. */
  firstAt(local: number, start: number): number {
    if (local === Infinity) return local
    // no clock is a day away from UTC
    for (let time = Math.max(start, local - DAY); ;) {
      const { offset, to } = this.stretchAt(time)
      time = Math.max(time, local - offset)
      if (time < to) return time
      time = to
    }
  }

  /** Time of the change between two times, the first of which has the offset `before`. */
  #changeBetween(from: number, to: number, before: number): number {
    let [unchanged, changed] = [from, to]
    while (changed - unchanged > 1000) {
      const middle = unchanged + Math.floor((changed - unchanged) / 2000) * 1000
      if (this.offsetAt(middle) === before) unchanged = middle
      else changed = middle
    }
    return changed
  }
}

/** Offset at the end of a formatted date: `GMT`, `GMT+05:30`, `GMT-00:25:21`. */
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/
