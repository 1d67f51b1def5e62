import type { Measurement } from './bench.js'
import { dueAtOnceCase, onePerMessageCase } from './dispatch.js'

/** What a figure should be. Absolute figures hold for a machine of two cores. */
export interface Target {
  /** Like `P1`. */
  readonly id: string
  readonly bench: string
  readonly what: string
  /** Where the figure is found. With a peer it is the ratio to that, else the median itself. */
  readonly of: Pick<Measurement, 'case' | 'subject' | 'figure'> & { readonly peer?: string }
  /** `x` for a ratio. */
  readonly unit: string
  readonly better: 'more' | 'less'
  /** What must hold. */
  readonly floor: number
  /** What a bare prototype of the mechanism reached. */
  readonly aim: number
}

/** A target, and what was measured. */
export interface Judged extends Target {
  readonly value: number
  readonly met: 'aim' | 'floor' | 'missed'
}

/** The targets of the benches. */
export const TARGETS: readonly Target[] = [
  {
    id: 'P1',
    bench: 'dispatch',
    what: '1,000 no-op links due at once / raw Piscina, one task per transfer, closed loop per thread',
    of: { case: dueAtOnceCase(1000, 2), subject: 'databay', figure: 'rate', peer: 'Piscina, closed loop per thread' },
    ...{ unit: 'x', better: 'more', floor: 15, aim: 40 },
  },
  {
    id: 'P2',
    bench: 'dispatch',
    what: 'one link per message / raw Piscina with the same tasks in flight',
    of: { case: onePerMessageCase(2), subject: 'databay', figure: 'rate', peer: 'Piscina, closed loop per thread' },
    ...{ unit: 'x', better: 'more', floor: 0.75, aim: 0.95 },
  },
]

/** Judges the targets of a bench; those whose figure was not measured are left out. */
export function judge(bench: string, measurements: readonly Measurement[]): Judged[] {
  return TARGETS.filter((target) => target.bench === bench).flatMap((target) => {
    const value = find(target, measurements)
    return value === undefined ? [] : [{ ...target, value, met: grade(target, value) }]
  })
}

function find({ of }: Target, measurements: readonly Measurement[]): number | undefined {
  const found = measurements.find(
    (one) => one.case === of.case && one.subject === of.subject && one.figure === of.figure,
  )
  return of.peer === undefined ? found?.median : found?.ratios.find(({ peer }) => peer === of.peer)?.ratio
}

function grade({ better, floor, aim }: Target, value: number): Judged['met'] {
  const reaches = (mark: number) => (better === 'more' ? value >= mark : value <= mark)
  if (reaches(aim)) return 'aim'
  return reaches(floor) ? 'floor' : 'missed'
}
