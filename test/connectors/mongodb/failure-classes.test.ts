/** What MongoOutlet says of records that it did not take: refused, or not taken for now. */
import { MongoBulkWriteError, MongoNetworkError, type BulkWriteResult, type Collection } from 'mongodb'
import * as driver from 'mongodb'
import t, { type Test } from 'tap'
import { toError } from '../../../src/base/errors.js'
import { failureClass } from '../../../src/core/failure-class.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { Record, type Metadata } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { databaseError } from '../../../src/connectors/mongodb/errors.js'
import { MongoOutlet } from '../../../src/connectors/mongodb/mongo-outlet.js'
import type { MongoOutletOptions } from '../../../src/connectors/mongodb/outlet-options.js'
import { MongoWriter } from '../../../src/connectors/mongodb/writer.js'
import { captureLogs } from '../../helpers/logs.js'
import { isWrite, mongoServer } from '../../helpers/mongo.js'

const mongo = await mongoServer(t)
const { skip } = mongo

const retry = { retries: 1, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 2 } }
const update = new Update(['mongo'], 0)
const record = (payload: unknown, metadata?: Metadata) => new Record(payload, metadata)
const others = { [MongoOutlet.MONGODB_COLLECTION]: 'others' }

async function failure(outlet: MongoOutlet, ...records: Record[]): Promise<Error> {
  try {
    await outlet.push(records, update)
  } catch (thrown) {
    return toError(thrown)
  }
  throw new Error('the push did not fail')
}

/** The class of a failure, or the classes of the records that were not taken, by their places. */
function classes(error: Error): unknown {
  if (!(error instanceof PartialPushError)) return failureClass(error)
  return Object.fromEntries(error.rejected.map(({ index, error: why }) => [index, failureClass(why)]))
}

async function started(t: Test, url: string, database: string, options: MongoOutletOptions = {}) {
  const outlet = new MongoOutlet({ url, database, collection: 'things', retry, ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  return outlet
}

t.test('a document that the server refuses is refused', { skip }, async (t) => {
  const { url, database } = await mongo.database(t)
  const outlet = await started(t, url, database)
  await outlet.push([record({ _id: 1 })], update)
  const large = { text: 'x'.repeat(17 * 1024 * 1024) }
  const pushed = await failure(outlet, record({ _id: 2 }), record({ _id: 1 }), record('text'), record(large))
  t.same(classes(pushed), { 1: 'refused', 2: 'refused', 3: 'refused' })
  const invalid = record({ _id: 3 }, { [MongoOutlet.MONGODB_COLLECTION]: 'a$b' })
  t.same(classes(await failure(outlet, invalid)), { 0: 'refused' })
})

t.test('a connection that breaks refuses no record', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { url, proxy } = await mongo.proxied(t)
  const { database } = await mongo.database(t)
  const outlet = await started(t, url, database)
  await outlet.push([record({ n: 0 }), record({ n: 0 }, others)], update)
  proxy.judge = (piece) => (isWrite(piece) && piece.includes('others') ? 'cut' : 'pass')
  const parted = await failure(outlet, record({ n: 1 }), record({ n: 2 }, others), record({ n: 3 }), record('text'))
  t.match(parted, { code: 'DATABAY_PARTIAL_PUSH', taken: 2 })
  t.same(classes(parted), { 1: 'unavailable', 3: 'refused' })
  proxy.judge = (piece) => (isWrite(piece) ? 'cut' : 'pass')
  t.same(classes(await failure(outlet, record({ n: 4 }), record({ n: 5 }))), 'unavailable')
  t.same(classes(await failure(outlet, record({ n: 4 }), record('text'))), { 0: 'unavailable', 1: 'refused' })
})

t.test('a server that is not there, and an outlet that is not started, are unavailable', async (t) => {
  const outlet = new MongoOutlet({ url: 'mongodb://127.0.0.1:1', connectTimeout: 0.1, retry })
  t.equal(failureClass(await outlet.onStart().then(() => undefined, toError)), 'unavailable')
  t.same(classes(await failure(outlet, record({ n: 1 }))), 'unavailable')
})

t.test('a collection that is missing is the fault of the records that chose it', { skip }, async (t) => {
  const { url, database } = await mongo.database(t)
  const outlet = await started(t, url, database, { createCollections: false })
  t.same(classes(await failure(outlet, record({ n: 1 }))), 'unavailable', 'the one of the outlet may be made')
  t.same(classes(await failure(outlet, record({ n: 1 }, others))), 'refused')
  t.same(classes(await failure(outlet, record({ n: 1 }), record({ n: 1 }, others))), {
    0: 'unavailable',
    1: 'refused',
  })
})

/** Collection of which each bulk write fails with the next of some errors. */
function failing(...errors: Error[]): Collection {
  const fails = () => Promise.reject(errors.shift() ?? new Error('no more errors'))
  return { bulkWrite: fails, dbName: 'd', collectionName: 'c' } as unknown as Collection
}

function bulkError(code: number, writeErrors: { index: number; code: number }[], inserted: number, concern?: object) {
  const result = { insertedCount: inserted, matchedCount: 0, upsertedCount: 0, getWriteConcernError: () => concern }
  const error = { message: 'no', code, writeErrors: writeErrors.map((one) => ({ ...one, errmsg: 'no' })) }
  return new MongoBulkWriteError(error as never, result as unknown as BulkWriteResult)
}

/** What becomes of three documents when a bulk write of them fails. */
async function write(error: Error) {
  const entries = [0, 1, 2].map((at) => ({ record: at, document: { _id: at }, ownId: true }))
  const writer = new MongoWriter(driver, failing(error), entries)
  const thrown = await writer.attempt(new AbortController().signal).then(() => undefined, toError)
  return {
    refused: [...writer.refused].map(([entry, why]) => [entry.record, failureClass(why)]),
    unsettled: writer.unsettled.map((entry) => entry.record),
    class: thrown === undefined ? undefined : failureClass(databaseError('MongoOutlet', thrown)),
  }
}

t.test('in a bulk that fails half way, only what the server refused for itself is refused', async (t) => {
  const { result } = bulkError(0, [], 0)
  t.same(await write(bulkError(11000, [{ index: 1, code: 11000 }], 2)), {
    refused: [[1, 'refused']],
    unsettled: [],
    class: undefined,
  })
  // the server steps down, stops, has no room, or lets nobody in
  for (const code of [10107, 189, 11602, 14031, 13, 64, 50]) {
    const refusals = [{ index: 0, code: 121 }, ...[1, 2].map((index) => ({ index, code }))]
    const found = await write(bulkError(121, refusals, 0))
    t.same(found, { refused: [[0, 'refused']], unsettled: [1, 2], class: 'unavailable' }, String(code))
  }
  const none = { refused: [], unsettled: [0, 1, 2], class: 'unavailable' }
  t.same(await write(bulkError(64, [], 3, { code: 64 })), none, 'a write concern that is not met')
  t.same(await write(new MongoBulkWriteError(new MongoNetworkError('cut'), result)), none)
  t.same(await write(new MongoNetworkError('cut')), none)
})
