/** Collections are read to their end in one transfer, list by list. */
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MongoInlet } from '../../../src/connectors/mongodb/mongo-inlet.js'
import type { MongoInletOptions } from '../../../src/connectors/mongodb/inlet-options.js'
import { Link } from '../../../src/core/link.js'
import type { Record } from '../../../src/core/record.js'
import { captureLogs } from '../../helpers/logs.js'
import { mongoServer } from '../../helpers/mongo.js'
import { deferred, KeepOutlet, pulledBy } from '../../helpers/nodes.js'
import { until } from '../../helpers/threads.js'
import { Update } from '../../../src/core/update.js'

const mongo = await mongoServer(t)
const { skip } = mongo

const retry = { retries: 3, minDelay: { milliseconds: 1 }, maxDelay: { milliseconds: 5 } }

interface Doc {
  n: number
}

/** A collection of numbered documents, behind a proxy, and links that read it. */
async function numbers(t: Test, count: number, valueOf = (n: number): unknown => n) {
  const { url, proxy } = await mongo.proxied(t)
  const { database, db } = await mongo.database(t)
  const things = db.collection('things')
  const add = async (from: number, to: number) => {
    const documents = Array.from({ length: to - from }, (_, at) => ({ n: from + at, v: valueOf(from + at) }))
    await things.insertMany(documents)
  }
  if (count > 0) await add(0, count)
  const make = (options: MongoInletOptions = {}) =>
    new MongoInlet<Doc>({ url, database, collection: 'things', retry, ...options })
  const start = async (inlets: MongoInlet<Doc> | MongoInlet<Doc>[], outlet: KeepOutlet, options: object = {}) => {
    const link = new Link({ interval: 1, inlets, outlets: outlet, ...options } as never)
    await link.onStart()
    t.teardown(() => link.onShutdown())
    return link
  }
  /** Number of commands of a name that have been sent. */
  const sent = (name: string) => commands.filter((text) => text.includes(name)).length
  const commands: string[] = []
  const judge = (fate: (text: string) => ReturnType<typeof proxy.judge>) => {
    proxy.judge = (piece) => {
      const text = piece.toString('latin1')
      commands.push(text)
      return fate(text)
    }
  }
  judge(() => 'pass')
  const rewrite = (change: (text: string) => string) => {
    proxy.rewriteSent = (piece) => Buffer.from(change(piece.toString('latin1')), 'latin1')
  }
  return { things, add, make, start, sent, judge, rewrite }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve()
    })
  })
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, at) => from + at)
const sizesOf = ({ batches }: KeepOutlet) => batches.map(({ length }) => length)
const numbersOf = ({ payloads }: KeepOutlet) => (payloads.flat() as Doc[]).map(({ n }) => n)
const inOrder = (numbers: number[]) => numbers.toSorted((one, other) => one - other)

t.test('a collection of several lists is read in one transfer, list by list', { skip }, async (t) => {
  const logs = captureLogs(t, 'info')
  const { make, start, sent } = await numbers(t, 2500)
  const outlet = new KeepOutlet()
  const link = await start(make({ sort: { n: 1 } }), outlet)
  t.match(await link.transfer(), { pulled: 2500, rounds: 3, failed: false, outlets: [{ pushed: 2500 }] })
  t.same(sizesOf(outlet), [1024, 1024, 452])
  t.strictSame(numbersOf(outlet), upTo(2500))
  t.equal(sent('killCursors'), 0)
  t.match(
    logs.messages().filter((text) => text.includes('received')),
    [/received 2500 documents/],
  )
})

