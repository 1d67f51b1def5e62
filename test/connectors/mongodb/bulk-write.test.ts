import type { BulkWriteResult, Collection } from 'mongodb'
import t from 'tap'
import { bulkWrite } from '../../../src/connectors/mongodb/bulk-write.js'
import type { Entry } from '../../../src/connectors/mongodb/documents.js'

const ENTRIES: Entry[] = [
  { record: 0, document: { _id: 1 }, ownId: true },
  { record: 1, document: { n: 2 }, ownId: true, filter: { n: { $eq: 2 } } },
]

function resultOf(inserted: number, matched: number, upserted: number, concern?: object): BulkWriteResult {
  const counts = { insertedCount: inserted, matchedCount: matched, upsertedCount: upserted }
  return { ...counts, getWriteConcernError: () => concern } as unknown as BulkWriteResult
}

/** Collection that gives this answer, or rejects with this error. */
function answering(answer: BulkWriteResult | Error) {
  const sent: unknown[] = []
  const write = (...args: unknown[]) => {
    sent.push(args)
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  return { collection: { bulkWrite: write } as unknown as Pick<Collection, 'bulkWrite'>, sent }
}

function refusal(result: BulkWriteResult, ...writeErrors: object[]): Error {
  return Object.assign(new Error('refused'), { name: 'MongoBulkWriteError', writeErrors, result })
}

t.test('documents are inserted or replace others, in one command', async (t) => {
  const { collection, sent } = answering(resultOf(1, 0, 1))
  t.same(await bulkWrite(collection, ENTRIES), new Map())
  t.same(sent, [
    [
      [
        { insertOne: { document: { _id: 1 } } },
        { replaceOne: { filter: { n: { $eq: 2 } }, replacement: { n: 2 }, upsert: true } },
      ],
      { ordered: false, ignoreUndefined: true },
    ],
  ])
})

t.test('refusals are given by the place of their document', async (t) => {
  const failure = { index: 1, code: 11000 }
  const { collection } = answering(refusal(resultOf(1, 0, 0), failure))
  t.same(await bulkWrite(collection, ENTRIES), new Map([[1, failure]]))
})

t.test('an answer that does not say what became of each document is none', async (t) => {
  t.equal(await bulkWrite(answering(resultOf(1, 0, 0)).collection, ENTRIES), undefined)
  const { collection } = answering(refusal(resultOf(0, 0, 0), { index: 0, code: 11000 }))
  t.equal(await bulkWrite(collection, ENTRIES), undefined)
})

t.test('an error that tells of no document is thrown', async (t) => {
  const cut = new Error('connection closed')
  await t.rejects(bulkWrite(answering(cut).collection, ENTRIES), cut)
  const none = refusal(resultOf(0, 0, 0))
  await t.rejects(bulkWrite(answering(none).collection, ENTRIES), none)
  const unsafe = refusal(resultOf(1, 0, 0, { code: 64 }), { index: 1, code: 11000 })
  await t.rejects(bulkWrite(answering(unsafe).collection, ENTRIES), unsafe, 'what it stored may be lost again')
})
