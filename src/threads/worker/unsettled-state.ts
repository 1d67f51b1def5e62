import type { Link } from '../../core/link.js'
import { forget, heldBy, takeOver } from '../../core/transfer/holdings.js'
import { nameOf } from '../../core/processor.js'
import { bufferedBy } from '../../core/transfer/process.js'
import { UnsettledTransfer } from '../../core/transfer/unsettled.js'
import { Update } from '../../core/update.js'
import { statefulProcessors, type LinkState } from './link-state.js'

/**
 * Transfers of a link whose records are in its buffers, as they move to another thread along with the buffers: there the
 * inlets and processors are told what came of them.
 */
export interface UnsettledState {
  readonly transfers: readonly {
    readonly number: number
    /** Places of the inlets that are to be told. */
    readonly inlets: readonly number[]
    /** Places of the processors that are to be told, among the stateful ones. */
    readonly processors: readonly number[]
  }[]
  readonly holders: readonly {
    /** Place among the stateful processors of the link. */
    readonly place: number
    readonly kind: string
    /** Number of records that it held. */
    readonly records: number
    /** Places of the transfers whose records it held, for each call that put some into it. */
    readonly groups: readonly (readonly number[])[]
  }[]
}

/** State of a link's unsettled transfers; `undefined` when there are none. Called before its buffers are reset. */
export function unsettledOf(link: Link): UnsettledState | undefined {
  const transfers = link.unsettled.all.filter(({ told }) => !told)
  if (transfers.length === 0) return undefined
  const { inlets } = link
  const places = new Map(transfers.map((transfer, place) => [transfer, place]))
  const stateful = statefulProcessors(link)
  const holders = stateful.map((processor, place) => ({
    place,
    kind: processor.constructor.name,
    records: bufferedBy([processor as never]),
    groups: heldBy(processor)
      .map((group) => group.flatMap((transfer) => places.get(transfer) ?? []))
      .filter((group) => group.length > 0),
  }))
  return {
    transfers: transfers.map(({ update, inlets: told, processors }) => ({
      number: update.transferNumber,
      inlets: placesOf(told, inlets),
      processors: placesOf(processors, stateful),
    })),
    holders: holders.filter(({ groups }) => groups.length > 0),
  }
}

function placesOf<P>(parts: ReadonlyMap<P, unknown> | undefined, all: readonly P[]): number[] {
  return [...(parts?.keys() ?? [])].map((part) => all.indexOf(part)).filter((place) => place >= 0)
}

/** Forgets the unsettled transfers of a link, as they were handed off. */
export function forgetUnsettled(link: Link): void {
  link.unsettled.clear()
  for (const processor of statefulProcessors(link)) forget(processor, link.unsettled)
}

/**
 * Has a link take over unsettled transfers, once its buffers have taken over their records. What a buffer has not taken
 * is lost, so inlets and processors are told at the next transfer that it was not delivered.
 */
export function takeOverUnsettled(link: Link, { transfers, holders }: UnsettledState): void {
  const { inlets } = link
  const processors = statefulProcessors(link)
  const taken = transfers.map(({ number, inlets: places, processors: told }) => {
    const transfer = new UnsettledTransfer(new Update(link.tags, number), link.unsettled)
    for (const place of places) {
      const inlet = inlets[place]
      if (inlet?.onTransferEnd !== undefined) transfer.inlets.set(inlet, true)
    }
    for (const place of told) {
      const processor = processors[place]
      if (processor?.onTransferEnd === undefined) continue
      transfer.processors ??= new Map()
      transfer.processors.set(processor, nameOf('processor', processor, place))
    }
    link.unsettled.add(transfer)
    return transfer
  })
  for (const { place, kind, records, groups } of holders) {
    const processor = processors[place]
    const holds = processor?.constructor.name === kind && bufferedBy([processor]) >= records
    for (const group of groups) {
      const held = group.flatMap((at) => taken[at] ?? [])
      if (holds) takeOver(processor, held)
      else for (const transfer of held) transfer.failed = true
    }
  }
}

/** Kind of the part of a link's state that its unsettled transfers are, after those of its nodes and processors. */
const KIND = 'UnsettledTransfers'

/** Adds the unsettled transfers of a link to the state of its parts. */
export function withUnsettled(parts: LinkState, unsettled: UnsettledState | undefined): LinkState {
  return unsettled === undefined ? parts : [...parts, { kind: KIND, state: unsettled }]
}

/** Divides the state of a link into that of its parts and its unsettled transfers. */
export function splitState(state: LinkState | undefined): {
  readonly parts: LinkState | undefined
  readonly unsettled: UnsettledState | undefined
} {
  const last = state?.at(-1)
  if (last?.kind !== KIND) return { parts: state, unsettled: undefined }
  return { parts: state?.slice(0, -1), unsettled: last.state as UnsettledState }
}
