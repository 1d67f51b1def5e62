import pLimit from 'p-limit'
import { copyPayload } from './copy.js'
import { ImplementationError, show, sortOf, takenDespite } from '../../base/errors.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import { logDetail } from '../../base/log.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { Outlet } from '../outlet.js'
import { nameOf, type AnyGrouper, type AnyProcessor } from '../processor.js'
import { isRecord, type Record } from '../record.js'
import type { OutletReport, TransferReport } from '../report.js'
import { Tally, type TransferRun } from './tally.js'
import { tellInlets } from './acknowledge.js'
import { Turns } from '../../base/keyed-mutex.js'
import type { Update } from '../update.js'

/** What of a link a transfer needs. */
export interface TransferParts {
  readonly name: string
  readonly inlets: readonly Inlet[]
  readonly outlets: readonly Outlet[]
  readonly processors: readonly AnyProcessor[]
  readonly groupers: readonly AnyGrouper[]
  readonly copyRecords: boolean
  readonly ignoreExceptions: boolean
  readonly inletConcurrency: number
}

/**
 * Makes one transfer: pull > process > group > push. Knows no timer and no thread; never rejects: what went wrong is
 * in the report, and logged.
 *
 * ```
 * inlets      - pull, at once -> records, in the order of the inlets
 * processors  - one by one ---> records          an error here: nothing is pushed
 * groupers    - one by one ---> batches
 * outlets     - at once ------> each gets every batch, one by one, whatever happens to its siblings
 * inlets      - at once ------> those that want to know are told whether their records were delivered
 * ```
 */
export function transfer(parts: TransferParts, run: TransferRun): MaybePromise<TransferReport> {
  const tally = new Tally(parts, run)
  logDetail('databay.Link', run.update, 'transfer')
  const pulled = run.drain ? [] : pullAll(parts, tally)
  const processed = then(pulled, (records) => records && processAll(parts.processors, records, tally))
  const grouped = then(processed, (records) => {
    if (parts.processors.length > 0) tally.buffered = bufferedBy(parts.processors)
    return records && groupAll(parts.groupers, records, tally)
  })
  const pushed = then(grouped, (batches) => batches && pushAll(parts, batches, tally))
  const told = then(pushed, (outlets) => {
    if (outlets !== undefined) tally.outlets = outlets
    return tally.toTell && tellInlets(tally.toTell, tally)
  })
  return then(told, () => {
    logDetail('databay.Link', run.update, 'done')
    return tally.report()
  })
}

/** The records of all inlets, in their order; `undefined` when the transfer must not go on. */
function pullAll(parts: TransferParts, tally: Tally): MaybePromise<Record[] | undefined> {
  const { inlets } = parts
  const [only] = inlets
  if (only !== undefined && inlets.length === 1) {
    return then(pullOne(only, tally), (records = []) => goOnWith(records, parts, tally))
  }
  const pull = (inlet: Inlet) => pullOne(inlet, tally)
  const concurrent = inlets.length <= parts.inletConcurrency
  const pulls = concurrent ? inlets.map(async (inlet) => pull(inlet)) : limited(inlets, parts.inletConcurrency, pull)
  return Promise.all(pulls).then((pulled) =>
    goOnWith(
      pulled.flatMap((some) => some ?? []),
      parts,
      tally,
    ),
  )
}

/** What was pulled; `undefined` when an inlet failed and that counts. */
function goOnWith(records: Record[], parts: TransferParts, tally: Tally): Record[] | undefined {
  tally.pulled = records.length
  const mayGoOn = tally.errors.length === 0 || (parts.ignoreExceptions && tally.cancelled === undefined)
  if (mayGoOn) return records
  tally.drop(records.length, 'an inlet failed')
  return undefined
}

function limited<T, R>(items: readonly T[], concurrency: number, work: (item: T) => MaybePromise<R>): Promise<R>[] {
  const limit = pLimit(concurrency)
  return items.map((item) => limit(async () => work(item)))
}

function pullOne(inlet: Inlet, tally: Tally): MaybePromise<Record[] | undefined> {
  const failed = (thrown: unknown): Record[] | undefined => {
    tally.fail(thrown, nodeName(inlet), 'pull')
    tally.pullFailed(inlet)
    return undefined
  }
  try {
    const stopped = tally.cancelled
    if (stopped !== undefined) throw stopped
    if (inlet.onTransferEnd !== undefined) tally.willTell(inlet)
    const pulled = tally.call<unknown>(() => inlet.pull(tally.update))
    if (!(pulled instanceof Promise)) return toRecords(inlet, pulled)
    return pulled.then((value) => toRecords(inlet, value)).catch(failed)
  } catch (thrown) {
    return failed(thrown)
  }
}

/** An array is many records, anything else one; `undefined` is a forgotten `return`. */
function toRecords(inlet: Inlet, pulled: unknown): Record[] {
  if (pulled === undefined) {
    throw new ImplementationError('pull() returned undefined: return [] for no records, or null for a record of null')
  }
  if (!Array.isArray(pulled)) return [isRecord(pulled) ? pulled : inlet.newRecord(pulled)]
  const records: Record[] = []
  // unlike map(), this makes records of the holes of a sparse array too
  for (const one of pulled as unknown[]) records.push(isRecord(one) ? one : inlet.newRecord(one))
  return records
}

