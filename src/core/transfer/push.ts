import { ImplementationError, show } from '../../base/errors.js'
import { copyRecords } from './copy.js'
import { isOfRecords, takenDespite } from '../partial-push.js'
import { nodeName } from '../node.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Outlet } from '../outlet.js'
import type { Record } from '../record.js'
import type { OutletReport } from '../report.js'
import { fail } from './acknowledge.js'
import { nothingOf } from './outlet-counts.js'
import { Tally } from './tally.js'
import type { Transfers } from './holdings.js'
import { runProcessors, bufferedBy } from './process.js'
import { count } from './group.js'
import type { TransferParts } from './parts.js'

/** @param isRound - whether this is a round of several, so that it does not tell who is given nothing */
export function pushAll(
  parts: TransferParts,
  batches: Record[][],
  tally: Tally,
  isRound: boolean,
): MaybePromise<OutletReport[]> {
  const {
    outlets,
    settings: { copyRecords },
  } = parts
  // what becomes of one outlet has no part in what is told to its siblings
  const mayBeEmpty = !isRound && !tally.drain && tally.buffered === 0 && tally.errors.length === 0 && tally.delivered
  const push = (outlet: Outlet) => pushTo(outlet, batches, copyRecords, mayBeEmpty, tally)
  const [only] = outlets
  if (only !== undefined && outlets.length === 1) return then(push(only), (report) => [report])
  return Promise.all(outlets.map(async (outlet) => push(outlet)))
}

/**
 * Pushes every batch to one outlet. What fails is counted and logged, and the next batch is tried, unless the
 * transfer is told to stop.
 *
 * @param mayBeEmpty - whether the outlet is told so when it has nothing to take
 */
function pushTo(
  outlet: Outlet,
  batches: Record[][],
  copyRecords: boolean,
  mayBeEmpty: boolean,
  tally: Tally,
): MaybePromise<OutletReport> {
  const { processors } = outlet
  // an outlet of another copy of this package may have no such field
  const isCopied = copyRecords && !(outlet.readsOnly && processors.length === 0)
  const outletName = nodeName(outlet)
  const report: Writable<OutletReport> = nothingOf(outletName)
  // without a batch, an outlet's buffer is asked all the same: it may be due
  const offered = batches.length === 0 && processors.length > 0 ? [[]] : batches
  let at = 0
  let stopped = false
  let failed = false
  const note = (lost: Lost | undefined) => {
    if (lost === undefined) return
    failed = true
    fail(lost.transfers)
    stopped = tally.cancelled !== undefined
    if (stopped) fail(tally.inHand)
    const all = stopped ? lost.records + count(offered.slice(at)) : lost.records
    report.dropped += all
    tally.logDrop(all, `${outletName} did not take them`)
  }
  const goOn = (): MaybePromise<OutletReport> => {
    while (at < offered.length && !stopped) {
      const batch = offered[at++] as Record[]
      const pushing = pushBatch(outlet, batch, isCopied, report, tally)
      if (pushing instanceof Promise) {
        return pushing.then((lost) => {
          note(lost)
          return goOn()
        })
      }
      note(pushing)
    }
    if (processors.length > 0) report.buffered = bufferedBy(processors)
    const { pushed, buffered, dropped } = report
    const isEmpty = mayBeEmpty && !failed && pushed + buffered + dropped === 0 && tally.cancelled === undefined
    return isEmpty ? then(tellEmpty(outlet, report, tally), () => report) : report
  }
  return goOn()
}

/** Tells an outlet that a transfer has no records for it. */
export function tellEmpty(outlet: Outlet, { outlet: name }: OutletReport, tally: Tally): MaybePromise<void> {
  if (outlet.onEmptyTransfer === undefined) return undefined
  const failed = (thrown: unknown) => {
    tally.fail(thrown, name, 'push')
  }
  try {
    const telling = tally.call(() => outlet.onEmptyTransfer?.(tally.update), tally.stageOfOutlet(outlet))
    return telling instanceof Promise ? telling.catch(failed) : undefined
  } catch (thrown) {
    failed(thrown)
    return undefined
  }
}

/**
 * Ends the pushes of a transfer that had several rounds: tells outlets that it is over, and those that were given nothing
 * in any round that it was empty.
 *
 * @param isComplete - whether the streams of all inlets have come to their end, and nothing stopped the transfer
 */
