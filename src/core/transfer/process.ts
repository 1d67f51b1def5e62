import { ImplementationError, show, sortOf, toError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { nameOf, type AnyProcessor, type AnyStatefulProcessor } from '../processor.js'
import { isRecord, type Record } from '../record.js'
import { adviceFor, pendingData } from './not-data.js'
import { fail } from './acknowledge.js'
import type { Fate } from './delivery.js'
import { heldBy, noteCall, type Transfers } from './holdings.js'
import { Tally } from './tally.js'
import { KeyedMutex } from '../../base/keyed-mutex.js'
import type { Update } from '../update.js'

/** @param first - place of the first of the processors in the link */
export function processAll(
  processors: readonly AnyProcessor[],
  records: Record[],
  tally: Tally,
  first = 0,
): MaybePromise<Record[] | undefined> {
  return processors.length === 0 ? records : processSome(processors, records, tally, first)
}

async function processSome(
  processors: readonly AnyProcessor[],
  records: Record[],
  tally: Tally,
  first: number,
): Promise<Record[] | undefined> {
  const bury = ({ index, ...failure }: ProcessFailure) =>
    tally.delivery?.bury({ ...failure, stage: 'process', place: `processor:${index}` }, tally.update)
  const stages = tally.firstStages.processors
  const chain = await runProcessors(processors, records, tally, { first, bury, stageOf: (index) => stages + index })
  tally.inHand = chain.transfers
  tally.filtered += chain.filtered
  tally.added += chain.added
  if (chain.fate !== undefined) tally.settleRefused(chain.fate, chain.inHand, 'a processor failed')
  tally.drop(chain.missing, 'they were not in their buffer any more')
  if (chain.records === undefined && chain.fate === undefined && (tally.delivery === undefined || chain.inHand > 0)) {
    fail(chain.transfers)
    tally.drop(chain.inHand, 'a processor failed')
  }
  return chain.records
}

/** A call of a processor that failed. */
export interface ProcessFailure {
  readonly error: Error
  /** Name of the processor, and its place in its link or outlet. */
  readonly node: string
  readonly index: number
  /** What it was given. */
  readonly records: readonly Record[]
}

/** Result of a chain of processors. */
interface Processed {
  /** Records that came out; `undefined` when a processor failed. */
  readonly records: Record[] | undefined
  /** Number of records that were in the chain when it ended. */
  readonly inHand: number
  readonly filtered: number
  readonly added: number
  /** Transfers whose records came out, or were in the chain when it failed. */
  readonly transfers: Transfers
  /** Number of records that processors held after the call before, and did not any more. */
  readonly missing: number
  /** What became of the records in hand as a processor failed; `undefined` when they have to come again. */
  readonly fate: Fate | undefined
  /** What a processor failed on that can wait for the next try; `undefined` for nothing. */
  readonly kept: ProcessFailure | undefined
}

/**
 * Calls into a processor with a memory take turns, as links that share an outlet share its buffer too: what one call
 * takes in could else not be told from what another lets go of.
 */
const turns = new KeyedMutex()

/** Number of records that each processor with a memory held after the last call. */
const sizes = new WeakMap<object, number>()

/** Takes what a processor holds now as right, as it was reset or has taken over a state. */
export function acceptSize(processor: object): void {
  sizes.delete(processor)
}

/** Where processors are that are called. */
export interface ProcessSite {
  /** Place of the first of them in their link or outlet. */
  readonly first: number
  /**
   * Transfers whose records they are given.
   * @default those that the transfer has in hand
   */
  readonly transfers?: Transfers
  /** Makes dead letters of what a processor failed on, if it can. */
  readonly bury: (failure: ProcessFailure) => Fate | undefined
  /**
   * Whether what a processor failed on waits for the next try where there are no dead letters.
   * @default false
   */
  readonly keeps?: boolean
  /** Place among the stages of the link whose time a processor takes, by its place in the link or outlet. */
  readonly stageOf: (index: number) => number
}

export async function runProcessors(
  processors: readonly AnyProcessor[],
  given: Record[],
  tally: Tally,
  site: ProcessSite,
): Promise<Processed> {
  let records: Record[] | undefined = given
  let inHand = given.length
  let filtered = 0
  let added = 0
  if (processors.some(isListener)) tally.noteListener()
  const { first, bury, keeps = false, stageOf } = site
  let transfers = site.transfers ?? tally.inHand
  let missing = 0
  let fate: Fate | undefined
  let kept: ProcessFailure | undefined
  for (const [at, processor] of processors.entries()) {
    const index = first + at
    const name = nameOf('processor', processor, index)
    let held: number | undefined
    let endTurn: (() => void) | undefined
    const input = records
    let failure: Error | undefined
    let isCalled = false
    try {
      if (typeof processor === 'object') endTurn = await turns.take(processor, (ahead) => tally.until(ahead))
      held = sizeOf(processor)
      const grown = held - (sizes.get(processor) ?? held)
      added += Math.max(0, grown)
      if (grown < 0) {
        missing -= grown
        // whose they were cannot be told any more
        const holders = heldBy(processor as object).flat()
        fail(holders)
        tally.noteReleased(holders)
      }
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      if (tally.drain && typeof processor === 'object' && 'flush' in processor) processor.flush = true
      if (isListener(processor)) {
        const told = tally.willTellProcessor(processor, name)
        // what it is given may come from processors before it that add records
        if (records.length > 0 && !transfers.includes(told)) transfers = [...transfers, told]
      }
      isCalled = true
      const work = () => call(processor, records as Record[], tally.update)
      const processed = tally.call<unknown>(work, stageOf(index), input.length, name)
      records = checkRecords(processed instanceof Promise ? await processed : processed)
    } catch (thrown) {
      failure = toError(thrown)
      records = undefined
    }
    // what a buffer took in or let go of is neither filtered nor added
    const after = held === undefined ? 0 : sizeOf(processor)
    const left: number = held === undefined ? inHand : inHand - (after - held)
    const out: number = records?.length ?? Math.max(0, left)
    if (held !== undefined && typeof processor === 'object') {
      sizes.set(processor, after)
      // one that failed gave what it does not hold any more
      const released = records?.length ?? Math.max(0, held - after)
      const through = noteCall(processor, transfers, { before: held, after, given: released })
      if (through !== transfers) tally.noteReleased(through)
      transfers = records === undefined ? [...transfers, ...through] : through
    }
    endTurn?.()
    if (failure !== undefined) {
      const failed = { error: failure, node: name, index, records: input }
      // one that has taken in or let go of some does not tell which
      const isWhole = out === input.length
      if (isWhole && tally.cancelled === undefined) fate = bury(failed)
      if (fate !== undefined) tally.failDead(failure, name, 'process', input.length)
      else if (keeps && isWhole && !(isCalled && isListener(processor))) {
        // one that wants to know what comes of a transfer goes back to before it
        kept = failed
        tally.failKept(failure, name, 'process')
      } else if (tally.delivery !== undefined && out === 0) {
        // it holds all that it was given
        tally.failKept(failure, name, 'process')
      } else {
        tally.fail(failure, name, 'process')
      }
    }
    filtered += Math.max(0, left - out)
    added += Math.max(0, out - left)
    inHand = out
    if (records === undefined) break
  }
  return { records, inHand, filtered, added, transfers, missing, fate, kept }
}

/** Whether a processor wants to know what comes of the records that it gives. */
function isListener(processor: AnyProcessor): processor is AnyStatefulProcessor {
  return typeof processor === 'object' && processor.onTransferEnd !== undefined
}

function call(processor: AnyProcessor, records: Record[], update: Update) {
  // that they fit was for the compiler to see when the link was made
  const fitting = records as Record<never>[]
  return typeof processor === 'function' ? processor(fitting, update) : processor.process(fitting, update)
}

/** Number of records that processors hold back. */
export function bufferedBy(processors: readonly AnyProcessor[]): number {
  return processors.reduce((sum, processor) => sum + sizeOf(processor), 0)
}

function sizeOf(processor: AnyProcessor): number {
  if (typeof processor === 'function') return 0
  const { size = 0 } = processor
  if (Number.isInteger(size) && size >= 0) return size
  throw new ImplementationError(`size of ${processor.constructor.name} must be a number of records, got ${show(size)}`)
}

export function checkRecords(returned: unknown): Record[] {
  if (!Array.isArray(returned)) {
    throw new ImplementationError(`returned ${pendingData(returned) ?? sortOf(returned)}: expected a list of records`)
  }
  for (let at = 0; at < returned.length; at++) checkRecord(returned[at], at)
  return returned as Record[]
}

function checkRecord(element: unknown, at: number): void {
  const isOne = isRecord(element)
  const pending = pendingData(isOne ? element.payload : element)
  if (pending !== undefined) {
    const where = isOne ? ', as the payload of a record' : ''
    throw new ImplementationError(`returned a list with ${pending} at ${at}${where}: ${adviceFor(pending)}`)
  }
  if (isOne) return
  throw new ImplementationError(
    `returned a list with ${sortOf(element)} at ${at}: expected records (see record.with({ payload }))`,
  )
}
