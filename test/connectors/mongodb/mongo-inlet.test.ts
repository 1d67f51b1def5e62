import { Double, Long, MongoClient, ObjectId, type Document } from 'mongodb'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { MongoInlet } from '../../../src/connectors/mongodb/mongo-inlet.js'
import { resolveInletOptions, type MongoInletOptions } from '../../../src/connectors/mongodb/inlet-options.js'
import { warnOfNoField } from '../../../src/connectors/mongodb/silent-nothing.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { mongoServer } from '../../helpers/mongo.js'
import { pulledBy } from '../../helpers/nodes.js'
import { fixture, reportsOf, workerPlanner } from '../../helpers/threads.js'

const mongo = await mongoServer(t)
const { skip } = mongo

const update = new Update(['from_mongo'], 0)
const retry = { retries: 3, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 5 } }

/** Makes a collection with these documents, and started inlets that read it. */
async function collection(t: Test, documents: readonly Document[] = []) {
  const { url, database, db } = await mongo.database(t)
  const things = db.collection('things')
  const add = (...some: Document[]) => things.insertMany(some)
  if (documents.length > 0) await add(...documents)
  const make = (options: MongoInletOptions = {}) => {
    return new MongoInlet<{ n: number }>({ url, database, collection: 'things', retry, ...options })
  }
  const start = async (options?: MongoInletOptions) => {
    const inlet = make(options)
    await inlet.onStart()
    t.teardown(() => inlet.onShutdown())
    /** Pulls for a transfer that delivers the documents. */
    const pull = async (delivered = true, update = new Update(['from_mongo'], 0)) => {
      const documents = await pulledBy(inlet, update)
      inlet.onTransferEnd(update, delivered)
      return documents.map(({ n }) => n)
    }
    return { inlet, pull }
  }
  return { url, database, things, add, make, start }
}

const numbered = (...numbers: number[]) => numbers.map((n) => ({ n }))

t.test('each transfer reads all documents', { skip }, async (t) => {
  const logs = captureLogs(t, 'info')
  const { start } = await collection(t, numbered(1, 2))
  const { inlet, pull } = await start()
  t.same((await pull()).sort(), [1, 2])
  t.same((await pull()).sort(), [1, 2])
  t.equal(inlet.saveState(), undefined)
  t.match(logs.messages(), [/^from_mongo\.0 pulling test_\w+\.things$/, /received 2 documents of test_\w+\.things$/])
})

t.test('it reads what it is asked for', { skip }, async (t) => {
  const { start } = await collection(
    t,
    [1, 5, 3, 4, 2].map((n) => ({ n, name: `thing ${n}` })),
  )
  const options = {
    filter: { n: { $gt: 1 } },
    projection: { n: 1, _id: 0 },
    sort: { n: -1 },
    limit: 3,
    batchSize: 1,
  } as const
  const { inlet } = await start(options)
  t.same(await pulledBy(inlet, update), [{ n: 5 }, { n: 4 }, { n: 3 }])
  const all = await start({ ...options, limit: Infinity })
  t.equal((await pulledBy(all.inlet, update)).length, 4)
})

t.test('a collection that is empty or missing has no records', { skip }, async (t) => {
  captureLogs(t)
  const { start } = await collection(t)
  t.same(await (await start()).pull(), [])
  t.same(await (await start({ cursorField: '_id' })).pull(), [])
})

t.test('with a cursor field, documents are read once, in its order', { skip }, async (t) => {
  const { add, start } = await collection(t, numbered(1, 3, 2))
  const { pull } = await start({ cursorField: 'n', limit: 2 })
  t.same(await pull(), [1, 2])
  t.same(await pull(), [3])
  t.same(await pull(), [])
  await add(...numbered(5, 4, 0))
  t.same(await pull(), [4, 5], 'what is smaller came too late')
})

t.test('by _id', { skip }, async (t) => {
  const { add, start } = await collection(t, numbered(1, 2, 3))
  const { pull } = await start({ cursorField: '_id', limit: 2, filter: { n: { $ne: 2 } } })
  t.same(await pull(), [1, 3])
  await add(...numbered(2, 4))
  t.same(await pull(), [4])
})

t.test('of documents with the same value none is lost and none comes twice', { skip }, async (t) => {
  const at = (n: number, _id: string, when: number) => ({
    _id: _id as unknown as ObjectId,
    n,
    at: { when: new Date(when) },
  })
  const { add, start } = await collection(t, [at(1, 'm', 0), at(2, 'k', 1000), at(3, 'l', 1000), at(4, 'n', 1000)])
  const { pull } = await start({ cursorField: 'at.when', limit: 2 })
  t.same(await pull(), [1, 2])
  await add(at(5, 'a', 1000), at(6, 'z', 1000))
  t.same((await pull()).concat(await pull()).sort(), [3, 4, 5, 6])
  t.same(await pull(), [])
  await add(at(7, 'b', 1000))
  t.same(await pull(), [7])
  await add(at(8, 'c', 1001), at(9, 'd', 1000))
  t.same(await pull(), [9, 8])
  t.same(await pull(), [])
})