for (const [count, sizes] of [
  [1023, [1023]],
  [1024, [1024]],
  [2048, [1024, 1024]],
] as const) {
  t.test(`${count} documents make ${sizes.length} rounds`, { skip }, async (t) => {
    const { make, start, add } = await numbers(t, count)
    const [all, fresh] = [new KeepOutlet(), new KeepOutlet()]
    const link = await start(make(), all)
    t.match(await link.transfer(), { pulled: count, rounds: sizes.length, failed: false })
    t.same(sizesOf(all), sizes)
    const following = await start(make({ cursorField: 'n', limit: Infinity }), fresh)
    t.match(await following.transfer(), { pulled: count, rounds: sizes.length, failed: false })
    t.match(await following.transfer(), { pulled: 0, rounds: 1, failed: false })
    await add(count, count + 1)
    t.match(await following.transfer(), { pulled: 1, rounds: 1, failed: false })
    t.strictSame(numbersOf(fresh), upTo(count + 1))
  })
}

t.test('few documents are a list, and cost one command', { skip }, async (t) => {
  const { make, sent } = await numbers(t, 500)
  const inlet = make({ limit: 500 })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const pulled = await inlet.pull(new Update(['x'], 0))
  t.ok(Array.isArray(pulled))
  t.equal((pulled as Doc[]).length, 500)
  t.equal(sent('find\0') + sent('getMore') + sent('killCursors'), 1)
})

t.test('batchSize is the size of the lists, and limit holds for all of them', { skip }, async (t) => {
  const { make, start } = await numbers(t, 1000)
  const outlet = new KeepOutlet()
  const link = await start(make({ cursorField: 'n', batchSize: 100, limit: 250 }), outlet)
  t.match(await link.transfer(), { pulled: 250, rounds: 3 })
  t.match(await link.transfer(), { pulled: 250, rounds: 3 })
  t.same(sizesOf(outlet), [100, 100, 50, 100, 100, 50])
  t.strictSame(numbersOf(outlet), upTo(500))
})

t.test('the link can collect the lists, or cut them', { skip }, async (t) => {
  const { make, start } = await numbers(t, 2500)
  const outlet = new KeepOutlet()
  t.match(await (await start(make(), outlet, { rounds: 'whole' })).transfer(), { pulled: 2500, rounds: 1 })
  t.same(sizesOf(outlet), [2500])
})

for (const [name, valueOf] of [
  ['n', (n: number) => n],
  ['v', (n: number) => Math.floor(n / 700)],
  ['_id', (n: number) => n],
] as const) {
  t.test(
    `after a round that failed, reading goes on behind the last delivered one, by ${name}`,
    { skip },
    async (t) => {
      captureLogs(t)
      const { make, start, add } = await numbers(t, 2500, valueOf)
      let refuse = true
      const outlet = new KeepOutlet(() => {
        if (outlet.batches.length !== 4 || !refuse) return
        refuse = false
        outlet.batches.pop()
        throw new Error('full')
      })
      const link = await start(make({ cursorField: name, batchSize: 200, limit: Infinity }), outlet)
      t.match(await link.transfer(), { failed: true, rounds: 4, outlets: [{ pushed: 600 }] })
      await add(2500, 2600)
      t.match(await link.transfer(), { failed: false, pulled: 2000 })
      t.strictSame(inOrder(numbersOf(outlet)), upTo(2600), 'each document has come once')
    },
  )
}

t.test('with rounds of another size, the rest of a list comes again', { skip }, async (t) => {
  captureLogs(t)
  const { make, start } = await numbers(t, 1000)
  let pushes = 0
  const outlet = new KeepOutlet(() => {
    if (++pushes !== 3) return
    outlet.batches.pop()
    throw new Error('full')
  })
  const link = await start(make({ cursorField: 'n', batchSize: 100, limit: Infinity }), outlet, { rounds: 150 })
  t.match(await link.transfer(), { failed: true, rounds: 3 })
  t.match(await link.transfer(), { failed: false, pulled: 700 })
  t.strictSame([...new Set(numbersOf(outlet))], upTo(1000))
})

t.test('a connection that breaks between lists costs nothing, with a cursorField', { skip }, async (t) => {
  const logs = captureLogs(t)
  const { make, start, judge } = await numbers(t, 1000)
  let left = 3
  judge((text) => (text.includes('getMore') && left-- > 0 ? 'swallow reply' : 'pass'))
  const outlet = new KeepOutlet()
  const link = await start(make({ cursorField: 'n', batchSize: 100, limit: 950 }), outlet)
  t.match(await link.transfer(), { failed: false, pulled: 950 })
  t.strictSame(numbersOf(outlet), upTo(950))
  t.match(logs.messages()[0], /tries again to read test_\w+\.things: /)
})

