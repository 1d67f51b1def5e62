import { logDetail } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Cancellation } from '../cancellation.js'
import type { TransferReport } from '../report.js'
import type { Update } from '../update.js'
import type { DurableDelivery } from './durable.js'
import type { HostedRequest } from './hosted-request.js'
import { Tally } from './tally.js'
import { settle, settleReleased } from './acknowledge.js'
import { pullAll, Pulls } from './pull.js'
import { bufferedBy } from './process.js'
import { endTransfers } from './push.js'
import { makeRound, type PushBatches } from './round.js'
import { transferInRounds } from './rounds.js'
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
 *
 * Where inlets stream, all but the last line is done for each list that they yield: see {@link transferInRounds}.
 *
 * @param durable - what keeps how far the inlets have come, for a link with `delivery`
 */
export function transfer(
  parts: TransferParts,
  update: Update,
  cancellation: Cancellation,
  request: HostedRequest,
  durable?: DurableDelivery,
): MaybePromise<TransferReport> {
  const { name: link, tracer } = parts
  const { thread = 0, scheduledAt, drain = false } = request
  const trace = tracer?.begin({ link, update, thread, scheduledAt, drain })
  const tally = new Tally(parts, update, cancellation, request, trace)
  if (trace === undefined) return make(parts, tally, durable)
  return then(
    trace.run(() => make(parts, tally, durable)),
    (report) => {
      trace.end(report)
      return report
    },
  )
}

function make(parts: TransferParts, tally: Tally, durable: DurableDelivery | undefined): MaybePromise<TransferReport> {
  const { update } = tally
  logDetail('databay.Link', update, 'transfer')
  const pushed = durable === undefined ? move(parts, tally) : moveDurably(parts, tally, durable)
  const told = then(pushed, () => settle(tally))
  return then(told, () => {
    logDetail('databay.Link', update, 'done')
    return tally.report()
  })
}

/** With `delivery`, what outlets have not taken yet goes first, and nothing is pulled while they cannot take it. */
async function moveDurably(parts: TransferParts, tally: Tally, durable: DurableDelivery): Promise<void> {
  const push: PushBatches = (...args) => durable.push(...args)
  const mayPull = await durable.resume(parts, tally)
  await endTransfers(parts, tally, true)
  // what is settled by that is known before anything is pulled
  await settleReleased(tally)
  if (mayPull) await move(parts, tally, push)
  else tally.buffered = bufferedBy(parts.processors)
}

/** Pulls, and brings what comes of that to the outlets. */
function move(parts: TransferParts, tally: Tally, push?: PushBatches): MaybePromise<unknown> {
  const pulled = tally.drain ? [] : pullAll(parts, tally)
  return then(pulled, (pulls) => {
    if (pulls instanceof Pulls) return transferInRounds(parts, pulls, tally, push)
    if (pulls === undefined) {
      tally.buffered = bufferedBy(parts.processors)
      return undefined
    }
    tally.rounds = 1
    return then(makeRound(parts, pulls, tally, false, push), (outlets) => {
      if (outlets === undefined) return undefined
      tally.addOutlets(outlets)
      return endTransfers(parts, tally)
    })
  })
}
