import { type Binary, ObjectId } from 'mongodb'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { Link } from '../../../src/core/link.js'
import { MongoOutlet } from '../../../src/connectors/mongodb/mongo-outlet.js'
import type { MongoOutletOptions } from '../../../src/connectors/mongodb/outlet-options.js'
import { Record, type Metadata } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { mongoServer } from '../../helpers/mongo.js'
import { giving } from '../../helpers/nodes.js'
import { listen } from '../../helpers/servers.js'
import { createServer } from 'node:net'

const mongo = await mongoServer(t)
const { skip } = mongo
t.comment(`server: ${mongo.kind}`)

const update = new Update(['to_mongo'], 0)
/** Retries that take next to no time. */
const retry = { retries: 3, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 5 } }

function records(...payloads: unknown[]): Record[] {
  return payloads.map((payload) => new Record(payload))
}

/** Starts an outlet with a database of its own, whose collections can be read. */
async function started(t: Test, options: MongoOutletOptions = {}) {
  const { url, database, db } = await mongo.database(t)
  const outlet = new MongoOutlet({ url, database, collection: 'things', retry, ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  const stored = (name = 'things') =>
    db
      .collection(name)
      .find({}, { sort: { n: 1 } })
      .toArray()
  const numbers = async (name?: string) => (await stored(name)).map(({ n }) => n as number)
  return { outlet, db, stored, numbers }
}

/** Error with which a push rejects. */
async function refusal(pushing: Promise<void>): Promise<PartialPushError> {
  const error = await pushing.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(error instanceof PartialPushError)) throw new Error('expected a PartialPushError', { cause: error })
  return error
}

const indices = (error: PartialPushError) => error.rejected.map(({ index }) => index)

t.test('an object is a document, an array one for each element, and payloads stay as they are', { skip }, async (t) => {
  const logs = captureLogs(t, 'info')
  const { outlet, stored } = await started(t)
  const payloads = [{ n: 1, nested: { list: [1, 2] } }, [{ n: 2 }, { n: 3, secret: 'hush' }], []]
  const copy = structuredClone(payloads)
  await outlet.push(records(...payloads), update)
  t.same(payloads, copy)
  const documents = await stored()
  t.same(
    documents.map(({ _id, ...document }) => document),
    [{ n: 1, nested: { list: [1, 2] } }, { n: 2 }, { n: 3, secret: 'hush' }],
  )
  for (const document of documents) {
    t.ok(document._id instanceof ObjectId)
    t.equal(Object.keys(document)[0], '_id')
  }
  t.match(logs.messages(), [
    /^to_mongo\.0 insert 3 documents into test_\w+\.things$/,
    /^to_mongo\.0 written 3 documents into test_\w+\.things$/,
  ])
  t.notMatch(logs.lines.join(''), /hush/)
})

t.test('a record chooses its collection', { skip }, async (t) => {
  const { outlet, numbers } = await started(t)
  const to = (name: unknown): Metadata => ({ [MongoOutlet.MONGODB_COLLECTION]: name })
  await outlet.push(
    [new Record({ n: 1 }), new Record({ n: 2 }, to('others')), new Record([{ n: 3 }], to('others'))],
    update,
  )
  t.same(await numbers(), [1])
  t.same(await numbers('others'), [2, 3])

  const names = ['', 'system.users', 'a$b', 7, null]
  const error = await refusal(
    outlet.push([new Record({ n: 4 }), ...names.map((name) => new Record({ n: 5 }, to(name)))], update),
  )
  t.same(indices(error), [1, 2, 3, 4, 5])
  t.match(error.rejected[0]?.error, { code: 'DATABAY_INVALID_OPTION', option: 'MongoOutlet.MONGODB_COLLECTION' })
  t.same(await numbers(), [1, 4])
})

t.test('values of the database keep their types, and a map is a document', { skip }, async (t) => {
  const { outlet, stored } = await started(t)
  const when = new Date(0)
  const id = new ObjectId()
  const map = new Map<string, unknown>([['n', 2]])
  await outlet.push(
    records({ n: 1, when, id, big: 2n ** 60n, bytes: Buffer.from('é'), re: /x/i, none: null }, map),
    update,
  )
  const [first, second] = await stored()
  t.match(first, { n: 1, when, big: { high: 2 ** 28, low: 0 }, re: /x/i, none: null })
  t.ok(id.equals(first?.['id'] as ObjectId))
  t.equal(Buffer.from((first?.['bytes'] as Binary).buffer).toString(), 'é')
  t.equal(second?.['n'], 2)
})

t.test('what cannot be stored is refused, record by record, and the others are stored', { skip }, async (t) => {
  const { outlet, numbers } = await started(t)
  const circle: { n: number; self?: object } = { n: 0 }
  circle.self = circle
  let deep: object = {}
  for (let depth = 0; depth < 20_000; depth++) deep = { deep }
  const bad: [unknown, RegExp][] = [
    ['text', /expected an object, or an array of objects, got string/],
    [null, /got Null/],
    [new Date(), /got Date/],
    [[{ n: 0 }, 7], /got number/],
    [new ObjectId(), /got Object/],
    [{ n: 0, text: 'x'.repeat(16 * 1024 * 1024) }, /it takes 16777\d+ bytes, and MongoDB takes less than 16777216/],
    [circle, /circular/],
    [deep, /call stack/],
    [{ n: 0, a: [{ f: () => 1 }] }, /payload\.a\[0]\.f is a function/],
    [{ n: 0, s: Symbol('x') }, /payload\.s is a symbol/],
    [{ n: 0, b: 2n ** 63n }, /payload\.b is a number of more than 64 bits/],
    [{ n: 0, set: new Set([1]) }, /payload\.set is a Set/],
    [{ n: 0, when: new Date('x') }, /payload\.when is an invalid date/],
    [{ n: 0, 'a\0b': 1 }, /a NUL in its name/],
    [{ n: 0, odd: { toBSON: () => () => 1 } }, /payload\.odd is a function/],
    [{ n: 0, regular: new RegExp('a\0b') }, /null bytes/],
    [{ n: 0, odd: [{ _bsontype: 'Odd', [Symbol.for('@@mdb.bson.version')]: 7 }] }, /invalid _bsontype/],
  ]
  const error = await refusal(outlet.push(records({ n: 1 }, ...bad.map(([payload]) => payload), { n: 2 }), update))
  t.equal(error.taken, 2)
  t.same(
    indices(error),
    bad.map((_, index) => index + 1),
  )
  for (const [at, { error: why }] of error.rejected.entries()) {
    t.match(why, { code: 'DATABAY_INVALID_PAYLOAD', message: /^MongoOutlet: a payload cannot be stored: / })
    t.match(why.message, bad[at]?.[1])
  }
  t.same(await numbers(), [1, 2], 'not even the good ones of a list with a bad one')
})

t.test('what the server refuses is refused, record by record, and the others are stored', { skip }, async (t) => {
  const { outlet, db, numbers } = await started(t)
  await db.collection('things').createIndex({ k: 1 }, { unique: true }, {})
  await outlet.push(records({ n: 1, k: 'secret' }), update)
  const batch = records(
    { n: 2, k: 'a' },
    { n: 3, k: 'secret' },
    [
      { n: 4, k: 'b' },
      { n: 5, k: 'b' },
    ],
    { n: 6, k: 'c' },
  )
  const error = await refusal(outlet.push(batch, update))
  t.same(indices(error), [1, 2])
  t.equal(error.taken, 2)
  t.match(error.rejected[0]?.error, {
    code: 'DATABAY_DATABASE',
    serverCode: 11000,
    cause: undefined,
    message:
      /^MongoOutlet: test_\w+\.things refused a document \(code 11000\): another document has the same unique key/,
  })
  t.notMatch(JSON.stringify(error.rejected.map(({ error }) => error.message)), /secret/)
  t.same(await numbers(), [1, 2, 4, 6])

  const bad = await refusal(outlet.push(records({ _id: [1], n: 7 }, { n: 8, k: 'd' }), update))
  t.same(indices(bad), [0])
  t.match(bad.rejected[0]?.error, { code: 'DATABAY_DATABASE', serverCode: /^\d+$/ })
  t.same(await numbers(), [1, 2, 4, 6, 8])
})

t.test('a given _id is kept, and is there once', { skip }, async (t) => {
  const { outlet, stored } = await started(t)
  await outlet.push(records({ n: 1, _id: 'one' }, { n: 2, _id: null }, { n: 3, _id: undefined }), update)
  const [one, two, three] = await stored()
  t.same(one, { _id: 'one', n: 1 })
  t.ok((two?._id as unknown) instanceof ObjectId && (three?._id as unknown) instanceof ObjectId, 'none is not one')
  const error = await refusal(outlet.push(records({ _id: 'one', n: 1 }, { _id: 'two', n: 4 }), update))
  t.same(indices(error), [0], 'also when it is the same document: nobody sent it before')
})

t.test('a link counts what was taken and what was not', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet } = await started(t)
  const link = new Link({
    inlets: giving<unknown>({ n: 1 }, 'text', { n: 2 }),
    outlets: outlet,
    interval: 1,
    tags: 'x',
  })
  await link.onStart()
  const report = await link.transfer()
  t.match(report.outlets, [{ pushed: 2, dropped: 1 }])
  t.match(report.errors, [{ code: 'DATABAY_PARTIAL_PUSH', stage: 'push' }])
  await link.onShutdown()
})

