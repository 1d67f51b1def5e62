/** Objects change, vanish and are bad, connections break, transfers fail: nothing is lost without a word, or comes twice. */
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import type { S3InletOptions } from '../../../src/connectors/s3/inlet/inlet-options.js'
import { S3Inlet } from '../../../src/connectors/s3/s3-inlet.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { Update } from '../../../src/core/update.js'
import { fakeS3 } from '../../helpers/fake-s3.js'
import { captureLogs } from '../../helpers/logs.js'
import { listsOf, QUICK, startedS3Inlet } from '../../helpers/s3-inlets.js'
import { s3Server } from '../../helpers/s3.js'
import { countConnections } from '../../helpers/servers.js'
import { until } from '../../helpers/threads.js'

const real = await s3Server(t)

const HOUR = 3_600_000

/** Lines that are numbered, as long as a list takes several of them. */
const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => `line ${from + n} ${'x'.repeat(90)}`)
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')

async function stored(t: Test, objects: { [key: string]: string | Uint8Array }, options: Partial<S3InletOptions> = {}) {
  const s3 = await fakeS3(t)
  for (const [key, body] of Object.entries(objects)) s3.put(key, body)
  const started = await startedS3Inlet(t, { ...s3.options, ...options })
  return { s3, ...started }
}

t.test('a large object comes list by list, and its rest after a failure', async (t) => {
  const lines = numbers(20_000)
  const { s3, inlet, pull } = await stored(t, { a: text(lines) })
  const { messages } = captureLogs(t)
  const update = new Update(['test'], 100)
  const taken: string[] = []
  const lists = listsOf(inlet as S3Inlet<string>, update)
  for (let count = 0; count < 3; count++) {
    const { value } = await lists.next()
    for (const { payload } of value ?? []) taken.push(payload)
  }
  await lists.return()
  inlet.onTransferEnd(update, false, { rounds: 3, deliveredRounds: 2 })
  const rest = (await pull()) as string[]
  t.equal(rest.at(-1), lines.at(-1))
  const again = taken.indexOf(rest[0] as string)
  t.ok(again > 0 && again < taken.length, 'the list that was not delivered comes again')
  t.same([...taken.slice(0, again), ...rest], lines)
  const [, second] = s3.gets('a')
  t.match(second, { range: /^bytes=\d{6}-$/, ifMatch: /^"\w+"$/ }, 'only its rest is requested')
  t.match(messages().join(), /records were not delivered: they are read again/)
})

t.test('a warning of a request that is made again names its transfer', async (t) => {
  const { s3, inlet } = await stored(t, { a: 'one\n' }, { retry: QUICK })
  const { messages } = captureLogs(t)
  let isBad = true
  s3.state.judge = () => {
    if (!isBad) return 'answer'
    isBad = false
    return { status: 503, code: 'SlowDown' }
  }
  const update = new Update(['from_s3'], 7)
  t.match(await inlet.pull(update), [{ payload: 'one' }])
  const warning = messages().find((message) => message.includes('SlowDown'))
  t.ok(warning?.startsWith(`${String(update)} tries again: `), String(warning))
})

