import { nodeName } from '../node.js'
import type { Inlet } from '../inlet.js'
import type { Outlet } from '../outlet.js'
import { nameOf, type AnyGrouper, type AnyProcessor } from '../processor.js'
import type { StageTime } from '../report.js'

/** The stages of a link, in their order: its inlets, processors, groupers and outlets. */
export interface TimedStages {
  readonly all: readonly Pick<StageTime, 'stage' | 'node'>[]
  /** Place of the first processor, grouper and outlet among them. */
  readonly processors: number
  readonly groupers: number
  readonly outlets: number
  /** Time of each before a transfer: as a fraction, so that lists of times need not change their kind. */
  readonly none: readonly number[]
}

/** Parts of a link that are stages. */
interface Parts {
  readonly inlets: readonly Inlet[]
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
  readonly outlets: readonly Outlet[]
}

/** Gives the stages of a link. */
export function timedStagesOf({ inlets, processors, groupers, outlets }: Parts): TimedStages {
  const all: TimedStages['all'] = [
    ...inlets.map((inlet) => ({ stage: 'pull' as const, node: nodeName(inlet) })),
    ...processors.map((one, at) => ({ stage: 'process' as const, node: nameOf('processor', one, at) })),
    ...groupers.map((one, at) => ({ stage: 'group' as const, node: nameOf('grouper', one, at) })),
    ...outlets.map((outlet) => ({ stage: 'push' as const, node: nodeName(outlet) })),
  ]
  const first = inlets.length
  return {
    all,
    processors: first,
    groupers: first + processors.length,
    outlets: first + processors.length + groupers.length,
    none: all.map(() => -0),
  }
}

/** The times that the stages of a transfer took, as its report has them. */
export function stageTimes({ all }: TimedStages, durations: readonly number[]): StageTime[] {
  const [first] = all
  if (first === undefined) return []
  const times: StageTime[] = []
  for (let at = 0; at < all.length; at++) {
    const { stage, node } = all[at] ?? first
    times.push({ stage, node, duration: (durations[at] ?? 0) + 0 })
  }
  return times
}