t.test('numbers of all kinds are in one order', { skip }, async (t) => {
  const large = 2n ** 53n
  const value = (n: number, v: unknown) => ({ n, v })
  const { start } = await collection(t, [
    value(1, 1),
    value(2, new Double(1)),
    value(3, Long.fromNumber(1)),
    value(4, 1.5),
    value(5, large),
    value(6, large + 1n),
  ])
  const { inlet, pull } = await start({ cursorField: 'v', limit: 1 })
  const read: number[] = []
  for (let pulls = 0; pulls < 7; pulls++) {
    read.push(...(await pull()))
    const state = structuredClone(inlet.saveState())
    t.ok(typeof state?.position === 'string')
  }
  t.same(read.slice(0, 3).sort(), [1, 2, 3])
  t.same(read.slice(3), [4, 5, 6])
})

t.test('documents without a value have no place, and one with an array is an error', { skip }, async (t) => {
  const { add, start } = await collection(t, [{ n: 1 }, { n: 2, v: null }, { n: 3, v: 'a' }])
  const { pull } = await start({ cursorField: 'v' })
  t.same(await pull(), [3])
  await add({ n: 4, v: ['b'] })
  await t.rejects(pull(), { code: 'DATABAY_DATABASE', message: /a document has an array at v/ })
})

t.test('it starts after a value', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1, 2, 2, 3))
  t.same(await (await start({ cursorField: 'n', startAfter: 1 })).pull(), [2, 2, 3])
  t.same(await (await start({ cursorField: 'n', startAfter: 2 })).pull(), [3])
})

t.test('values that may not be settled wait', { skip }, async (t) => {
  const old = ObjectId.createFromTime(Math.floor(Date.now() / 1000) - 3600)
  const { start } = await collection(t, [
    { _id: old, n: 1, when: new Date(Date.now() - 3_600_000) },
    { n: 2, when: new Date() },
  ])
  for (const cursorField of ['_id', 'when']) {
    t.same(await (await start({ cursorField, settle: { minutes: 10 } })).pull(), [1], cursorField)
    t.same(await (await start({ cursorField, settle: { hours: 2 } })).pull(), [], cursorField)
  }
})

t.test('another instance goes on where the state was saved', { skip }, async (t) => {
  const { things, start, make } = await collection(t)
  const values = [new ObjectId(), new Date(5), 'text', 7, 2n ** 60n]
  for (const v of values) {
    await things.deleteMany({})
    const greater =
      v instanceof ObjectId
        ? new ObjectId()
        : v instanceof Date
          ? new Date(6)
          : typeof v === 'string'
            ? 'z'
            : Long.MAX_VALUE
    await things.insertMany([
      { n: 1, v },
      { n: 2, v },
      { n: 3, v: greater },
    ])
    const one = await start({ cursorField: 'v', limit: 1 })
    const [first] = await one.pull()
    await one.inlet.onShutdown()
    const other = make({ cursorField: 'v' })
    other.restoreState(structuredClone(one.inlet.saveState()))
    t.same(other.saveState(), one.inlet.saveState(), 'handed on before it starts, too')
    await other.onStart()
    t.same(
      (await pulledBy(other, update)).map(({ n }) => n),
      [first === 1 ? 2 : 1, 3],
      String(v),
    )
    await other.onShutdown()
  }
  for (const odd of [undefined, null, {}, { position: 1 }]) {
    const fresh = make({ cursorField: 'v' })
    fresh.restoreState(odd)
    t.equal(fresh.saveState(), undefined)
  }
})

t.test('an inlet that is started again begins at the first document', { skip }, async (t) => {
  const { make } = await collection(t, numbered(1, 2))
  const inlet = make({ cursorField: 'n', startAfter: 1 })
  for (let start = 0; start < 2; start++) {
    await inlet.onStart()
    t.same(
      (await pulledBy(inlet, update)).map(({ n }) => n),
      [2],
    )
    await inlet.onShutdown()
  }
  await inlet.onShutdown()
  await t.rejects(inlet.pull(update), { code: 'DATABAY_DATABASE', message: /^MongoInlet: not connected/ })
})

t.test('transfers at the same time read different documents', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1, 2, 3))
  const { pull } = await start({ cursorField: 'n', limit: 1 })
  t.same(await Promise.all([pull(), pull(), pull(), pull()]), [[1], [2], [3], []])
})

