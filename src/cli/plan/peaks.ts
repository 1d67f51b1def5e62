import type { Planned } from './planned.js'
import { timeAt, type Series } from './series.js'

/** A number of links that are due in one second, and when. */
export interface Peak {
  /** Number of the links. */
  readonly links: number
  /** The first second with so many, in milliseconds since 1970. */
  readonly at: number
  /** Number of such seconds. */
  readonly times: number
}

const SECOND = 1000
/** Number of seconds that are looked at in one go: 4 MB. */
const CHUNK = 2 ** 20

/**
 * The most links that are due in one second, and the next largest numbers. Jitter does not count.
 *
 * @param most - how many numbers are wanted
 */
export function peaksOf(planned: readonly Planned[], from: number, to: number, most: number): Peak[] {
  const levels = new Map<number, { at: number; times: number }>()
  for (let begin = from; begin < to; begin += CHUNK * SECOND) {
    const end = Math.min(to, begin + CHUNK * SECOND)
    const due = new Int32Array(Math.ceil((end - begin) / SECOND))
    for (const one of planned) {
      for (const series of one.due.within(begin, end)) mark(due, series, begin, one.links.length)
      if (begin === from) due[0] = (due[0] ?? 0) + one.starting.length
    }
    for (let second = 0; second < due.length; second++) {
      const links = due[second] as number
      if (links === 0) continue
      const level = levels.get(links)
      if (level === undefined) levels.set(links, { at: begin + second * SECOND, times: 1 })
      else level.times++
    }
  }
  return [...levels]
    .map(([links, level]) => ({ links, ...level }))
    .sort((a, b) => b.links - a.links)
    .slice(0, most)
}

/** Adds links to each second in which a series has a time. */
function mark(due: Int32Array, series: Series, from: number, links: number): void {
  const secondOf = (time: number) => Math.floor((time - from) / SECOND)
  const add = (second: number) => {
    due[second] = (due[second] as number) + links
  }
  if (series.step < SECOND) {
    const last = secondOf(timeAt(series, series.count - 1))
    for (let second = secondOf(series.start); second <= last; second++) add(second)
    return
  }
  for (let index = 0; index < series.count; index++) add(secondOf(timeAt(series, index)))
}

/** The links that are due in a second. */
export function dueIn(planned: readonly Planned[], second: number, from: number): string[] {
  return planned.flatMap((one) => {
    if (one.due.within(second, second + SECOND).length > 0) return one.links.map(({ id }) => id)
    return second === from ? one.starting.map(({ id }) => id) : []
  })
}
