import type { Schedule } from '../../core/schedule.js'
import { timetable, type Timetable } from './timetable.js'

/** A timetable, and the number of its users. */
interface Shared {
  readonly times: Timetable
  users: number
}

/**
 * Timetables of schedules: one for all that have the same cron expression, as working out its next time takes long. A
 * timetable without users is dropped: links come and go for months, with ever other expressions.
 */
export class SharedTimetables {
  readonly #shared = new Map<string, Shared>()

  /** Takes the timetable of a schedule, to be given back by {@link SharedTimetables.release}. */
  take(schedule: Schedule): Timetable {
    const key = keyOf(schedule)
    if (key === undefined) return timetable(schedule)
    const shared = this.#shared.get(key) ?? { times: timetable(schedule), users: 0 }
    shared.users++
    this.#shared.set(key, shared)
    return shared.times
  }

  /** Gives the timetable of a schedule back. */
  release(schedule: Schedule): void {
    const key = keyOf(schedule)
    const shared = key === undefined ? undefined : this.#shared.get(key)
    if (key === undefined || shared === undefined) return
    shared.users--
    if (shared.users === 0) this.#shared.delete(key)
  }
}

/** Key of the timetable that a schedule shares; `undefined` for schedules with a timetable of their own. */
function keyOf({ cron, timeZone }: Schedule): string | undefined {
  return cron === undefined ? undefined : `${cron} ${timeZone ?? ''}`
}
