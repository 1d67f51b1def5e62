import { isError } from '../base/errors.js'
import { failureClass } from '../core/failure-class.js'
import {
  blamedRecords,
  PartialPushError,
  takenDespite,
  UntriedRecordError,
  type RejectedRecord,
} from '../core/partial-push.js'

/** What an outlet did with the records of a batch, as its error says: their places in it, in its order. */
export interface NotTaken {
  readonly taken: readonly number[]
  /** Records that it refused, and why. */
  readonly refused: readonly (readonly [at: number, why: Error])[]
  /** Records that it could not take now, and why. */
  readonly rest: readonly (readonly [at: number, why: Error])[]
  /** Records that it has not tried because of others: they may be offered again at once. */
  readonly untried: readonly number[]
}

/**
 * Reads the error of a push, of this or of another copy of this package.
 *
 * @param size - number of records of the batch
 * @returns `undefined` when it does not say what was taken, or what it says cannot be
 */
export function notTaken(error: Error, size: number): NotTaken | undefined {
  const isPartial = 'code' in error && error.code === PartialPushError.code
  const rejected = blamedRecords(error)
  if (rejected.length === 0 || !rejected.every((one: Partial<RejectedRecord> | null) => isError(one?.error))) {
    return undefined
  }
  const byIndex = new Map(rejected.map(({ index, error: why }) => [index, why]))
  const taken = takenDespite(error)
  // whatever does not add up may have taken any of them
  if (byIndex.size !== rejected.length || (isPartial && taken + rejected.length !== size)) return undefined
  if (rejected.some(({ index }) => !Number.isSafeInteger(index) || index < 0 || index >= size)) return undefined
  const parts = {
    taken: [] as number[],
    refused: [] as [number, Error][],
    rest: [] as [number, Error][],
    untried: [] as number[],
  }
  for (let at = 0; at < size; at++) {
    const why = byIndex.get(at)
    if (why === undefined) (isPartial ? parts.taken : parts.untried).push(at)
    else if (why instanceof UntriedRecordError) parts.untried.push(at)
    else if (failureClass(why) === 'unavailable') parts.rest.push([at, why])
    else parts.refused.push([at, why])
  }
  // one that tells nothing of any record is of the batch
  return parts.untried.length === size ? undefined : parts
}