function processAll(
  processors: readonly AnyProcessor[],
  records: Record[],
  tally: Tally,
): MaybePromise<Record[] | undefined> {
  return processors.length === 0 ? records : processSome(processors, records, tally)
}

async function processSome(
  processors: readonly AnyProcessor[],
  records: Record[],
  tally: Tally,
): Promise<Record[] | undefined> {
  const chain = await runProcessors(processors, records, tally)
  tally.filtered += chain.filtered
  tally.added += chain.added
  if (chain.records === undefined) tally.drop(chain.inHand, 'a processor failed')
  return chain.records
}

/** What a chain of processors made of some records. */
interface Processed {
  /** What came out; `undefined` when one failed. */
  readonly records: Record[] | undefined
  /** How many records were on their way when it ended. */
  readonly inHand: number
  readonly filtered: number
  readonly added: number
}

/**
 * Calls into a processor with a memory take turns, as links that share an outlet share its buffer too: what one call
 * takes in could else not be told from what another lets go of.
 */
const turns = new Turns()

async function runProcessors(processors: readonly AnyProcessor[], input: Record[], tally: Tally): Promise<Processed> {
  let records: Record[] | undefined = input
  let inHand = input.length
  let filtered = 0
  let added = 0
  for (const [index, processor] of processors.entries()) {
    const name = nameOf('processor', processor, index)
    let held: number | undefined
    let endTurn: (() => void) | undefined
    try {
      if (typeof processor === 'object') endTurn = await turns.take(processor, (ahead) => tally.until(ahead))
      held = sizeOf(processor)
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      if (tally.drain && typeof processor === 'object' && 'flush' in processor) processor.flush = true
      const processed = tally.call<unknown>(() => call(processor, records as Record[], tally.update))
      records = checkRecords(processed instanceof Promise ? await processed : processed)
    } catch (thrown) {
      tally.fail(thrown, name, 'process')
      records = undefined
    }
    // what a buffer took in or let go of is neither filtered nor added
    const left: number = held === undefined ? inHand : inHand - (sizeOf(processor) - held)
    endTurn?.()
    const out: number = records?.length ?? Math.max(0, left)
    filtered += Math.max(0, left - out)
    added += Math.max(0, out - left)
    inHand = out
    if (records === undefined) break
  }
  return { records, inHand, filtered, added }
}

function call(processor: AnyProcessor, records: Record[], update: Update) {
  // that they fit was for the compiler to see when the link was made
  const fitting = records as Record<never>[]
  return typeof processor === 'function' ? processor(fitting, update) : processor.process(fitting, update)
}

/** How many records the processors hold back. */
export function bufferedBy(processors: readonly AnyProcessor[]): number {
  return processors.reduce((sum, processor) => sum + sizeOf(processor), 0)
}

function sizeOf(processor: AnyProcessor): number {
  if (typeof processor === 'function') return 0
  const { size = 0 } = processor
  if (Number.isInteger(size) && size >= 0) return size
  throw new ImplementationError(`size of ${processor.constructor.name} must be a number of records, got ${show(size)}`)
}

function checkRecords(returned: unknown): Record[] {
  if (!Array.isArray(returned)) {
    throw new ImplementationError(`returned ${sortOf(returned)}: expected a list of records`)
  }
  const at = returned.findIndex((element) => !isRecord(element))
  if (at !== -1) {
    throw new ImplementationError(
      `returned a list with ${sortOf(returned[at])} at ${at}: expected records (see record.with({ payload }))`,
    )
  }
  return returned as Record[]
}

function groupAll(
  groupers: readonly AnyGrouper[],
  records: Record[],
  tally: Tally,
): MaybePromise<Record[][] | undefined> {
  if (records.length === 0) return []
  if (groupers.length > 0) return groupSome(groupers, records, tally)
  tally.grouped = records.length
  tally.batches = 1
  return [records]
}

async function groupSome(
  groupers: readonly AnyGrouper[],
  records: Record[],
  tally: Tally,
): Promise<Record[][] | undefined> {
  let batches = [records]
  for (const [index, grouper] of groupers.entries()) {
    const name = nameOf('grouper', grouper, index)
    const given = occurrences(batches)
    const before = count(batches)
    try {
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      const grouped = tally.call<unknown>(() => grouper(batches as Record<never>[][], tally.update))
      batches = checkBatches(grouped instanceof Promise ? await grouped : grouped)
    } catch (thrown) {
      tally.fail(thrown, name, 'group')
      tally.drop(before, 'a grouper failed')
      return undefined
    }
    const { lost, extra } = compare(given, batches)
    tally.drop(lost, `${name} left them out`)
    tally.add(extra, `${name} gave them twice, or was not given them`)
  }
  batches = batches.filter((batch) => batch.length > 0)
  tally.grouped = count(batches)
  tally.batches = batches.length
  return batches
}

