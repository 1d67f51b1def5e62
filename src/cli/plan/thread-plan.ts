import { mostAtOnce, runningAt, threadsFor, type Moment, type RunGroup } from './at-once.js'
import type { Duration } from './durations.js'
import { runsMade, type Runs } from './overlaps.js'
import type { LinkToPlan, Planned } from './planned.js'
import { append, seriesOf, total, type Series } from './series.js'
import { shortened } from './work-limit.js'

/** Time from which on a run that holds its thread is in the way of others, in milliseconds: as planners have it. */
const IN_THE_WAY = 5
/** Share of its length from which on a run computes: as planners have it. */
const MOSTLY = 0.5
/** Most steps of a search through a window: about a second. */
const MOST_STEPS = 100_000_000
/** Number of steps that a series takes, beside those of its runs. */
const PIECE = 100

/** Sums of links that are due at the same times. */
export interface Sums {
  readonly runs: number
  /** Number of series. */
  readonly pieces: number
  /** Number of seconds with a run. */
  readonly seconds: number
  readonly first: number | undefined
  readonly last: number | undefined
}

/** How many runs are made at once, and the threads that they need. */
export interface ThreadPlan {
  /** Number of threads at the moment that needs the most. */
  readonly needed: number
  readonly neededAt: Moment
  /** The moment with the most runs, and their links. */
  readonly most: Moment
  readonly names: readonly string[]
  /** Time for which threads are held in the whole window, in threads. */
  readonly average: number
  /** Where the search ended: before the end of a window with too many runs. */
  readonly upTo: number
  /** Steps in which it was searched, in milliseconds. */
  readonly step: number
  /** Number of links whose durations are known, and of those of which it is not known how long they hold a thread. */
  readonly known: number
  readonly unknownShare: number
}

interface Input {
  readonly planned: readonly Planned[]
  /** Sums of each of these. */
  readonly sums: readonly Sums[]
  readonly from: number
  readonly to: number
  readonly durations: ReadonlyMap<string, Duration>
  readonly transfersPerThread: number
}

type Load = Pick<RunGroup, 'took' | 'share' | 'computes'>

/** Links of which all runs are alike. */
interface Alike {
  readonly links: LinkToPlan[]
  readonly load: Load
  readonly most: number
  readonly starts: boolean
  readonly planned: Planned
  readonly sums: Sums
}

/** Works out what runs at once, and how many runs of each link with a known duration are skipped. */
export function threadPlan({ planned, sums, from, to, durations, transfersPerThread }: Input) {
  const all = planned.flatMap((one, at) => alikeIn(one, sums[at] as Sums, durations))
  const skipsUpTo = shortened(from, to, costOf(all, 0), MOST_STEPS)
  const skips = new Map<LinkToPlan, Omit<Runs, 'made'>>()
  for (const one of all) {
    const { skipped, overlapping } = runsOf(one, from, skipsUpTo)
    for (const link of one.links) skips.set(link, { skipped, overlapping })
  }
  const upTo = shortened(from, to, costOf(all, 2), MOST_STEPS)
  const groups = all.map((one): RunGroup => {
    return { links: one.links.map(({ id }) => id), made: runsOf(one, from, upTo).made, ...one.load }
  })
  const found = mostAtOnce(groups, from, upTo, transfersPerThread)
  if (found === undefined) return { threads: undefined, skips, skipsUpTo }
  const held = groups.reduce((sum, { made, links, took, share }) => sum + total(made) * links.length * took * share, 0)
  const known = all.flatMap(({ links }) => links)
  const threads: ThreadPlan = {
    needed: threadsFor(found.threads, transfersPerThread),
    neededAt: found.threads,
    most: found.runs,
    names: runningAt(groups, found.runs.at, found.step),
    average: held / (upTo - from),
    upTo,
    step: found.step,
    known: known.length,
    unknownShare: known.filter(({ id, lane }) => lane === 'auto' && durations.get(id)?.busy === undefined).length,
  }
  return { threads, skips, skipsUpTo }
}

function alikeIn(planned: Planned, sums: Sums, durations: ReadonlyMap<string, Duration>): Alike[] {
  const starting = new Set(planned.starting)
  const alike = new Map<string, Alike>()
  for (const link of planned.links) {
    const duration = durations.get(link.id)
    if (duration === undefined) continue
    const load = loadOf(duration, link)
    const starts = starting.has(link)
    const most = link.maxInstances
    const key = `${load.took} ${load.share} ${load.computes} ${most} ${starts}`
    const others = alike.get(key)
    if (others === undefined) alike.set(key, { links: [link], load, most, starts, planned, sums })
    else others.links.push(link)
  }
  return [...alike.values()]
}

function loadOf({ took, busy }: Duration, { lane }: LinkToPlan): Load {
  const measured = busy !== undefined && busy >= IN_THE_WAY && busy >= MOSTLY * took
  const computes = lane === 'cpu' || (lane === 'auto' && measured)
  const share = busy === undefined ? (computes ? 1 : 0) : took === 0 ? 0 : Math.min(1, busy / took)
  return { took, share, computes }
}

/** @param perRun - number of steps that a run takes */
function costOf(all: readonly Alike[], perRun: number): number {
  return all.reduce((cost, { sums: { runs, pieces } }) => cost + runs * perRun + pieces * PIECE, 0)
}

function runsOf({ planned, load, most, starts }: Alike, from: number, to: number): Runs {
  const due = planned.due.within(from, to)
  return runsMade(starts ? withStart(due, from) : due, load.took, most)
}

function withStart(runs: readonly Series[], from: number): Series[] {
  const all = [seriesOf(from, 0, 1)]
  for (const series of runs) append(all, series)
  return all
}
