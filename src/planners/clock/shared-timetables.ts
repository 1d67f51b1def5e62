import type { Schedule } from '../../core/schedule.js'
import { timetable, type Timetable } from './timetable.js'

interface Shared {
  readonly times: Timetable
  users: number
}

/**
 * Timetables of schedules: one for all that have the same cron expression, as working out its next time is dear. Those that
 * nobody goes by any more are not kept: links come and go for months, with ever other expressions.
 */
export class SharedTimetables {
  readonly #shared = new Map<string, Shared>()

  /** To be given back by {@link SharedTimetables.release}. */
  take(schedule: Schedule): Timetable {
    const key = keyOf(schedule)
    if (key === undefined) return timetable(schedule)
    const shared = this.#shared.get(key) ?? { times: timetable(schedule), users: 0 }
    shared.users++
    this.#shared.set(key, shared)
    return shared.times
  }

  release(schedule: Schedule): void {
    const key = keyOf(schedule)
    const shared = key === undefined ? undefined : this.#shared.get(key)
    if (key === undefined || shared === undefined) return
    shared.users--
    if (shared.users === 0) this.#shared.delete(key)
  }
}

function keyOf({ cron, timeZone }: Schedule): string | undefined {
  return cron === undefined ? undefined : `${cron} ${timeZone ?? ''}`
}
