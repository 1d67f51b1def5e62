import type { BulkWriteResult, Collection, MongoBulkWriteError, WriteError } from 'mongodb'
import { toError } from '../../base/errors.js'
import type { Entry } from './documents.js'

/**
 * Sends documents in one command, unordered: a refused one does not keep back those after it.
 *
 * @returns the refusals by the place of their document; `undefined` when the answer does not say what became of each
 * @throws the error of the driver, when it says of no document what became of it
 */
export async function bulkWrite(
  collection: Pick<Collection, 'bulkWrite'>,
  entries: readonly Entry[],
): Promise<Map<number, WriteError> | undefined> {
  const operations = entries.map(({ document, filter }) =>
    filter === undefined
      ? { insertOne: { document } }
      : { replaceOne: { filter, replacement: document, upsert: true } },
  )
  const { refusals, result } = await collection
    .bulkWrite(operations, { ordered: false, ignoreUndefined: true })
    .then((result) => ({ refusals: [], result }), refusalsOf)
  const done = result.insertedCount + result.matchedCount + result.upsertedCount
  if (done + refusals.length !== entries.length) return undefined
  return new Map(refusals.map((refusal) => [refusal.index, refusal]))
}

function refusalsOf(thrown: unknown): { refusals: readonly WriteError[]; result: BulkWriteResult } {
  const error = toError(thrown)
  if (error.name !== 'MongoBulkWriteError') throw error
  const { writeErrors, result } = error as Error & Pick<MongoBulkWriteError, 'writeErrors' | 'result'>
  const refusals = [writeErrors].flat()
  if (refusals.length === 0 || result.getWriteConcernError() !== undefined) throw error
  return { refusals, result }
}