for (const [name, pack] of Object.entries({
  plain: (x: string) => Buffer.from(x),
  packed: (x: string) => gzipSync(x),
})) {
  t.test(`connections that are cut are read on: ${name}`, async (t) => {
    const lines = Array.from({ length: 4000 }, (_, n) => `${n} ${randomBytes(60).toString('hex')}`)
    const body = pack(text(lines))
    const { messages } = captureLogs(t)
    const { s3, pull } = await stored(t, { a: body, b: 'end\n' })
    let cuts = 0
    s3.state.judge = ({ key }) => (key === 'a' && ++cuts % 3 !== 0 ? { cutAfter: 40_000 } : 'answer')
    t.same(await pull(), [...lines, 'end'])
    t.ok(s3.gets('a').length > 1)
    t.match(s3.gets('a')[1], { range: /^bytes=[1-9]/, ifMatch: /^"/ })
    t.match(messages().join(), /a: its connection was cut at byte \d+, where it is read on/)
  })
}

t.test('a storage that knows no parts gives the whole again, of which the rest is taken', async (t) => {
  const lines = numbers(4000)
  const { s3, pull } = await stored(t, { a: text(lines) })
  s3.state.knowsRanges = false
  let cuts = 0
  s3.state.judge = ({ key }) => (key === 'a' && cuts++ < 2 ? { cutAfter: 100_000 } : 'answer')
  t.same(await pull(), lines)
})

t.test('a connection that is cut each time fails the transfer, and what came is not read again', async (t) => {
  const lines = numbers(10_000)
  const { s3, inlet, pull } = await stored(t, { a: text(lines) })
  s3.state.judge = ({ key, range }) => {
    if (key === undefined) return 'answer'
    return { cutAfter: range === undefined ? 600_000 : 0 }
  }
  const update = new Update(['test'], 100)
  const taken: string[] = []
  let rounds = 0
  await t.rejects(
    async () => {
      for await (const list of listsOf(inlet as S3Inlet<string>, update)) {
        rounds++
        for (const { payload } of list) taken.push(payload)
      }
    },
    { code: 'DATABAY_S3', message: /cannot read a in bucket/ },
  )
  inlet.onTransferEnd(update, false, { rounds, deliveredRounds: rounds })
  s3.state.judge = () => 'answer'
  t.ok(taken.length > 4000)
  t.same([...taken, ...((await pull()) as string[])], lines)
})

t.test('an object that is written to while it is read is read again from its start, with a warning', async (t) => {
  for (const order of ['key', 'modified'] as const) {
    const { messages } = captureLogs(t)
    const s3 = await fakeS3(t)
    s3.put('a', text(numbers(9000)), Date.now() - HOUR)
    s3.put('b', 'other\n', Date.now() - HOUR / 2)
    const { pull } = await startedS3Inlet(t, { ...s3.options, order })
    let cuts = 0
    s3.state.judge = ({ key }) => (key === 'a' && cuts++ === 0 ? { cutAfter: 500_000 } : 'answer')
    s3.state.before = ({ range }) => {
      if (range !== undefined) s3.put('a', text(numbers(3, 500_000)), Date.now() - HOUR / 4)
    }
    const all = await pull()
    const old = numbers(9000).filter((line) => all.includes(line))
    t.ok(old.length > 0 && old.length < 9000)
    const changed = numbers(3, 500_000)
    // in the order of writing, it has another place now
    t.same(all, order === 'key' ? [...old, ...changed, 'other'] : [...old, 'other'])
    t.match(messages().join(), /a: it was written to again, after \d+ of its records: it is read again from its start/)
    t.same(await pull(), order === 'key' ? [] : changed)
    t.same(await pull(), [])
  }
})

t.test('an object that changes between two transfers, in the middle of which it is, is read again whole', async (t) => {
  const { messages } = captureLogs(t)
  const { s3, inlet, pull } = await stored(t, { a: text(numbers(20_000)) })
  const update = new Update(['test'], 100)
  const lists = listsOf(inlet, update)
  await lists.next()
  await lists.return()
  inlet.onTransferEnd(update, false, { rounds: 1, deliveredRounds: 1 })
  s3.put('a', 'new\n')
  t.same(await pull(), ['new'])
  t.match(messages().join(), /a: it was written to again, after \d+ of its records: it is read again from its start/)
})

t.test('objects that are deleted before they are read are passed over, with a warning', async (t) => {
  const { messages } = captureLogs(t)
  const { s3, pull } = await stored(t, { a: '1\n', b: '2\n', c: '3\n' })
  s3.state.before = ({ key }) => {
    if (key === undefined) queueMicrotask(() => s3.objects.delete('b'))
  }
  t.same(await pull(), ['1', '3'])
  t.match(messages().join(), /b: it was deleted before it was read/)
  t.same(await pull(), [])
})

t.test('the rest of an object that is deleted while it is read is given up, with a warning', async (t) => {
  const { messages } = captureLogs(t)
  const { s3, pull } = await stored(t, { a: text(numbers(9000)), b: 'end\n' })
  s3.state.judge = ({ key, range }) => (key === 'a' && range === undefined ? { cutAfter: 500_000 } : 'answer')
  s3.state.before = ({ range }) => {
    if (range !== undefined) s3.objects.delete('a')
  }
  const all = await pull()
  t.equal(all.at(-1), 'end')
  t.ok(all.length > 1 && all.length < 9000)
  t.match(messages().join(), /a: it was deleted, after \d+ of its records/)
})

t.test('bad content fails the transfer each time, after what precedes it; the error names key and line', async (t) => {
  const cases: [string, string | Uint8Array, RegExp, Partial<S3InletOptions>?][] = [
    ['x.jsonl', '{"n":1}\n{"n":\n', /cannot read b\/x\.jsonl in bucket .*: it does not contain valid JSON in line 2/],
    [
      'x.jsonl',
      '{"n":1}\n{"n":9007199254740993}\n',
      /it has a number that would change in line 2: \$\.n .*bigIntegers/,
    ],
    ['x.json', '{"n":', /cannot read b\/x\.json in bucket .*: it does not contain valid JSON/],
    ['x.csv', 'n,m\n1,2\n3\n', /line 3: the row has 1 cell instead of 2/],
    ['x.csv', 'n,n\n1,2\n', /the header has the name 'n' twice/],
    ['x.csv', 'n\nx\n', /line 2, column 'n': expected/, { csv: { types: { n: 'number' } } }],
    ['x.txt', `ok\n${'y'.repeat(200)}\n`, /the line at byte 3 is longer than maxLineLength/, { maxLineLength: 100 }],
    ['x.txt.gz', gzipSync('x\n'.repeat(9000)).subarray(0, -9), /its body cannot be unpacked: unexpected end of file/],
    ['x.gz', new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9, 9]), /its body cannot be unpacked/],
    ['x.txt', Buffer.from('h\u00e4llo w\u00f6rld\n', 'utf16le'), /it has NULs as if it were utf-16le/],
    ['x.txt', new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]), /it is packed with zstd, which is not unpacked/],
    ['x.txt', 'plain\n', /it is not packed with gzip: see the option gzip/, { gzip: true }],
    ['x.bin', new Uint8Array(101), /it has more than maxObjectSize, which is 100 bytes/, { maxObjectSize: 100 }],
  ]
  for (const [name, body, expected, options] of cases) {
    const s3 = await fakeS3(t)
    s3.put('a', gzipSync('first\n'))
    s3.put(`b/${name}`, body)
    s3.put('c', gzipSync('last\n'))
    const failing = await startedS3Inlet(t, { ...s3.options, ...options })
    const all: unknown[] = []
    await t.rejects(
      async () => {
        const lists = listsOf(failing.inlet, new Update(['test'], 100))
        for await (const list of lists) all.push(...list.map(({ payload }) => payload))
      },
      { code: 'DATABAY_S3', message: expected },
    )
    t.equal(all[0], 'first', `what precedes ${name} is delivered`)
    await t.rejects(failing.pull(), { message: expected }, 'each time')

    const { messages } = captureLogs(t)
    const skipping = await startedS3Inlet(t, { ...s3.options, ...options, badObjects: 'skip' })
    const others = await skipping.pull()
    t.equal(others[0], 'first')
    t.equal(others.at(-1), 'last')
    t.match(messages().join(), new RegExp(`b/${name.replaceAll('.', '\\.')}: it is skipped.*: `))
    t.match(messages().join(), new RegExp(expected.source.replace(/^.*\.\*: /, '')))
  }
})

