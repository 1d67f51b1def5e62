import fc, { runsOf } from '../../helpers/fast-check.js'
import t from 'tap'
import { Buffer } from '../../../src/core/buffer.js'
import { Cancellation } from '../../../src/core/cancellation.js'
import { PartialPushError } from '../../../src/core/partial-push.js'
import { Record } from '../../../src/core/record.js'
import type { TransferReport } from '../../../src/core/report.js'
import type { HostedRequest } from '../../../src/core/transfer/hosted-request.js'
import { transfer } from '../../../src/core/transfer/transfer.js'
import { resolveLink } from '../../../src/core/link-options.js'
import type { TransferParts } from '../../../src/core/transfer/parts.js'
import { timedStagesOf } from '../../../src/core/transfer/stage-times.js'
import { UnsettledTransfers } from '../../../src/core/transfer/unsettled.js'
import { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, FromInlet, giving, KeepOutlet, turnOfTheLoop } from '../../helpers/nodes.js'

type Processor = (records: Record[], update: Update) => unknown
type Grouper = (batches: Record[][], update: Update) => unknown

interface Parts
  extends
    Partial<Omit<TransferParts, 'processors' | 'groupers' | 'settings' | 'stages'>>,
    Partial<TransferParts['settings']> {
  readonly processors?: readonly (Processor | { process: Processor; size?: number; flush?: boolean })[]
  readonly groupers?: readonly Grouper[]
}

type Request = HostedRequest & { readonly update?: Update; readonly cancellation?: Cancellation }

/** Makes one transfer of a link called `a`; what it takes is as untyped as JavaScript. */
function run(parts: Parts, request: Request = {}): Promise<TransferReport> {
  const { cancellation = new Cancellation(), update = new Update(['a'], 0, cancellation) } = request
  const { copyRecords = true, ignoreExceptions = false, inletConcurrency = 9999, ...rest } = parts
  const nodes = {
    inlets: rest.inlets ?? [],
    outlets: rest.outlets ?? [],
    processors: (parts.processors ?? []) as TransferParts['processors'],
    groupers: (parts.groupers ?? []) as TransferParts['groupers'],
  }
  return Promise.resolve(
    transfer(
      {
        name: 'a',
        stages: timedStagesOf(nodes),
        unsettled: new UnsettledTransfers(),
        settings: { ...resolveLink({ interval: 1 }).settings, copyRecords, ignoreExceptions, inletConcurrency },
        ...rest,
        ...nodes,
      },
      update,
      cancellation,
      { scheduledAt: 5, ...request },
    ),
  )
}

/** Payloads that reach an outlet from an inlet that gives `pulled`. */
async function payloadsOf(pulled: unknown): Promise<unknown[]> {
  const outlet = new KeepOutlet()
  await run({ inlets: [new FromInlet(() => pulled)], outlets: [outlet] })
  return outlet.payloads.flat()
}

const double: Processor = (records) => records.flatMap((record) => [record, record.with({ payload: record.payload })])
const nothing: Processor = () => []
const oneByOne: Grouper = (batches) => batches.flatMap((batch) => batch.map((record) => [record]))
const payloads = (records: readonly Record[]) => records.map((record) => record.payload)

function throwing(message: string): () => never {
  return () => {
    throw new Error(message)
  }
}

t.test('an array is many records, anything else is one', async (t) => {
  const map = new Map([[1, 2]])
  const cases: [unknown, unknown[]][] = [
    [5, [5]],
    [null, [null]],
    ['', ['']],
    [false, [false]],
    [{ a: 1 }, [{ a: 1 }]],
    [new Set([1, 2]), [new Set([1, 2])]],
    [map, [map]],
    [new Uint8Array([1, 2]), [new Uint8Array([1, 2])]],
    [
      [1, 2],
      [1, 2],
    ],
    [[], []],
    [[[1, 2]], [[1, 2]]],
    [[[]], [[]]],
    [
      [undefined, null],
      [undefined, null],
    ],
  ]
  for (const [pulled, expected] of cases) {
    t.strictSame(await payloadsOf(pulled), expected)
    t.strictSame(await payloadsOf(Promise.resolve(pulled)), expected, 'and the same by a promise')
  }
})

t.test('the holes of a sparse array are records of undefined', async (t) => {
  t.strictSame(await payloadsOf(new Array<number>(2)), [undefined, undefined])
})

t.test('records and raw values may be mixed', async (t) => {
  const outlet = new KeepOutlet()
  const inlet: FromInlet = new FromInlet(() => [inlet.newRecord(1, { own: true }), 2, new Record(3), [4]], {
    metadata: { animal: 'cat' },
  })
  await run({ inlets: [inlet], outlets: [outlet] })
  t.match(outlet.batches.flat(), [
    { payload: 1, metadata: { animal: 'cat', own: true, __inlet__: 'FromInlet' } },
    { payload: 2, metadata: { animal: 'cat', __inlet__: 'FromInlet' } },
    { payload: 3, metadata: {} },
    { payload: [4], metadata: { animal: 'cat' } },
  ])
})

t.test('one record alone is taken as it is', async (t) => {
  t.strictSame(await payloadsOf(new Record([1, 2])), [[1, 2]])
})

t.test(
  'what gives a promise instead of a value does not keep a transfer that is told to stop, and is asked once',
  async (t) => {
    captureLogs(t)
    let asked = 0
    const never = { then: () => undefined }
    const roundabout = {
      then(resolve: (value: unknown) => void) {
        asked++
        resolve(never)
      },
    }
    const cancellation = new Cancellation()
    const transferred = run(
      { inlets: [new FromInlet(() => roundabout as unknown as Promise<number>)] },
      { cancellation },
    )
    await turnOfTheLoop()
    cancellation.cancel(new Error('enough'))
    t.match(await transferred, { pulled: 0, errors: [{ message: 'enough', stage: 'pull' }] })
    await turnOfTheLoop()
    t.equal(asked, 1)
  },
)

t.test('a processor that tells no number of records as its size fails the transfer', async (t) => {
  captureLogs(t)
  class Odd {
    readonly size: number
    constructor(size: unknown) {
      this.size = size as number
    }
    process(records: Record[]) {
      return records
    }
  }
  for (const size of [-1, 0.5, NaN, Infinity, '3', null]) {
    const report = await run({ inlets: [giving(1)], processors: [new Odd(size)] }).catch((error: unknown) => error)
    const message = /size of Odd must be a number of records/
    t.match(report, report instanceof Error ? { code: 'DATABAY_IMPLEMENTATION', message } : { errors: [{ message }] })
  }
})

