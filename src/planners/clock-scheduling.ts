import type { PlannedLink } from '../core/planned-link.js'
import { systemClock, type Clock } from './clock/clock.js'
import { Trigger } from './clock/trigger.js'
import type { SchedulingFactory } from './scheduling.js'

/**
 * Scheduling by the links' intervals and cron expressions, with one wake-up armed for all links.
 *
 * @param grid - wakes only at whole multiples of this many milliseconds; 0 for whenever a link is due
 */
export function clockScheduling(grid = 0, clock: Clock = systemClock): SchedulingFactory {
  return (planner) => {
    const trigger = new Trigger<PlannedLink>({
      clock,
      grid,
      onDue: (due) => {
        for (const one of due) planner.dispatchDue(one.item, one)
      },
    })
    const stop = () => {
      trigger.stop()
    }
    return {
      add(link) {
        trigger.add(link, link.schedule)
      },
      remove(link) {
        trigger.remove(link)
      },
      start() {
        trigger.start()
      },
      stop,
      pause: stop,
      resume() {
        trigger.resume()
      },
      nextDue: (link) => trigger.dueOf(link),
    }
  }
}
