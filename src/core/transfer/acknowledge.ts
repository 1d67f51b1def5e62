import { KeyedMutex } from '../../base/keyed-mutex.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Outlet } from '../outlet.js'
import type { Transfers } from './holdings.js'
import type { Delivery, PullVerdict } from './delivery.js'
import type { Tally } from './tally.js'
import type { UnsettledTransfers, Verdict } from './unsettled.js'

/** A part is told of one transfer after the other: it may write a position to a file. Links may share it. */
const turns = new KeyedMutex()

/** Notes that records of transfers were dropped or refused. */
export function fail(transfers: Transfers): void {
  for (const transfer of transfers) transfer.fail()
}

/**
 * Tells inlets and processors what came of what they gave, as far as that is known now that a transfer has ended: of this
 * transfer, and of those before it whose records a buffer has let go of. Each is told of one transfer after the other,
 * and none waits for another. What fails is counted and logged as a part of the pull, or of the processing.
 */
export function settle(tally: Tally): MaybePromise<unknown> {
  const told = settleTransfer(tally)
  const { delivery } = tally
  return delivery === undefined ? told : then(told, () => keep(delivery.finish(), tally))
}

function settleTransfer(tally: Tally): MaybePromise<unknown> {
  const { unsettled } = tally
  if (unsettled !== undefined) {
    unsettled.rounds = tally.rounds
    if (!tally.delivered) unsettled.fail()
    unsettled.list.add(unsettled)
  }
  if (tally.released !== undefined) return settleReleased(tally, unsettled?.list)
  return unsettled && tellAll(unsettled.list.settle(), tally)
}

/**
 * Settles the transfers, and rounds, whose records buffers have let go of, at the end of the transfer or round that took
 * them on. See {@link settle}.
 *
 * @param own - list of the transfer itself, if that is to be settled too
 */
export function settleReleased(tally: Tally, own?: UnsettledTransfers): MaybePromise<unknown> {
  const { released } = tally
  if (released === undefined) return undefined
  tally.released = undefined
  const lists = new Set<UnsettledTransfers>()
  for (const one of released) {
    one.held--
    lists.add(one.list)
  }
  if (own !== undefined) lists.add(own)
  return tellAll(
    [...lists].flatMap((list) => list.settle()),
    tally,
  )
}

function tellAll(verdicts: readonly Verdict[], tally: Tally): MaybePromise<unknown> {
  if (verdicts.length === 0) return undefined
  // a buffer may have let go of records of another link, too
  return verdicts.some(({ delivery }) => delivery !== undefined)
    ? tellDurably(verdicts, tally)
    : tellParts(verdicts, tally)
}

/**
 * Tells processors, so that what they keep is as it should be at the cursor; keeps the cursors; and tells inlets only then,
 * as what they do may not be undone, such as a message that is acknowledged.
 */
async function tellDurably(verdicts: readonly Verdict[], tally: Tally): Promise<void> {
  await tellParts(
    verdicts.filter(({ processor }) => processor !== undefined),
    tally,
  )
  const pulls = verdicts.filter(({ processor }) => processor === undefined)
  const byDelivery = new Map<Delivery, PullVerdict[]>()
  for (const { part, update, failed, rounds, delivery } of pulls) {
    if (delivery === undefined) continue
    const some = byDelivery.get(delivery) ?? []
    byDelivery.set(delivery, some)
    // what a pull gave before it failed is delivered all the same
    some.push({ inlet: part as Inlet, update, delivered: !failed, rounds })
  }
  const kept = new Set<Delivery>()
  for (const [delivery, some] of byDelivery) if (await keep(delivery.settle(some), tally)) kept.add(delivery)
  await tellParts(
    pulls.filter(({ delivery }) => delivery === undefined || kept.has(delivery)),
    tally,
  )
}

/** Whether outlets do not keep what they took before the transfer is over. */
export function keepLater(outlets: readonly Outlet[], { update }: Tally): boolean {
  return outlets.some((outlet) => outlet.onLastRound !== undefined && outlet.keepsRounds?.(update) !== true)
}

/** Keeps what has come of a transfer that streams so far, if what an outlet took stays there. */
export async function settleProgress(tally: Tally, outlets: readonly Outlet[]): Promise<void> {
  const { delivery, unsettled } = tally
  const { stream } = unsettled ?? {}
  if (delivery === undefined || stream === undefined) return
  if (keepLater(outlets, tally)) return
  await keep(delivery.progress(tally.update, stream.settle().lists), tally)
}

/** Waits until something is on the disk, and gives whether it is. A transfer that is told to stop does not wait. */
async function keep(keeping: Promise<void>, tally: Tally): Promise<boolean> {
  try {
    await tally.until(keeping)
    return true
  } catch (thrown) {
    if (thrown !== tally.cancelled || tally.errors.length === 0) tally.fail(thrown, 'delivery', 'transfer')
    return false
  }
}

function tellParts(verdicts: readonly Verdict[], tally: Tally): MaybePromise<unknown> {
  if (verdicts.length === 0) return undefined
  const byPart = new Map<object, Verdict[]>()
  for (const verdict of verdicts) {
    const same = byPart.get(verdict.part)
    if (same === undefined) byPart.set(verdict.part, [verdict])
    else same.push(verdict)
  }
  return Promise.all([...byPart].map(([part, some]) => tellInTurn(part, some, tally)))
}

async function tellInTurn(part: object, verdicts: readonly Verdict[], tally: Tally): Promise<void> {
  // a transfer that is told to stop waits for nothing
  const endTurn = await turns.take(part, (ahead) => tally.until(ahead)).catch(() => undefined)
  for (const verdict of verdicts) await tell(verdict, tally)
  endTurn?.()
}

async function tell({ part, processor, update, delivered, rounds }: Verdict, tally: Tally): Promise<void> {
  const stopped = tally.cancelled
  try {
    // a link with `delivery` has verdicts of all inlets
    if (part.onTransferEnd === undefined) return
    await tally.call(() => part.onTransferEnd?.(update, delivered, rounds))
  } catch (thrown) {
    // a transfer that was told to stop waits for nothing, and its report says so already
    if (stopped !== undefined && thrown === stopped) return
    if (processor === undefined) tally.fail(thrown, nodeName(part as Inlet), 'pull', false)
    else tally.fail(thrown, processor, 'process', false)
  }
}