t.test('undefined is a forgotten return', async (t) => {
  captureLogs(t)
  for (const pulled of [undefined, Promise.resolve(undefined)]) {
    const report = await run({ inlets: [new FromInlet(() => pulled)] })
    t.match(report, {
      failed: true,
      pulled: 0,
      errors: [
        {
          name: 'ImplementationError',
          code: 'DATABAY_IMPLEMENTATION',
          node: 'FromInlet',
          stage: 'pull',
          message: /^pull\(\) returned undefined: return \[\] for no records/,
        },
      ],
    })
  }
})

t.test('the records of a pull share one frozen metadata object, also after they are copied', async (t) => {
  const outlets = [new KeepOutlet(), new KeepOutlet()]
  await run({ inlets: [giving<unknown>({ a: 1 }, { a: 2 }, 3)], outlets })
  const all = outlets.flatMap((outlet) => outlet.batches.flat())
  t.equal(all.length, 6)
  t.equal(new Set(all.map((record) => record.metadata)).size, 1)
  t.ok(Object.isFrozen(all[0]?.metadata))
})

t.test('inlets pull at once, and their records keep the order of the inlets', async (t) => {
  const outlet = new KeepOutlet()
  const slow = deferred<number[]>()
  const quick = deferred<number[]>()
  const pulled: string[] = []
  const inlet = (name: string, promise: Promise<number[]>) =>
    new FromInlet(() => {
      pulled.push(name)
      return promise
    })
  const running = run({
    inlets: [inlet('slow', slow.promise), inlet('quick', quick.promise), giving(5)],
    outlets: [outlet],
  })
  t.strictSame(pulled, ['slow', 'quick'], 'all have been asked before any has answered')
  quick.resolve([3, 4])
  await turnOfTheLoop()
  t.strictSame(outlet.batches, [], 'nothing is pushed before all have answered')
  slow.resolve([1, 2])
  t.match(await running, { pulled: 5, grouped: 5, batches: 1 })
  t.strictSame(outlet.payloads, [[1, 2, 3, 4, 5]])
})

t.test('no more inlets pull at once than inletConcurrency says', async (t) => {
  const outlet = new KeepOutlet()
  let pulling = 0
  let most = 0
  const inlets = Array.from(
    { length: 7 },
    (_, index) =>
      new FromInlet(async () => {
        most = Math.max(most, ++pulling)
        await turnOfTheLoop()
        pulling--
        return index
      }),
  )
  await run({ inlets, outlets: [outlet], inletConcurrency: 3 })
  t.equal(most, 3)
  t.strictSame(outlet.payloads, [[0, 1, 2, 3, 4, 5, 6]])
})

t.test('each node is given the identity of the transfer', async (t) => {
  const seen: unknown[] = []
  const see = <T>(value: T, update: Update) => {
    seen.push(update)
    return value
  }
  const update = new Update(['a'], 7)
  const outlet = new KeepOutlet((_records, update) => void seen.push(update), { processors: see })
  await run(
    { inlets: [new FromInlet((update) => see(1, update))], processors: [see], groupers: [see], outlets: [outlet] },
    { update },
  )
  t.strictSame(
    seen,
    Array.from({ length: 5 }, () => update),
  )
})

t.test('processors run in order, each on what the one before gave', async (t) => {
  const outlet = new KeepOutlet()
  const atLeast100: Processor = (records) => records.filter((record) => (record.payload as number) >= 100)
  const round: Processor = async (records) =>
    records.map((record) => record.with({ payload: Math.round(record.payload as number) }))
  const inlets = [giving(99.999, 200, 333.333)]
  await run({ inlets, outlets: [outlet], processors: [atLeast100, round] })
  await run({ inlets, outlets: [outlet], processors: [round, { process: atLeast100 }] })
  t.strictSame(outlet.payloads, [
    [200, 333],
    [100, 200, 333],
  ])
})

t.test('processors are asked on transfers without records too', async (t) => {
  let asked = 0
  await run({ processors: [(records) => (asked++, records)] })
  t.equal(asked, 1)
})

t.test('outlets are not called on transfers without records', async (t) => {
  const outlet = new KeepOutlet()
  const report = await run({ inlets: [giving()], outlets: [outlet] })
  await run({ inlets: [giving(1, 2)], processors: [nothing], outlets: [outlet] })
  await run({ inlets: [giving(1)], groupers: [() => [[], []]], outlets: [outlet] })
  t.strictSame(outlet.batches, [])
  t.match(report, { pulled: 0, grouped: 0, batches: 0, failed: false, outlets: [{ pushed: 0, batches: 0 }] })
})

t.test('an outlet whose own processors leave nothing is not called', async (t) => {
  const outlet = new KeepOutlet(undefined, { processors: () => [] })
  const report = await run({ inlets: [giving(1, 2)], outlets: [outlet] })
  t.strictSame(outlet.batches, [])
  t.match(report, { filtered: 0, outlets: [{ filtered: 2, pushed: 0, batches: 0, dropped: 0 }] })
})

t.test('an outlet its processors see only what that outlet is given, batch by batch, after the groupers', async (t) => {
  const seen: unknown[] = []
  const plain = new KeepOutlet()
  const own = new KeepOutlet(undefined, {
    processors: [
      async (records) => {
        seen.push(payloads(records))
        return records.filter((record) => record.payload !== 2)
      },
      (records) => records.map((record) => record.with({ payload: `own ${String(record.payload)}` })),
    ],
  })
  const report = await run({ inlets: [giving(1, 2, 3)], groupers: [oneByOne], outlets: [plain, own] })
  t.strictSame(seen, [[1], [2], [3]])
  t.strictSame(plain.payloads, [[1], [2], [3]])
  t.strictSame(own.payloads, [['own 1'], ['own 3']])
  t.match(report, {
    filtered: 0,
    grouped: 3,
    outlets: [
      { pushed: 3, batches: 3, filtered: 0 },
      { pushed: 2, batches: 2, filtered: 1 },
    ],
  })
})

t.test('groupers run in order, the first one on a single batch with all records', async (t) => {
  const outlet = new KeepOutlet()
  const seen: unknown[] = []
  const pairs: Grouper = async (batches) => {
    seen.push(batches.map(payloads))
    return batches.flatMap((batch) => [batch.slice(0, 2), batch.slice(2, 4), batch.slice(4)])
  }
  const reversed: Grouper = (batches) => {
    seen.push(batches.map(payloads))
    return batches.map((batch) => batch.toReversed())
  }
  const report = await run({ inlets: [giving(1, 2, 3), giving(4)], groupers: [pairs, reversed], outlets: [outlet] })
  t.strictSame(seen, [[[1, 2, 3, 4]], [[1, 2], [3, 4], []]])
  t.strictSame(outlet.payloads, [
    [2, 1],
    [4, 3],
  ])
  t.match(report, { grouped: 4, batches: 2, dropped: 0, added: 0 })
})

