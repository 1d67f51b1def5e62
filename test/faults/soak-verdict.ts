import { median, theilSen } from './trend.js'
import type { Vitals } from './vitals.js'

/** Measurements of a run in one window of time. */
export interface Window extends Vitals {
  /** Time since the start of the run, in seconds. */
  readonly at: number
  /** 99th percentile of the lateness of this window's transfers, in milliseconds. */
  readonly p99: number
  /** 99th percentile of the lateness of links whose thread was not lost in this window, in milliseconds. */
  readonly undisturbed: number
  /** Longest time that a link took to transfer again after its thread was lost, in milliseconds. */
  readonly recovery: number
}

/** Measure that must not grow. */
interface Measure {
  readonly name: string
  readonly unit: string
  readonly digits: number
  readonly of: (window: Window) => number | undefined
  /** Rise in an hour that is allowed. */
  readonly bound: number
}

const MIB = 1024 * 1024

/**
 * Measures with their bounds: what a planner could live with for months. A soak loses as many threads in an hour as a
 * planner would lose in years.
 */
const MEASURES: readonly Measure[] = [
  { name: 'resident memory', unit: 'MiB', digits: 1, of: ({ resident }) => resident / MIB, bound: 16 },
  { name: 'heap of the main thread', unit: 'MiB', digits: 2, of: ({ heap }) => heap / MIB, bound: 1 },
  { name: 'memory outside of that heap', unit: 'MiB', digits: 2, of: ({ external }) => external / MIB, bound: 1 },
  { name: 'handles', unit: '', digits: 1, of: ({ handles }) => handles, bound: 0.5 },
  { name: 'file descriptors', unit: '', digits: 1, of: ({ descriptors }) => descriptors, bound: 0.5 },
  { name: 'threads', unit: '', digits: 1, of: ({ threads }) => threads, bound: 0.5 },
  { name: 'p99 lateness', unit: 'ms', digits: 1, of: ({ p99 }) => p99, bound: 20 },
  { name: 'p99 lateness of others', unit: 'ms', digits: 1, of: ({ undisturbed }) => undisturbed, bound: 20 },
]

/** What each soak shows of a window, as cells of a line. */
export function windowCells({ at, resident, heap, handles, descriptors, threads, p99 }: Window): string[] {
  return [
    `${at.toFixed(0)} s`.padStart(7),
    (resident / MIB).toFixed(1).padStart(10),
    (heap / MIB).toFixed(2).padStart(6),
    String(handles).padStart(6),
    String(descriptors ?? '').padStart(6),
    String(threads ?? '').padStart(7),
    p99.toFixed(1).padStart(9),
  ]
}

/** Number of windows below which a run is still warming up, whatever it shows. */
const ENOUGH = 20

/** Course of a measure over a run. */
export interface Course {
  readonly name: string
  readonly unit: string
  readonly digits: number
  /** Medians of the first and the last third of the run. */
  readonly first: number
  readonly last: number
  /** Rise in an hour; `low` and `high` are its limits with 95 % confidence. */
  readonly slope: number
  readonly low: number
  readonly high: number
  readonly bound: number
  /**
   * Verdict. `flat`: the measure rises by no more than its bound, with that confidence. `grows`: it rises, with that
   * confidence, and by more than its bound. `unknown`: neither; the run was too short to tell.
   */
  readonly verdict: 'flat' | 'grows' | 'unknown'
}

/** Courses of all measures that the windows of a run have. */
export function courses(windows: readonly Window[]): Course[] {
  return MEASURES.flatMap(({ of, bound, ...measure }) => {
    const seen = windows.flatMap((window) => {
      const value = of(window)
      return value === undefined || Number.isNaN(value) ? [] : [{ hours: window.at / 3600, value }]
    })
    const values = seen.map(({ value }) => value)
    const trend = theilSen(
      seen.map(({ hours }) => hours),
      values,
    )
    if (trend === undefined) return []
    const third = Math.max(1, Math.floor(values.length / 3))
    const { slope, low, high } = trend
    const enough = values.length >= ENOUGH
    const verdict = high <= bound ? 'flat' : enough && low > 0 && slope > bound ? 'grows' : 'unknown'
    return [
      {
        ...measure,
        first: median(values.slice(0, third)),
        last: median(values.slice(-third)),
        ...trend,
        bound,
        verdict,
      },
    ]
  })
}

/** Courses as lines of a table. */
export function courseTable(courses: readonly Course[]): string[] {
  return [
    `${''.padEnd(28)}first third  last third    slope  between          bound  verdict`,
    ...courses.map(courseLine),
  ]
}

function courseLine({ name, unit, digits, first, last, slope, low, high, bound, verdict }: Course): string {
  const [a, b, c] = [first, last, slope].map((value) => value.toFixed(digits))
  const between = `${low.toFixed(digits)} to ${high.toFixed(digits)}`
  return [
    `${name}${unit === '' ? '' : ` (${unit})`}`.padEnd(28),
    (a ?? '').padStart(10),
    (b ?? '').padStart(11),
    (c ?? '').padStart(8),
    ` ${between.padEnd(16)}`,
    String(bound).padStart(5),
    ` ${verdict === 'unknown' ? 'not known: run longer' : verdict}`,
  ].join(' ')
}

/** Number of windows from which on they are merged, so that a run of any length needs no more memory. */
const KEPT = 400

/** Adds a window. When there are too many, each two neighbours become one. */
export function keep(windows: Window[], window: Window): Window[] {
  windows.push(window)
  if (windows.length < KEPT) return windows
  const halved: Window[] = []
  for (let at = 0; at + 1 < windows.length; at += 2) {
    const [one, other] = [windows[at], windows[at + 1]]
    if (one !== undefined && other !== undefined) halved.push(between(one, other))
  }
  return halved
}

function between(one: Window, other: Window): Window {
  const mean = (of: (window: Window) => number) => (of(one) + of(other)) / 2
  const meanOf = (a: number | undefined, b: number | undefined) =>
    a === undefined || b === undefined ? undefined : (a + b) / 2
  return {
    at: mean(({ at }) => at),
    p99: mean(({ p99 }) => p99),
    undisturbed: mean(({ undisturbed }) => undisturbed),
    recovery: mean(({ recovery }) => recovery),
    resident: mean(({ resident }) => resident),
    heap: mean(({ heap }) => heap),
    external: mean(({ external }) => external),
    handles: mean(({ handles }) => handles),
    types: other.types,
    descriptors: meanOf(one.descriptors, other.descriptors),
    threads: meanOf(one.threads, other.threads),
  }
}
