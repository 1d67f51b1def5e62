/** A change of the clock in a time zone. Times are in milliseconds since 1970, local ones as if they were UTC. */
export interface ClockChange {
  readonly timeZone: string
  readonly at: number
  /** Local time just before the change, and from it on. */
  readonly before: number
  readonly after: number
}

const DAY = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** Local time that the clock of a time zone shows, to the minute. */
export function localTime(timeZone: string, time: number): number {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
    format = new Intl.DateTimeFormat('en-US', { timeZone, ...parts, hourCycle: 'h23' })
    formats.set(timeZone, format)
  }
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = (format.format(time).match(/\d+/g) ?? []).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute)
}

/** All changes of the clock of a time zone between two times. */
export function changesOf(timeZone: string, from: number, to: number): ClockChange[] {
  const offset = (time: number) => localTime(timeZone, time) - time
  const changes: ClockChange[] = []
  for (let day = from; day < to; day += DAY) {
    const before = offset(day)
    if (offset(day + DAY) === before) continue
    let [unchanged, changed] = [day, day + DAY]
    while (changed - unchanged > 60_000) {
      const middle = unchanged + Math.floor((changed - unchanged) / 120_000) * 60_000
      if (offset(middle) === before) unchanged = middle
      else changed = middle
    }
    changes.push({ timeZone, at: changed, before: changed + before, after: localTime(timeZone, changed) })
  }
  return changes
}
