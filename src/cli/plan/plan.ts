import { scheduleText } from '../../core/schedule.js'
import { nextDue } from '../links/link-text.js'
import { threadPlan, type Sums, type ThreadPlan } from './thread-plan.js'
import { clockChanges, type ClockChange } from './clock-changes.js'
import { Counts } from './counts.js'
import type { Duration } from './durations.js'
import { dueIn, peaksOf, type Peak } from './peaks.js'
import { plannedLinks, seriesIn, type LinkToPlan, type Planned } from './planned.js'
import { lastOf } from './series.js'
import { shortened } from './work-limit.js'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Numbers of links due at once that a plan tells. */
const MOST_PEAKS = 3
/** Most steps of a search through a window: about a second. */
const MOST_STEPS = 300_000_000

/** A link in a plan. Times are milliseconds since 1970, lengths of time milliseconds. */
export interface LinkPlan {
  readonly id: string
  readonly tags: readonly string[]
  /** Schedule in words. */
  readonly schedule: string
  /** Most that is added to each due time. */
  readonly jitter: number
  readonly maxInstances: number
  /** Number of due times in the window, with the one at its start. */
  readonly runs: number
  /** Whether the link transfers at the start. */
  readonly atStart: boolean
  readonly first: number | undefined
  readonly last: number | undefined
  /** The next due time of a link that has none in the window. */
  readonly next: number | undefined
  readonly duration: Duration | undefined
  /** Runs that are skipped as those before still run; `undefined` while the duration is not known. */
  readonly skipped: number | undefined
  /** Runs that begin while one before still runs. */
  readonly overlapping: number | undefined
}

/** A peak, and the links that are due then. */
export interface NamedPeak extends Peak {
  readonly names: readonly string[]
}

/** What is due when. */
export interface Plan {
  readonly from: number
  readonly to: number
  readonly links: readonly LinkPlan[]
  readonly runs: number
  readonly counts: Counts
  /** The largest numbers of links that are due in one second. */
  readonly peaks: readonly NamedPeak[]
  /** Where the search for peaks ended: before the end of a window with too many runs. */
  readonly peaksUpTo: number
  /** Stretches of an hour or more in which nothing is due, the longest first. */
  readonly quiet: readonly { readonly from: number; readonly to: number }[]
  readonly changes: readonly ClockChange[]
  /** What runs at once; `undefined` when no duration is known. */
  readonly threads: ThreadPlan | undefined
  /** Where the count of skipped runs ended: before the end of a window with too many runs. */
  readonly skipsUpTo: number
}

/** What a plan is made of. */
export interface PlanInput {
  readonly links: readonly LinkToPlan[]
  /** Begin of the window, at a whole second. */
  readonly from: number
  readonly to: number
  readonly durations: ReadonlyMap<string, Duration>
  readonly transfersPerThread: number
}

/** Works out what is due in a window of time, as if the links were started when it begins. */
export function planOf({ links, from, to, durations, transfersPerThread }: PlanInput): Plan {
  const planned = plannedLinks(links, from, to)
  const { counts, sums } = countsOf(planned, from, to)
  const peaksUpTo = shortened(from, to, marksOf(sums), MOST_STEPS)
  const { threads, skips, skipsUpTo } = threadPlan({ planned, sums, from, to, durations, transfersPerThread })
  const rows = new Map<LinkToPlan, LinkPlan>()
  for (const [at, one] of planned.entries()) {
    const { runs, first, last } = sums[at] as Sums
    const next = runs > 0 ? undefined : nextDue((one.links[0] as LinkToPlan).schedule, from)
    const starting = new Set(one.starting)
    for (const link of one.links) {
      const atStart = starting.has(link)
      rows.set(link, {
        id: link.id,
        tags: link.tags,
        schedule: scheduleText(link.schedule),
        jitter: link.schedule.jitter,
        maxInstances: link.maxInstances,
        runs: runs + (atStart ? 1 : 0),
        atStart,
        first: atStart ? from : first,
        last: last ?? (atStart ? from : undefined),
        next,
        duration: durations.get(link.id),
        skipped: skips.get(link)?.skipped,
        overlapping: skips.get(link)?.overlapping,
      })
    }
  }
  const inOrder = links.map((link) => rows.get(link) as LinkPlan)
  return {
    from,
    to,
    links: inOrder,
    runs: inOrder.reduce((sum, { runs }) => sum + runs, 0),
    counts,
    peaks: peaksOf(planned, from, peaksUpTo, MOST_PEAKS).map((peak) => ({
      ...peak,
      names: dueIn(planned, peak.at, from),
    })),
    peaksUpTo,
    quiet: quietIn(counts, to),
    changes: clockChanges(planned, from, to),
    threads,
    skipsUpTo,
  }
}

/**
 * Runs per minute, or in longer stretches of a long window with very many links, and the sums of links that are due at the
 * same times.
 */
function countsOf(planned: readonly Planned[], from: number, to: number) {
  const minutes = Math.ceil((to - from) / MINUTE)
  const counts = new Counts(from, to, MINUTE * Math.ceil((planned.length * minutes) / MOST_STEPS || 1))
  const sums = planned.map((one): Sums => {
    let [runs, pieces, seconds] = [0, 0, 0]
    let first: number | undefined
    let last: number | undefined
    for (const series of seriesIn(one, from, to)) {
      counts.add(series, one.links.length)
      runs += series.count
      pieces++
      seconds += series.step < SECOND ? 1 + (series.step * series.count) / SECOND : series.count
      first ??= series.start
      last = lastOf(series)
    }
    if (one.starting.length > 0) counts.add({ start: from, step: 0, count: 1 }, one.starting.length)
    return { runs, pieces, seconds, first, last }
  })
  return { counts, sums }
}

/** Number of steps that a search for peaks takes. */
function marksOf(sums: readonly Sums[]): number {
  return sums.reduce((cost, { pieces, seconds }) => cost + pieces + seconds, 0)
}

function quietIn({ values, from, width }: Counts, to: number): { from: number; to: number }[] {
  const quiet: { from: number; to: number }[] = []
  let begin = 0
  for (let place = 0; place <= values.length; place++) {
    if (values[place] === 0) continue
    const end = Math.min(to, from + place * width)
    const start = from + begin * width
    if (end - start >= HOUR) quiet.push({ from: start, to: end })
    begin = place + 1
  }
  return quiet.sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from)
}
