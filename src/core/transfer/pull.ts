import pLimit from 'p-limit'
import { ImplementationError } from '../../base/errors.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import type { RoundSize } from '../link-options.js'
import { isRecord, type Record } from '../record.js'
import type { PullCursor } from './delivery.js'
import { adviceFor, pendingData } from './not-data.js'
import { PulledStream, stepsOf } from './pulled-stream.js'
import { Tally } from './tally.js'
import type { TransferParts } from './parts.js'

/** What an inlet gave: records, or a stream of them. `undefined` when it failed. */
export type PulledBy = Record[] | PulledStream | undefined

/** What the inlets of a transfer that has several rounds gave, in their order. */
export class Pulls {
  readonly all: readonly PulledBy[]

  constructor(all: readonly PulledBy[]) {
    this.all = all
  }
}

/**
 * The records of all inlets, in their order, or what they gave when the transfer has several rounds; `undefined` when it
 * must not go on.
 */
export function pullAll(parts: TransferParts, tally: Tally): MaybePromise<Record[] | Pulls | undefined> {
  const { inlets, settings } = parts
  const [only] = inlets
  if (only !== undefined && inlets.length === 1) {
    return then(pullOne(only, 0, tally), (pulled) => {
      return hasRounds(pulled, settings.rounds) ? new Pulls([pulled]) : goOnWith(pulled ?? [], parts, tally)
    })
  }
  return Promise.all(limited(inlets, settings.inletConcurrency, (inlet, at) => pullOne(inlet, at, tally))).then(
    (all) => {
      if (all.some((pulled) => hasRounds(pulled, settings.rounds))) return new Pulls(all)
      return goOnWith(
        (all as (Record[] | undefined)[]).flatMap((some) => some ?? []),
        parts,
        tally,
      )
    },
  )
}

/** Whether what an inlet gave makes several rounds. */
function hasRounds(pulled: PulledBy, rounds: RoundSize): pulled is PulledStream {
  if (!Array.isArray(pulled)) return pulled !== undefined
  return typeof rounds === 'number' && pulled.length > rounds
}

/** The pulled records; `undefined` when an inlet failed and that ends the transfer. */
function goOnWith(records: Record[], parts: TransferParts, tally: Tally): Record[] | undefined {
  tally.pulled = records.length
  if (mayGoOn(parts, tally)) return records
  tally.giveBack(records.length, 'an inlet failed')
  return undefined
}

/** Whether a transfer goes on with what some inlets gave, as no other has failed, or that is ignored. */
export function mayGoOn({ settings }: TransferParts, tally: Tally): boolean {
  return !tally.hasBroken || (settings.ignoreExceptions && tally.cancelled === undefined)
}

/** Does work for all items at once, or for as many as may be. */
export function limited<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, at: number) => MaybePromise<R>,
): Promise<R>[] {
  if (items.length <= concurrency) return items.map(async (item, at) => work(item, at))
  const limit = pLimit(concurrency)
  return items.map((item, at) => limit(async () => work(item, at)))
}

/** @param at - place of the inlet in its link */
function pullOne(inlet: Inlet, at: number, tally: Tally): MaybePromise<PulledBy> {
  const { delivery } = tally
  let cursor: PullCursor | undefined
  const failed = (thrown: unknown): PulledBy => {
    cursor?.end()
    tally.fail(thrown, nodeName(inlet), 'pull')
    tally.pullFailed(inlet)
    return undefined
  }
  try {
    const stopped = tally.cancelled
    if (stopped !== undefined) throw stopped
    if (inlet.onTransferEnd !== undefined || delivery !== undefined) tally.willTell(inlet)
    cursor = delivery?.begin(inlet, tally.update)
    const pulled = tally.call<unknown>(() => inlet.pull(tally.update, cursor ?? inlet.memoryCursor), at)
    if (!(pulled instanceof Promise)) return take(inlet, pulled, tally, cursor)
    return pulled.then((value) => take(inlet, value, tally, cursor)).catch(failed)
  } catch (thrown) {
    return failed(thrown)
  }
}

/** An array is many records, a generator and the like a stream, anything else one record; `undefined` is a forgotten `return`. */
function take(inlet: Inlet, pulled: unknown, tally: Tally, cursor: PullCursor | undefined): Record[] | PulledStream {
  if (pulled === undefined) {
    throw new ImplementationError('pull() returned undefined: return [] for no records, or null for a record of null')
  }
  const steps = Array.isArray(pulled) ? undefined : stepsOf(pulled)
  if (steps !== undefined) return new PulledStream(steps, tally.waits, cursor)
  const records = Array.isArray(pulled)
    ? toRecords(inlet, pulled, 'returned')
    : [toRecord(inlet, pulled, 'returned', undefined)]
  if (cursor !== undefined) {
    cursor.given(cursor.mark())
    cursor.complete()
  }
  return records
}

/** @param how - how the inlet gave them, for errors */
export function toRecords(inlet: Inlet, values: readonly unknown[], how: 'returned' | 'yielded'): Record[] {
  const records: Record[] = []
  // unlike map(), this makes records of the holes of a sparse array too
  let at = 0
  for (const one of values) records.push(toRecord(inlet, one, how, at++))
  return records
}

function toRecord(inlet: Inlet, value: unknown, how: 'returned' | 'yielded', at: number | undefined): Record {
  const isOne = isRecord(value)
  const pending = pendingData(isOne ? value.payload : value)
  if (pending === undefined) return isOne ? value : inlet.newRecord(value)
  const where = `${at === undefined ? '' : ` at ${at} of its list`}${isOne ? ', as the payload of a record' : ''}`
  throw new ImplementationError(`pull() ${how} ${pending}${where}: ${adviceFor(pending)}`)
}