t.test('upserts replace the document with the same keys', { skip }, async (t) => {
  const { outlet, db, stored } = await started(t, { mode: 'upsert', keys: ['id', 'at.place'] })
  await db.collection('things').createIndex({ id: 1, 'at.place': 1 }, { unique: true }, {})
  const at = (place: unknown) => ({ at: { place } })
  await outlet.push(records({ id: 1, n: 1, old: true, ...at('a') }, { id: 1, n: 2, ...at('b') }), update)
  const before = await stored()
  await outlet.push(records({ id: 1, n: 1, ...at('a') }, [{ id: 2, n: 3, ...at('a') }]), update)
  // operators are taken as values: no other document is replaced, whether the server stores them or not
  await outlet.push(records({ id: 2, n: 4, ...at({ $gt: '' }) }), update).catch(() => undefined)
  const after = await stored()
  t.same(
    after.slice(0, 3).map(({ _id, ...document }) => document),
    [
      { id: 1, n: 1, ...at('a') },
      { id: 1, n: 2, ...at('b') },
      { id: 2, n: 3, ...at('a') },
    ],
  )
  t.same(after[0]?._id, before[0]?._id)
})

t.test('of upserts with the same keys in a batch the last one counts', { skip }, async (t) => {
  const { outlet, stored } = await started(t, { mode: 'upsert', keys: ['id'] })
  const many = Array.from({ length: 50 }, (_, n) => ({ id: n % 2 === 0 ? 1 : 1n, n }))
  await outlet.push(records(...many, { id: 2 ** 53, n: 100 }, { id: 2n ** 53n + 1n, n: 101 }), update)
  t.same(
    (await stored()).map(({ n }) => n as number),
    [49, 100, 101],
  )
})

