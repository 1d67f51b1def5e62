import { KeyedMutex } from '../../base/keyed-mutex.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Transfers } from './holdings.js'
import type { Tally } from './tally.js'
import type { UnsettledTransfer, Verdict } from './unsettled.js'

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
  const { unsettled, released } = tally
  if (unsettled !== undefined) {
    if (!tally.delivered) unsettled.fail()
    unsettled.list.add(unsettled)
  }
  const verdicts = released === undefined ? (unsettled?.list.settle() ?? []) : settleAll(released, unsettled)
  if (verdicts.length === 0) return undefined
  const byPart = new Map<object, Verdict[]>()
  for (const verdict of verdicts) {
    const same = byPart.get(verdict.part)
    if (same === undefined) byPart.set(verdict.part, [verdict])
    else same.push(verdict)
  }
  return Promise.all([...byPart].map(([part, some]) => tellInTurn(part, some, tally)))
}

function settleAll(released: ReadonlySet<UnsettledTransfer>, unsettled: UnsettledTransfer | undefined): Verdict[] {
  for (const transfer of released) transfer.held--
  const lists = new Set([...released, ...(unsettled === undefined ? [] : [unsettled])].map(({ list }) => list))
  return [...lists].flatMap((list) => list.settle())
}

async function tellInTurn(part: object, verdicts: readonly Verdict[], tally: Tally): Promise<void> {
  // a transfer that is told to stop waits for nothing
  const endTurn = await turns.take(part, (ahead) => tally.until(ahead)).catch(() => undefined)
  for (const verdict of verdicts) await tell(verdict, tally)
  endTurn?.()
}

async function tell({ part, processor, update, delivered }: Verdict, tally: Tally): Promise<void> {
  const stopped = tally.cancelled
  try {
    await tally.call(() => part.onTransferEnd?.(update, delivered))
  } catch (thrown) {
    // a transfer that was told to stop waits for nothing, and its report says so already
    if (stopped !== undefined && thrown === stopped) return
    if (processor === undefined) tally.fail(thrown, nodeName(part as Inlet), 'pull')
    else tally.fail(thrown, processor, 'process')
  }
}
