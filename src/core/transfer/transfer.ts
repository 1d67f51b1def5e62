import { logDetail } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Cancellation } from '../cancellation.js'
import type { TransferReport } from '../report.js'
import type { Update } from '../update.js'
import { Tally, type HostedRequest } from './tally.js'
import { settle } from './acknowledge.js'
import { pullAll } from './pull.js'
import { processAll, bufferedBy } from './process.js'
import { groupAll } from './group.js'
import { pushAll } from './push.js'
import type { TransferParts } from './parts.js'

/**
 * Makes one transfer: pull > process > group > push. Knows no timer and no thread; never rejects: what went wrong is
 * in the report, and logged.
 *
 * ```
 * inlets      - pull, at once -> records, in the order of the inlets
 * processors  - one by one ---> records          an error here: nothing is pushed
 * groupers    - one by one ---> batches
 * outlets     - at once ------> each gets every batch, one by one, whatever happens to its siblings
 * inlets      - at once ------> onTransferEnd: whether their records were delivered, once no buffer holds them
 * ```
 */
export function transfer(
  parts: TransferParts,
  update: Update,
  cancellation: Cancellation,
  request: HostedRequest,
): MaybePromise<TransferReport> {
  const tally = new Tally(parts, update, cancellation, request)
  logDetail('databay.Link', update, 'transfer')
  const pulled = tally.drain ? [] : pullAll(parts, tally)
  const processed = then(pulled, (records) => records && processAll(parts.processors, records, tally))
  const grouped = then(processed, (records) => {
    if (parts.processors.length > 0) tally.buffered = bufferedBy(parts.processors)
    return records && groupAll(parts.groupers, records, tally)
  })
  const pushed = then(grouped, (batches) => batches && pushAll(parts, batches, tally))
  const told = then(pushed, (outlets) => {
    if (outlets !== undefined) tally.outlets = outlets
    return settle(tally)
  })
  return then(told, () => {
    logDetail('databay.Link', update, 'done')
    return tally.report()
  })
}
