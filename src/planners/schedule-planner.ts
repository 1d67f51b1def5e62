import { ScheduleIntervalError } from '../base/errors.js'
import { custom, resolveOptions, type Spec } from '../base/options.js'
import { CronTimes } from './clock/cron-times.js'
import { toMilliseconds } from '../base/duration.js'
import type { PlannedLink } from '../core/planned-link.js'
import { toArray, type OneOrMany } from '../base/one-or-many.js'
import { isPlannedLink } from './planner-links.js'
import { BasePlanner } from './base-planner.js'
import { clockScheduling } from './clock-scheduling.js'
import { internalsOf } from './planner-internals.js'
import { PLANNER_OPTIONS, type PlannerOptions } from './planner-options.js'
import type { Scheduling } from './scheduling.js'

/** Options of a {@link SchedulePlanner}. */
export interface SchedulePlannerOptions extends PlannerOptions {
  /**
   * Seconds between two looks at what is due. No link may have a smaller interval.
   * @default 1
   */
  readonly refreshInterval?: number
}

/** The options of this planner, beside those of every planner: how each is read, and its default. */
export const SCHEDULE_PLANNER_OPTIONS = {
  refreshInterval: custom((name, value: number | undefined = 1) => toMilliseconds(name, value), '1'),
} satisfies Spec<Omit<SchedulePlannerOptions, keyof PlannerOptions>>

/**
 * Planner that runs transfers on the main thread's event loop, where it looks for due links at a fixed interval. It is for
 * links that mostly wait, and for scripts. Links that compute belong into a {@link WorkerPlanner}.
 */
export class SchedulePlanner extends BasePlanner {
  /** Seconds between two looks at what is due. */
  readonly refreshInterval: number
  readonly #scheduling: Scheduling

  /**
   * @param links - links to begin with
   * @throws {@link InvalidOptionError} on an option that is not as it should be
   * @throws {@link ScheduleIntervalError} when a link's interval is smaller than the refresh interval
   */
  constructor(links?: OneOrMany<PlannedLink>, options: SchedulePlannerOptions = {}) {
    const { refreshInterval } = resolveOptions(
      undefined,
      options,
      SCHEDULE_PLANNER_OPTIONS,
      Object.keys(PLANNER_OPTIONS),
    )
    super(links, options, Object.keys(SCHEDULE_PLANNER_OPTIONS))
    this.refreshInterval = refreshInterval / 1000
    const { clock, scheduling = clockScheduling(refreshInterval, clock) } = internalsOf(options)
    this.#scheduling = scheduling({
      dispatch: (link) => this.dispatch(link),
      dispatchDue: (link, due) => {
        this.dispatchDue(link, due)
      },
    })
    for (const link of this.links) this.#check(link)
  }

  /**
   * Adds links, as `BasePlanner.addLinks`.
   *
   * @throws {@link ScheduleIntervalError} when a link's interval is smaller than the refresh interval
   */
  override async addLinks(links: OneOrMany<PlannedLink>): Promise<void> {
    const list = toArray(links)
    for (const link of list.filter(isPlannedLink)) this.#check(link)
    await super.addLinks(list)
  }

  protected schedule(link: PlannedLink): void {
    this.#check(link) // it may have changed
    this.#scheduling.add(link)
  }

  protected unschedule(link: PlannedLink): void {
    this.#scheduling.remove(link)
  }

  protected startPlanner(): void | Promise<void> {
    return this.#scheduling.start()
  }

  protected shutdownPlanner(wait: boolean): void | Promise<void> {
    return this.#scheduling.stop(wait)
  }

  protected override pausePlanner(): void {
    this.#scheduling.pause()
  }

  protected override resumePlanner(): void {
    this.#scheduling.resume()
  }

  protected override nextDue(link: PlannedLink): number | undefined {
    return this.#scheduling.nextDue?.(link)
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

/** Number of a cron expression's coming times that are looked at. */
const LOOK_AHEAD = 20

/**
 * Least time between two due times of a link, in milliseconds.
 *
 * @param matters - time from which on a difference does not matter: cron expressions are looked at only if they can be below
 */
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
