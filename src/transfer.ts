import pLimit from 'p-limit'
import { copy } from 'fast-copy'
import { ImplementationError, show, takenDespite } from './errors.js'
import type { Inlet } from './inlet.js'
import { nodeName } from './lifecycle.js'
import { getLogger } from './log.js'
import type { Outlet } from './outlet.js'
import { nameOf, type AnyGrouper, type AnyProcessor } from './processor.js'
import { isRecord, type Record } from './record.js'
import type { OutletReport, TransferReport } from './report.js'
import { Tally, type TransferRun } from './tally.js'
import { tellInlets } from './transfer-end.js'
import { Turns } from './turns.js'
import type { Update } from './update.js'

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
 * Makes one transfer: pull ► process ► group ► push. Knows no timer and no thread; never rejects: what went wrong is
 * in the report, and logged.
 *
 * ```
 * inlets      ─ pull, at once ─► records, in the order of the inlets
 * processors  ─ one by one ───► records          an error here: nothing is pushed
 * groupers    ─ one by one ───► batches
 * outlets     ─ at once ──────► each gets every batch, one by one, whatever happens to its siblings
 * inlets      ─ at once ──────► those that want to know are told whether their records were delivered
 * ```
 */
export async function transfer(parts: TransferParts, run: TransferRun): Promise<TransferReport> {
  const log = getLogger('databay.Link')
  const tally = new Tally(parts, run)
  log.debug('%s transfer', run.update)
  const records = run.drain ? [] : await pullAll(parts, tally)
  const processed = records && (await processAll(parts.processors, records, tally))
  tally.buffered = bufferedBy(parts.processors)
  const batches = processed && (await groupAll(parts.groupers, processed, tally))
  if (batches !== undefined) tally.outlets = await pushAll(parts, batches, tally)
  if (tally.toTell !== undefined) await tellInlets(tally.toTell, tally)
  log.debug('%s done', run.update)
  return tally.report()
}

/** The records of all inlets, in their order; `undefined` when the transfer must not go on. */
async function pullAll(parts: TransferParts, tally: Tally): Promise<Record[] | undefined> {
  const { inlets } = parts
  const pull = (inlet: Inlet) => pullOne(inlet, tally)
  const concurrent = inlets.length <= parts.inletConcurrency
  const pulled = await Promise.all(concurrent ? inlets.map(pull) : limited(inlets, parts.inletConcurrency, pull))
  const records = pulled.length === 1 && pulled[0] !== undefined ? pulled[0] : pulled.flatMap((some) => some ?? [])
  tally.pulled = records.length
  const mayGoOn = tally.errors.length === 0 || (parts.ignoreExceptions && tally.cancelled === undefined)
  if (mayGoOn) return records
  tally.drop(records.length, 'an inlet failed')
  return undefined
}

function limited<T, R>(items: readonly T[], concurrency: number, work: (item: T) => Promise<R>): Promise<R>[] {
  const limit = pLimit(concurrency)
  return items.map((item) => limit(work, item))
}

async function pullOne(inlet: Inlet, tally: Tally): Promise<Record[] | undefined> {
  try {
    const stopped = tally.cancelled
    if (stopped !== undefined) throw stopped
    if (inlet.onTransferEnd !== undefined) tally.willTell(inlet)
    return toRecords(inlet, await tally.call(() => inlet.pull(tally.update)))
  } catch (thrown) {
    tally.fail(thrown, nodeName(inlet), 'pull')
    tally.pullFailed(inlet)
    return undefined
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

async function processAll(
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
      records = checkRecords(await tally.call(() => call(processor, records as Record[], tally.update)))
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
  return typeof processor === 'function' ? 0 : (processor.size ?? 0)
}

function checkRecords(returned: unknown): Record[] {
  if (!Array.isArray(returned)) {
    throw new ImplementationError(`returned ${show(returned)}: expected a list of records`)
  }
  const at = returned.findIndex((element) => !isRecord(element))
  if (at !== -1) {
    throw new ImplementationError(
      `returned a list with ${show(returned[at])} at ${at}: expected records (see record.with({ payload }))`,
    )
  }
  return returned as Record[]
}

async function groupAll(
  groupers: readonly AnyGrouper[],
  records: Record[],
  tally: Tally,
): Promise<Record[][] | undefined> {
  if (records.length === 0) return []
  let batches = [records]
  for (const [index, grouper] of groupers.entries()) {
    const name = nameOf('grouper', grouper, index)
    const given = occurrences(batches)
    const before = count(batches)
    try {
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      batches = checkBatches(await tally.call(() => grouper(batches as Record<never>[][], tally.update)))
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
    throw new ImplementationError(`returned ${show(returned)}: expected a list of batches`)
  }
  for (const [at, batch] of returned.entries()) {
    if (!Array.isArray(batch)) {
      throw new ImplementationError(`returned a list with ${show(batch)} at ${at}: expected batches (lists of records)`)
    }
    checkRecords(batch)
  }
  return returned as Record[][]
}

function pushAll(parts: TransferParts, batches: Record[][], tally: Tally): Promise<OutletReport[]> {
  return Promise.all(parts.outlets.map((outlet) => pushTo(outlet, batches, parts.copyRecords, tally)))
}

/**
 * Pushes every batch to one outlet. What fails is counted and logged, and the next batch is tried, unless the
 * transfer is told to stop.
 */
async function pushTo(outlet: Outlet, batches: Record[][], copyRecords: boolean, tally: Tally): Promise<OutletReport> {
  const name = nodeName(outlet)
  const { processors } = outlet
  const report = { outlet: name, pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 }
  // without a batch, an outlet's buffer is asked all the same: it may be due
  const offered = batches.length === 0 && processors.length > 0 ? [[]] : batches
  for (const [at, batch] of offered.entries()) {
    let records: Record[] | undefined = batch
    let lost = batch.length
    try {
      if (copyRecords) records = batch.map(copyRecord)
      if (processors.length > 0) {
        const chain = await runProcessors(processors, records, tally)
        report.filtered += chain.filtered
        report.added += chain.added
        records = chain.records
        lost = chain.inHand
      }
      if (records?.length === 0) continue
      if (records !== undefined) {
        const pushed = records
        const stopped = tally.cancelled
        if (stopped !== undefined) throw stopped
        await tally.call(() => outlet.push(pushed, tally.update))
        report.pushed += lost
        report.batches++
        continue
      }
    } catch (thrown) {
      tally.fail(thrown, name, 'push')
      const taken = Math.min(takenDespite(thrown), lost)
      report.pushed += taken
      lost -= taken
    }
    const stopped = tally.cancelled !== undefined
    if (stopped) lost += count(offered.slice(at + 1))
    report.dropped += lost
    tally.logDrop(lost, `${name} did not take them`)
    if (stopped) break
  }
  report.buffered = bufferedBy(processors)
  return report
}

/** A record that its outlet may change without another noticing. Metadata is frozen, so it is shared. */
function copyRecord(record: Record): Record {
  const { payload } = record
  return typeof payload === 'object' && payload !== null ? record.with({ payload: copy(payload) }) : record
}
