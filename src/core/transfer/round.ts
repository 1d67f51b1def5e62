import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Record } from '../record.js'
import type { OutletReport } from '../report.js'
import { groupAll } from './group.js'
import type { TransferParts } from './parts.js'
import { bufferedBy, processAll } from './process.js'
import { pushAll } from './push.js'
import type { Tally } from './tally.js'

/** Brings batches to outlets. See {@link pushAll}. */
export type PushBatches = (
  parts: TransferParts,
  batches: Record[][],
  tally: Tally,
  isRound: boolean,
) => MaybePromise<OutletReport[]>

/**
 * Processes, groups and pushes records.
 *
 * @param isOne - whether the transfer has several rounds, of which this is one
 * @param push - brings batches to the outlets
 * @returns what the outlets did; `undefined` when nothing was pushed, as something failed before
 */
export function makeRound(
  parts: TransferParts,
  records: Record[],
  tally: Tally,
  isOne: boolean,
  push: PushBatches = pushAll,
): MaybePromise<OutletReport[] | undefined> {
  const processed = processAll(parts.processors, records, tally, parts.firstProcessor)
  const grouped = then(processed, (some) => {
    if (parts.processors.length > 0) tally.buffered = bufferedBy(parts.processors)
    return some && groupAll(parts.groupers, some, tally)
  })
  return then(grouped, (batches) => batches && push(parts, batches, tally, isOne))
}
