import { Buffer } from 'node:buffer'
import t, { type Test } from 'tap'
import { Cancellation } from '../../../src/core/cancellation.js'
import { TransferCancelledError } from '../../../src/base/errors.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { MongoOutlet } from '../../../src/connectors/mongodb/mongo-outlet.js'
import type { MongoOutletOptions } from '../../../src/connectors/mongodb/outlet-options.js'
import { Record } from '../../../src/core/record.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { isWrite, mongoServer } from '../../helpers/mongo.js'
import type { Fate } from '../../helpers/tcp-proxy.js'

const mongo = await mongoServer(t)
const { skip } = mongo

const update = new Update(['to_mongo'], 0)
const retry = { retries: 5, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 5 } }
function records(...payloads: unknown[]): Record[] {
  return payloads.map((payload) => new Record(payload))
}

/** Starts an outlet whose connection suffers these fates, write by write. */
async function through(t: Test, fates: readonly Fate[], options: MongoOutletOptions = {}) {
  const { database, db } = await mongo.database(t)
  const { url, proxy } = await mongo.proxied(t)
  const left = [...fates]
  proxy.judge = (piece) => (isWrite(piece) ? (left.shift() ?? 'pass') : 'pass')
  const outlet = new MongoOutlet({ url, database, collection: 'things', retry, ...options })
  await outlet.onStart()
  t.teardown(() => outlet.onShutdown())
  const numbers = async () => {
    const documents = await db
      .collection('things')
      .find({}, { sort: { n: 1 } })
      .toArray()
    return documents.map(({ n }) => n as number)
  }
  return { outlet, proxy, db, numbers }
}

async function refused(pushing: Promise<void>): Promise<number[]> {
  try {
    await pushing
    return []
  } catch (error) {
    if (!(error instanceof PartialPushError)) throw error
    return error.rejected.map(({ index }) => index)
  }
}

t.test('a push of which the replies are lost stores each document once', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { outlet, proxy, numbers } = await through(t, ['swallow reply', 'cut', 'swallow reply'])
  await outlet.push(records({ n: 1 }, [{ n: 2 }, { n: 3 }]), update)
  t.same(await numbers(), [1, 2, 3])
  t.equal(proxy.cuts, 3)
  t.equal(logs.entries().length, 3)
  t.match(logs.messages()[0], /^to_mongo\.0 tries again to write to test_\w+\.things: connection .* closed$/)
})

t.test('what the server refuses is refused all the same when the reply was lost', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, db, numbers } = await through(t, ['swallow reply'])
  await db.collection<{ n: number; k: number }>('things').createIndex({ k: 1 }, { unique: true }, {})
  await db.collection('things').insertOne({ n: 1, k: 1 })
  const batch = records({ n: 2, k: 2 }, { n: 3, k: 1 }, { n: 4, k: 2 }, { n: 5, k: 5 }, 'text')
  t.same(await refused(outlet.push(batch, update)), [1, 2, 4])
  t.same(await numbers(), [1, 2, 5])
})

t.test('a given _id whose reply was lost counts as stored when it is the same document', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, db, numbers } = await through(t, ['swallow reply'])
  await db.collection<{ _id: string }>('things').insertOne({ _id: 'theirs', n: 1 } as { _id: string })
  const batch = records(
    { n: 2, when: new Date(0), list: [1, 'é', null], big: 2n ** 60n, none: undefined, _id: 'mine' },
    { _id: 'theirs', n: 9 },
    { _id: 'twice', n: 3 },
    { _id: 'twice', n: 3 },
    { _id: { a: 1, b: 'x' }, n: 4 },
    { _id: 7, n: 5 },
  )
  t.same(await refused(outlet.push(batch, update)), [1, 3])
  t.same(await numbers(), [1, 2, 3, 4, 5])
})

t.test('of two documents with the same _id one is refused, whatever was lost', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const fate of ['pass', 'cut', 'swallow reply'] as const) {
    const { outlet, numbers } = await through(t, [fate])
    t.same(await refused(outlet.push(records({ _id: 1, n: 1 }, { _id: 1, n: 1 }, { n: 2 }), update)), [1], fate)
    t.same(await numbers(), [1, 2], fate)
  }
})

t.test('a broken connection while it is looked up what is stored changes nothing', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, proxy, numbers } = await through(t, [])
  const fates: Fate[] = ['swallow reply', 'pass', 'cut']
  proxy.judge = (piece) => (isWrite(piece) || piece.includes('find\0') ? (fates.shift() ?? 'pass') : 'pass')
  await outlet.push(records({ n: 1 }, { n: 2 }), update)
  t.same(await numbers(), [1, 2])
  t.equal(proxy.cuts, 2)
})

t.test('many documents whose reply was lost are looked up in parts', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, db } = await through(t, ['swallow reply'])
  const payload = Array.from({ length: 2500 }, (_, n) => ({ n }))
  await outlet.push(records(payload), update)
  t.equal(await db.collection('things').countDocuments(), 2500)
})

t.test('upserts whose replies are lost leave one document of each key', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, proxy, db, numbers } = await through(t, ['swallow reply', 'cut', 'pass', 'swallow reply'], {
    mode: 'upsert',
    keys: ['id'],
  })
  await db.collection('things').createIndex({ id: 1 }, { unique: true }, {})
  await outlet.push(records({ id: 1, n: 1 }, { id: 2, n: 2 }, { id: 1, n: 3 }), update)
  await outlet.push(records({ id: 2, n: 4 }, { id: 3, n: 5 }), update)
  t.same(await numbers(), [3, 4, 5])
  t.equal(proxy.cuts, 3)
})

