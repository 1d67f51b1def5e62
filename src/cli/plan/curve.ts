import type { Counts } from './counts.js'

const BLOCKS = '\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588'
const MINUTE = 60_000
/** Minutes that a column may stand for, if it is no multiple of a day. */
const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440]
const DAY = 1440
/** Least number of columns from one time below the curve to the next. */
const APART = 8

/** A curve of block characters. */
export interface Curve {
  readonly line: string
  /** Times below the line. */
  readonly scale: string
  /** Minutes that a column stands for. */
  readonly minutes: number
  /** Runs of the highest column. */
  readonly most: number
}

/**
 * Numbers of runs as a curve that is no wider than `width` characters. A column without runs is empty.
 *
 * @param label - text of a time, for the scale
 */
export function curveOf(counts: Counts, width: number, label: (time: number) => string): Curve {
  const given = counts.width / MINUTE
  const total = counts.values.length * given
  const least = Math.max(given, total / width)
  const nice = STEPS.find((step) => step >= least && step % given === 0) ?? Math.ceil(least / DAY) * DAY
  const minutes = nice % given === 0 ? nice : Math.ceil(least / given) * given
  const { values, from } = counts.merged(minutes / given)
  const most = values.reduce((before, value) => Math.max(before, value), 0)
  let line = ''
  for (const value of values) line += value === 0 ? ' ' : BLOCKS.charAt(Math.ceil((value / most) * BLOCKS.length) - 1)
  let scale = ''
  let next = 0
  const apart = distance(values.length, DAY / minutes)
  for (let column = 0; column < values.length; column++) {
    if (column < next) continue
    const text = label(from + column * minutes * MINUTE)
    if (column > 0 && column + text.length > width) break
    scale = scale.padEnd(column) + text
    next = column + apart
  }
  return { line: line.trimEnd(), scale, minutes, most }
}

/** Number of columns between the times below a curve: four of them, where there is room; whole days, where there are some. */
function distance(columns: number, ofDay: number): number {
  const least = Math.max(APART, Math.ceil(columns / 4))
  return Number.isInteger(ofDay) && columns > ofDay ? Math.ceil(least / ofDay) * ofDay : least
}
