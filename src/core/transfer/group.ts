import { ImplementationError, sortOf, toError } from '../../base/errors.js'
import type { MaybePromise } from '../../base/maybe-promise.js'
import { nameOf, type AnyGrouper } from '../processor.js'
import type { Record } from '../record.js'
import { pendingData } from './not-data.js'
import { fail } from './acknowledge.js'
import { Tally } from './tally.js'
import { checkRecords } from './process.js'

export function groupAll(
  groupers: readonly AnyGrouper[],
  records: Record[],
  tally: Tally,
): MaybePromise<Record[][] | undefined> {
  if (records.length === 0) return []
  if (groupers.length > 0) return groupSome(groupers, records, tally)
  tally.grouped += records.length
  tally.batches++
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
    const stage = tally.firstStages.groupers + index
    try {
      const stopped = tally.cancelled
      if (stopped !== undefined) throw stopped
      const grouped = tally.call<unknown>(() => grouper(batches as Record<never>[][], tally.update), stage, before)
      batches = checkBatches(grouped instanceof Promise ? await grouped : grouped)
    } catch (thrown) {
      if (bury(toError(thrown), name, index, batches.flat(), tally)) return undefined
      tally.fail(thrown, name, 'group')
      fail(tally.inHand)
      tally.drop(before, 'a grouper failed')
      return undefined
    }
    const { lost, extra } = compare(given, batches)
    const leftOut = new ImplementationError(`${name} left out ${lost.length} records`)
    if (lost.length > 0 && !bury(leftOut, name, index, lost, tally)) {
      fail(tally.inHand)
      tally.drop(lost.length, `${name} left them out`)
    }
    tally.add(extra, `${name} gave them twice, or was not given them`)
  }
  batches = batches.filter((batch) => batch.length > 0)
  tally.grouped += count(batches)
  tally.batches += batches.length
  return batches
}

/** Makes dead letters of records that a grouper failed on or left out, if the link has some. */
function bury(error: Error, node: string, index: number, records: readonly Record[], tally: Tally): boolean {
  if (tally.cancelled !== undefined) return false
  const fate = tally.delivery?.bury({ error, stage: 'group', node, place: `grouper:${index}`, records }, tally.update)
  if (fate === undefined) return false
  tally.settleRefused(fate, records.length, 'a grouper failed')
  tally.failDead(error, node, 'group', records.length)
  return true
}

/** Number of times that each record is in the batches. */
function occurrences(batches: readonly (readonly Record[])[]): Map<Record, number> {
  const times = new Map<Record, number>()
  for (const batch of batches) for (const record of batch) times.set(record, (times.get(record) ?? 0) + 1)
  return times
}

/** The `given` records that the batches lack, and the number of records in the batches that were not given. */
function compare(given: Map<Record, number>, batches: readonly (readonly Record[])[]) {
  let extra = 0
  for (const batch of batches) {
    for (const record of batch) {
      const left = given.get(record) ?? 0
      if (left === 0) extra++
      else given.set(record, left - 1)
    }
  }
  const lost = [...given].flatMap(([record, left]) => (left === 0 ? [] : new Array<Record>(left).fill(record)))
  return { lost, extra }
}

export function count(batches: readonly (readonly Record[])[]): number {
  return batches.reduce((sum, batch) => sum + batch.length, 0)
}

function checkBatches(returned: unknown): Record[][] {
  if (!Array.isArray(returned)) {
    throw new ImplementationError(`returned ${pendingData(returned) ?? sortOf(returned)}: expected a list of batches`)
  }
  for (const [at, batch] of returned.entries()) {
    if (!Array.isArray(batch)) {
      throw new ImplementationError(
        `returned a list with ${pendingData(batch) ?? sortOf(batch)} at ${at}: expected batches (lists of records)`,
      )
    }
    checkRecords(batch)
  }
  return returned as Record[][]
}