t.test('groupers are not asked about nothing', async (t) => {
  await t.resolves(run({ inlets: [giving()], groupers: [throwing('asked')] }))
  t.match(await run({ inlets: [giving()], groupers: [throwing('asked')] }), { errors: [], failed: false })
})

t.test('an outlet is given its batches one after the other', async (t) => {
  const events: string[] = []
  const outlet = new KeepOutlet(async ([record]) => {
    events.push(`begins ${String(record?.payload)}`)
    await turnOfTheLoop()
    events.push(`ends ${String(record?.payload)}`)
  })
  await run({ inlets: [giving(1, 2)], groupers: [oneByOne], outlets: [outlet] })
  t.strictSame(events, ['begins 1', 'ends 1', 'begins 2', 'ends 2'])
})

t.test('outlets are pushed to at once', async (t) => {
  const first = deferred()
  const events: string[] = []
  const running = run({
    inlets: [giving(1)],
    outlets: [
      new KeepOutlet(async () => {
        await first.promise
        events.push('first')
      }),
      new KeepOutlet(() => {
        events.push('second')
        first.resolve()
      }),
    ],
  })
  await running
  t.strictSame(events, ['second', 'first'])
})

t.test('no outlet sees what another does to its records', async (t) => {
  const original = { name: 'a', tags: ['x'] }
  const spoil = (records: Record[]) => {
    const payload = records[0]?.payload as typeof original
    payload.name = 'spoiled'
    payload.tags.push('spoiled')
    records.length = 0
  }
  const seen: unknown[] = []
  const look = (records: Record[]) => void seen.push(...payloads(records))
  await run({
    inlets: [giving(original)],
    outlets: [new KeepOutlet(spoil), new KeepOutlet(look), new KeepOutlet(spoil)],
  })
  t.strictSame(seen, [{ name: 'a', tags: ['x'] }])
  t.strictSame(original, { name: 'a', tags: ['x'] }, 'nor does the inlet')
})

t.test('without copies, all outlets are given the same list', async (t) => {
  const outlets = [new KeepOutlet(), new KeepOutlet()]
  const payload = { a: 1 }
  await run({ inlets: [giving(payload)], outlets, copyRecords: false })
  t.equal(outlets[0]?.batches[0], outlets[1]?.batches[0])
  t.equal(outlets[0]?.batches[0]?.[0]?.payload, payload)
})

t.test('an outlet that only reads gets the payloads themselves, and the others get copies', async (t) => {
  class ReadOutlet extends KeepOutlet {
    override readonly readsOnly = true
  }
  const payload = { a: 1 }
  const outlets = [new ReadOutlet(), new KeepOutlet(), new ReadOutlet(undefined, { processors: (records) => records })]
  await run({ inlets: [giving(payload)], outlets })
  t.strictSame(
    outlets.map((outlet) => outlet.batches[0]?.[0]?.payload === payload),
    [true, false, false],
    'a processor of its own may change them',
  )
  t.strictSame(outlets[1]?.batches[0]?.[0]?.payload, payload)
})

t.test('a payload that cannot be copied fails its batch at every outlet, and the next batch goes on', async (t) => {
  const log = captureLogs(t)
  const uncopyable = {
    get secret() {
      throw new Error('not to be copied')
    },
  }
  const outlets = [new KeepOutlet(), new KeepOutlet()]
  const report = await run({ inlets: [giving<unknown>(uncopyable, 2)], groupers: [oneByOne], outlets })
  t.match(report, {
    failed: true,
    grouped: 2,
    outlets: [
      { pushed: 1, dropped: 1 },
      { pushed: 1, dropped: 1 },
    ],
    errors: [
      { node: 'records', stage: 'copy', message: 'not to be copied' },
      { node: 'records', stage: 'copy', message: 'not to be copied' },
    ],
  })
  t.strictSame(outlets[0]?.payloads, [[2]])
  const dropped = 'a.0 dropped 1 record: KeepOutlet did not take them'
  t.match(log.messages(), [/records failed to copy/, dropped, /records failed to copy/, dropped])
})

t.test('an outlet gets every batch, whatever happens to it before and to its siblings', async (t) => {
  const log = captureLogs(t)
  for (const ignoreExceptions of [false, true]) {
    const good = new KeepOutlet()
    const moody = new KeepOutlet(([record]) => {
      if (record?.payload === 2) throw new Error('not 2')
    })
    const bad = new KeepOutlet(() => Promise.reject(new Error('never')))
    const report = await run({
      inlets: [giving(1, 2, 3)],
      groupers: [oneByOne],
      outlets: [bad, moody, good],
      ignoreExceptions,
    })
    t.strictSame(good.payloads, [[1], [2], [3]])
    t.strictSame(moody.payloads, [[1], [2], [3]])
    t.strictSame(bad.payloads, [[1], [2], [3]])
    t.match(report, {
      failed: !ignoreExceptions,
      dropped: 0,
      outlets: [
        { pushed: 0, dropped: 3, batches: 0 },
        { pushed: 2, dropped: 1, batches: 2 },
        { pushed: 3, dropped: 0, batches: 3 },
      ],
    })
    t.strictSame(report.errors.map((error) => error.message).sort(), ['never', 'never', 'never', 'not 2'])
  }
  t.equal(log.messages().filter((message) => message.includes('dropped 1 record')).length, 8)
})

t.test('an outlet can say which records of a batch it did not take', async (t) => {
  const log = captureLogs(t)
  const taking = (taken: number) =>
    new KeepOutlet(() => {
      throw new PartialPushError('KeepOutlet', taken, [{ index: 1, error: new Error('too long') }])
    })
  const report = await run({ inlets: [giving(1, 2, 3)], outlets: [taking(2), taking(99), taking(NaN)] })
  t.match(report, {
    failed: true,
    outlets: [
      { pushed: 2, dropped: 1 },
      { pushed: 3, dropped: 0 },
      { pushed: 0, dropped: 3 },
    ],
    errors: [{ code: 'DATABAY_PARTIAL_PUSH', message: 'KeepOutlet: 1 of 3 records were not taken: too long' }, {}, {}],
  })
  t.ok(log.messages().includes('a.0 dropped 1 record: KeepOutlet did not take them'))
})

t.test('a failing processor of an outlet costs that outlet its batch, and its siblings nothing', async (t) => {
  captureLogs(t)
  const good = new KeepOutlet()
  const bad = new KeepOutlet(undefined, {
    processors: function picky(records) {
      if (records[0]?.payload === 2) throw new Error('not 2')
      return records
    },
  })
  const report = await run({ inlets: [giving(1, 2, 3)], groupers: [oneByOne], outlets: [good, bad] })
  t.strictSame(good.payloads, [[1], [2], [3]])
  t.strictSame(bad.payloads, [[1], [3]])
  t.match(report, {
    outlets: [{ pushed: 3 }, { pushed: 2, dropped: 1, filtered: 0 }],
    errors: [{ node: 'processor picky', stage: 'process', message: 'not 2' }],
  })
})

