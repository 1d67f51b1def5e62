import { nodeName } from '../core/node.js'
import type { Outlet } from '../core/outlet.js'
import { nameOf, type AnyGrouper, type AnyProcessor } from '../core/processor.js'
import type { LinkStage } from '../store/link-stages.js'

/** The nodes of a link that may fail on records, or refuse them. */
export interface StagedNodes {
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
  readonly outlets: readonly Outlet[]
}

/** The places at which records may fail, in the order in which records come to them. */
export function stagesOfLink({ processors, groupers, outlets }: StagedNodes): LinkStage[] {
  return [
    ...processors.map((processor, at) => processorStage(processor, at)),
    ...groupers.map((grouper, at) => ({
      place: `grouper:${at}`,
      stage: 'group',
      node: nameOf('grouper', grouper, at),
    })),
    ...outlets.flatMap((outlet, at) => {
      const [place, name] = [`outlet:${at}`, nodeName(outlet)]
      const own = outlet.processors.map((processor, index) => {
        return { ...processorStage(processor, index, `${place} `), outlet: name }
      })
      return [...own, { place, stage: 'push', node: name, outlet: name }]
    }),
  ]
}

function processorStage(processor: AnyProcessor, at: number, before = ''): LinkStage {
  return { place: `${before}processor:${at}`, stage: 'process', node: nameOf('processor', processor, at) }
}

/** Places in a place: of the outlet and of the processor, if they are in it. */
export function readPlace(place: string): { readonly outlet?: number; readonly processor?: number } {
  const [, outlet] = /^outlet:(\d+)/.exec(place) ?? []
  const [, processor] = /processor:(\d+)$/.exec(place) ?? []
  return {
    ...(outlet !== undefined && { outlet: Number(outlet) }),
    ...(processor !== undefined && { processor: Number(processor) }),
  }
}
