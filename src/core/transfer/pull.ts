import pLimit from 'p-limit'
import { ImplementationError } from '../../base/errors.js'
import type { Inlet } from '../inlet.js'
import { nodeName } from '../node.js'
import { then, type MaybePromise } from '../../base/maybe-promise.js'
import { isRecord, type Record } from '../record.js'
import { adviceFor, pendingData } from './not-data.js'
import { Tally } from './tally.js'
import type { TransferParts } from './parts.js'

/** The records of all inlets, in their order; `undefined` when the transfer must not go on. */
export function pullAll(parts: TransferParts, tally: Tally): MaybePromise<Record[] | undefined> {
  const { inlets, settings } = parts
  const [only] = inlets
  if (only !== undefined && inlets.length === 1) {
    return then(pullOne(only, tally), (records = []) => goOnWith(records, parts, tally))
  }
  const pull = (inlet: Inlet) => pullOne(inlet, tally)
  const concurrent = inlets.length <= settings.inletConcurrency
  const pulls = concurrent ? inlets.map(async (inlet) => pull(inlet)) : limited(inlets, settings.inletConcurrency, pull)
  return Promise.all(pulls).then((pulled) =>
    goOnWith(
      pulled.flatMap((some) => some ?? []),
      parts,
      tally,
    ),
  )
}

/** The pulled records; `undefined` when an inlet failed and that ends the transfer. */
function goOnWith(records: Record[], parts: TransferParts, tally: Tally): Record[] | undefined {
  tally.pulled = records.length
  const mayGoOn = tally.errors.length === 0 || (parts.settings.ignoreExceptions && tally.cancelled === undefined)
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
  if (!Array.isArray(pulled)) return [toRecord(inlet, pulled, undefined)]
  const records: Record[] = []
  // unlike map(), this makes records of the holes of a sparse array too
  let at = 0
  for (const one of pulled as unknown[]) records.push(toRecord(inlet, one, at++))
  return records
}

function toRecord(inlet: Inlet, value: unknown, at: number | undefined): Record {
  const isOne = isRecord(value)
  const pending = pendingData(isOne ? value.payload : value)
  if (pending === undefined) return isOne ? value : inlet.newRecord(value)
  const where = `${at === undefined ? '' : ` at ${at} of its list`}${isOne ? ', as the payload of a record' : ''}`
  throw new ImplementationError(`pull() returned ${pending}${where}: ${adviceFor(pending)}`)
}
