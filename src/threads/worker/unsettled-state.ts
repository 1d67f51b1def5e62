import type { Link } from '../../core/link.js'
import { forget, heldBy, takeOver } from '../../core/transfer/holdings.js'
import { nameOf } from '../../core/processor.js'
import { bufferedBy } from '../../core/transfer/process.js'
import { type Unsettled, UnsettledRound, UnsettledStream, UnsettledTransfer } from '../../core/transfer/unsettled.js'
import { Update } from '../../core/update.js'
import { type PartStates, statefulProcessors } from './link-state.js'

/**
 * Transfers of a link whose records are in its buffers, as they move to another thread along with the buffers: there the
 * inlets and processors are told what came of them.
 */
export interface UnsettledState {
  readonly transfers: readonly {
    readonly number: number
    /** Whether records of it were dropped or refused. */
    readonly failed: boolean
    /** Places of the inlets that are to be told, and whether their pull succeeded. */
    readonly inlets: readonly (readonly [place: number, pulled: boolean])[]
    /** Places of the processors that are to be told, among the stateful ones. */
    readonly processors: readonly number[]
    /** Number of rounds that it began. */
    readonly rounds: number
    /** Rounds of one that streamed, see {@link UnsettledStream}. */
    readonly stream?: {
      readonly lists: number
      readonly delivered: { readonly rounds: number; readonly lists: number }
      readonly open: readonly { readonly lists: number; readonly failed: boolean }[]
    }
  }[]
  readonly holders: readonly {
    /** Place among the stateful processors of the link. */
    readonly place: number
    readonly kind: string
    /** Number of records that it held. */
    readonly records: number
    /**
     * Places of the transfers whose records it held, for each call that put some into it. The open rounds of one that
     * streamed have places of their own, instead of the transfer.
     */
    readonly groups: readonly (readonly number[])[]
  }[]
}

/** What a link hands off. */
export interface LinkState {
  readonly parts: PartStates
  /** Transfers whose records its buffers hold; `undefined` when there are none. */
  readonly unsettled: UnsettledState | undefined
}

/** State of a link's unsettled transfers; `undefined` when there are none. Called before its buffers are reset. */
export function unsettledOf(link: Link): UnsettledState | undefined {
  const transfers = link.unsettled.all
  if (transfers.length === 0) return undefined
  // rounds that are settled have no place any more
  for (const { stream } of transfers) stream?.settle()
  const { inlets } = link
  const places = new Map(transfers.flatMap(placesOf).map((one, place) => [one, place]))
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
    transfers: transfers.map(({ update, failed, inlets: told, processors = [], rounds, stream }) => ({
      rounds,
      ...(stream === undefined ? {} : { stream: stateOfStream(stream) }),
      number: update.transferNumber,
      failed,
      inlets: [...told].flatMap(([inlet, pulled]) => placeOf(inlet, inlets).map((place) => [place, pulled] as const)),
      processors: [...processors].flatMap(([processor]) => placeOf(processor, stateful)),
    })),
    holders: holders.filter(({ groups }) => groups.length > 0),
  }
}

/** What has a place of its own, as buffers may hold records of it: a transfer, or the open rounds of one that streamed. */
function placesOf(transfer: UnsettledTransfer): readonly Unsettled[] {
  return transfer.stream?.open ?? [transfer]
}

function stateOfStream(stream: UnsettledStream) {
  const { lists } = stream
  return {
    lists,
    delivered: stream.settle(),
    open: stream.open.map((round) => ({ lists: round.lists, failed: round.failed })),
  }
}

/** Place of a part of a link; none when the link does not have it any more. */
function placeOf<P>(part: P, all: readonly P[]): number[] {
  const place = all.indexOf(part)
  return place < 0 ? [] : [place]
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
  const taken = transfers.flatMap(({ number, failed, inlets: pulls, processors: told, rounds, stream }) => {
    const transfer = new UnsettledTransfer(new Update(link.tags, number), link.unsettled)
    transfer.rounds = rounds
    for (const [place, pulled] of pulls) {
      const inlet = inlets[place]
      if (inlet?.onTransferEnd !== undefined) transfer.inlets.set(inlet, pulled)
    }
    for (const place of told) {
      const processor = processors[place]
      if (processor?.onTransferEnd === undefined) continue
      transfer.processors ??= new Map()
      transfer.processors.set(processor, nameOf('processor', processor, place))
    }
    if (stream !== undefined) {
      transfer.stream = new UnsettledStream(stream.delivered)
      transfer.stream.lists = stream.lists
      for (const one of stream.open) {
        const round = new UnsettledRound(transfer, one.lists)
        round.ended = true
        if (one.failed) round.fail()
        transfer.stream.open.push(round)
      }
    }
    if (failed) transfer.fail()
    link.unsettled.add(transfer)
    return placesOf(transfer)
  })
  for (const { place, kind, records, groups } of holders) {
    const processor = processors[place]
    const holds = processor?.constructor.name === kind && bufferedBy([processor]) >= records
    for (const group of groups) {
      const held = group.flatMap((at) => taken[at] ?? [])
      if (holds) takeOver(processor, held)
      else for (const transfer of held) transfer.fail()
    }
  }
}
