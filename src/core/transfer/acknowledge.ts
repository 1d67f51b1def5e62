import type { MaybePromise } from '../../base/maybe-promise.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import type { Transfers } from './holdings.js'
import type { Tally } from './tally.js'
import type { UnsettledTransfer, Verdict } from './unsettled.js'

/** Notes that records of transfers were dropped or refused. */
export function fail(transfers: Transfers): void {
  for (const transfer of transfers) transfer.failed = true
}

/**
 * Tells inlets and processors what came of what they gave, as far as that is known now that a transfer has ended: of this
 * transfer, and of those before it whose records a buffer has let go of. What fails is counted and logged as a part of
 * the pull, or of the processing.
 */
export function settle(tally: Tally): MaybePromise<unknown> {
  const { unsettled, released } = tally
  if (unsettled !== undefined) {
    unsettled.failed ||= !tally.delivered
    unsettled.list.add(unsettled)
  }
  const verdicts = released === undefined ? (unsettled?.list.settle() ?? []) : settleAll([...released, unsettled])
  return verdicts.length === 0 ? undefined : Promise.all(verdicts.map((verdict) => tell(verdict, tally)))
}

function settleAll(transfers: readonly (UnsettledTransfer | undefined)[]): Verdict[] {
  return [...new Set(transfers.map((transfer) => transfer?.list))].flatMap((list) => list?.settle() ?? [])
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