t.test('without a cursorField it fails, and says why; rounds before stay', { skip }, async (t) => {
  captureLogs(t)
  const { make, start, judge, sent } = await numbers(t, 1000)
  judge((text) => (text.includes('getMore') && sent('getMore') === 3 ? 'swallow reply' : 'pass'))
  const outlet = new KeepOutlet()
  const link = await start(make({ batchSize: 100, sort: { n: 1 } }), outlet)
  const report = await link.transfer()
  t.match(report, { failed: true, pulled: 300, outlets: [{ pushed: 300 }] })
  const why = /^MongoInlet: test_\w+\.things, after 300 documents, behind which only a cursorField could go on: /
  t.match(report.errors, [{ stage: 'pull', code: 'DATABAY_DATABASE', message: why }])
  t.match(await link.transfer(), { failed: false, pulled: 1000 })
})

t.test('a cursor that the server has forgotten is no loss, with a cursorField', { skip }, async (t) => {
  const { make, start, rewrite } = await numbers(t, 500)
  // the third batch is asked of a cursor that there is not
  let batches = 0
  rewrite((text) =>
    text.includes('getMore') && ++batches === 2 ? text.replace(/(?<=getMore\0).{8}/s, 'nowhere!') : text,
  )
  const outlet = new KeepOutlet()
  const link = await start(make({ cursorField: 'n', batchSize: 100, limit: Infinity }), outlet)
  t.match(await link.transfer(), { failed: false, pulled: 500 })
  t.ok(batches > 2)
  t.strictSame(numbersOf(outlet), upTo(500))
})

t.test('return() closes the cursor, before the first list and after it', { skip }, async (t) => {
  const { make, sent } = await numbers(t, 3000)
  const inlet = make()
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  for (const steps of [0, 1, 2]) {
    const before = sent('killCursors')
    const stream = (await inlet.pull(new Update(['x'], steps))) as AsyncIterableIterator<Doc[]>
    for (let step = 0; step < steps; step++) t.match(await stream.next(), { done: false })
    t.same(await stream.return?.(), { done: true, value: undefined })
    t.equal(sent('killCursors'), before + 1)
    t.same(await stream.next(), { done: true, value: undefined })
    await stream.return?.()
    t.equal(sent('killCursors'), before + 1, 'twice is once')
  }
})

t.test('a timeout in a round closes the cursor, and what was not delivered comes again', { skip }, async (t) => {
  captureLogs(t)
  const { make, start, sent } = await numbers(t, 1000)
  let pushes = 0
  const outlet = new KeepOutlet((_, { signal }) => (++pushes === 3 ? untilAborted(signal) : undefined))
  const inlet = make({ cursorField: 'n', batchSize: 100, limit: Infinity })
  const link = await start(inlet, outlet, { timeout: { milliseconds: 1500 } })
  const report = await link.transfer()
  t.match(report, { failed: true, rounds: 3 })
  t.match(report.errors[0], { code: 'DATABAY_TRANSFER_TIMEOUT' })
  await until(() => sent('killCursors') === 1)
  const { pulled } = await link.transfer()
  t.ok(pulled === 700 || pulled === 800, `${pulled} come again`)
  t.strictSame([...new Set(numbersOf(outlet))], upTo(1000))
})

t.test('a server that hangs in a round is left when the transfer is told to stop', { skip }, async (t) => {
  captureLogs(t)
  const { make, start, judge, sent } = await numbers(t, 1000)
  judge((text) => (text.includes('getMore') && sent('getMore') === 3 ? 'hang' : 'pass'))
  const outlet = new KeepOutlet()
  const link = await start(make({ cursorField: 'n', batchSize: 100, limit: Infinity }), outlet, {
    timeout: { milliseconds: 1500 },
  })
  const startedAt = performance.now()
  t.match(await link.transfer(), { failed: true, pulled: 300, outlets: [{ pushed: 300 }] })
  t.ok(performance.now() - startedAt < 5000)
  judge(() => 'pass')
  t.match(await link.transfer(), { failed: false, pulled: 700 })
  t.strictSame(numbersOf(outlet), upTo(1000))
})