t.test('when an inlet fails nothing is pushed, and what the others gave is dropped and said to be so', async (t) => {
  const log = captureLogs(t)
  const outlet = new KeepOutlet()
  const failing = new FromInlet(() => Promise.reject(Object.assign(new TypeError('no'), { code: 'E_NO' })))
  const report = await run({ inlets: [giving(1, 2), failing, giving(3)], outlets: [outlet] })
  t.strictSame(outlet.batches, [])
  t.match(report, {
    failed: true,
    pulled: 3,
    dropped: 3,
    grouped: 0,
    outlets: [],
    errors: [{ node: 'FromInlet', stage: 'pull', name: 'TypeError', code: 'E_NO', message: 'no', stack: String }],
  })
  t.match(log.entries(), [
    { name: 'databay.Link', level: 50, msg: 'a.0 FromInlet failed to pull: no', err: { message: 'no' } },
    { name: 'databay.Link', level: 40, msg: 'a.0 dropped 3 records: an inlet failed' },
  ])
})

t.test('when inlet errors are ignored, the others go on', async (t) => {
  const log = captureLogs(t)
  const outlet = new KeepOutlet()
  const report = await run({
    inlets: [giving(1), new FromInlet(throwing('no')), giving(2)],
    outlets: [outlet],
    ignoreExceptions: true,
  })
  t.strictSame(outlet.payloads, [[1, 2]])
  t.match(report, { failed: false, pulled: 2, dropped: 0, errors: [{ message: 'no', stage: 'pull' }] })
  t.match(log.messages(), ['a.0 FromInlet failed to pull: no (ignored)'])
})

t.test('after an error of a processor nothing is pushed, ignored or not', async (t) => {
  const log = captureLogs(t)
  for (const ignoreExceptions of [false, true]) {
    const outlet = new KeepOutlet()
    let reached = false
    const report = await run({
      inlets: [giving(1, 2)],
      outlets: [outlet],
      processors: [
        double,
        async function redact() {
          throw new Error('cannot redact')
        },
        (records) => {
          reached = true
          return records
        },
      ],
      ignoreExceptions,
    })
    t.strictSame(outlet.batches, [])
    t.notOk(reached)
    t.match(report, {
      failed: !ignoreExceptions,
      pulled: 2,
      added: 2,
      dropped: 4,
      grouped: 0,
      outlets: [],
      errors: [{ node: 'processor redact', stage: 'process', message: 'cannot redact' }],
    })
  }
  t.match(log.messages(), [
    'a.0 processor redact failed to process: cannot redact',
    'a.0 dropped 4 records: a processor failed',
    'a.0 processor redact failed to process: cannot redact (ignored)',
    'a.0 dropped 4 records: a processor failed',
  ])
})

t.test('after an error of a grouper nothing is pushed, ignored or not', async (t) => {
  const log = captureLogs(t)
  for (const ignoreExceptions of [false, true]) {
    const outlet = new KeepOutlet()
    const report = await run({
      inlets: [giving(1, 2)],
      outlets: [outlet],
      groupers: [oneByOne, () => Promise.reject(new Error('cannot group'))],
      ignoreExceptions,
    })
    t.strictSame(outlet.batches, [])
    t.match(report, {
      failed: !ignoreExceptions,
      dropped: 2,
      grouped: 0,
      batches: 0,
      errors: [{ node: 'grouper 1', stage: 'group', message: 'cannot group' }],
    })
  }
  t.match(log.messages()[1], 'a.0 dropped 2 records: a grouper failed')
})

t.test('a processor that returns rubbish is named, without what may be a payload', async (t) => {
  captureLogs(t)
  const outlet = new KeepOutlet()
  const cases: [unknown, string | RegExp][] = [
    [undefined, 'returned undefined: expected a list of records'],
    ['text', 'returned a string: expected a list of records'],
    [{ length: 0 }, 'returned an object: expected a list of records'],
    [new Set(), 'returned a Set: expected a list of records'],
    [
      new (class Answer {
        text = ''
      })(),
      'returned an Answer: expected a list of records',
    ],
    [Object.create(null), 'returned an object: expected a list of records'],
    [[new Record(1), 2], 'returned a list with a number at 1: expected records (see record.with({ payload }))'],
    [[undefined], /^returned a list with undefined at 0: expected records/],
    [new Array(1), /^returned a list with undefined at 0: expected records/],
    [[{ payload: 1, metadata: {} }], /^returned a list with an object at 0: expected records/],
  ]
  for (const [returned, message] of cases) {
    for (const value of [returned, Promise.resolve(returned)]) {
      const report = await run({ inlets: [giving(1)], outlets: [outlet], processors: [double, () => value] })
      const error = { node: 'processor 1', stage: 'process', code: 'DATABAY_IMPLEMENTATION', message }
      t.match(report, { failed: true, dropped: 2, errors: [error] })
    }
  }
  t.strictSame(outlet.batches, [])
})

t.test('a grouper that returns rubbish is named', async (t) => {
  captureLogs(t)
  const outlet = new KeepOutlet()
  const cases: [unknown, string | RegExp][] = [
    [undefined, 'returned undefined: expected a list of batches'],
    [[new Record(1)], 'returned a list with a Record at 0: expected batches (lists of records)'],
    [[[new Record(1)], null], 'returned a list with null at 1: expected batches (lists of records)'],
    [[[1]], /^returned a list with a number at 0: expected records/],
  ]
  for (const [returned, message] of cases) {
    const spoil = () => returned
    const report = await run({ inlets: [giving(1)], outlets: [outlet], groupers: [oneByOne, spoil] })
    const error = { node: 'grouper spoil', stage: 'group', code: 'DATABAY_IMPLEMENTATION', message }
    t.match(report, { failed: true, dropped: 1, errors: [error] })
  }
  t.strictSame(outlet.batches, [])
})

t.test('records that a grouper leaves out are counted and logged', async (t) => {
  const log = captureLogs(t)
  const outlet = new KeepOutlet()
  const firstOnly: Grouper = (batches) => batches.map((batch) => batch.slice(0, 1))
  const report = await run({ inlets: [giving(1, 2, 3)], outlets: [outlet], groupers: [firstOnly] })
  t.match(report, { failed: false, pulled: 3, dropped: 2, added: 0, grouped: 1 })
  t.strictSame(log.messages(), ['a.0 dropped 2 records: grouper firstOnly left them out'])
  t.strictSame(outlet.payloads, [[1]])
})