t.test('very many upserts with the same key do no harm', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet } = await started(t, { mode: 'upsert', keys: ['id'], createCollections: false })
  const many = Array.from({ length: 50_000 }, () => ({ id: 1 }))
  await t.rejects(outlet.push(records(many), update), { code: 'DATABAY_MONGO_COLLECTION_NOT_FOUND' })
})

t.test('an upsert that is refused leaves the one before it in the batch', { skip }, async (t) => {
  const { outlet, stored } = await started(t, { mode: 'upsert', keys: ['id'] })
  await outlet.push(records({ _id: 'mine', id: 1, n: 1 }), update)
  // an _id never changes
  const error = await refusal(
    outlet.push(records({ id: 1, n: 2 }, { id: 1, n: 3, _id: 'other' }, { id: 2, n: 4 }), update),
  )
  t.same(indices(error), [1])
  t.match(error.rejected[0]?.error, { serverCode: 66 })
  t.same(
    (await stored()).map(({ n }) => n as number),
    [2, 4],
  )
})

t.test('an upsert without its keys, or with operators, is refused', { skip }, async (t) => {
  const { outlet, numbers } = await started(t, { mode: 'upsert', keys: ['id'] })
  const bad = [{ n: 0 }, { n: 0, id: null }, { n: 0, id: [1] }, { $set: { id: 3 }, id: 3 }]
  const large = { id: 5, text: 'x'.repeat(16 * 1024 * 1024 - 50) }
  const error = await refusal(outlet.push(records(...bad, { id: 1, n: 1 }, large), update))
  t.same(indices(error), [0, 1, 2, 3, 5])
  t.match(error.rejected[0]?.error.message, /its key field id is missing, null or an array/)
  t.match(error.rejected[3]?.error.message, /its first field starts with '\$'/)
  t.same(await numbers(), [1])
})

