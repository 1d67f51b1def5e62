import { KeyedMutex } from '../../base/keyed-mutex.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Transfers } from './holdings.js'
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
    await tally.call(() => part.onTransferEnd?.(update, delivered, rounds))
  } catch (thrown) {
    // a transfer that was told to stop waits for nothing, and its report says so already
    if (stopped !== undefined && thrown === stopped) return
    if (processor === undefined) tally.fail(thrown, nodeName(part as Inlet), 'pull', false)
    else tally.fail(thrown, processor, 'process', false)
  }
}
