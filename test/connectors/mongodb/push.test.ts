import * as mongo from 'mongodb'
import t from 'tap'
import { InvalidOptionError } from '../../../src/base/errors.js'
import { InvalidPayloadError, PartialPushError } from '../../../src/core/partial-push.js'
import { Record } from '../../../src/core/record.js'
import type { Entry } from '../../../src/connectors/mongodb/documents.js'
import type { Update } from '../../../src/core/update.js'
import { MongoOutlet } from '../../../src/connectors/mongodb/mongo-outlet.js'
import { groupByCollection, pushError } from '../../../src/connectors/mongodb/push.js'

const settings = { collection: 'things', keys: undefined }

const entry = (record: number): Entry => ({ record, document: { _id: record }, ownId: false })

t.test('documents are grouped by the collection that their record chose', async (t) => {
  const errors = new Map<number, Error>()
  const others = { [MongoOutlet.MONGODB_COLLECTION]: 'others' }
  const records = [new Record({ n: 1 }), new Record([{ n: 2 }, { n: 3 }], others), new Record({ n: 4 })]
  const groups = groupByCollection(settings, { mongo }, records, errors)
  t.same(
    [...groups].map(([name, entries]) => [
      name,
      entries.map(({ record, document }) => [record, document['n'] as unknown]),
    ]),
    [
      [
        'things',
        [
          [0, 1],
          [2, 4],
        ],
      ],
      [
        'others',
        [
          [1, 2],
          [1, 3],
        ],
      ],
    ],
  )
  t.equal(errors.size, 0)
})

t.test(
  'a record that cannot be a document, or chooses no collection, has its error and keeps none of the others back',
  async (t) => {
    const errors = new Map<number, Error>()
    const records = [
      new Record('text'),
      new Record({ n: 1 }, { [MongoOutlet.MONGODB_COLLECTION]: '' }),
      new Record({ n: 2 }),
    ]
    const groups = groupByCollection(settings, { mongo }, records, errors)
    t.same([...groups.keys()], ['things'])
    t.ok(errors.get(0) instanceof InvalidPayloadError)
    t.ok(errors.get(1) instanceof InvalidOptionError)
    t.equal(errors.size, 2)
  },
)

t.test('a push of which all was taken has no error', async (t) => {
  t.equal(pushError(2, new Map(), [{ refused: new Map() }]), undefined)
})

t.test('a record of several documents is refused once, for its first reason', async (t) => {
  const [first, second] = [new Error('first'), new Error('second')]
  const refused = new Map([
    [entry(1), first],
    [entry(1), second],
  ])
  const error = pushError(3, new Map(), [{ refused }])
  t.ok(error instanceof PartialPushError)
  t.match(error, { taken: 2, rejected: [{ index: 1, error: first }] })
})

t.test('rejected records are in the order of the batch, whatever refused them', async (t) => {
  const refused = new Map([[entry(0), new Error('refused')]])
  const error = pushError(3, new Map([[2, new Error('no document')]]), [{ refused }])
  t.match(error, { taken: 1, rejected: [{ index: 0 }, { index: 2 }] })
})

t.test('what all records met is the error itself', async (t) => {
  const failure = new Error('the server cannot be reached')
  const refused = new Map([
    [entry(0), failure],
    [entry(1), failure],
  ])
  t.equal(pushError(2, new Map(), [{ refused, failure }]), failure)
  t.ok(pushError(3, new Map(), [{ refused, failure }]) instanceof PartialPushError, 'one was taken')
  const one = new Map([[entry(0), failure]])
  t.ok(pushError(1, new Map(), [{ refused: one }]) instanceof PartialPushError, 'refused for what it is')
})

t.test('a MongoOutlet only reads payloads, unless a class that extends it has a push of its own', (t) => {
  class Own extends MongoOutlet {
    override push(records: Record[], update: Update): Promise<void> {
      return super.push(records, update)
    }
  }
  t.equal(new MongoOutlet({ database: 'd', collection: 'c' }).readsOnly, true)
  t.equal(new Own({ database: 'd', collection: 'c' }).readsOnly, false)
  t.end()
})