t.test('two outlets that upsert the same keys at once leave one document of each', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { database, db } = await mongo.database(t)
  await db.collection('things').createIndex({ id: 1 }, { unique: true }, {})
  const outlets = Array.from({ length: 4 }, () => {
    return new MongoOutlet({ url: mongo.url, database, collection: 'things', mode: 'upsert', keys: ['id'], retry })
  })
  await Promise.all(outlets.map((outlet) => outlet.onStart()))
  t.teardown(() => Promise.all(outlets.map((outlet) => outlet.onShutdown())))
  const batch = Array.from({ length: 20 }, (_, id) => ({ id }))
  await Promise.all(outlets.map((outlet) => outlet.push(records(...batch), update)))
  t.equal(await db.collection('things').countDocuments(), 20)
})

t.test('when no try is left, the error says so and shows no document', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet } = await through(
    t,
    Array.from({ length: 9 }, () => 'cut' as const),
    {
      retry: { retries: 1, minDelay: { milliseconds: 1 } },
    },
  )
  const error = await outlet
    .push(records({ secret: 'hush' }, { n: 2 }), update)
    .catch((error: unknown) => error as Error)
  t.match(error, { code: 'DATABAY_DATABASE', message: /^MongoOutlet: test_\w+\.things: connection .* closed$/ })
  t.notMatch(JSON.stringify(error), /hush/)
  const mixed = await refused(outlet.push(records({ n: 1 }, 'text', { n: 2 }), update))
  t.same(mixed, [0, 1, 2], 'one is bad, and the others did not get there')
})

t.test('a server that does not answer is given up in time', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, numbers } = await through(t, ['hang'], { socketTimeout: { milliseconds: 200 } })
  await outlet.push(records({ n: 1 }), update)
  t.same(await numbers(), [1])
})

/** Field `code` of an answer, as BSON has it. */
function codeField(code: number): Buffer {
  const field = Buffer.from('\x10code\0....')
  field.writeInt32LE(code, 6)
  return field
}

/** Answers like a server that shuts down, and reports it for the document instead of the command. */
function notNow(piece: Buffer): { piece: Buffer; found: boolean } {
  const at = piece.indexOf(codeField(11_000))
  if (at < 0) return { piece, found: false }
  const changed = Buffer.from(piece)
  codeField(11_600).copy(changed, at)
  return { piece: changed, found: true }
}

t.test('a document that the server does not take for now is sent again', { skip }, async (t) => {
  captureLogs(t, 'silent')
  for (const options of [{}, { mode: 'upsert', keys: ['n'] }] as const) {
    const { outlet, proxy, db, numbers } = await through(t, [], { ...options, retry: { ...retry, retries: Infinity } })
    const things = db.collection('things')
    await things.createIndex({ k: 1 }, { unique: true }, {})
    await things.insertOne({ n: 1, k: 2 })
    let answers = 0
    proxy.rewrite = (piece) => {
      const { piece: changed, found } = notNow(piece)
      if (found && ++answers === 2) void things.deleteOne({ n: 1 })
      return changed
    }
    await outlet.push(records({ n: 2, k: 1 }, { n: 3, k: 2 }), update)
    t.ok(answers >= 2)
    t.same(await numbers(), [2, 3])
  }
})

t.test('a document that the server never takes is refused with its code when no try is left', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, proxy, db, numbers } = await through(t, [])
  await db.collection('things').createIndex({ k: 1 }, { unique: true }, {})
  await db.collection('things').insertOne({ n: 1, k: 2 })
  let answers = 0
  proxy.rewrite = (piece) => {
    const { piece: changed, found } = notNow(piece)
    if (found) answers++
    return changed
  }
  const error = await outlet.push(records({ n: 2, k: 1 }, { n: 3, k: 2 }), update).catch((error: unknown) => error)
  t.match(error, { taken: 1, rejected: [{ index: 1, error: { code: 'DATABAY_DATABASE', serverCode: 11_600 } }] })
  t.equal(answers, retry.retries + 1)
  t.same(await numbers(), [1, 2])
})

t.test('a push that is cancelled sends nothing more', { skip }, async (t) => {
  captureLogs(t, 'silent')
  const { outlet, proxy, db } = await through(t, [], { mode: 'upsert', keys: ['id'] })
  await db.collection('things').createIndex({ k: 1 }, { unique: true }, {})
  await db.collection('things').insertOne({ id: 7, k: 1 })
  const cancellation = new Cancellation()
  let sent = 0
  proxy.judge = (piece) => {
    if (!isWrite(piece)) return 'pass'
    if (piece.includes('things')) sent++
    if (sent === 1) cancellation.cancel(new TransferCancelledError('stop'))
    return 'pass'
  }
  // the second is refused; otherwise it would be sent again, and the first one after it
  const batch = records({ id: 1, k: 2 }, { id: 1, k: 1 })
  await t.rejects(outlet.push(batch, new Update(['x'], 0, cancellation)), TransferCancelledError)
  for (let n = 0; n < 5; n++)
    await outlet.push([new Record({ id: n }, { [MongoOutlet.MONGODB_COLLECTION]: 'others' })], update)
  t.equal(sent, 1)
})
