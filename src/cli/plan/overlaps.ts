import { append, countBefore, lastOf, leastGap, seriesOf, timeAt, total, type Series } from './series.js'

/** The runs of a link that are made, of those that are due. */
export interface Runs {
  /** Runs that are made, in no order. */
  readonly made: readonly Series[]
  /** Number of runs that are skipped, as those before still run. */
  readonly skipped: number
  /** Number of runs that begin while one before them still runs. */
  readonly overlapping: number
}

/**
 * Which of the runs that are due are made, when each takes the same time.
 *
 * @param took - in milliseconds
 * @param most - number of runs that may run at once
 */
export function runsMade(due: readonly Series[], took: number, most: number): Runs {
  if (took <= leastGap(due)) return { made: due, skipped: 0, overlapping: 0 }
  const made: Series[] = []
  let overlapping = 0
  /** Ends of the runs that run now. */
  let ends: number[] = []
  for (const series of due) {
    for (let index = 0; index < series.count;) {
      const now = timeAt(series, index)
      ends = ends.filter((end) => end > now)
      if (ends.length === 0) {
        const rest = steady(seriesOf(now, series.step, series.count - index), took, most)
        made.push(...rest.made)
        overlapping += rest.overlapping
        ends = rest.made.map((some) => lastOf(some) + took)
        break
      }
      if (ends.length < most) {
        overlapping++
        append(made, seriesOf(now, 0, 1))
        ends.push(now + took)
        index++
      } else index = countBefore(series, Math.min(...ends))
    }
  }
  return { made, skipped: total(due) - total(made), overlapping }
}

/**
 * Which runs of a series are made when none runs before: so many as may run at once begin, and the others are skipped until
 * the first of these has ended; again and again.
 */
function steady(series: Series, took: number, most: number): Omit<Runs, 'skipped'> {
  const { start, step, count } = series
  if (count === 1 || took <= step) return { made: [series], overlapping: 0 }
  const period = Math.max(most, Math.ceil(took / step))
  const made: Series[] = []
  for (let nth = 0; nth < Math.min(most, count); nth++) {
    made.push(seriesOf(start + nth * step, period * step, Math.ceil((count - nth) / period)))
  }
  // of each period, the first run begins after those before have ended, unless several may run
  const firsts = made[0]?.count ?? 0
  const meets = most > 1 && took > (period - most + 1) * step
  return { made, overlapping: total(made) - (meets ? 1 : firsts) }
}
