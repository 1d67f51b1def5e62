import { median, theilSen } from './trend.js'
import type { Vitals } from './vitals.js'

/** What was seen of a run in one window of time. */
export interface Window extends Vitals {
  /** Since the start of the run, in seconds. */
  readonly at: number
  /** How late transfers of this window started, in milliseconds: the 99th percentile. */
  readonly p99: number
  /** The same, of links whose thread was not lost in this window. */
  readonly undisturbed: number
  /** The longest time that a link took until it transferred again after its thread was lost, in milliseconds. */
  readonly recovery: number
}

/** A thing that must not grow. */
interface Measure {
  readonly name: string
  readonly unit: string
  readonly digits: number
  readonly of: (window: Window) => number | undefined
  /** By how much it may rise in an hour. */
  readonly bound: number
}

const MIB = 1024 * 1024

/**
 * The bounds are what a planner could live with for months, at threads that are lost as seldom as they are: a soak loses in
 * an hour what would be lost in years.
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

/** A run of less windows than this is still warming up, whatever it shows. */
const ENOUGH = 20

/** How a measure went. */
export interface Course {
  readonly name: string
  readonly unit: string
  readonly digits: number
  /** Medians of the first and the last third of the run. */
  readonly first: number
  readonly last: number
  /** By how much it rises in an hour, and between which limits that is, with 95 % confidence. */
  readonly slope: number
  readonly low: number
  readonly high: number
  readonly bound: number
  /**
   * `flat`: it rises by no more than its bound, with that confidence. `grows`: it rises, with that confidence, and by more than
   * its bound. `unknown`: neither; the run was too short to tell.
   */
  readonly verdict: 'flat' | 'grows' | 'unknown'
}

/** What the windows of a run show, of everything that can be measured. */
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

/** Most windows that are kept, so that a run of any length needs no more. */
const KEPT = 400

/** Adds a window; when there are too many, two that follow each other become one. */
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
