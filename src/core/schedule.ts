import { InvalidOptionError } from '../base/errors.js'
import { lazy } from '../base/libraries.js'

const cronParser = lazy<typeof import('cron-parser')>('cron-parser')

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
  /** Whether due times are whole multiples of the interval since 1970-01-01T00:00Z. */
  readonly alignToClock: boolean
}

/**
 * Checks a cron expression and its time zone.
 *
 * @throws {@link InvalidOptionError} on an expression of other than five or six fields, or one that never fires
 */
export function checkCron(cron: string, timeZone: string | undefined): void {
  const expected = "a cron expression of five or six fields like '*/5 * * * * *'"
  const fields = typeof cron === 'string' ? cron.trim().split(/\s+/).length : 0
  if (fields !== 5 && fields !== 6) throw new InvalidOptionError('cron', expected, cron)
  if (timeZone !== undefined) checkTimeZone(timeZone)
  try {
    cronParser()
      .parseExpression(cron, timeZone === undefined ? {} : { tz: timeZone })
      .next()
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : ''
    throw new InvalidOptionError('cron', expected + why, cron, { cause })
  }
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw new InvalidOptionError('timeZone', "an IANA time zone like 'Europe/Amsterdam'", timeZone, { cause })
  }
}

/** The times of a cron expression. Remembers the last answer: links often share an expression. */
export class CronTimes {
  readonly #cron: string
  readonly #timeZone: string | undefined
  #asked = Number.NaN
  #answer = 0

  constructor(cron: string, timeZone: string | undefined) {
    this.#cron = cron
    this.#timeZone = timeZone
  }

  /** The first time after `epoch` (milliseconds since 1970), in the same unit. */
  after(epoch: number): number {
    // what was the first time after `asked` is so until it has come
    if (!(epoch >= this.#asked && epoch < this.#answer)) {
      const options = {
        currentDate: new Date(epoch),
        ...(this.#timeZone === undefined ? {} : { tz: this.#timeZone }),
      }
      this.#answer = cronParser().parseExpression(this.#cron, options).next().getTime()
      this.#asked = epoch
    }
    return this.#answer
  }
}

/** The schedule in words, for logs: `5s`, `cron 0 9 * * 1-5 (Europe/Amsterdam)`. */
export function describeSchedule(schedule: Schedule): string {
  if (schedule.cron !== undefined) {
    return `cron ${schedule.cron}${schedule.timeZone === undefined ? '' : ` (${schedule.timeZone})`}`
  }
  return `${(schedule.every ?? 0) / 1000}s`
}