export async function endPushes({ outlets }: TransferParts, tally: Tally, isComplete: boolean): Promise<void> {
  const mayBeEmpty = isComplete && tally.buffered === 0 && tally.errors.length === 0 && tally.lost === 0
  await Promise.all(
    outlets.map(async (outlet, at) => {
      const report = tally.outlets[at]
      if (report === undefined) return
      await endRounds(outlet, at, report.outlet, tally, isComplete && report.waiting === undefined)
      const isEmpty = mayBeEmpty && report.pushed + report.buffered + report.dropped === 0
      if (isEmpty) await tellEmpty(outlet, report, tally)
    }),
  )
}

/**
 * Ends the pushes of a transfer without rounds, or those of batches that had waited: tells outlets that show nothing before.
 *
 * @param isResumed - whether batches of other transfers were pushed: those that wait again are not missing in what is shown
 */
export function endTransfers({ outlets }: TransferParts, tally: Tally, isResumed = false): MaybePromise<unknown> {
  if (!outlets.some(({ endsTransfers }) => endsTransfers)) return undefined
  return Promise.all(
    outlets.map(async ({ endsTransfers }, at) => {
      const report = tally.outlets[at]
      if (endsTransfers !== true || report === undefined) return
      const isComplete = tally.cancelled === undefined && (isResumed || report.waiting === undefined)
      await endRounds(outlets[at] as Outlet, at, report.outlet, tally, isComplete)
    }),
  )
}

/** Tells an outlet that a transfer had its last round. Takes note of records that it took and has not kept. */
async function endRounds(outlet: Outlet, at: number, name: string, tally: Tally, isComplete: boolean): Promise<void> {
  if (outlet.onLastRound === undefined) return
  const pushed = tally.outlets[at]?.pushed ?? 0
  try {
    // also when the transfer was told to stop: it may have to clean up
    const ending = tally.enter(async () => outlet.onLastRound?.(tally.update, isComplete), tally.stageOfOutlet(outlet))
    const taken: unknown = (await tally.untilGrace(ending)) ?? 0
    if (typeof taken !== 'number' || !Number.isInteger(taken) || taken < 0 || taken > pushed) {
      const expected = `a number of the ${pushed} records that it took, or undefined`
      throw new ImplementationError(`onLastRound() gave ${show(taken)}: expected ${expected}`)
    }
    if (taken > 0) tally.takeBack(at, taken)
  } catch (thrown) {
    tally.fail(thrown, name, 'push')
    tally.takeBack(at, pushed)
  }
}

/** What was lost when a batch was not pushed. */
interface Lost {
  readonly records: number
  /** Transfers whose records those may be. */
  readonly transfers: Transfers
}

/**
 * Pushes one batch to an outlet, and notes in the report what became of it.
 *
 * @returns what was lost when something failed, else `undefined`
 */
function pushBatch(
  outlet: Outlet,
  batch: Record[],
  isCopied: boolean,
  report: Writable<OutletReport>,
  tally: Tally,
): MaybePromise<Lost | undefined> {
  let transfers = tally.inHand
  const stage = tally.stageOfOutlet(outlet)
  const failed = (thrown: unknown, lost: number): Lost => {
    const taken = Math.min(takenDespite(thrown), lost)
    // an outlet that takes no record of many may be wrong itself
    if ((taken > 0 || lost === 1) && isOfRecords(thrown)) tally.failRefused(thrown, report.outlet)
    else tally.fail(thrown, report.outlet, 'push')
    report.pushed += taken
    return { records: lost - taken, transfers }
  }
  const push = (records: Record[], inHand: number): MaybePromise<Lost | undefined> => {
    const taken = (): Lost | undefined => {
      report.pushed += inHand
      report.batches++
      return undefined
    }
    try {
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      const pushing = tally.call<unknown>(() => outlet.push(records, tally.update), stage, records.length)
      return pushing instanceof Promise ? pushing.then(taken, (thrown: unknown) => failed(thrown, inHand)) : taken()
    } catch (thrown) {
      return failed(thrown, inHand)
    }
  }
  let records: Record[]
  try {
    records = isCopied ? copyRecords(batch, outlet) : batch
  } catch (thrown) {
    // the outlet has no part in it
    tally.fail(thrown, 'records', 'copy')
    return { records: batch.length, transfers }
  }
  if (outlet.processors.length === 0) return push(records, records.length)
  return runProcessors(outlet.processors, records, tally, { first: 0, bury: () => undefined, stageOf: () => stage })
    .then((chain) => {
      transfers = chain.transfers
      report.filtered += chain.filtered
      report.added += chain.added
      report.dropped += chain.missing
      tally.logDrop(chain.missing, `they were not in a buffer of ${report.outlet} any more`)
      if (chain.records === undefined) return { records: chain.inHand, transfers }
      return chain.records.length === 0 ? undefined : push(chain.records, chain.inHand)
    })
    .catch((thrown: unknown) => failed(thrown, batch.length))
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
