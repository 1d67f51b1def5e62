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
