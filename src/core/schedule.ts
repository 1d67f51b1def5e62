/**
 * When a link is due, resolved: either every `every` milliseconds, or at the times of a cron expression.
 */
export interface Schedule {
  /** Milliseconds between two due times; `undefined` for a cron schedule. */
  readonly every: number | undefined
  /** Cron expression of five or six fields (seconds first when six); `undefined` for an interval. */
  readonly cron: string | undefined
  /** IANA time zone of the cron expression; `undefined`: the process's own. */
  readonly timeZone: string | undefined
  /** Upper bound of the random delay added to each due time, in milliseconds. */
  readonly jitter: number
  /** Whether due times are whole multiples of the interval since 1970-01-01T00:00Z; of weeks, since the Monday after it. */
  readonly alignToClock: boolean
}

/** The schedule in words, for logs: `5s`, `cron 0 9 * * 1-5 (Europe/Amsterdam)`. */
export function describeSchedule(schedule: Schedule): string {
  if (schedule.cron !== undefined) {
    return `cron ${schedule.cron}${schedule.timeZone === undefined ? '' : ` (${schedule.timeZone})`}`
  }
  return `${(schedule.every ?? 0) / 1000}s`
}

const UNITS = [
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const

/** A schedule in words: `every 5 s`, `every 10 min by the clock`, `cron 30 2 * * 1-5 (Europe/Amsterdam)`. */
export function scheduleText({ every, cron, timeZone, jitter, alignToClock }: Schedule): string {
  const zone = timeZone === undefined ? '' : ` (${timeZone})`
  const times = cron === undefined ? `every ${lengthText(every ?? 0)}` : `cron ${cron}${zone}`
  return `${times}${alignToClock ? ' by the clock' : ''}${jitter === 0 ? '' : ` + up to ${lengthText(jitter)}`}`
}

/** A length of time in the largest unit that needs no more than one decimal: `5 s`, `1.5 h`, `100 s`. */
function lengthText(milliseconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => milliseconds >= size && milliseconds % (size / 10) === 0) ?? ['ms', 1]
  const count = milliseconds / size
  return `${count} ${unit}${(unit === 'day' || unit === 'week') && count !== 1 ? 's' : ''}`
}