t.test('an upsert that breaks another unique key is refused', { skip }, async (t) => {
  const { outlet, db, numbers } = await started(t, { mode: 'upsert', keys: ['id'] })
  await db.collection('things').createIndex({ k: 1 }, { unique: true }, {})
  const error = await refusal(
    outlet.push(records({ id: 1, k: 1, n: 1 }, { id: 2, k: 1, n: 2 }, { id: 3, k: 3, n: 3 }), update),
  )
  t.same(indices(error), [1])
  t.match(error.rejected[0]?.error, { serverCode: 11000 })
  t.same(await numbers(), [1, 3])
})

t.test('a collection that does not exist is refused when it is not to be made', { skip }, async (t) => {
  const { outlet, db, numbers } = await started(t, { createCollections: false })
  await db.createCollection('others')
  const to = { [MongoOutlet.MONGODB_COLLECTION]: 'others' }
  const missing = { name: 'MongoCollectionNotFound', code: 'DATABAY_MONGO_COLLECTION_NOT_FOUND', collection: 'things' }
  const error = await refusal(outlet.push([new Record({ n: 1 }), new Record({ n: 2 }, to)], update))
  t.same(indices(error), [0])
  t.match(error.rejected[0]?.error, missing)
  t.same(await numbers('others'), [2])
  await t.rejects(outlet.push(records({ n: 1 }, { n: 2 }), update), missing, 'the same for all: that is the error')
  await db.createCollection('things')
  await outlet.push(records({ n: 1 }), update)
  t.same(await numbers(), [1])
})

t.test('it connects, changes the database, and disconnects', { skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const other = await mongo.database(t)
  const outlet = new MongoOutlet({ url, database, collection: 'things' })
  t.equal(String(outlet), `MongoOutlet(${database}.things)`)
  await t.rejects(outlet.push(records({ n: 1 }), update), {
    code: 'DATABAY_DATABASE',
    message: /MongoOutlet: not connected/,
  })
  t.same(await Promise.all([outlet.connect(), outlet.connect()]), [false, false])
  t.equal(await outlet.connect(), true)
  await outlet.push(records({ n: 1 }), update)
  t.equal(await outlet.connect(other.database), false)
  t.equal(await outlet.connect(other.database), true)
  await outlet.push(records({ n: 2 }), update)
  await t.rejects(outlet.connect('a/b'), { code: 'DATABAY_INVALID_OPTION' })
  await outlet.disconnect()
  await outlet.disconnect()
  await outlet.onShutdown()
  await t.rejects(outlet.push(records({ n: 1 }), update), { code: 'DATABAY_DATABASE' })
  t.equal(await db.collection('things').countDocuments(), 1)
  t.equal(await other.db.collection('things').countDocuments(), 1)
  t.equal(outlet.saveState(), undefined)
})

