import { cut, lastOf, seriesOf, shifted, timeAt, type Series } from './series.js'

/** Runs of some links that are alike. */
export interface RunGroup {
  readonly links: readonly string[]
  readonly made: readonly Series[]
  /** Time that a run takes, in milliseconds. */
  readonly took: number
  /** Share of that time for which it holds its thread; 1 for a run that computes. */
  readonly share: number
  readonly computes: boolean
}

/** What runs at a moment. */
export interface Moment {
  /** In milliseconds since 1970. */
  readonly at: number
  /** Number of runs that compute, and of those that wait. */
  readonly computing: number
  readonly waiting: number
  /** Time for which those that wait hold a thread, in threads. */
  readonly load: number
}

/** The moments that need the most. */
export interface AtOnce {
  /** The first moment with the most runs. */
  readonly runs: Moment
  /** The first moment with the most threads. */
  readonly threads: Moment
  /** Steps in which runs were looked at, in milliseconds. */
  readonly step: number
}

/** Most steps in which a window is looked at. */
const MOST_STEPS = 12_000_000
/** Lengths of a step, in milliseconds: whole seconds begin one. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
const LONGEST_STEP = 5000
/** Number of steps that are looked at in one go. */
const CHUNK = 2 ** 21

/** Threads that runs need: one for each that computes, and those in which the others wait in turns. */
export function threadsFor({ computing, waiting, load }: Omit<Moment, 'at'>, transfersPerThread: number): number {
  if (waiting === 0) return Math.max(1, computing)
  return computing + Math.max(1, Math.ceil(load - 1e-6), Math.ceil(waiting / transfersPerThread))
}

/** When the most runs are made at once, and when these need the most threads. */
export function mostAtOnce(
  groups: readonly RunGroup[],
  from: number,
  to: number,
  transfersPerThread: number,
): AtOnce | undefined {
  const step = STEPS.find((one) => (to - from) / one <= MOST_STEPS) ?? LONGEST_STEP
  const now = { at: from, computing: 0, waiting: 0, load: 0 }
  let runs: Moment | undefined
  let threads: Moment | undefined
  let needed = 0
  for (let begin = from; begin < to; begin += CHUNK * step) {
    const end = Math.min(to, begin + CHUNK * step)
    const steps = Math.ceil((end - begin) / step)
    const [computing, waiting, load] = [new Int32Array(steps), new Int32Array(steps), new Float64Array(steps)]
    for (const { made, took, links, computes, share } of groups) {
      const counts = computes ? computing : waiting
      // what a run takes is a step at least, so that it is seen
      const length = Math.max(took, step)
      for (const series of made) {
        const isDense = isOneBlock(series, took, length)
        const [begins, ends] = isDense ? blockOf(series, length) : [series, shifted(series, length)]
        const held = links.length * share * (isDense ? took / series.step : 1)
        for (const [times, sign] of [
          [begins, 1],
          [ends, -1],
        ] as const) {
          const part = cut(times, begin, end)
          if (part === undefined) continue
          for (let index = 0; index < part.count; index++) {
            const at = Math.floor((timeAt(part, index) - begin) / step)
            counts[at] = (counts[at] as number) + sign * links.length
            if (!computes) load[at] = (load[at] as number) + sign * held
          }
        }
      }
    }
    for (let at = 0; at < steps; at++) {
      if (computing[at] === 0 && waiting[at] === 0 && load[at] === 0) continue
      now.computing += computing[at] as number
      now.waiting += waiting[at] as number
      now.load += load[at] as number
      if (runs === undefined || now.computing + now.waiting > runs.computing + runs.waiting) {
        runs = { ...now, at: begin + at * step }
      }
      const need = threadsFor(now, transfersPerThread)
      if (need <= needed) continue
      needed = need
      threads = { ...now, at: begin + at * step }
    }
  }
  return runs && threads && { runs, threads, step }
}

/** Whether runs of a series, one after the other, are closer than a step: then they count as one that takes all the time. */
function isOneBlock({ count, step }: Series, took: number, length: number): boolean {
  return count > 1 && took <= step && step <= length
}

function blockOf(series: Series, length: number): [begin: Series, end: Series] {
  return [seriesOf(series.start, 0, 1), seriesOf(lastOf(series) + length, 0, 1)]
}

/** The links of which a run is made at a time. */
export function runningAt(groups: readonly RunGroup[], at: number, step: number): string[] {
  return groups.flatMap(({ links, made, took }) => {
    const length = Math.max(took, step)
    return made.some((series) => cut(series, at + step - length, at + step) !== undefined) ? links : []
  })
}