t.test('bad lines and rows are skipped where that is said, and counted', async (t) => {
  const { messages } = captureLogs(t)
  const objects = {
    'a.jsonl': '{"n":1}\nno\n{"n":2}\n{\n',
    'b.csv': 'n,m\n1,2\n3\n4,5\n',
    'c.txt': `ok\n${'y'.repeat(200)}\nlast\n`,
  }
  const { pull } = await stored(t, objects, { badRecords: 'skip', maxLineLength: 100 })
  t.same(await pull(), [{ n: 1 }, { n: 2 }, { n: '1', m: '2' }, { n: '4', m: '5' }, 'ok', 'last'])
  t.match(messages()[0], /a\.jsonl: 2 not taken as they are: it does not contain valid JSON in line 2/)
  t.match(messages()[1], /b\.csv: 1 not taken as they are: .*line 3/)
  t.match(messages()[2], /c\.txt: 1 not taken as they are: the line at byte 3/)
})

t.test('records are read again until they are delivered, unless they need not be', async (t) => {
  const { s3, pull } = await stored(t, { a: '1\n2\n', b: '3\n' })
  t.same(await pull(false), ['1', '2', '3'])
  s3.put('c', '4\n')
  t.same(await pull(false), ['1', '2', '3', '4'])
  t.same(await pull(), ['1', '2', '3', '4'])
  t.same(await pull(), [])
  const once = await stored(t, { a: '1\n' }, { redeliver: false })
  t.same(await once.pull(false), ['1'])
  t.same(await once.pull(), [])
})