t.test('an outlet that is started again writes on', { skip }, async (t) => {
  const { outlet, numbers } = await started(t)
  await outlet.push(records({ n: 1 }), update)
  await outlet.onShutdown()
  await outlet.onStart()
  await outlet.push(records({ n: 2 }), update)
  t.same(await numbers(), [1, 2])
})

t.test('a server that is not there is an error at the start, in time, and no password is in it', async (t) => {
  const server = createServer()
  const port = await listen(server)
  server.close()
  const url = `mongodb://user:hush%21@127.0.0.1:${port}/?appName=hush`
  const outlet = new MongoOutlet({ url, connectTimeout: { milliseconds: 300 } })
  const error = await outlet.onStart().catch((error: unknown) => error as Error)
  t.match(error, {
    code: 'DATABAY_DATABASE',
    message: `MongoOutlet: cannot connect to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
    cause: { name: 'MongoServerSelectionError' },
  })
  t.notMatch(`${String(outlet)} ${String(error)} ${(error as Error).stack ?? ''}`, /hush/)
  await outlet.onShutdown()
})

t.test('a server that takes the connection and says nothing is an error at the start, in time', async (t) => {
  const server = createServer(() => {})
  const port = await listen(server)
  t.teardown(() => server.close())
  const outlet = new MongoOutlet({ host: '127.0.0.1', port, connectTimeout: { milliseconds: 300 } })
  await t.rejects(outlet.onStart(), { code: 'DATABAY_DATABASE', message: /cannot connect to 127\.0\.0\.1/ })
})

t.test('what the server says of credentials shows none', { skip }, async (t) => {
  const { hostname, port } = new URL(mongo.url)
  const outlet = new MongoOutlet({ url: `mongodb://user:hush@${hostname}:${port}/?authMechanism=SCRAM-SHA-256` })
  const error = await outlet.onStart().catch((error: unknown) => error as Error)
  t.match(error, { code: 'DATABAY_DATABASE' })
  t.notMatch(String(error), /hush/)
})

t.test('a URL that the driver refuses is an invalid option, shown without what is secret', async (t) => {
  const bad = new MongoOutlet({ url: 'mongodb://localhost/?nothing=1' })
  await t.rejects(bad.onStart(), {
    code: 'DATABAY_INVALID_OPTION',
    message: /option nothing is not supported\), got 'mongodb:\/\/localhost\/'/,
  })
  const secret = new MongoOutlet({ url: 'mongodb://user:hush@localhost/?nothing=1' })
  const error = await secret.onStart().catch((error: unknown) => error as Error)
  t.match(error, { message: "MongoOutlet.url: expected a connection string of MongoDB, got 'mongodb://…@localhost/'" })
})

t.test('what a URL says of timeouts and its database counts', { skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  const outlet = new MongoOutlet({ url: `${new URL(database, url).href}?maxPoolSize=2&socketTimeoutMS=5000` })
  t.equal(String(outlet), `MongoOutlet(${database}.default_collection)`)
  await outlet.onStart()
  await outlet.push(records({ n: 1 }), update)
  await outlet.onShutdown()
  t.equal(await db.collection('default_collection').countDocuments(), 1)
})

t.test(
  'a transfer that is cancelled does not wait for the server, and neither does the shutdown',
  { skip },
  async (t) => {
    const { database } = await mongo.database(t)
    const { url, proxy } = await mongo.proxied(t)
    const outlet = new MongoOutlet({ url, database, retry })
    await outlet.onStart()
    const cancellation = new Cancellation()
    proxy.judge = (piece) => {
      if (!piece.includes('insert')) return 'pass'
      setImmediate(() => cancellation.cancel(new TransferCancelledError('stop')))
      return 'hang'
    }
    await t.rejects(outlet.push(records({ n: 1 }), new Update(['x'], 0, cancellation)), TransferCancelledError)
    await t.rejects(outlet.push(records({ n: 1 }), new Update(['x'], 0, cancellation)), TransferCancelledError)
    await outlet.onShutdown()
  },
)

t.test('the shutdown waits for a push', { skip }, async (t) => {
  const { outlet, stored } = await started(t)
  const pushing = outlet.push(records(...Array.from({ length: 5000 }, (_, n) => ({ n }))), update)
  await outlet.onShutdown()
  await pushing
  t.equal((await stored()).length, 5000)
})

t.test('options are checked', async (t) => {
  const cases: [object, string][] = [
    [{ collection: '' }, 'MongoOutlet.collection'],
    [{ collection: 'a$' }, 'MongoOutlet.collection'],
    [{ database: '' }, 'MongoOutlet.database'],
    [{ database: 'a b' }, 'MongoOutlet.database'],
    [{ databaseName: 'a' }, 'MongoOutlet.databaseName'],
    [{ url: 'http://localhost' }, 'MongoOutlet.url'],
    [{ url: 7 }, 'MongoOutlet.url'],
    [{ url: 'mongodb://localhost', host: 'localhost' }, 'MongoOutlet.host'],
    [{ url: 'mongodb://localhost', port: 1 }, 'MongoOutlet.port'],
    [{ host: 'a/b' }, 'MongoOutlet.host'],
    [{ host: 'user:pass@b' }, 'MongoOutlet.host'],
    [{ url: 'mongodb://localhost/?w=0' }, 'MongoOutlet.url'],
    [{ port: 0 }, 'MongoOutlet.port'],
    [{ port: '27017' }, 'MongoOutlet.port'],
    [{ mode: 'replace' }, 'MongoOutlet.mode'],
    [{ mode: 'upsert' }, 'MongoOutlet.keys'],
    [{ mode: 'upsert', keys: [] }, 'MongoOutlet.keys'],
    [{ mode: 'upsert', keys: ['$a'] }, 'MongoOutlet.keys'],
    [{ keys: ['a'] }, 'MongoOutlet.keys'],
    [{ connectTimeout: 0 }, 'MongoOutlet.connectTimeout'],
    [{ socketTimeout: { days: 99 } }, 'MongoOutlet.socketTimeout'],
    [{ maxPoolSize: 0 }, 'MongoOutlet.maxPoolSize'],
    [{ retry: { retries: -1 } }, 'MongoOutlet.retry.retries'],
    [{ createCollections: 'no' }, 'MongoOutlet.createCollections'],
  ]
  for (const [options, option] of cases) {
    t.throws(() => new MongoOutlet(options), { code: 'DATABAY_INVALID_OPTION', option })
  }
  const unescaped = ['mongodb://user:hu?sh@host/', 'mongodb://user:hu/sh@host/', 'mongodb://us@er:hush@host/']
  for (const url of unescaped) {
    t.throws(() => new MongoOutlet({ url }), {
      message: "MongoOutlet.url: expected a connection string of MongoDB, got 'mongodb://…@host/'",
    })
  }
  const url = 'mongodb://user:hush@host/'
  for (const options of [url, { url: new URL(url) }, { host: url }, { host: 'user:hush@host' }, { database: url }]) {
    const error = t.throws(() => new MongoOutlet(options as object), { code: 'DATABAY_INVALID_OPTION' })
    t.notMatch(String(error), /hush/, 'a URL in the wrong place is not shown whole')
  }
  t.equal(String(new MongoOutlet()), 'MongoOutlet(databay.default_collection)')
})
