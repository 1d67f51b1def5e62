/** Due times at equal distances: `start`, `start + step` and so on, `count` of them, in milliseconds since 1970. */
export interface Series {
  readonly start: number
  /** Distance of two due times; 0 when there is one. */
  readonly step: number
  readonly count: number
}

/** Time of one of a series. */
export function timeAt({ start, step }: Series, index: number): number {
  return start + index * step
}

/** The last time of a series. */
export function lastOf(series: Series): number {
  return timeAt(series, series.count - 1)
}

/** Number of the times of a series before a time. */
export function countBefore({ start, step, count }: Series, time: number): number {
  if (time <= start) return 0
  return step === 0 ? count : Math.min(count, Math.ceil((time - start) / step))
}

/** The times of a series from `from` on, before `to`; `undefined` when there are none. */
export function cut(series: Series, from: number, to: number): Series | undefined {
  const first = countBefore(series, from)
  const count = countBefore(series, to) - first
  if (count <= 0) return undefined
  return first === 0 && count === series.count ? series : seriesOf(timeAt(series, first), series.step, count)
}

export function seriesOf(start: number, step: number, count: number): Series {
  return { start, step: count === 1 ? 0 : step, count }
}

/** The same times, later by so many milliseconds. */
export function shifted({ start, step, count }: Series, by: number): Series {
  return { start: start + by, step, count }
}

/** Adds a series to those before it: as part of the last one where it goes on at the same distance. */
export function append(all: Series[], next: Series): void {
  const last = all.at(-1)
  if (last === undefined) {
    all.push(next)
    return
  }
  const gap = next.start - lastOf(last)
  const fits = (last.count === 1 || last.step === gap) && (next.count === 1 || next.step === gap)
  if (fits) all[all.length - 1] = { start: last.start, step: gap, count: last.count + next.count }
  else all.push(next)
}

/** Number of all times. */
export function total(all: readonly Series[]): number {
  let sum = 0
  for (const { count } of all) sum += count
  return sum
}

/** Least distance of two times that follow each other; `Infinity` when there is one. */
export function leastGap(all: readonly Series[]): number {
  let least = Infinity
  let before = -Infinity
  for (const series of all) {
    least = Math.min(least, series.start - before, series.count === 1 ? Infinity : series.step)
    before = lastOf(series)
  }
  return least
}
