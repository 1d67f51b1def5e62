import { CronPattern } from '../../core/cron.js'
import { TimeZone } from './time-zone.js'

/**
 * The times of a cron expression in a time zone. Remembers the last answer: links often share an expression.
 *
 * The expression gives local times. Where clocks change, a time that is skipped comes once, when the gap is over. An hour
 * that comes again is left out the second time, unless the minutes or hours of the expression begin with `*`.
 */
export class CronTimes {
  readonly #cron: string
  readonly #zone: TimeZone
  #asked = Number.NaN
  #answer = 0

  constructor(cron: string, timeZone: string | undefined) {
    this.#cron = cron
    this.#zone = TimeZone.of(timeZone)
  }

  /** The first time after `epoch` (milliseconds since 1970), in the same unit. */
  after(epoch: number): number {
    // what was the first time after `asked` is so until it has come
    if (!(epoch >= this.#asked && epoch < this.#answer)) {
      this.#answer = this.#nextAfter(epoch)
      this.#asked = epoch
    }
    return this.#answer
  }

  #nextAfter(epoch: number): number {
    const pattern = new CronPattern(this.#cron)
    const { from, to, offset, earlier, later } = this.#zone.stretchAt(epoch)
    const now = epoch + offset
    if (!pattern.keepsPace) {
      // after the latest time that the clock has shown: after a change back, that is the end of the first pass
      const shown = Math.max(now, from + earlier - 1)
      return this.#zone.firstAt(pattern.after(shown), epoch)
    }
    const local = pattern.after(now)
    if (local - offset < to) return local - offset
    // by then the clock has changed: if back, the second pass has times of its own
    const start = Math.min(now, to + later - 1)
    return this.#zone.firstAt(start < now ? pattern.after(start) : local, to)
  }
}
