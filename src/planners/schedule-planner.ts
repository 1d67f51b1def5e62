import { checkObject } from '../base/check.js'
import { ScheduleIntervalError } from '../base/errors.js'
import { CronTimes } from '../core/schedule.js'
import { toMilliseconds } from '../base/duration.js'
import type { PlannedLink } from '../core/planned-link.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { isPlannedLink } from './planner-links.js'
import type { Clock } from './clock/clock.js'
import { ClockedPlanner } from './clocked-planner.js'
import type { PlannerOptions } from './planner-options.js'

export interface SchedulePlannerOptions extends PlannerOptions {
  /**
   * Seconds between two looks at what is due. No link may have a smaller interval.
   * @default 1
   */
  readonly refreshInterval?: number
}

/**
 * A planner that runs transfers on the main thread's event loop, where it looks for due links at a fixed interval. For
 * links that mostly wait, and for scripts; work that computes belongs into a {@link WorkerPlanner}.
 */
export class SchedulePlanner extends ClockedPlanner {
  /** Seconds between two looks at what is due. */
  readonly refreshInterval: number

  /**
   * @param links - links to begin with
   * @param clock - the clock to go by; for tests
   * @throws {@link InvalidOptionError} on an option that is not as it should be
   * @throws {@link ScheduleIntervalError} when a link's interval is smaller than the refresh interval
   */
  constructor(links?: OneOrMany<PlannedLink>, options: SchedulePlannerOptions = {}, clock?: Clock) {
    checkObject('options', options)
    const { refreshInterval = 1 } = options
    const milliseconds = toMilliseconds('refreshInterval', refreshInterval)
    super(links, options, ['refreshInterval'], milliseconds, clock)
    this.refreshInterval = milliseconds / 1000
    for (const link of this.links) this.#check(link)
  }

  /**
   * As `BasePlanner.addLinks`.
   *
   * @throws {@link ScheduleIntervalError} when a link's interval is smaller than the refresh interval
   */
  override async addLinks(links: OneOrMany<PlannedLink>): Promise<void> {
    const list = toArray(links)
    for (const link of list.filter(isPlannedLink)) this.#check(link)
    await super.addLinks(list)
  }

  protected override schedule(link: PlannedLink): void {
    this.#check(link) // it may have changed
    super.schedule(link)
  }

  override toString(): string {
    return `SchedulePlanner(refreshInterval:${this.refreshInterval})`
  }

  #check(link: PlannedLink): void {
    const refreshInterval = this.refreshInterval * 1000
    const interval = smallestInterval(link, refreshInterval)
    if (interval < refreshInterval) {
      throw new ScheduleIntervalError(
        `the interval of ${link.name}, ${interval / 1000} s, is smaller than the refresh interval of ${this.refreshInterval} s`,
      )
    }
  }
}

/** How many of a cron expression's coming times are looked at. */
const LOOK_AHEAD = 20

/** Milliseconds between two due times, at the least; those of a cron expression are looked at only if they can matter. */
function smallestInterval({ schedule }: PlannedLink, matters: number): number {
  if (schedule.cron === undefined) return schedule.every ?? Infinity
  const resolution = schedule.cron.trim().split(/\s+/).length === 6 ? 1000 : 60_000
  if (resolution >= matters) return resolution
  const times = new CronTimes(schedule.cron, schedule.timeZone)
  let smallest = Infinity
  let at = times.after(Date.now())
  for (let looked = 0; looked < LOOK_AHEAD; looked++) {
    const next = times.after(at)
    smallest = Math.min(smallest, next - at)
    at = next
  }
  return smallest
}
