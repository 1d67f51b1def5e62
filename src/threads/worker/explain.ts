import { ShutdownTimeoutError, StartTimeoutError, toError, TransferTimeoutError } from '../../base/errors.js'
import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { Cancellation } from '../../core/cancellation.js'
import { eventLoopWaits } from '../../core/event-loop.js'
import type { Link } from '../../core/link.js'
import { nodeName } from '../../core/node.js'
import type { ReportedError, TransferReport } from '../../core/report.js'
import { RunningTransfers } from '../../core/running-transfers.js'
import { timedStagesOf } from '../../core/transfer/stage-times.js'
import { transfer } from '../../core/transfer/transfer.js'
import type { TransferParts } from '../../core/transfer/parts.js'
import { acceptSize } from '../../core/transfer/process.js'
import { UnsettledTransfers } from '../../core/transfer/unsettled.js'
import { Update } from '../../core/update.js'
import { NOTHING_DONE, type ExplainedStage, type Explanation, type ExplainRequest } from '../protocol/explanation.js'
import type { ThreadSetup } from '../protocol/messages.js'
import { statefulProcessors } from './link-state.js'
import { valueText } from './shown-value.js'
import type { TimeLimits } from './time-limits.js'
import { watchedParts } from './watched-parts.js'

const importPeek = () => import('../../delivery/peek.js')

/** Time for what a transfer has to do when its time is over, in milliseconds. */
const AFTER = 2000

/** Time beyond that of the pull in which nodes start and stop. */
type Limits = Pick<ThreadSetup, 'startTimeout' | 'shutdownTimeout' | 'streamGrace' | 'store'>

/**
 * Makes one transfer of a link whose outlets take nothing, and tells what each stage did. The inlets are started and shut down,
 * and in the end told that nothing was delivered. Nothing is kept of how far they have come.
 *
 * @param link - of a thread that has `dryRun`, so that its outlets are stood in for
 */
export async function explain(
  link: Link,
  request: ExplainRequest,
  limits: Limits,
  within: TimeLimits['within'],
): Promise<Explanation> {
  const { given, isConfirmed, redact } = request
  const unconfirmed = given === undefined && !isConfirmed ? effectsOf(link) : []
  if (unconfirmed.length > 0) return { ...NOTHING_DONE, unconfirmed }
  const isDurable = link.settings.delivery !== 'memory' && given === undefined
  const { Peek } = isDurable ? await importLater(importPeek) : {}
  const peek = await Peek?.open(link, limits.store)
  if (given === undefined) await limited(link, 'start', limits.startTimeout, within, () => link.startNow())
  try {
    const { stages: watched, originals, ...parts } = watchedParts(link, given, request)
    const stages = timedStagesOf(parts)
    if (peek !== undefined) peek.originals = originals
    const unsettled = new UnsettledTransfers()
    unsettled.delivery = peek
    const waits = eventLoopWaits(limits.streamGrace)
    const whole: TransferParts = { ...parts, stages, name: link.name, settings: link.settings, unsettled, waits }
    const report = await transferOnce(link, whole, request, within, async (update, cancellation) => {
      const report = await transfer(whole, update, cancellation, { transferNumber: 0, thread: 1 }, peek)
      // those whose records are in buffers were not told yet
      const telling = Promise.allSettled(watched.map(async (stage) => stage.tell(update)))
      await cancellation.race(telling).catch(() => undefined)
      return report
    })
    const cursors = peek?.stored.map(({ inlet, value }) => ({ inlet, value: valueText(value, redact) }))
    return {
      unconfirmed: [],
      stages: watched.map((stage) => stage.read()).map((stage) => withError(stage, report, redact)),
      ...(cursors && { cursors }),
      errors: report.errors.map((error) => shownError(error, redact)),
      took: report.endedAt - report.startedAt,
    }
  } finally {
    for (const processor of statefulProcessors(link)) {
      processor.reset?.()
      acceptSize(processor)
    }
    if (given === undefined) {
      try {
        await limited(link, 'shut down', limits.shutdownTimeout, within, () => link.onShutdown())
      } catch (thrown) {
        const err = toError(thrown)
        getLogger('databay.Link').error({ err }, `${link.name} failed to shut down: ${err.message}`)
      }
    }
  }
}

/** What the inlets of a link do beside reading when they are pulled. */
function effectsOf({ inlets }: Link) {
  return inlets.flatMap((inlet) => {
    const { pullEffect } = inlet
    return typeof pullEffect === 'string' ? [{ node: nodeName(inlet), effect: pullEffect }] : []
  })
}

async function limited(
  { name }: Link,
  what: string,
  limit: number,
  within: TimeLimits['within'],
  work: () => void | Promise<void>,
): Promise<void> {
  const Late = what === 'start' ? StartTimeoutError : ShutdownTimeoutError
  await within(limit, () => new Late(`${name} did not ${what} within ${limit} ms`), work)
}

/** Makes a transfer within the time that it may take, and the link's own timeout. Streams end after their first list. */
async function transferOnce(
  { tags }: Link,
  { settings, outlets }: TransferParts,
  { timeout }: ExplainRequest,
  within: TimeLimits['within'],
  make: (update: Update, cancellation: Cancellation) => MaybePromise<TransferReport>,
): Promise<TransferReport> {
  const cancellation = new Cancellation()
  const update = new Update(tags, 0, cancellation)
  // single values that a stream has given come together in a round: it is the only one
  for (const outlet of outlets) {
    const push = outlet.push.bind(outlet)
    outlet.push = (records, update) => {
      cancellation.end()
      return push(records, update)
    }
  }
  const limit = Math.min(timeout, settings.timeout ?? Infinity)
  // where code holds up the thread, the thread is ended a little later
  const late = () => new TransferTimeoutError(`the pull did not end within ${limit} ms`)
  return within(limit + AFTER, late, () =>
    new RunningTransfers().run(update, cancellation, limit, () => make(update, cancellation)),
  )
}

function withError(stage: ExplainedStage, { errors }: TransferReport, redact: boolean): ExplainedStage {
  const error = errors.find((one) => one.node === stage.node && one.stage === stage.stage)
  return error === undefined ? stage : { ...stage, error: shownError(error, redact) }
}

/** An error, of which the message may be left out, as it may have values of records in it. */
function shownError({ node, stage, name, code, message, ...rest }: ReportedError, redact: boolean): ReportedError {
  const known = { node, stage, name, ...(code !== undefined && { code }) }
  return redact ? { ...known, message: `${message.length} characters, left out` } : { ...rest, ...known, message }
}
