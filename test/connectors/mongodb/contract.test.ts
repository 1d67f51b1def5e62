/** The inlet and the outlet for MongoDB keep the contract of all inlets and outlets. */
import { createServer } from 'node:net'
import t from 'tap'
import { MongoInlet, MongoOutlet, type MongoInletOptions, type MongoOutletOptions } from '../../../src/index.js'
import { InletTester, OutletTester, type OutletSetup } from '../../../src/testing/index.js'
import { mongoServer } from '../../helpers/mongo.js'
import { listen } from '../../helpers/servers.js'

const mongo = await mongoServer(t)
const { skip } = mongo

t.test('the contracts', { skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const hang = await mongo.proxied(t)
  hang.proxy.judge = (piece) => (/insert|update|find/.test(piece.toString('latin1')) ? 'hang' : 'pass')
  const closed = createServer()
  const port = await listen(closed)
  closed.close()
  const nowhere = { host: '127.0.0.1', port, connectTimeout: { milliseconds: 100 } }

  const things = db.collection('things')
  const here = { url, database, collection: 'things' }
  await db.collection('numbers').insertMany(Array.from({ length: 30 }, (_, n) => ({ n })))
  const inlet = (options: MongoInletOptions) => new MongoInlet({ url, database, collection: 'numbers', ...options })
  const sourceFails = (options: MongoInletOptions) => new MongoInlet({ ...nowhere, ...options })
  const sourceHangs = (options: MongoInletOptions) => inlet({ ...options, url: hang.url })
  const inlets = { failing: sourceFails, hanging: sourceHangs, repeatable: true, cloneable: true }
  const simple: MongoInletOptions = { sort: { n: 1 }, projection: { _id: 0 }, limit: 3 }
  await new InletTester({
    'MongoInlet, all': { ...inlets, create: (options) => inlet({ ...simple, ...options }), expected: 3 },
    'MongoInlet, new ones': {
      ...inlets,
      create: (options) => inlet({ cursorField: 'n', limit: 3, ...options }),
      expected: 3,
    },
    'MongoInlet, list by list': {
      ...inlets,
      create: (options) => inlet({ ...simple, limit: Infinity, batchSize: 7, ...options }),
      expected: 30,
    },
    'MongoInlet, new ones, list by list': {
      ...inlets,
      create: (options) => inlet({ cursorField: 'n', limit: Infinity, batchSize: 7, ...options }),
      expected: 30,
    },
  }).run(t)

  const outlet = (options: MongoOutletOptions) => new MongoOutlet({ ...here, ...options })
  const outlets: OutletSetup = {
    create: outlet,
    read: async () => await things.find({}, { projection: { _id: 0 } }).toArray(),
    before: () => things.deleteMany({}),
    kinds: [{ list: [1, { nested: true }], date: new Date(0), none: null }],
    invalid: ['text', 7, null, { f: () => 1 }],
    ordered: false,
    hanging: (options) => outlet({ ...options, url: hang.url }),
  }
  await new OutletTester({
    'MongoOutlet, inserts': outlets,
    'MongoOutlet, upserts': {
      ...outlets,
      create: (options) => outlet({ ...options, mode: 'upsert', keys: ['id'] }),
      kinds: [{ id: 'x', list: [1, { nested: true }] }],
      hanging: (options) => outlet({ ...options, url: hang.url, mode: 'upsert', keys: ['id'] }),
    },
  }).run(t)
})