t.test('two inlets, of which one ends early', { skip }, async (t) => {
  const { make, start } = await numbers(t, 450)
  const outlet = new KeepOutlet()
  const link = await start(
    [make({ batchSize: 100, sort: { n: 1 }, limit: 150 }), make({ cursorField: 'n', batchSize: 100, limit: Infinity })],
    outlet,
  )
  t.match(await link.transfer(), { pulled: 600, rounds: 5, failed: false })
  t.same(sizesOf(outlet), [200, 150, 100, 100, 50])
})

t.test('two transfers at the same time read each document once', { skip }, async (t) => {
  const { make } = await numbers(t, 1000)
  const inlet = make({ cursorField: 'n', batchSize: 100, limit: Infinity })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const updates = [0, 1].map((number) => new Update(['x'], number))
  const lists = await Promise.all(updates.map((update) => pulledBy(inlet, update)))
  t.strictSame(inOrder(lists.flat().map(({ n }) => n)), upTo(1000))
  for (const update of updates) inlet.onTransferEnd(update, true, { rounds: 10, deliveredRounds: 10 })
  t.match(inlet.saveState(), { carried: undefined })
})

t.test('a stream that is left while its next list waits for its turn leaves no cursor open', { skip }, async (t) => {
  const { make, sent } = await numbers(t, 1000)
  const inlet = make({ cursorField: 'n', batchSize: 100, limit: Infinity })
  await inlet.onStart()
  t.teardown(() => inlet.onShutdown())
  const pull = async (number: number) => (await inlet.pull(new Update(['x'], number))) as AsyncIterableIterator<Doc[]>
  const one = await pull(0)
  await one.next()
  const other = pull(1)
  const next = one.next()
  await one.return?.()
  t.same(await next, { done: true, value: undefined })
  await (await other).return?.()
  await (await pull(2)).return?.()
  t.equal(sent('find\0'), 3)
  t.equal(sent('killCursors'), 3)
})

t.test('an array at the cursorField fails the round in which it comes', { skip }, async (t) => {
  captureLogs(t)
  const { make, start, things } = await numbers(t, 300)
  await things.updateOne({ n: 250 }, { $set: { v: [250.5] } })
  const outlet = new KeepOutlet()
  const link = await start(make({ cursorField: 'v', batchSize: 100, limit: Infinity }), outlet)
  t.match(await link.transfer(), { failed: true, pulled: 200, outlets: [{ pushed: 200 }] })
  await things.updateOne({ n: 250 }, { $set: { v: 250 } })
  t.match(await link.transfer(), { failed: false, pulled: 100 })
  t.strictSame(numbersOf(outlet), upTo(300))
})

t.test('a shutdown in the middle ends it behind what was delivered', { skip }, async (t) => {
  const { make, start, sent } = await numbers(t, 5000)
  const inlet = make({ cursorField: 'n', batchSize: 50, limit: Infinity })
  const begun = deferred()
  const outlet = new KeepOutlet(async (records: Record[]) => {
    begun.resolve()
    if (records.length > 0) await delay(5)
  })
  const link = await start(inlet, outlet)
  const running = link.transfer()
  await begun.promise
  link.endStreams()
  const { failed, pulled, outlets } = await running
  t.equal(failed, false)
  t.ok(pulled > 0 && pulled < 5000, `${pulled} pulled`)
  t.match(outlets, [{ pushed: pulled, dropped: 0 }])
  await until(() => sent('killCursors') === 1)
  t.match(await link.transfer(), { pulled: 5000 - pulled, failed: false })
  t.strictSame(numbersOf(outlet), upTo(5000))
})