t.test('records that a grouper gives twice are counted and logged', async (t) => {
  const log = captureLogs(t)
  const twice: Grouper = (batches) => [...batches, ...batches]
  const report = await run({ inlets: [giving(1, 2)], groupers: [twice] })
  t.match(report, { dropped: 0, added: 2, grouped: 4, batches: 2 })
  t.strictSame(log.messages(), ['a.0 added 2 records: grouper twice gave them twice, or was not given them'])
})

t.test('records that a grouper leaves out are not made up for by others that it gives twice', async (t) => {
  const log = captureLogs(t)
  const muddle: Grouper = ([batch]) => [[batch![0], batch![0], new Record('of its own')]]
  t.match(await run({ inlets: [giving(1, 2, 3)], groupers: [muddle] }), { dropped: 2, added: 2, grouped: 3 })
  t.match(log.messages(), [/dropped 2 records/, /added 2 records/])
})

t.test('a grouper may give a record as often as it was given it', async (t) => {
  const log = captureLogs(t)
  const sameTwice: Processor = ([record]) => [record, record]
  const report = await run({ inlets: [giving(1)], processors: [sameTwice], groupers: [oneByOne] })
  t.match(report, { added: 1, dropped: 0, grouped: 2, batches: 2 })
  t.strictSame(log.messages(), [])
})

t.test('a grouper that changes the list it was given deceives nobody', async (t) => {
  captureLogs(t, 'silent')
  const spoil: Grouper = (batches) => {
    batches[0]!.length = 1
    return batches
  }
  t.match(await run({ inlets: [giving(1, 2, 3)], groupers: [spoil] }), { pulled: 3, dropped: 2, grouped: 1 })
})

t.test('a processor that holds records back neither filters nor adds', async (t) => {
  const outlet = new KeepOutlet()
  const parts = { inlets: [giving(1, 2)], outlets: [outlet], processors: [new Buffer({ countThreshold: 3 })] }
  t.match(await run(parts), { pulled: 2, filtered: 0, added: 0, buffered: 2, grouped: 0 })
  t.match(await run(parts), { pulled: 2, filtered: 0, added: 0, buffered: 0, grouped: 4 })
  t.strictSame(outlet.payloads, [[1, 2, 1, 2]])
})

t.test('what buffers hold is in the report of a failed transfer too', async (t) => {
  captureLogs(t, 'silent')
  const buffer = new Buffer({ countThreshold: 100 })
  const behind = new Buffer({ countThreshold: 100 })
  const outlet = new KeepOutlet(undefined, { processors: behind })
  await run({ inlets: [giving(1, 2)], outlets: [outlet], processors: [buffer] })
  t.match(await run({ inlets: [new FromInlet(throwing('no'))], processors: [buffer] }), { buffered: 2 })
  t.match(await run({ inlets: [giving(3)], processors: [buffer, throwing('no')] }), { buffered: 3, dropped: 0 })

  await run({ inlets: [giving(1, 2)], outlets: [outlet] })
  const uncopyable = Object.defineProperty({}, 'x', { enumerable: true, get: throwing('no copy') })
  t.match(await run({ inlets: [giving(uncopyable)], outlets: [outlet] }), { outlets: [{ dropped: 1, buffered: 2 }] })
})

t.test('records that a processor with a memory loses when it fails are dropped', async (t) => {
  captureLogs(t, 'silent')
  const memory = {
    size: 5,
    process(records: Record[]) {
      this.size = records.length === 0 ? 0 : this.size + 2 * records.length
      throw new Error('lost')
    },
  }
  t.match(await run({ inlets: [giving(1)], processors: [memory] }), {
    pulled: 1,
    added: 1,
    dropped: 0,
    buffered: 7,
  })
  t.match(await run({ processors: [memory] }), { pulled: 0, added: 0, dropped: 7, buffered: 0 })
})

t.test('a drain pulls nothing and lets everything out that is held back', async (t) => {
  const outlet = new KeepOutlet(undefined, { processors: new Buffer({ countThreshold: 100 }) })
  const plain = { process: (records: Record[]) => records }
  const parts = {
    inlets: [giving(1, 2)],
    outlets: [outlet],
    processors: [plain, new Buffer({ countThreshold: 3 }), (records: Record[]) => records],
  }
  await run(parts)
  await run(parts)
  await run(parts)
  t.strictSame(outlet.batches, [])
  const report = await run(parts, { drain: true })
  t.strictSame(outlet.payloads, [[1, 2, 1, 2, 1, 2]])
  t.match(report, { pulled: 0, grouped: 2, buffered: 0, outlets: [{ pushed: 6, added: 0, filtered: 0, buffered: 0 }] })
  t.notOk('flush' in plain, 'what knows no flush is left alone')
})

t.test('an outlet its buffer is asked on transfers without records too', async (t) => {
  let at = 0
  const buffer = new Buffer({ timeThreshold: 60, now: () => at })
  const outlet = new KeepOutlet(undefined, { processors: buffer })
  await run({ inlets: [giving(1)], outlets: [outlet] })
  at = 60_000
  const report = await run({ inlets: [giving()], outlets: [outlet] })
  t.strictSame(outlet.payloads, [[1]])
  t.match(report, { grouped: 0, batches: 0, outlets: [{ pushed: 1, batches: 1, buffered: 0 }] })
})

t.test('links that share an outlet and its buffer do not muddle its books', async (t) => {
  const buffer = new Buffer({ countThreshold: 2 })
  const outlet = new KeepOutlet(undefined, { processors: buffer })
  const reports = await Promise.all([1, 2, 3].map((value) => run({ inlets: [giving(value)], outlets: [outlet] })))
  t.strictSame(outlet.payloads, [[1, 2]])
  t.equal(buffer.size, 1)
  for (const { outlets } of reports) t.match(outlets, [{ filtered: 0, added: 0, dropped: 0 }])
  t.equal(
    reports.reduce((sum, { outlets }) => sum + outlets[0]!.pushed, 0),
    2,
  )
})

t.test('a transfer that waits for its turn at a shared buffer stops when it is told to', async (t) => {
  captureLogs(t, 'silent')
  const decision = deferred<boolean>()
  const buffer = new Buffer({ customControllers: () => decision.promise })
  const outlet = new KeepOutlet(undefined, { processors: buffer })
  const cancellation = new Cancellation()
  const first = run({ inlets: [giving(1)], outlets: [outlet] })
  await turnOfTheLoop()
  const second = run({ inlets: [giving(2)], outlets: [outlet] }, { cancellation })
  const third = run({ inlets: [giving(3)], outlets: [outlet] })
  await turnOfTheLoop()
  cancellation.cancel(new Error('enough'))
  t.match(await second, {
    errors: [{ message: 'enough' }],
    outlets: [{ pushed: 0, dropped: 1, filtered: 0, added: 0 }],
  })
  t.equal(buffer.size, 1, 'and the buffer is as it was')
  decision.resolve(true)
  t.match(await first, { failed: false, outlets: [{ pushed: 1, filtered: 0, added: 0 }] })
  t.match(await third, { failed: false, outlets: [{ pushed: 1, filtered: 0, added: 0 }] })
  t.strictSame(outlet.payloads, [[1], [3]])
})