t.test('another instance goes on where one was', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('a', text(numbers(9000)))
  s3.put('b.csv', 'n,m\n1,2\n')
  const first = await startedS3Inlet<string>(t, s3.options)
  const update = new Update(['test'], 100)
  const lists = listsOf(first.inlet, update)
  const { value } = await lists.next()
  await lists.return()
  first.inlet.onTransferEnd(update, true, { rounds: 1, deliveredRounds: 1 })
  const state: unknown = structuredClone(first.inlet.saveState())
  const second = new S3Inlet<string>({ ...s3.options, retry: QUICK })
  second.restoreState(state)
  t.same(second.saveState(), state)
  await second.tryStart()
  t.teardown(() => second.tryShutdown())
  const rest: unknown[] = []
  for await (const list of listsOf(second, new Update(['test'], 101))) rest.push(...list.map(({ payload }) => payload))
  t.same([...(value ?? []).map(({ payload }) => payload), ...rest], [...numbers(9000), { n: '1', m: '2' }])
  second.restoreState({ position: 7 })
  second.restoreState('x')
})

t.test('a state of the other order of objects is of no use', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('b', '1\n', Date.now() - 2 * HOUR)
  const first = await startedS3Inlet<string>(t, { ...s3.options, order: 'modified' })
  t.same(await first.pull(), ['1'])
  s3.put('a', '2\n', Date.now() - HOUR)
  const second = new S3Inlet<string>({ ...s3.options, retry: QUICK })
  second.restoreState(structuredClone(first.inlet.saveState()))
  await second.tryStart()
  t.teardown(() => second.tryShutdown())
  const all: unknown[] = []
  for await (const list of listsOf(second, new Update(['test'], 101))) all.push(...list.map(({ payload }) => payload))
  t.same(all, ['2', '1'], 'none is passed over')
})

t.test('a pull that fails behind a read ends its request', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('a', text(numbers(200_000)))
  const connections = countConnections(s3.server)
  const { inlet } = await startedS3Inlet(t, s3.options)
  const advance = () => {
    throw new Error('the value is too long')
  }
  const lists = listsOf(inlet, new Update(['test'], 1), { durable: true, value: undefined, advance })
  await t.rejects(lists.next(), { message: 'the value is too long' })
  await connections.allClosed()
  t.pass('the connection of the object is closed')
})

t.test('the rest of an object of any format is read with what is known of its start', async (t) => {
  const count = 9000
  const rows = Array.from({ length: count }, (_, n) => ({ n: String(n), m: 'x'.repeat(60) }))
  const csv = `m;n\n${rows.map(({ n, m }) => `${m};${n}\n`).join('')}bad\n`
  const jsonl = `${rows.map((row) => `${JSON.stringify(row)}\n`).join('')}bad\n`
  const cases: [string, string | Uint8Array, RegExp | undefined][] = [
    ['a.csv', csv, new RegExp(`line ${count + 2}: the row has 1 cell instead of 2`)],
    ['a.csv.gz', gzipSync(csv), new RegExp(`line ${count + 2}: the row has 1 cell instead of 2`)],
    ['a.jsonl', jsonl, new RegExp(`in line ${count + 1}: `)],
    ['a.jsonl.gz', gzipSync(jsonl), new RegExp(`in line ${count + 1}: `)],
    ['a.json', JSON.stringify(rows), undefined],
  ]
  for (const [key, body, problem] of cases) {
    const { inlet } = await stored(t, { [key]: body }, { csv: { delimiter: ';' } })
    const all: unknown[] = []
    const take = async (most: number) => {
      const update = new Update(['test'], all.length)
      let rounds = 0
      try {
        for await (const list of listsOf(inlet, update)) {
          rounds++
          all.push(...list.map(({ payload }) => payload))
          if (rounds === most) break
        }
      } finally {
        inlet.onTransferEnd(update, false, { rounds, deliveredRounds: rounds })
      }
    }
    await take(1)
    t.ok(all.length > 0 && all.length < count, key)
    if (problem === undefined) await take(Infinity)
    else await t.rejects(take(Infinity), { message: problem })
    t.same(all, rows)
  }
})

t.test('an object that ends where a list does has no rest to request', async (t) => {
  const { s3, inlet, pull } = await stored(t, { a: `${'x'.repeat(262_143)}\n`, b: 'next\n' })
  const lists = listsOf(inlet, new Update(['test'], 100))
  await lists.next()
  await lists.return()
  inlet.onTransferEnd(new Update(['test'], 100), false, { rounds: 1, deliveredRounds: 1 })
  t.same(await pull(), ['next'])
  t.equal(s3.gets('a').length, 1)
})