/** How often each record is in the batches. */
function occurrences(batches: readonly (readonly Record[])[]): Map<Record, number> {
  const times = new Map<Record, number>()
  for (const batch of batches) for (const record of batch) times.set(record, (times.get(record) ?? 0) + 1)
  return times
}

/** How many of the `given` records are not in the batches, and how many in the batches were not given. */
function compare(given: Map<Record, number>, batches: readonly (readonly Record[])[]) {
  let extra = 0
  for (const batch of batches) {
    for (const record of batch) {
      const left = given.get(record) ?? 0
      if (left === 0) extra++
      else given.set(record, left - 1)
    }
  }
  const lost = [...given.values()].reduce((sum, left) => sum + left, 0)
  return { lost, extra }
}

function count(batches: readonly (readonly Record[])[]): number {
  return batches.reduce((sum, batch) => sum + batch.length, 0)
}

function checkBatches(returned: unknown): Record[][] {
  if (!Array.isArray(returned)) {
    throw new ImplementationError(`returned ${sortOf(returned)}: expected a list of batches`)
  }
  for (const [at, batch] of returned.entries()) {
    if (!Array.isArray(batch)) {
      throw new ImplementationError(
        `returned a list with ${sortOf(batch)} at ${at}: expected batches (lists of records)`,
      )
    }
    checkRecords(batch)
  }
  return returned as Record[][]
}

function pushAll(parts: TransferParts, batches: Record[][], tally: Tally): MaybePromise<OutletReport[]> {
  const { outlets, copyRecords } = parts
  const [only] = outlets
  if (only !== undefined && outlets.length === 1) {
    return then(pushTo(only, batches, copyRecords, tally), (report) => [report])
  }
  return Promise.all(outlets.map(async (outlet) => pushTo(outlet, batches, copyRecords, tally)))
}

/**
 * Pushes every batch to one outlet. What fails is counted and logged, and the next batch is tried, unless the
 * transfer is told to stop.
 */
function pushTo(outlet: Outlet, batches: Record[][], copyRecords: boolean, tally: Tally): MaybePromise<OutletReport> {
  const { processors } = outlet
  const outletName = nodeName(outlet)
  const report = { outlet: outletName, pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 }
  // without a batch, an outlet's buffer is asked all the same: it may be due
  const offered = batches.length === 0 && processors.length > 0 ? [[]] : batches
  let at = 0
  let stopped = false
  const note = (lost: number | undefined) => {
    if (lost === undefined) return
    stopped = tally.cancelled !== undefined
    const all = stopped ? lost + count(offered.slice(at)) : lost
    report.dropped += all
    tally.logDrop(all, `${outletName} did not take them`)
  }
  const goOn = (): MaybePromise<OutletReport> => {
    while (at < offered.length && !stopped) {
      const batch = offered[at++] as Record[]
      const pushing = pushBatch(outlet, batch, copyRecords, report, tally)
      if (pushing instanceof Promise) {
        return pushing.then((lost) => {
          note(lost)
          return goOn()
        })
      }
      note(pushing)
    }
    if (processors.length > 0) report.buffered = bufferedBy(processors)
    return report
  }
  return goOn()
}

/**
 * Pushes one batch to an outlet, and notes in the report what became of it.
 *
 * @returns how many records were lost when something failed, else `undefined`
 */
function pushBatch(
  outlet: Outlet,
  batch: Record[],
  copyRecords: boolean,
  report: Writable<OutletReport>,
  tally: Tally,
): MaybePromise<number | undefined> {
  const failed = (thrown: unknown, lost: number) => {
    tally.fail(thrown, report.outlet, 'push')
    const taken = Math.min(takenDespite(thrown), lost)
    report.pushed += taken
    return lost - taken
  }
  const push = (records: Record[], inHand: number): MaybePromise<number | undefined> => {
    const taken = (): number | undefined => {
      report.pushed += inHand
      report.batches++
      return undefined
    }
    try {
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      const pushing = tally.call<unknown>(() => outlet.push(records, tally.update))
      return pushing instanceof Promise ? pushing.then(taken, (thrown: unknown) => failed(thrown, inHand)) : taken()
    } catch (thrown) {
      return failed(thrown, inHand)
    }
  }
  let records: Record[]
  try {
    records = copyRecords ? batch.map(copyRecord) : batch
  } catch (thrown) {
    return failed(thrown, batch.length)
  }
  if (outlet.processors.length === 0) return push(records, records.length)
  return runProcessors(outlet.processors, records, tally)
    .then((chain) => {
      report.filtered += chain.filtered
      report.added += chain.added
      if (chain.records === undefined) return chain.inHand
      return chain.records.length === 0 ? undefined : push(chain.records, chain.inHand)
    })
    .catch((thrown: unknown) => failed(thrown, batch.length))
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A record that its outlet may change without another noticing. Metadata is frozen, so it is shared. */
function copyRecord(record: Record): Record {
  const { payload } = record
  return typeof payload === 'object' && payload !== null ? record.with({ payload: copyPayload(payload) }) : record
}