t.test('a transfer that is told to stop waits for nobody', async (t) => {
  const log = captureLogs(t)
  const cancellation = new Cancellation()
  const outlet = new KeepOutlet()
  const late = deferred<number>()
  const broken = deferred<number>()
  const polite = new FromInlet(
    ({ signal }) =>
      new Promise<number>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
  )
  const inlets = [giving(1), new FromInlet(() => late.promise), new FromInlet(() => broken.promise), polite]
  const running = run({ inlets, outlets: [outlet], ignoreExceptions: true }, { cancellation })
  cancellation.cancel(new Error('enough'))
  const report = await running
  t.match(report, { pulled: 1, dropped: 1, grouped: 0 })
  t.strictSame(
    report.errors.map(({ stage, message }) => `${stage}: ${message}`),
    ['pull: enough', 'pull: enough', 'pull: enough'],
  )
  t.strictSame(outlet.batches, [], 'also when exceptions are ignored')

  const before = log.lines.length
  late.resolve(2)
  broken.reject(new Error('hung up'))
  await turnOfTheLoop()
  t.match(log.entries().slice(before), [
    { level: 40, msg: 'a.0 went on after it was told to stop: its result is dropped' },
    { level: 40, msg: 'a.0 failed after it was told to stop', err: { message: 'hung up' } },
  ])
  const said = log.messages().filter((message) => message.includes('after it was told to stop'))
  t.equal(said.length, 2, 'nothing is said of what stopped when it was told to')
  t.strictSame(outlet.batches, [])
})

t.test('inlets whose turn comes after the transfer was told to stop are not pulled', async (t) => {
  captureLogs(t, 'silent')
  const cancellation = new Cancellation()
  let pulled = false
  const second = new FromInlet(() => {
    pulled = true
    return 1
  })
  const inlets = [new FromInlet(() => deferred<number>().promise), second]
  const running = run({ inlets, inletConcurrency: 1 }, { cancellation })
  await turnOfTheLoop()
  cancellation.cancel(new Error('enough'))
  t.equal((await running).errors.length, 2)
  t.notOk(pulled)
})

t.test('a transfer that is told to stop takes no further step', async (t) => {
  captureLogs(t, 'silent')
  const steps = ['pull', 'process', 'group', 'push'] as const
  for (const last of steps) {
    const cancellation = new Cancellation()
    const taken: string[] = []
    const step = <T>(name: string, value: T): T => {
      taken.push(name)
      if (name === last) cancellation.cancel(new Error('enough'))
      return value
    }
    const report = await run(
      {
        inlets: [new FromInlet(() => step('pull', [1, 2]))],
        processors: [(records) => step('process', records), (records) => step('process again', records)],
        groupers: [
          (batches) => step('group', oneByOne(batches, new Update([], 0))),
          (batches) => step('group again', batches),
        ],
        outlets: [new KeepOutlet(() => step('push', undefined))],
      },
      { cancellation },
    )
    const expected = ['pull', 'process', 'process again', 'group', 'group again', 'push']
    t.strictSame(taken, expected.slice(0, expected.indexOf(last) + 1), last)
    t.ok(report.failed)
    t.equal(report.errors.length, 1)
    const [outlet] = report.outlets
    t.equal(report.pulled, report.dropped + (outlet?.pushed ?? 0) + (outlet?.dropped ?? 0))
  }
})

t.test('an outlet that hangs when the transfer is told to stop is left, with all batches that remain', async (t) => {
  const log = captureLogs(t)
  const cancellation = new Cancellation()
  const hangs = new KeepOutlet(([record]) => (record?.payload === 1 ? undefined : deferred().promise))
  const running = run({ inlets: [giving(1, 2, 3, 4)], groupers: [oneByOne], outlets: [hangs] }, { cancellation })
  await turnOfTheLoop()
  cancellation.cancel(new Error('enough'))
  const report = await running
  t.strictSame(hangs.payloads, [[1], [2]])
  t.match(report, { outlets: [{ pushed: 1, dropped: 3, batches: 1 }], errors: [{ stage: 'push', message: 'enough' }] })
  t.equal(report.errors.length, 1)
  t.match(log.messages(), [/failed to push/, 'a.0 dropped 3 records: KeepOutlet did not take them'])
})

t.test('a buffer whose controller hangs when the transfer is told to stop keeps its records', async (t) => {
  captureLogs(t, 'silent')
  const cancellation = new Cancellation()
  const decision = deferred<boolean>()
  const buffer = new Buffer({ customControllers: () => decision.promise })
  const outlet = new KeepOutlet()
  const running = run({ inlets: [giving(1)], processors: [buffer], outlets: [outlet] }, { cancellation })
  await turnOfTheLoop()
  cancellation.cancel(new Error('enough'))
  t.match(await running, { pulled: 1, buffered: 1, dropped: 0 })
  decision.resolve(true)
  await turnOfTheLoop()
  t.equal(buffer.size, 1)
  await run({ inlets: [giving(2)], processors: [buffer], outlets: [outlet] })
  t.strictSame(outlet.payloads, [[1, 2]], 'the next transfer has them')
})

t.test('anything that can be waited for is waited for', async (t) => {
  const thenable = { then: (resolve: (value: unknown) => void) => setImmediate(() => resolve([1, 2])) }
  t.strictSame(await payloadsOf(thenable), [1, 2])
})