t.test('a reply that is lost is asked for again', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { database, start } = await collection(t, numbered(1, 2, 3, 4))
  const { url, proxy } = await mongo.proxied(t)
  const { pull } = await start({ url, database, cursorField: 'n', batchSize: 2 })
  let left = 4
  proxy.judge = (piece) => (/find|getMore/.test(piece.toString('latin1')) && left-- > 0 ? 'swallow reply' : 'pass')
  t.same(await pull(), [1, 2, 3, 4])
  t.same(await pull(), [])
  t.ok(proxy.cuts >= 2)
  t.match(logs.messages()[0], /^from_mongo\.0 tries again to read test_\w+\.things: /)
})

t.test('a transfer that is cancelled does not move the position', { skip }, async (t) => {
  const { database, start } = await collection(t, numbered(1))
  const { url, proxy } = await mongo.proxied(t)
  const { inlet, pull } = await start({ url, database, cursorField: 'n' })
  const cancellation = new Cancellation()
  proxy.judge = (piece) => {
    if (!piece.includes('find\0')) return 'pass'
    setImmediate(() => cancellation.cancel(new TransferCancelledError('stop')))
    proxy.judge = () => 'pass'
    return 'hang'
  }
  await t.rejects(inlet.pull(new Update(['x'], 0, cancellation)), TransferCancelledError)
  t.same(await pull(), [1])
})

t.test('a query that the server refuses is an error', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1))
  const { pull } = await start({ filter: { n: { $nothing: 1 } } })
  await t.rejects(pull(), { code: 'DATABAY_DATABASE', message: /^MongoInlet: test_\w+\.things: /, serverCode: 2 })
})

t.test('documents that were not delivered are read again', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { add, start, make } = await collection(t, numbered(1, 2, 2, 3))
  const { inlet, pull } = await start({ cursorField: 'n', limit: 2 })
  t.same(await pull(false), [1, 2])
  t.equal(inlet.saveState(), undefined, 'as before the first pull')
  t.same(await pull(), [1, 2])
  const state = inlet.saveState()
  t.same(await pull(false), [2, 3])
  t.same(inlet.saveState(), state)
  await add({ n: 2 })
  t.same(await pull(), [2, 2])
  t.same(await pull(), [3])
  t.match(logs.messages(), [/^test_\w+\.things: 2 documents were not delivered: they are read again$/, /2 documents/])

  const heir = make({ cursorField: 'n', limit: 9 })
  heir.restoreState(structuredClone(state))
  await heir.onStart()
  t.same(
    (await pulledBy(heir, update)).map(({ n }) => n),
    [2, 2, 3],
  )
  await heir.onShutdown()
})

t.test('what another inlet has kept as its cursor is an error', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1, 2))
  const { inlet } = await start({ cursorField: 'n' })
  for (const value of ['x', '{"values":["1"]}', { key: 'a' }, 7]) {
    const cursor = { durable: true, value, advance: () => t.fail('it was advanced') }
    await t.rejects(inlet.pull(update, cursor), {
      code: 'DATABAY_DATABASE',
      message: 'MongoInlet: the kept cursor is none of a MongoInlet',
    })
  }
})

t.test('a pull that reads nothing leaves the cursor as it is', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1, 2))
  const { inlet } = await start({ cursorField: 'n', startAfter: 2 })
  const cursor = { durable: true, value: undefined, advance: () => t.fail('it was advanced') }
  t.same(await inlet.pull(update, cursor), [])
})

t.test('of transfers at the same time, all from the earliest on that failed comes again', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { start } = await collection(t, numbered(1, 2, 3, 4))
  const { inlet, pull } = await start({ cursorField: 'n', limit: 1 })
  const updates = [0, 1, 2].map((number) => new Update(['from_mongo'], number)) as [Update, Update, Update]
  for (const update of updates) await inlet.pull(update)
  inlet.onTransferEnd(updates[2], true)
  inlet.onTransferEnd(updates[1], false)
  t.same(await pull(), [2])
  t.match(inlet.saveState(), { carried: { start: '', updates: [String(updates[0])] } })
  inlet.onTransferEnd(updates[0], false)
  t.same([await pull(), await pull(), await pull(), await pull()], [[1], [2], [3], [4]])
})

t.test('where it is not wanted, documents that were not delivered are not read again', { skip }, async (t) => {
  const { start } = await collection(t, numbered(1, 2))
  const { pull } = await start({ cursorField: 'n', limit: 1, redeliver: false })
  t.same([await pull(false), await pull(), await pull()], [[1], [2], []])
})