t.test('a stream that is left ends its request', async (t) => {
  const s3 = await fakeS3(t)
  s3.put('a', text(numbers(200_000)))
  const connections = countConnections(s3.server)
  const { inlet } = await startedS3Inlet(t, s3.options)
  const lists = listsOf(inlet, new Update(['test'], 1))
  await lists.next()
  const { count, allClosed } = connections
  t.equal(count.open, 1)
  await lists.return()
  await allClosed()
  t.pass('the connection of the object is closed')
})

t.test('a transfer that is told to stop ends at once, whatever the storage does', async (t) => {
  for (const hanging of ['list', 'object'] as const) {
    const { s3, inlet } = await stored(t, { a: '1\n' })
    s3.state.judge = ({ key }) => ((key === undefined) === (hanging === 'list') ? 'hang' : 'answer')
    const cancellation = new Cancellation()
    const pulling = Promise.resolve(inlet.pull(new Update(['test'], 1, cancellation)))
    pulling.catch(() => undefined)
    const count = s3.asked.length
    await until(() => s3.asked.length > count || s3.gets().length > 0)
    cancellation.cancel(new Error('enough'))
    await t.rejects(pulling, { message: 'enough' })
  }
})

t.test('what a storage refuses is an error that says what to do', { skip: real.skipOfKeys }, async (t) => {
  const bucket = await real.bucket(t)
  const missing = new S3Inlet({ ...real.options, bucket: 'no-such-bucket', retry: QUICK })
  await t.rejects(missing.tryStart(), { code: 'DATABAY_S3', serverCode: 'NoSuchBucket', message: /no-such-bucket/ })
  const wrong = new S3Inlet({ ...real.options, bucket, secretAccessKey: 'not-the-secret', retry: QUICK })
  const error: unknown = await wrong.tryStart().catch((thrown: unknown) => thrown)
  t.match(error, { code: 'DATABAY_S3', serverCode: 'SignatureDoesNotMatch', retryable: true })
  t.notMatch(String((error as Error).stack), /not-the-secret/)
})

t.test('a bucket that vanishes, and rights that are taken, fail transfers, and no object is passed over', async (t) => {
  for (const code of ['NoSuchBucket', 'AccessDenied', 'InvalidAccessKeyId']) {
    const { s3, pull } = await stored(t, { a: '1\n' }, { badObjects: 'skip' })
    s3.state.judge = ({ key }) => (key === undefined ? 'answer' : { status: code === 'NoSuchBucket' ? 404 : 403, code })
    await t.rejects(pull(), { code: 'DATABAY_S3', serverCode: code })
    s3.state.judge = () => 'answer'
    t.same(await pull(), ['1'])
  }
})

t.test('an archived object is a bad object', async (t) => {
  const { s3, pull } = await stored(t, { a: '1\n', b: '2\n' }, { badObjects: 'skip' })
  s3.state.judge = ({ key }) => (key === 'a' ? { status: 403, code: 'InvalidObjectState' } : 'answer')
  t.same(await pull(), ['2'])
})

t.test('a storage that has too much to do is asked again', async (t) => {
  const { s3, pull } = await stored(t, { a: '1\n', b: '2\n' })
  let asked = 0
  s3.state.judge = () => (++asked % 2 === 1 ? { status: 503, code: 'SlowDown' } : 'answer')
  t.same(await pull(), ['1', '2'])
})

t.test('a clock that is wrong is put right', async (t) => {
  const { messages } = captureLogs(t)
  const s3 = await fakeS3(t)
  s3.put('a', '1\n')
  s3.state.ahead = HOUR
  s3.state.judge = ({ time }) =>
    time < Date.now() + HOUR / 2 ? { status: 403, code: 'RequestTimeTooSkewed' } : 'answer'
  const { pull } = await startedS3Inlet(t, s3.options)
  t.same(await pull(), ['1'])
  t.match(messages(), [/the clock of the storage is 3\d{3} s ahead/])
})

t.test('a pull of an inlet that is shut down is refused', async (t) => {
  const { inlet } = await stored(t, { a: '1\n' })
  await inlet.tryShutdown()
  await t.rejects(async () => inlet.pull(new Update(['test'], 1)), /it is not started/)
})