t.test('a transfer never rejects, whatever is thrown', async (t) => {
  captureLogs(t)
  const refuse = throwing('refused')
  const hostile: unknown[] = [
    null,
    undefined,
    'text',
    Symbol('s'),
    new Proxy(new Error('x'), { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    Object.freeze(new Error('frozen')),
    Object.defineProperty(new Error('x'), 'message', { get: refuse }),
    Object.assign(new Error('x'), { message: Symbol('m') }),
    Object.assign(new Error('x'), { toString: refuse, constructor: null }),
  ]
  for (const thrown of hostile) {
    const raise = () => {
      throw thrown
    }
    const stages: Parts[] = [
      { inlets: [new FromInlet(raise)] },
      { inlets: [giving(1)], processors: [raise] },
      { inlets: [giving(1)], groupers: [raise] },
      { inlets: [giving(1)], outlets: [new KeepOutlet(raise)] },
    ]
    for (const parts of stages) {
      const report = await run(parts)
      t.ok(report.failed)
      t.doesNotThrow(() => structuredClone(report))
    }
  }
})

t.test('nodes that cannot say their name go by their class, and do not make the transfer reject', async (t) => {
  captureLogs(t)
  class MuteInlet extends FromInlet {
    override toString = throwing('no name')
  }
  class MuteOutlet extends KeepOutlet {
    override toString = throwing('no name')
  }
  t.match(await run({ inlets: [new MuteInlet(() => 1)], outlets: [] }), { pulled: 1, errors: [] })
  t.match(await run({ inlets: [new MuteInlet(throwing('no'))], outlets: [] }), { errors: [{ node: 'MuteInlet' }] })
  const report = await run({ inlets: [giving(1)], outlets: [new MuteOutlet(throwing('no'))] })
  t.match(report, { outlets: [{ outlet: 'MuteOutlet', dropped: 1 }], errors: [{ node: 'MuteOutlet' }] })
  const bare = Object.assign(Object.create(null), { process: throwing('no') }) as { process: Processor }
  t.match(await run({ inlets: [giving(1)], processors: [bare] }), { errors: [{ node: 'processor 0' }] })
})

t.test('the report says what was done, when and where', async (t) => {
  const before = Date.now()
  const report = await run(
    { inlets: [new FromInlet(turnOfTheLoop), giving(1)], ignoreExceptions: true },
    { thread: 3, update: new Update(['a', 'b'], 16), scheduledAt: 1234 },
  )
  t.match(report, { link: 'a', update: 'a.b.16', transferNumber: 16, thread: 3, scheduledAt: 1234, failed: false })
  t.ok(report.startedAt >= before && report.endedAt >= report.startedAt && report.endedAt <= Date.now() + 50)
  t.strictSame(structuredClone(report), report)
})

t.test('busy is the time that nodes hold the thread, not the time they wait', async (t) => {
  const spin = (milliseconds: number) => {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
  }
  const waits = new FromInlet(async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    return 1
  })
  const computes: Processor = (records) => {
    spin(10)
    return records
  }
  const waiting = await run({ inlets: [waits] })
  t.ok(waiting.busy < 25, `${waiting.busy} ms`)
  t.ok(waiting.endedAt - waiting.startedAt >= 25)
  const computing = await run({ inlets: [giving(1)], processors: [computes] })
  t.ok(computing.busy >= 10, `${computing.busy} ms`)
})

t.test('a transfer is logged with its identity', async (t) => {
  const log = captureLogs(t, 'debug')
  await run({}, { update: new Update(['http_to_mongo'], 0) })
  t.match(log.entries(), [
    { name: 'databay.Link', level: 20, msg: 'http_to_mongo.0 transfer' },
    { name: 'databay.Link', level: 20, msg: 'http_to_mongo.0 done' },
  ])
})

t.test(
  'for any pipeline, any course of errors and any number of transfers, every record is accounted for',
  async (t) => {
    captureLogs(t, 'silent')
    const often = fc.constantFrom(1, 2, 3, 5)
    const stage = (...kinds: string[]) => fc.record({ kind: fc.constantFrom(...kinds), n: often })
    const processor = () => stage('filter', 'expand', 'throw', 'rubbish', 'buffer', 'pass', 'async')
    const plan = fc.record({
      inlets: fc.array(stage('many', 'one', 'none', 'throw', 'undefined', 'async'), { maxLength: 4 }),
      processors: fc.array(processor(), { maxLength: 4 }),
      groupers: fc.array(stage('chunk', 'one by one', 'lose', 'twice', 'throw', 'rubbish', 'empty'), { maxLength: 2 }),
      outlets: fc.array(
        fc.record({
          processors: fc.array(processor(), { maxLength: 2 }),
          push: stage('take', 'throw', 'spoil', 'async'),
        }),
        { maxLength: 3 },
      ),
      copyRecords: fc.boolean(),
      ignoreExceptions: fc.boolean(),
      inletConcurrency: often,
      transfers: fc.integer({ min: 1, max: 5 }),
      drain: fc.boolean(),
    })
    await fc.assert(fc.asyncProperty(plan, accountsFor), { numRuns: runsOf(1500) })
    t.pass('all pipelines')
  },
)

interface Stage {
  readonly kind: string
  /** How much of it, or at every how many calls. */
  readonly n: number
}

interface Plan {
  readonly inlets: readonly Stage[]
  readonly processors: readonly Stage[]
  readonly groupers: readonly Stage[]
  readonly outlets: readonly { readonly processors: readonly Stage[]; readonly push: Stage }[]
  readonly copyRecords: boolean
  readonly ignoreExceptions: boolean
  readonly inletConcurrency: number
  readonly transfers: number
  readonly drain: boolean
}

/** What the stages of a pipeline did in one transfer, by their own account. */
class Witness {
  pulled = 0
  filtered = 0
  added = 0
  /** Records that a grouper lost. */
  lost = 0
  errors = 0
  taken = 0
  batches = 0
  /** Whether an error stopped the link's part of the transfer. */
  stopped = false
}

/** Runs the transfers of a plan, and compares each report with the accounts of the stages. */
async function accountsFor(plan: Plan): Promise<void> {
  let id = 0
  let link = new Witness()
  const every = (n: number) => {
    let calls = 0
    return () => ++calls % n === 0
  }
  const processorOf = ({ kind, n }: Stage, witness: () => Witness) => {
    if (kind === 'buffer') return new Buffer({ countThreshold: n * 2 })
    const now = every(n)
    const fail = (thrown: () => Record[]) => {
      if (witness() === link) link.stopped = true
      witness().errors++
      return thrown()
    }
    const process = (records: Record[]): Record[] => {
      if (kind === 'filter') {
        const kept = records.filter((record) => (record.payload as { id: number }).id % (n + 1) !== 0)
        witness().filtered += records.length - kept.length
        return kept
      }
      if (kind === 'expand') {
        witness().added += records.length * n
        return records.flatMap((record) => [record, ...Array.from({ length: n }, () => record)])
      }
      if (kind === 'throw' && now()) return fail(throwing('no'))
      if (kind === 'rubbish' && now()) return fail(() => [1] as unknown as Record[])
      return records
    }
    return kind === 'async' ? (records: Record[]) => Promise.resolve(process(records)) : process
  }
  const inlets = plan.inlets.map(({ kind, n }) => {
    const now = every(n)
    const pull = () => {
      if ((kind === 'throw' || kind === 'undefined') && now()) {
        link.errors++
        if (!plan.ignoreExceptions) link.stopped = true
        if (kind === 'throw') throw new Error('no')
        return undefined
      }
      if (kind === 'none') return []
      link.pulled += kind === 'one' ? 1 : n
      return kind === 'one' ? { id: id++ } : Array.from({ length: n }, () => ({ id: id++ }))
    }
    return new FromInlet(kind === 'async' ? () => Promise.resolve(pull()) : pull)
  })
  const groupers = plan.groupers.map(({ kind, n }): Grouper => {
    const now = every(n)
    return (batches) => {
      const count = batches.reduce((sum, batch) => sum + batch.length, 0)
      if (kind === 'lose') {
        link.lost += batches[0]?.length ?? 0
        return batches.slice(1)
      }
      if (kind === 'twice') {
        link.added += count
        return [...batches, ...batches]
      }
      if ((kind === 'throw' || kind === 'rubbish') && now()) {
        link.errors++
        link.stopped = true
        if (kind === 'throw') throw new Error('no')
        return [1]
      }
      if (kind === 'empty') return [[], ...batches, []]
      const size = kind === 'chunk' ? n : 1
      return batches.flatMap((batch) => batch.flatMap((_, at) => (at % size === 0 ? [batch.slice(at, at + size)] : [])))
    }
  })
  let witnesses: Witness[] = []
  const outlets = plan.outlets.map(({ processors, push: { kind, n } }, index) => {
    const now = every(n)
    const witness = () => witnesses[index]!
    const push = (records: Record[]) => {
      const { length } = records
      if (kind === 'spoil' && plan.copyRecords) {
        for (const record of records) (record.payload as { id: number }).id = 0
        records.length = 0
      }
      if (kind === 'throw' && now()) {
        witness().errors++
        throw new Error('no')
      }
      witness().taken += length
      witness().batches++
    }
    return new KeepOutlet(kind === 'async' ? (records) => Promise.resolve().then(() => push(records)) : push, {
      processors: processors.map((stage) => processorOf(stage, witness)),
    })
  })
  const processors = plan.processors.map((stage) => processorOf(stage, () => link))
  const held = (list: readonly unknown[]) =>
    list.reduce<number>((sum, one) => sum + (one instanceof Buffer ? one.size : 0), 0)

  for (let transferNumber = 0; transferNumber < plan.transfers; transferNumber++) {
    link = new Witness()
    witnesses = outlets.map(() => new Witness())
    const before = held(processors)
    const outletsBefore = outlets.map((outlet) => held(outlet.processors))
    const drain = plan.drain && transferNumber === plan.transfers - 1
    const report = await run({ ...plan, inlets, processors, groupers, outlets }, { drain })
    const errors = [link, ...witnesses].reduce((sum, one) => sum + one.errors, 0)

    same(report, 'errors', report.errors.length, errors)
    same(report, 'failed', report.failed, errors > 0 && !plan.ignoreExceptions)
    same(report, 'pulled', report.pulled, link.pulled)
    same(report, 'filtered', report.filtered, link.filtered)
    same(report, 'added', report.added, link.added)
    same(report, 'buffered', report.buffered, held(processors))
    const coming = report.pulled + report.added + before
    same(report, 'balance', report.filtered + report.dropped + report.grouped + report.buffered, coming)
    if (link.stopped) {
      same(report, 'grouped', report.grouped, 0)
      same(report, 'outlets', report.outlets.length, 0)
      same(report, 'pushes', outlets.length === 0 || witnesses.every((one) => one.taken === 0), true)
    } else {
      same(report, 'dropped', report.dropped, link.lost)
      same(report, 'outlets', report.outlets.length, outlets.length)
    }
    for (const [index, outlet] of report.outlets.entries()) {
      const witness = witnesses[index]!
      same(report, 'outlet filtered', outlet.filtered, witness.filtered)
      same(report, 'outlet added', outlet.added, witness.added)
      same(report, 'outlet pushed', outlet.pushed, witness.taken)
      same(report, 'outlet batches', outlet.batches, witness.batches)
      same(report, 'outlet buffered', outlet.buffered, held(outlets[index]!.processors))
      if (witness.errors === 0) same(report, 'outlet dropped', outlet.dropped, 0)
      const coming = report.grouped + outlet.added + outletsBefore[index]!
      same(report, 'outlet balance', outlet.filtered + outlet.pushed + outlet.dropped + outlet.buffered, coming)
    }
    const parts: object[] = [report, ...report.outlets]
    const counts = parts.flatMap((part) => Object.values(part) as unknown[])
    same(
      report,
      'negative count',
      counts.find((count) => typeof count === 'number' && count < 0),
      undefined,
    )
    if (drain && !link.stopped) same(report, 'drained', held(processors), 0)
  }
}

function same(report: TransferReport, what: string, got: unknown, expected: unknown): void {
  if (got !== expected) {
    throw new Error(`${what}: got ${String(got)}, expected ${String(expected)} in ${JSON.stringify(report)}`)
  }
}

t.test('a report stays small however many inlets fail, and however large their errors are', async (t) => {
  const logs = captureLogs(t, 'error')
  const failing = (at: number) =>
    new FromInlet(() => {
      throw Object.assign(new Error(`inlet ${at}: ${'m'.repeat(1000)}`), { body: 'b'.repeat(1_000_000) })
    })
  const report = await run({ inlets: Array.from({ length: 2000 }, (_, at) => failing(at)) })
  t.equal(report.errors.length, 1001)
  t.match(report.errors.at(-1), { message: '1000 more errors of this transfer are not listed', stage: 'transfer' })
  t.ok(JSON.stringify(report).length < 1_000_000, `${JSON.stringify(report).length} characters`)
  t.equal(report.failed, true)
  const lines = logs.entries()
  t.ok(lines.length <= 22, `${lines.length} log lines`)
  t.match(lines.at(-1), { msg: 'a.0 had 1980 more errors: its report lists them' })
  t.ok(JSON.stringify(lines).length < 2_000_000, `${JSON.stringify(lines).length} characters logged`)
})

t.test('one outlet with very many errors hides no error of another', async (t) => {
  const logs = captureLogs(t, 'error')
  const many = new KeepOutlet(() => {
    throw new AggregateError(
      Array.from({ length: 1500 }, (_, at) => new Error(`e${at}`)),
      'many',
    )
  })
  const report = await run({ inlets: [giving(1)], outlets: [many, new KeepOutlet(throwing('B is down'))] })
  t.match(report.errors.at(-1), { message: 'B is down' })
  t.equal(report.errors.length, 2)
  t.match(logs.entries().at(-1), { msg: /B is down/ })
})

t.test('log lines name the link where its update does not', async (t) => {
  const logs = captureLogs(t, 'error')
  await run({ name: 'todos', inlets: [new FromInlet(throwing('no'))] }, { update: new Update([], 3) })
  await run({ name: 'a', inlets: [new FromInlet(throwing('no'))] })
  t.match(logs.entries(), [
    { msg: '3 of todos FromInlet failed to pull: no' },
    { msg: 'a.0 FromInlet failed to pull: no' },
  ])
})
