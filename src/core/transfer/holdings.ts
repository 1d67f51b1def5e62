import type { Unsettled, UnsettledTransfers } from './unsettled.js'

/** Transfers, or rounds of them, whose records go through a part of a link together. */
export type Transfers = readonly Unsettled[]

/** No transfer that anybody waits for. */
export const NONE: Transfers = []

/** What a call did, as the number of records shows. */
export interface CallCounts {
  /** Number of records that the processor held before the call, and after it. */
  readonly before: number
  readonly after: number
  /** Number of records that it gave. */
  readonly given: number
}

/** Transfers whose records each processor with a memory holds: a group for each call that put records into it. */
const holdings = new WeakMap<object, Transfers[]>()

/**
 * Notes what a call of a processor with a memory did with the records of some transfers: they went through it, or are
 * held by it, and those of other transfers came out.
 *
 * A processor that holds none has let go of all. One that gives records and holds others has given the oldest, as far as
 * their number tells: it holds no more calls than records.
 *
 * @param transfers - the transfers whose records it was given
 * @returns the transfers whose records may have come out
 */
export function noteCall(processor: object, transfers: Transfers, { before, after, given }: CallCounts): Transfers {
  const groups = holdings.get(processor)
  if (after === 0) {
    if (groups === undefined) return transfers
    holdings.delete(processor)
    return union([...groups.splice(0).map(release), transfers])
  }
  if (given === 0 && after <= before) return transfers
  const held = groups ?? []
  if (transfers.length > 0) hold(processor, held, transfers)
  if (given === 0 && after > before) return NONE
  const out = union([...held, transfers])
  while (held.length > after) release(held.shift() ?? NONE)
  return out
}

/** Has a processor hold a group of transfers, as it has taken over the state of another one. */
export function takeOver(processor: object, group: Transfers): void {
  hold(processor, holdings.get(processor) ?? [], group)
}

/** Has a processor hold nothing of a link any more. */
export function forget(processor: object, link: UnsettledTransfers): void {
  const groups = holdings.get(processor)?.map((group) => group.filter(({ list }) => list !== link)) ?? []
  const left = groups.filter((group) => group.length > 0)
  if (left.length > 0) holdings.set(processor, left)
  else holdings.delete(processor)
}

/** Notes that what a processor holds of a link never comes out: these transfers have failed. */
export function abandon(processor: object, link: UnsettledTransfers): void {
  for (const transfer of heldBy(processor).flat()) if (transfer.list === link) transfer.fail()
  forget(processor, link)
}

/** The groups of transfers whose records a processor holds. */
export function heldBy(processor: object): readonly Transfers[] {
  return holdings.get(processor) ?? []
}

function hold(processor: object, groups: Transfers[], group: Transfers): void {
  for (const transfer of group) transfer.held++
  groups.push(group)
  holdings.set(processor, groups)
}

function release(group: Transfers): Transfers {
  for (const transfer of group) transfer.held--
  return group
}

function union(groups: readonly Transfers[]): Transfers {
  return [...new Set(groups.flat())]
}
