import { InvalidOptionError, toError } from '../base/errors.js'
import { getLogger } from '../base/log.js'
import type { PlannedLink } from '../core/planned-link.js'
import type { LastDueTimes } from '../store/last-due.js'
import type { DueTime } from './clock/trigger.js'
import { timetable } from './clock/timetable.js'

/** Makes up for runs that were due while the process was down: notes due times, and finds what was missed at the start. */
export class CatchUp {
  readonly #times: LastDueTimes
  readonly #now: () => number
  /** Runs that were missed, and are to be made. */
  readonly #missed = new Map<PlannedLink, DueTime>()
  /** Links whose run has not come through, as they are blocked. */
  readonly #owing = new Set<PlannedLink>()

  constructor(times: LastDueTimes, now: () => number) {
    this.#times = times
    this.#now = now
  }

  /** Finds out whether a link that is about to be scheduled has missed a run. Of a link that is new, its time begins. */
  look(link: PlannedLink): void {
    const { id, schedule, name } = link
    if (link.settings.catchUp !== true || id === undefined) return
    const now = this.#now()
    try {
      const last = this.#times.get(id)
      if (last === undefined) this.#times.set(id, now)
      else {
        const missed = missedRun(schedule, last, now)
        if (missed !== undefined) this.#missed.set(link, missed)
      }
    } catch (thrown) {
      const err = toError(thrown)
      getLogger('databay.BasePlanner').error({ err }, `${name} makes up for no run that it has missed: ${err.message}`)
    }
  }

  /** Takes the run that a link has missed, to be made now. */
  take(link: PlannedLink): DueTime | undefined {
    const missed = this.#missed.get(link)
    this.#missed.delete(link)
    return missed
  }

  /** Notes that a due time of a link has come: what was missed with it is not made up any more. */
  note(link: PlannedLink, { scheduledAt, missed }: DueTime): void {
    if (link.id !== undefined && !this.#owing.has(link))
      this.#times.set(link.id, missed > 0 ? Math.max(scheduledAt, this.#now()) : scheduledAt)
  }

  /** Notes that a run has not come through, as its link is blocked: the next process makes it, should this one end before. */
  owe(link: PlannedLink, scheduledAt: number): void {
    if (link.settings.catchUp !== true || link.id === undefined) return
    this.#owing.add(link)
    this.#times.set(link.id, scheduledAt - 1)
  }

  /** Notes that a link is not blocked any more. */
  settle(link: PlannedLink): void {
    if (this.#owing.delete(link) && link.id !== undefined) this.#times.set(link.id, this.#now())
  }

  /** Notes that links are due no more: what was due until now was made, or left out on purpose. */
  end(links: readonly PlannedLink[]): void {
    const now = this.#now()
    for (const link of links) {
      if (link.settings.catchUp === true && link.id !== undefined && !this.#missed.has(link) && !this.#owing.has(link))
        this.#times.set(link.id, now)
    }
    this.#missed.clear()
  }
}

/**
 * The run of a schedule that was missed; `undefined` when none was.
 *
 * @param last - last due time that was not missed
 */
export function missedRun(schedule: PlannedLink['schedule'], last: number, now: number): DueTime | undefined {
  const times = timetable(schedule)
  const scheduledAt = times.first(last)
  if (!(scheduledAt <= now)) return undefined
  const { missed } = times.next(scheduledAt, now)
  return { scheduledAt, lateness: now - scheduledAt, missed }
}

/** @throws {@link InvalidOptionError} when the due times of a link cannot be kept */
export function checkCatchUp(links: readonly PlannedLink[], hasStore: boolean): void {
  for (const { id, name, settings } of links) {
    if (settings.catchUp !== true) continue
    if (id === undefined) {
      throw new InvalidOptionError(
        'id',
        `a name for ${name}, a link with catchUp, as its due times are kept under it`,
        id,
      )
    }
    // of a link with delivery, its own error says that there is no store
    if (hasStore || (settings.delivery ?? 'memory') !== 'memory') continue
    const expected = `false for ${name}, or a planner with a store, as in { store: './.databay' } or databay run --store`
    throw new InvalidOptionError('catchUp', expected, true)
  }
}
