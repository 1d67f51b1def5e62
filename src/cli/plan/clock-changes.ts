import { localTimes, type CronDueTimes } from './due-times.js'
import type { Planned } from './planned.js'
import { total } from './series.js'

/**
 * What a change of the clock does to runs: `moved` to the end of the gap, `leftOut` as the end of the gap is a due time
 * anyway, `twice` in the hour that comes again, `once` as they are left out when it comes again.
 */
export type ChangeEffect = 'moved' | 'leftOut' | 'twice' | 'once'

/** A change of the clock that concerns a cron expression. */
export interface ClockChange {
  /** Time of the change, in milliseconds since 1970. */
  readonly at: number
  /** `undefined`: the time zone of the process. */
  readonly timeZone: string | undefined
  /** Local time minus UTC before and after it, in milliseconds. */
  readonly before: number
  readonly after: number
  readonly effect: ChangeEffect
  /** Number of local times that are skipped or come again. */
  readonly times: number
  /** The first of them, as if it were UTC. */
  readonly first: number
  readonly links: readonly string[]
}

/** The changes of clocks from `from` on, before `to`, that links by cron have to do with. */
export function clockChanges(planned: readonly Planned[], from: number, to: number): ClockChange[] {
  const changes = planned.flatMap(({ due, links, timeZone }) => {
    if (!('periods' in due)) return []
    return changesOf(due, from, to).map((change) => ({ ...change, timeZone, links: links.map(({ id }) => id) }))
  })
  return changes.sort((a, b) => a.at - b.at)
}

function changesOf({ fields, periods }: CronDueTimes, from: number, to: number) {
  return periods.flatMap(({ from: at, offset, earlier }) => {
    if (offset === earlier || at < from || at >= to) return []
    const isForward = offset > earlier
    const [begin, end] = isForward ? [at + earlier, at + offset] : [at + offset, at + earlier]
    const skipped = [...localTimes(fields, begin, end)]
    const [first] = skipped
    if (first === undefined) return []
    const isDueThen = localTimes(fields, at + offset, at + offset + 1).next().done !== true
    const effect: ChangeEffect = isForward ? (isDueThen ? 'leftOut' : 'moved') : fields.keepsPace ? 'twice' : 'once'
    return [{ at, before: earlier, after: offset, effect, times: total(skipped), first: first.start }]
  })
}