t.test('in a thread, a link reads each document once', { skip }, async (t) => {
  const { url, database, db } = await mongo.database(t)
  await db.collection('todos').insertMany(numbered(...Array.from({ length: 35 }, (_, n) => n)))
  const module = fixture('mongo-links.ts')
  for (const [name, value] of Object.entries({ mongo: url, database, link: 'from_mongo' }))
    module.searchParams.set(name, value)
  const planner = workerPlanner(t, module, { threads: 1, transfers: 6 })
  const reports = reportsOf(planner)
  await planner.start()
  await planner.finished
  t.same(
    reports.map(({ pulled }) => pulled),
    [10, 10, 10, 5, 0, 0],
  )
})

t.test('options are checked', async (t) => {
  const cases: [object, string][] = [
    [{ collection: 'a$' }, 'MongoInlet.collection'],
    [{ url: 'localhost' }, 'MongoInlet.url'],
    [{ query: {} }, 'MongoInlet.query'],
    [{ filter: [] }, 'MongoInlet.filter'],
    [{ projection: 'a' }, 'MongoInlet.projection'],
    [{ sort: { n: 'asc' } }, 'MongoInlet.sort.n'],
    [{ limit: 0 }, 'MongoInlet.limit'],
    [{ batchSize: 0 }, 'MongoInlet.batchSize'],
    [{ cursorField: '' }, 'MongoInlet.cursorField'],
    [{ cursorField: '$n' }, 'MongoInlet.cursorField'],
    [{ cursorField: 'n', sort: { n: 1 } }, 'MongoInlet.sort'],
    [{ cursorField: 'n', projection: { a: 1 } }, 'MongoInlet.projection'],
    [{ cursorField: 'n', projection: { n: 1, _id: 0 } }, 'MongoInlet.projection'],
    [{ cursorField: 'n.a', projection: { n: 0 } }, 'MongoInlet.projection'],
    [{ startAfter: 1 }, 'MongoInlet.startAfter'],
    [{ settle: 1 }, 'MongoInlet.settle'],
    [{ redeliver: true }, 'MongoInlet.redeliver'],
    [{ cursorField: 'n', redeliver: 1 }, 'MongoInlet.redeliver'],
    [{ cursorField: 'n', settle: 0 }, 'MongoInlet.settle'],
  ]
  for (const [options, option] of cases) {
    t.throws(() => new MongoInlet(options), { code: 'DATABAY_INVALID_OPTION', option })
  }
  const good: MongoInletOptions[] = [
    { cursorField: 'n.a', projection: { n: 1 } },
    { cursorField: 'n', projection: { n: true, a: 1 } },
    { cursorField: 'n', projection: { a: 0 } },
    { cursorField: '_id', projection: { a: 1 } },
  ]
  for (const options of good) t.equal(String(new MongoInlet(options)), 'MongoInlet(databay.default_collection)')
})

t.test(
  'a collection that does not exist is warned of at the start, with the one that was meant',
  { skip },
  async (t) => {
    const logs = captureLogs(t)
    const { database, start } = await collection(t, numbered(1))
    const { pull } = await start({ database, collection: 'thigns' })
    t.same(await pull(), [])
    t.same(await pull(), [])
    t.match(logs.messages(), [/^there is no collection test_\w+\.thigns yet: did you mean things\?$/])
  },
)

t.test('a cursorField that no document has is warned of once', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { start } = await collection(t, [{ number: 1 }, { number: 2 }])
  const { pull } = await start({ cursorField: 'nubmer' })
  t.same(await pull(), [])
  t.same(await pull(), [])
  t.match(logs.messages(), [/^no document of test_\w+\.things has the cursorField nubmer, .*: did you mean number\?$/])
  const { pull: read } = await start({ cursorField: 'number', startAfter: 5 })
  t.same(await read(), [])
  t.equal(logs.messages().length, 1, 'one that has come to the end is told of nothing')
})

t.test('the search for a cursorField is no long one, and ends with its transfer', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { url, database } = await collection(t, [{ number: 1 }])
  const client = new MongoClient(url, { monitorCommands: true })
  t.teardown(() => client.close())
  const times: unknown[] = []
  client.on('commandStarted', ({ command }) => times.push((command as { readonly maxTimeMS?: number }).maxTimeMS))
  const settings = resolveInletOptions({ url, database, collection: 'things', cursorField: 'n' })
  await warnOfNoField(client.db(database), settings, AbortSignal.abort())
  t.same([times, logs.messages()], [[], []])
  await warnOfNoField(client.db(database), settings, new AbortController().signal)
  t.same(times, [1000, 1000])
  t.equal(logs.messages().length, 1)
})
