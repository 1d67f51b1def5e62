import type { Lane } from '../../core/link-options.js'
import type { Schedule } from '../../core/schedule.js'
import { DueTimesMaker, type CronDueTimes, type DueTimes } from './due-times.js'
import type { Series } from './series.js'

/** A link, as far as a plan looks at it. */
export interface LinkToPlan {
  readonly id: string
  readonly tags: readonly string[]
  readonly schedule: Schedule
  readonly immediateTransfer: boolean
  readonly maxInstances: number
  readonly lane: Lane
}

/** Links that are due at the same times. */
export interface Planned {
  readonly links: readonly LinkToPlan[]
  readonly due: DueTimes | CronDueTimes
  readonly timeZone: string | undefined
  /** Links that transfer at the start of the window, beside their due times. */
  readonly starting: readonly LinkToPlan[]
}

/** The due times of links, worked out once for all that have the same. */
export function plannedLinks(links: readonly LinkToPlan[], from: number, to: number): Planned[] {
  const maker = new DueTimesMaker(from, to)
  const alike = new Map<string, LinkToPlan[]>()
  for (const link of links) {
    const { every, cron, timeZone, alignToClock } = link.schedule
    const key = `${every} ${alignToClock} ${cron} ${timeZone}`
    const others = alike.get(key)
    if (others === undefined) alike.set(key, [link])
    else others.push(link)
  }
  return [...alike.values()].map((some) => {
    const { schedule } = some[0] as LinkToPlan
    const due = maker.of(schedule)
    const isDueAtStart = due.within(from, from + 1).length > 0
    const starting = isDueAtStart ? [] : some.filter(({ immediateTransfer }) => immediateTransfer)
    return { links: some, due, timeZone: schedule.timeZone, starting }
  })
}

const STRETCH = 30 * 86_400_000

/** The due times of links in a window, stretch by stretch: of the busiest cron expressions, all at once take much memory. */
export function* seriesIn({ due }: Planned, from: number, to: number): Generator<Series, undefined> {
  for (let begin = from; begin < to; begin += STRETCH) yield* due.within(begin, Math.min(to, begin + STRETCH))
}
