import * as mongo from 'mongodb'
import type { Collection, Document } from 'mongodb'
import t from 'tap'
import type { Entry } from '../../../src/connectors/mongodb/documents.js'
import { StoredDocuments } from '../../../src/connectors/mongodb/stored-documents.js'

/** Collection that holds documents, and notes how many are looked up at once. */
function holding(...documents: Document[]) {
  const asked: number[] = []
  const find = ({ _id }: { _id: { $in: unknown[] } }) => {
    asked.push(_id.$in.length)
    let fields: Document = {}
    const cursor = {
      project: (wanted: Document) => {
        fields = wanted
        return cursor
      },
      toArray: async () =>
        documents
          .filter((document) => _id.$in.some((id) => String(id) === String(document['_id'])))
          .map((document) => mongo.BSON.serialize('_id' in fields ? { _id: document['_id'] as unknown } : document)),
    }
    return cursor
  }
  return { collection: { find } as unknown as Collection, asked }
}

const own = (document: Document): Entry => ({ record: 0, document, ownId: true })
const given = (document: Document): Entry => ({ record: 0, document, ownId: false })

t.test('an _id of our own belongs to no other document', async (t) => {
  const [stored, lost] = [own({ _id: new mongo.ObjectId(), n: 1 }), own({ _id: new mongo.ObjectId(), n: 2 })]
  const { collection } = holding({ ...stored.document, n: 'changed meanwhile' })
  t.same(await new StoredDocuments(mongo, collection).among([stored, lost]), new Set([stored]))
})

t.test('under a given _id it has to be the same document', async (t) => {
  const [mine, theirs] = [given({ _id: 'a', n: 1 }), given({ _id: 'b', n: 2 })]
  const { collection } = holding({ _id: 'a', n: 1 }, { _id: 'b', n: 3 })
  t.same(await new StoredDocuments(mongo, collection).among([mine, theirs]), new Set([mine]))
})

t.test('of two equal documents, one is the stored one', async (t) => {
  const [first, second, third] = [1, 2, 3].map(() => given({ _id: 'a', n: 1 })) as [Entry, Entry, Entry]
  const { collection } = holding({ _id: 'a', n: 1 })
  const documents = new StoredDocuments(mongo, collection)
  t.same(await documents.among([first, second]), new Set([first]))
  t.same(await documents.among([third]), new Set())
  const noted = new StoredDocuments(mongo, collection)
  noted.note(first)
  t.same(await noted.among([second]), new Set(), 'the server has just stored the other')
})

t.test('so many documents are looked up at once, and none when there is no doubt', async (t) => {
  const { collection, asked } = holding()
  const documents = new StoredDocuments(mongo, collection)
  await documents.among([])
  t.same(asked, [])
  await documents.among(Array.from({ length: 2500 }, (_, n) => given({ _id: n })))
  t.same(asked, [1000, 1000, 500])
})
