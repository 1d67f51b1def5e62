/** Inlets that stream: each list that they yield is a round. */
import t, { type Test } from 'tap'
import { TransferTimeoutError } from '../../../src/base/errors.js'
import { Buffer } from '../../../src/core/buffer.js'
import { Inlet } from '../../../src/core/inlet.js'
import { Link } from '../../../src/core/link.js'
import type { LinkSettings } from '../../../src/core/link-options.js'
import { Outlet } from '../../../src/core/outlet.js'
import { InvalidPayloadError, PartialPushError } from '../../../src/core/partial-push.js'
import type { AnyGrouper, AnyProcessor } from '../../../src/core/processor.js'
import { Record } from '../../../src/core/record.js'
import { TransferError, type TransferReport } from '../../../src/core/report.js'
import type { RoundCounts } from '../../../src/core/round-counts.js'
import type { Update } from '../../../src/core/update.js'
import { captureLogs } from '../../helpers/logs.js'
import { deferred, FromInlet, KeepOutlet, turnOfTheLoop } from '../../helpers/nodes.js'

interface Parts extends LinkSettings {
  readonly processors?: AnyProcessor | readonly AnyProcessor[]
  readonly groupers?: AnyGrouper
}

function link(inlets: Inlet | Inlet[], outlets: Outlet | Outlet[], parts: Parts = {}): Link {
  return new Link({ tags: 'a', interval: 1, inlets, outlets, ...parts } as never)
}

const run = (...parts: Parameters<typeof link>) => link(...parts).transfer()

/** Checks that every record of a report is accounted for. */
function checkBooks(t: Test, { pulled, added, filtered, dropped, grouped, buffered, outlets }: TransferReport) {
  t.equal(pulled + added, filtered + dropped + grouped + buffered, 'the books of the link are balanced')
  for (const outlet of outlets) {
    const out = outlet.filtered + outlet.pushed + outlet.dropped + outlet.buffered
    t.ok(grouped + outlet.added >= out, 'the outlet takes no more than it is offered')
  }
}

/** Inlet that streams, and keeps what it is told. */
class StreamInlet extends Inlet {
  readonly told: [delivered: boolean, rounds: RoundCounts][] = []
  readonly #give: (update: Update) => unknown

  constructor(give: (update: Update) => unknown) {
    super()
    this.#give = give
  }

  pull(update: Update) {
    return this.#give(update) as never
  }

  override onTransferEnd(_update: Update, delivered: boolean, rounds: RoundCounts): void {
    this.told.push([delivered, rounds])
  }
}

/** Gives nothing again. */
class OnceInlet extends StreamInlet {
  override get redelivers(): boolean {
    return false
  }
}

function* lists(...all: unknown[]) {
  for (const list of all) yield list
}

async function* later(...all: unknown[]) {
  for (const list of all) {
    await turnOfTheLoop()
    yield list
  }
}

const fail = (message: string): never => {
  throw new Error(message)
}

/** A processor that fails in a round. */
function failingIn(round: number): AnyProcessor {
  let rounds = 0
  return (records) => (++rounds === round ? fail(`no round ${round}`) : records)
}

const SOURCES: [name: string, give: () => unknown][] = [
  ['a generator', () => lists([1, 2], [3], [4, 5])],
  ['an async generator', () => later([1, 2], [3], [4, 5])],
  ['a promise of a generator', async () => lists([1, 2], [3], [4, 5])],
  ['an iterator', () => [[1, 2], [3], [4, 5]].values()],
  ['an iterator of promises', () => [[1, 2], [3], [4, 5]].map(async (list) => list).values()],
  [
    'an object with next()',
    () => {
      const all = [[1, 2], [3], [4, 5]]
      return { next: () => ({ done: all.length === 0, value: all.shift() }) }
    },
  ],
  [
    'an object with an asynchronous next()',
    () => {
      const all = [[1, 2], [3], [4, 5]]
      return { next: async () => ({ done: all.length === 0, value: all.shift() }) }
    },
  ],
  ['an async iterable', () => ({ [Symbol.asyncIterator]: () => later([1, 2], [3], [4, 5]) })],
]

for (const [name, give] of SOURCES) {
  t.test(`each list of ${name} is a round`, async (t) => {
    const outlet = new KeepOutlet()
    const inlet = new StreamInlet(give)
    const report = await run(inlet, outlet)
    t.strictSame(outlet.payloads, [[1, 2], [3], [4, 5]])
    t.equal(new Set(outlet.updates).size, 1, 'all rounds share one update')
    t.match(report, { pulled: 5, grouped: 5, batches: 3, rounds: 3, dropped: 0, failed: false, errors: [] })
    t.match(report.outlets, [{ pushed: 5, batches: 3 }])
    t.strictSame(inlet.told, [[true, { rounds: 3, deliveredRounds: 3 }]])
    checkBooks(t, report)
  })
}

const DATA: [name: string, value: unknown][] = [
  ['a set', new Set([1])],
  ['a map', new Map([[1, 2]])],
  ['a string', 'ab'],
  ['a typed array', new Uint8Array([1, 2])],
  ['a buffer', globalThis.Buffer.from('ab')],
]

for (const [name, value] of DATA) {
  t.test(`${name} is one payload`, async (t) => {
    const outlet = new KeepOutlet()
    t.match(await run(new StreamInlet(() => value), outlet), { pulled: 1, rounds: 1 })
    t.strictSame(outlet.payloads, [[value]])
  })
}

t.test('a list that is returned is one round', async (t) => {
  const inlet = new StreamInlet(() => [1, 2, 3])
  t.match(await run(inlet, new KeepOutlet()), { pulled: 3, batches: 1, rounds: 1 })
  t.strictSame(inlet.told, [[true, { rounds: 1, deliveredRounds: 1 }]])
})

t.test('a pull that fails begins no round', async (t) => {
  captureLogs(t)
  const inlet = new StreamInlet(() => fail('no'))
  t.match(await run(inlet, new KeepOutlet()), { rounds: 0, failed: true })
  t.strictSame(inlet.told, [[false, { rounds: 0, deliveredRounds: 0 }]])
})

t.test(
  'no list is processed before the one before is pushed, and at most the next one is pulled meanwhile',
  async (t) => {
    const steps: string[] = []
    async function* give() {
      for (let at = 1; at <= 3; at++) {
        steps.push(`pull ${at}`)
        await turnOfTheLoop()
        yield [at]
      }
    }
    const outlet = new KeepOutlet(async ([record]) => {
      steps.push(`push ${String(record?.payload)}`)
      for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
      steps.push(`pushed ${String(record?.payload)}`)
    })
    const processor: AnyProcessor = ([...records]) => {
      steps.push(`process ${String((records[0] as Record | undefined)?.payload)}`)
      return records
    }
    await run(new StreamInlet(give), outlet, { processors: processor })
    t.strictSame(steps, [
      ...['pull 1', 'pull 2', 'process 1', 'push 1', 'pushed 1'],
      ...['pull 3', 'process 2', 'push 2', 'pushed 2'],
      ...['process 3', 'push 3', 'pushed 3'],
    ])
  },
)

t.test('a generator without waits is not ahead: it would only hold two lists', async (t) => {
  const steps: string[] = []
  function* give() {
    for (let at = 1; at <= 2; at++) {
      steps.push(`pull ${at}`)
      yield [at]
    }
  }
  await run(new StreamInlet(give), new KeepOutlet(() => void steps.push('push')))
  t.strictSame(steps, ['pull 1', 'push', 'pull 2', 'push'])
})

t.test('the thread serves others between the rounds of a generator without waits', async (t) => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  t.teardown(() => clearInterval(timer))
  function* give() {
    while (turns < 10) yield [1]
  }
  await run(new StreamInlet(give), new KeepOutlet(), { timeout: 10 })
  t.equal(turns, 10)
})

t.test('single values are gathered: 2,048 make a round, a list has its own', async (t) => {
  function* give() {
    for (let at = 0; at < 5000; at++) yield at
    yield [-1, -2]
    yield 'last'
  }
  const outlet = new KeepOutlet()
  t.match(await run(new StreamInlet(give), outlet), { pulled: 5003, rounds: 5 })
  t.strictSame(
    outlet.payloads.map(({ length }) => length),
    [2048, 2048, 904, 2, 1],
  )
})

t.test('single values that come within 100 ms are a round', async (t) => {
  const next = deferred()
  async function* give() {
    yield 1
    yield new Record(2)
    await next.promise
    yield 3
    yield 4
  }
  const outlet = new KeepOutlet(() => next.resolve())
  t.match(await run(new StreamInlet(give), outlet), { pulled: 4, rounds: 2 })
  t.strictSame(outlet.payloads, [
    [1, 2],
    [3, 4],
  ])
})

t.test('values that came before an error are a round', async (t) => {
  captureLogs(t)
  for (const give of [
    function* () {
      yield 1
      yield 2
      throw new Error('no more')
    },
    async function* () {
      yield 1
      yield 2
      throw new Error('no more')
    },
  ]) {
    const outlet = new KeepOutlet()
    const inlet = new StreamInlet(give)
    const report = await run(inlet, outlet)
    t.match(report, { pulled: 2, rounds: 1, failed: true, errors: [{ message: 'no more', stage: 'pull' }] })
    t.strictSame(outlet.payloads, [[1, 2]])
    t.strictSame(inlet.told, [[false, { rounds: 1, deliveredRounds: 1 }]])
  }
})

const WRONG: [name: string, give: () => unknown, message: string][] = [
  [
    'yields undefined',
    () => lists(undefined),
    'pull() yielded undefined: yield [] for no records, or null for a record of null',
  ],
  [
    'yields generators',
    () => lists([lists()]),
    'pull() yielded a generator or iterator at 0 of its list: collect what it yields into a list',
  ],
  [
    'yields a generator',
    () => lists(lists()),
    'pull() yielded a generator or iterator at 0 of its list: collect what it yields into a list',
  ],
  [
    'returns a list',
    function* () {
      return [1]
    },
    'pull() is a generator that returned a value: yield it',
  ],
  ['gives steps that are none', () => ({ next: () => 5 }), 'next() gave a number: expected { done, value }'],
]

for (const [name, give, message] of WRONG) {
  t.test(`a stream that ${name} fails`, async (t) => {
    captureLogs(t)
    t.match(await run(new StreamInlet(give), new KeepOutlet()), {
      pulled: 0,
      failed: true,
      errors: [{ message, stage: 'pull' }],
    })
  })
}

t.test('a stream of nothing is a transfer without records', async (t) => {
  const buffer = new Buffer({ customControllers: () => true })
  const outlet = new KeepOutlet()
  t.match(await run(new StreamInlet(() => lists()), outlet, { processors: [buffer] }), {
    pulled: 0,
    rounds: 1,
    failed: false,
  })
  t.strictSame(outlet.payloads, [])
})

t.test('an outlet that is given nothing in any round is told once', async (t) => {
  let told = 0
  class EmptyOutlet extends KeepOutlet {
    override onEmptyTransfer(): void {
      told++
    }
  }
  await run(new StreamInlet(() => lists([], [], [])), new EmptyOutlet())
  t.equal(told, 1)
  await run(new StreamInlet(() => lists([], [1], [])), new EmptyOutlet())
  t.equal(told, 1)
})

t.test(
  'several inlets give the next list of each to a round, in their order; one that has ended gives nothing',
  async (t) => {
    const one = new StreamInlet(() => later([1], [2]))
    const two = new StreamInlet(() => lists(['a'], ['b'], ['c', 'd']))
    const three = new StreamInlet(() => ['x'])
    const outlet = new KeepOutlet()
    const report = await run([one, two, three], outlet)
    t.strictSame(outlet.payloads, [
      [1, 'a', 'x'],
      [2, 'b'],
      ['c', 'd'],
    ])
    t.match(report, { pulled: 7, rounds: 3 })
    for (const inlet of [one, two, three]) t.strictSame(inlet.told, [[true, { rounds: 3, deliveredRounds: 3 }]])
  },
)

t.test('no more inlets pull at once than inletConcurrency says', async (t) => {
  let pulling = 0
  let most = 0
  async function* give() {
    for (let at = 0; at < 3; at++) {
      most = Math.max(most, ++pulling)
      await turnOfTheLoop()
      pulling--
      yield [at]
    }
  }
  const inlets = Array.from({ length: 5 }, () => new StreamInlet(give))
  t.match(await run(inlets, new KeepOutlet(), { inletConcurrency: 2 }), { pulled: 15, rounds: 3 })
  t.equal(most, 2)
})

t.test('a pull that fails ends the transfer once the rounds that have begun are made', async (t) => {
  captureLogs(t)
  const bad = new StreamInlet(async function* () {
    yield [1]
    yield [2]
    fail('no third')
  })
  const good = new StreamInlet(() => later(['a'], ['b'], ['c'], ['d']))
  const outlet = new KeepOutlet()
  const report = await run([bad, good], outlet)
  t.strictSame(outlet.payloads, [
    [1, 'a'],
    [2, 'b'],
  ])
  t.match(report, { rounds: 2, pulled: 5, dropped: 1, grouped: 4, failed: true, errors: [{ message: 'no third' }] })
  t.strictSame(bad.told, [[false, { rounds: 2, deliveredRounds: 2 }]])
  t.strictSame(good.told, [[false, { rounds: 2, deliveredRounds: 2 }]])
  checkBooks(t, report)
})

t.test('with ignoreExceptions, the other inlets go on', async (t) => {
  captureLogs(t)
  const bad = new StreamInlet(() => lists([1], [lists()]))
  const good = new StreamInlet(() => later(['a'], ['b'], ['c']))
  const outlet = new KeepOutlet()
  const report = await run([bad, good], outlet, { ignoreExceptions: true })
  t.strictSame(outlet.payloads, [[1, 'a'], ['b'], ['c']])
  t.match(report, { rounds: 3, failed: false, errors: [{ stage: 'pull' }] })
  t.strictSame(bad.told, [[false, { rounds: 3, deliveredRounds: 3 }]])
  t.strictSame(good.told, [[true, { rounds: 3, deliveredRounds: 3 }]])
})

t.test('a processor that fails in a round leaves the rounds before it pushed', async (t) => {
  captureLogs(t)
  const told: RoundCounts[] = []
  const listener = {
    process: (records: Record[]) => records,
    onTransferEnd: (_update: Update, _delivered: boolean, rounds: RoundCounts) => void told.push(rounds),
  }
  let returned = 0
  const inlet = new StreamInlet(function* () {
    try {
      for (;;) yield [1, 2]
    } finally {
      returned++
    }
  })
  const outlet = new KeepOutlet()
  const report = await run(inlet, outlet, { processors: [listener, failingIn(3)] as never })
  t.equal(outlet.batches.length, 2)
  t.match(report, { rounds: 3, pulled: 6, dropped: 2, grouped: 4, failed: true })
  t.strictSame(inlet.told, [[false, { rounds: 3, deliveredRounds: 2 }]])
  t.strictSame(told, [{ rounds: 3, deliveredRounds: 2 }])
  t.equal(returned, 1, 'return() is called')
  checkBooks(t, report)
})

t.test('an outlet that fails in a round ends the transfer with that round', async (t) => {
  captureLogs(t)
  let pushes = 0
  const bad = new KeepOutlet(() => (++pushes === 2 ? fail('full') : undefined))
  const good = new KeepOutlet()
  const inlet = new StreamInlet(() => later([1], [2], [3], [4]))
  const report = await run(inlet, [bad, good], { copyRecords: false })
  t.match(report, { rounds: 2, grouped: 2, outlets: [{ pushed: 1, dropped: 1 }, { pushed: 2 }], failed: true })
  t.strictSame(good.payloads, [[1], [2]])
  t.strictSame(inlet.told, [[false, { rounds: 2, deliveredRounds: 1 }]])
  checkBooks(t, report)
})

t.test('records that an outlet refuses do not end the rounds, unless an inlet brings them again', async (t) => {
  captureLogs(t)
  const payloads = [[1, 2], [3, 4], [5, 6], [7]]
  const refuse = (records: Record[], why: Error) => {
    const rejected = records.flatMap(({ payload }, index) => (payload === 3 ? [{ index, error: why }] : []))
    if (rejected.length > 0) throw new PartialPushError('picky', records.length - rejected.length, rejected)
  }
  const refused = new InvalidPayloadError('no 3')
  const picky = new KeepOutlet((records) => {
    refuse(records, refused)
  })
  const once = await run(new OnceInlet(() => later(...payloads)), picky)
  t.match(once, { rounds: 4, pulled: 7, dropped: 0, outlets: [{ pushed: 6, dropped: 1 }], failed: true })
  t.equal(once.errors.length, 1)
  checkBooks(t, once)

  const again = new StreamInlet(() => later(...payloads))
  t.match(await run(again, picky), { rounds: 2, outlets: [{ pushed: 3, dropped: 1 }], failed: true })
  t.strictSame(again.told, [[false, { rounds: 2, deliveredRounds: 1 }]])

  const down = new KeepOutlet((records) => {
    refuse(records, Object.assign(new Error('full'), { code: 'ENOSPC' }))
  })
  t.match(await run(new OnceInlet(() => later(...payloads)), down), { rounds: 2, outlets: [{ pushed: 3, dropped: 1 }] })

  const whole = new KeepOutlet((records) => {
    if (records.some(({ payload }) => payload === 3)) throw refused
  })
  const report = await run(new OnceInlet(() => later(...payloads)), [whole, new KeepOutlet()])
  t.match(report, { rounds: 2, outlets: [{ pushed: 2, dropped: 2 }, { pushed: 4 }], failed: true }, 'it may take none')
  const single = await run(new OnceInlet(() => later([1], [3], [5])), whole)
  t.match(single, { rounds: 3, outlets: [{ pushed: 2, dropped: 1 }], failed: true })
})

t.test(
  'a round that fails is left out where exceptions are ignored; the delivered rounds are those before it',
  async (t) => {
    captureLogs(t)
    const inlet = new StreamInlet(() => lists([1], [2], [3], [4]))
    const outlet = new KeepOutlet()
    const report = await run(inlet, outlet, { ignoreExceptions: true, processors: [failingIn(2)] })
    t.strictSame(outlet.payloads, [[1], [3], [4]])
    t.match(report, { rounds: 4, dropped: 1, grouped: 3, failed: false })
    t.strictSame(inlet.told, [[false, { rounds: 4, deliveredRounds: 1 }]])
  },
)

t.test('buffers work round by round; rounds that they hold are not delivered yet', async (t) => {
  const buffer = new Buffer({ countThreshold: 5 })
  const inlet = new StreamInlet(() => lists([1, 2], [3, 4], [5, 6], [7, 8]))
  const outlet = new KeepOutlet()
  const a = link(inlet, outlet, { processors: [buffer] })
  const report = await a.transfer()
  t.strictSame(outlet.payloads, [[1, 2, 3, 4, 5, 6]])
  t.match(report, { rounds: 4, pulled: 8, buffered: 2, grouped: 6 })
  t.strictSame(inlet.told, [])
  checkBooks(t, report)
  await a.drain()
  t.strictSame(inlet.told, [[true, { rounds: 4, deliveredRounds: 4 }]])
})

t.test('an outlet that refuses what a buffer releases fails the rounds that were in it, and no others', async (t) => {
  captureLogs(t)
  const buffer = new Buffer({ countThreshold: 4 })
  const outlet = new KeepOutlet((records) => (records[0]?.payload === 5 ? fail('full') : undefined))
  const inlet = new StreamInlet(() => lists([1, 2], [3, 4], [5, 6], [7, 8], [9]))
  t.match(await run(inlet, outlet, { processors: [buffer] }), { rounds: 4, pulled: 8, failed: true })
  t.strictSame(inlet.told, [[false, { rounds: 4, deliveredRounds: 2 }]])
})

t.test("rounds: 'whole' makes one round of all lists", async (t) => {
  const outlet = new KeepOutlet()
  const inlet = new StreamInlet(() => later([1, 2], [], [3]))
  t.match(await run(inlet, outlet, { rounds: 'whole' }), { pulled: 3, rounds: 1, batches: 1 })
  t.strictSame(outlet.payloads, [[1, 2, 3]])
  t.strictSame(inlet.told, [[true, { rounds: 3, deliveredRounds: 3 }]], 'the inlet is told of its lists')
})

t.test('rounds: a number cuts and collects lists, also those that are returned', async (t) => {
  const outlet = new KeepOutlet()
  t.match(await run(new StreamInlet(() => lists([1], [2, 3, 4, 5], [6])), outlet, { rounds: 2 }), {
    pulled: 6,
    rounds: 3,
  })
  t.match(await run(new StreamInlet(() => [1, 2, 3]), outlet, { rounds: 2 }), { pulled: 3, rounds: 2 })
  t.strictSame(outlet.payloads, [[1, 2], [3, 4], [5, 6], [1, 2], [3]])
})

t.test('an inlet is told of its lists, though rounds cut them', async (t) => {
  captureLogs(t)
  const inlet = new StreamInlet(() => lists([1, 2, 3], [4, 5, 6], [7, 8, 9]))
  const report = await run(inlet, new KeepOutlet(), { rounds: 2, processors: [failingIn(3)] })
  t.match(report, { rounds: 3, pulled: 6, grouped: 4, dropped: 2 })
  t.strictSame(inlet.told, [[false, { rounds: 2, deliveredRounds: 1 }]])
  checkBooks(t, report)
})

t.test('rounds must be one of its values', async (t) => {
  for (const rounds of [0, -1, 1.5, NaN, 'all', null]) {
    t.throws(() => link(new StreamInlet(() => 1), new KeepOutlet(), { rounds } as never), {
      message: /rounds.*'pulled', 'whole', or a number of records/,
    })
  }
})

t.test('a transfer that is told to stop ends between rounds', async (t) => {
  captureLogs(t)
  let returned = 0
  const inlet = new StreamInlet(function* () {
    try {
      for (;;) yield [1]
    } finally {
      returned++
    }
  })
  const outlet = new KeepOutlet(() => {
    if (outlet.batches.length === 3) a.cancel(new Error('enough'))
  })
  const a = link(inlet, outlet)
  const report = await a.transfer()
  t.match(report, { rounds: 3, pulled: 3, failed: true, errors: [{ message: 'enough', stage: 'pull' }] })
  t.equal(returned, 1)
  t.strictSame(inlet.told, [[false, { rounds: 3, deliveredRounds: 3 }]])
  checkBooks(t, report)
})

t.test('the timeout ends an endless stream', async (t) => {
  captureLogs(t)
  const inlet = new StreamInlet(() => {
    const endless = { next: () => ({ done: false, value: [1] }) }
    return endless
  })
  const report = await run(inlet, new KeepOutlet(), { timeout: 0.05 })
  t.match(report, { failed: true, errors: [{ code: 'DATABAY_TRANSFER_TIMEOUT' }] })
  t.ok(report.rounds > 0)
  checkBooks(t, report)
})

t.test('a generator that hangs is told to return, and not waited for longer than the grace', async (t) => {
  const logs = captureLogs(t)
  const inlet = new StreamInlet(async function* () {
    yield [1]
    setTimeout(() => a.cancel(new Error('enough')), 20)
    await new Promise(() => undefined)
  })
  const a = link(inlet, new KeepOutlet())
  a.setStreamGrace(30)
  const report = await a.transfer()
  t.match(report, { rounds: 1, pulled: 1, failed: true })
  t.ok(logs.messages().some((text) => /did not end its pull within 30 ms/.test(text)))
})

t.test('a grace without end waits for as long as it takes', async (t) => {
  const logs = captureLogs(t)
  const inlet = new StreamInlet(async function* () {
    try {
      for (;;) yield [1]
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })
  const a = link(inlet, new KeepOutlet(() => a.cancel(new Error('enough'))))
  a.setStreamGrace(Infinity)
  t.match(await a.transfer(), { rounds: 1, failed: true })
  t.notOk(logs.messages().some((text) => /did not end its pull/.test(text)))
})

t.test('an update that aborts ends a generator that listens, whose clean-up is waited for', async (t) => {
  captureLogs(t)
  let cleaned = false
  const inlet = new StreamInlet(async function* (update) {
    const { signal } = update
    try {
      yield [1]
      setTimeout(() => a.cancel(new Error('enough')), 20)
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    } finally {
      await turnOfTheLoop()
      cleaned = true
    }
  })
  const a = link(inlet, new KeepOutlet())
  t.match(await a.transfer(), { rounds: 1, failed: true })
  t.ok(cleaned)
})

t.test('a return() that rejects or throws is logged', async (t) => {
  const logs = captureLogs(t)
  for (const end of [() => fail('stuck'), async () => fail('stuck')]) {
    const inlet = new StreamInlet(() => ({ next: () => ({ done: false, value: [1] }), return: end }))
    t.match(await run(inlet, new KeepOutlet(), { processors: [failingIn(2)] }), { rounds: 2, errors: { length: 1 } })
  }
  t.equal(logs.messages().filter((text) => /failed to end its pull: stuck/.test(text)).length, 2)
})

/** Streams that yield though they are told to end, and then clean up. */
const YIELDING_AT_END: [name: string, give: (cleanUp: () => void) => unknown][] = [
  [
    'a generator',
    function* (cleanUp) {
      try {
        for (;;) yield [1]
      } finally {
        yield [2, 3]
        yield 4
        cleanUp()
      }
    },
  ],
  [
    'an async generator',
    async function* (cleanUp) {
      try {
        for (;;) yield [1]
      } finally {
        await turnOfTheLoop()
        yield [2, 3]
        await turnOfTheLoop()
        yield 4
        cleanUp()
      }
    },
  ],
  [
    'an iterator of promises',
    (cleanUp) => {
      const left = [[2, 3], 4]
      let ending = false
      const step = () => {
        if (!ending) return { done: false, value: Promise.resolve([1]) }
        if (left.length === 0) cleanUp()
        return { done: left.length === 0, value: left.length === 0 ? undefined : Promise.resolve(left.shift()) }
      }
      return {
        next: step,
        return: () => {
          ending = true
          return step()
        },
      }
    },
  ],
]

for (const [name, give] of YIELDING_AT_END) {
  t.test(`what ${name} yields though it is told to end is dropped, counted and logged`, async (t) => {
    const logs = captureLogs(t)
    let cleaned = 0
    const inlet = new StreamInlet(() => give(() => cleaned++))
    const report = await run(inlet, new KeepOutlet(() => turnOfTheLoop()), { processors: [failingIn(2)] })
    t.match(report, { rounds: 2, grouped: 1, failed: true, outlets: [{ pushed: 1 }] })
    const said = 'dropped 3 records: their inlet yielded them when it was told to end'
    t.ok(
      logs.messages().some((text) => text.includes(said)),
      logs.messages().join(', '),
    )
    t.equal(cleaned, 1, 'what follows in its finally is done')
    checkBooks(t, report)
    t.match(inlet.told, [[false, { rounds: 2, deliveredRounds: 1 }]])
  })
}

t.test('what a stream yields once nobody waits for its end is logged', async (t) => {
  const logs = captureLogs(t)
  const waiting = deferred()
  const inlet = new StreamInlet(async function* () {
    try {
      for (;;) yield [1]
    } finally {
      await waiting.promise
      yield [2, 3]
    }
  })
  const report = await run(inlet, new KeepOutlet(), { processors: [failingIn(2)] })
  t.match(report, { rounds: 2, pulled: 3, dropped: 2 })
  waiting.resolve()
  await turnOfTheLoop()
  t.ok(logs.messages().some((text) => /dropped 2 records: their inlet yielded them/.test(text)))
})

t.test('a finally that yields without end is not waited for longer than the grace', async (t) => {
  const inlet = new StreamInlet(function* () {
    try {
      for (;;) yield [1]
    } finally {
      for (;;) yield [2]
    }
  })
  const report = await run(inlet, new KeepOutlet(), { processors: [failingIn(2)] })
  t.match(report, { rounds: 2, failed: true })
  t.ok(report.dropped > 1)
  checkBooks(t, report)
})

t.test('an error of a round names it, in the report and in the log', async (t) => {
  const logs = captureLogs(t)
  const give = async function* () {
    for (const list of [[1], [2], [3]]) {
      await turnOfTheLoop()
      yield list
    }
    fail('no more')
  }
  let pushes = 0
  const outlet = new KeepOutlet(() => (++pushes === 2 ? fail('full') : undefined))
  const parts = { ignoreExceptions: true, processors: [failingIn(3)] }
  const { errors } = await run(new StreamInlet(give), outlet, parts)
  const places = errors.map(({ stage, round, message }) => [stage, round, message])
  t.same(places, [
    ['push', 2, 'full'],
    ['process', 3, 'no round 3'],
    ['pull', 4, 'no more'],
  ])
  for (const said of [
    'KeepOutlet failed to push in round 2: full',
    'failed to process in round 3: no round 3',
    'StreamInlet failed to pull in round 4: no more',
  ]) {
    t.ok(
      logs.messages().some((text) => text.includes(said)),
      said,
    )
  }
  const failed = await run(new StreamInlet(() => later([1], [2])), new KeepOutlet(), { processors: failingIn(2) })
  t.match(new TransferError(failed).message, /failed to process in round 2: no round 2/)
  t.match(new TransferError(failed).cause, { stage: 'process', round: 2 })
})

t.test('an error of a transfer without rounds, or of none of them, names no round', async (t) => {
  const outlet = new KeepOutlet(() => fail('full'))
  const { errors } = await run(new StreamInlet(() => [1]), outlet)
  t.notOk('round' in (errors[0] ?? {}))
  class ToldInlet extends StreamInlet {
    override onTransferEnd(): void {
      fail('not told')
    }
  }
  const told = await run(new ToldInlet(() => later([1], [2])), new KeepOutlet())
  t.match(told.errors, [{ message: 'not told' }])
  t.notOk('round' in (told.errors[0] ?? {}))
})

t.test('what was pulled ahead of a round that failed is dropped, and counted', async (t) => {
  const logs = captureLogs(t)
  const inlet = new StreamInlet(() => later([1], [2, 3], [4]))
  const processor: AnyProcessor = async () => {
    for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
    fail('no')
    return []
  }
  const report = await run(inlet, new KeepOutlet(), { processors: processor })
  t.match(report, { rounds: 1, pulled: 3, dropped: 3, grouped: 0 })
  t.ok(logs.messages().some((text) => /dropped 2 records: their transfer ended before their round/.test(text)))
  checkBooks(t, report)
})

t.test('a transfer that is told to end pushes what it has pulled, and succeeds', async (t) => {
  for (const give of [lists, later]) {
    let returned = 0
    const inlet = new StreamInlet(async function* () {
      try {
        for (;;) yield* give([1]) as AsyncGenerator
      } finally {
        returned++
      }
    })
    let pushes = 0
    const outlet = new KeepOutlet(async () => {
      if (++pushes === 2) a.endStreams()
      for (let turn = 0; turn < 5; turn++) await turnOfTheLoop()
    })
    const a = link(inlet, outlet)
    const report = await a.transfer()
    t.match(report, { failed: false, errors: [], dropped: 0, rounds: 3, pulled: 3 })
    t.equal(returned, 1)
    t.strictSame(inlet.told, [[true, { rounds: 3, deliveredRounds: 3 }]])
  }
})

/** An endless stream that never waits; it ends after three seconds, so that its test does. */
const ENDLESS: [name: string, give: (list: () => unknown[], goesOn: () => boolean) => unknown][] = [
  [
    'a generator',
    function* (list, goesOn) {
      while (goesOn()) yield list()
    },
  ],
  [
    'an async generator',
    async function* (list, goesOn) {
      while (goesOn()) yield list()
    },
  ],
]

for (const rounds of ['whole', 100] as const) {
  for (const [name, give] of ENDLESS) {
    t.test(`rounds: ${rounds} of ${name} that never waits: others have their turn, and it ends as told`, async (t) => {
      const started = performance.now()
      const goesOn = () => performance.now() - started < 3000
      let pulled = 0
      // from some record on, lists without any fill no round
      const inlet = new StreamInlet(() => give(() => (pulled < 150 ? [pulled++] : []), goesOn))
      const a = link(inlet, new KeepOutlet(), { rounds })
      setTimeout(() => a.endStreams(), 20)
      const report = await a.transfer()
      t.ok(performance.now() - started < 1500, 'soon')
      t.match(report, { failed: false, errors: [], dropped: 0, pulled, grouped: pulled })
      checkBooks(t, report)
    })
  }
}

t.test('a transfer that is told to end does not wait for a generator that hangs', async (t) => {
  captureLogs(t)
  const inlet = new StreamInlet(async function* () {
    yield [1]
    setTimeout(() => a.endStreams(), 20)
    await new Promise(() => undefined)
  })
  const a = link(inlet, new KeepOutlet())
  a.setStreamGrace(20)
  t.match(await a.transfer(), { failed: false, rounds: 1, pulled: 1 })
})

t.test('an outlet is told of the last round, and what it does not keep is dropped', async (t) => {
  captureLogs(t)
  class Snapshot extends KeepOutlet {
    readonly ends: boolean[] = []
    override onLastRound(_update: Update, isComplete: boolean): number {
      this.ends.push(isComplete)
      return isComplete ? 0 : this.batches.length
    }
  }
  const whole = new Snapshot()
  t.match(await run(new StreamInlet(() => lists([1], [2])), whole), { outlets: [{ pushed: 2, dropped: 0 }] })
  t.strictSame(whole.ends, [true])
  const cut = new Snapshot()
  const inlet = new StreamInlet(() => lists([1], [2], [3]))
  const report = await run(inlet, cut, { processors: [failingIn(3)] })
  t.match(report, { grouped: 2, outlets: [{ pushed: 0, dropped: 2 }] })
  t.strictSame(cut.ends, [false])
  t.strictSame(inlet.told, [[false, { rounds: 3, deliveredRounds: 0 }]])
  checkBooks(t, report)
})

for (const [name, onLastRound, dropped, message] of [
  [
    'gives more than the outlet took',
    () => 5,
    4,
    /^onLastRound\(\) gave 5: expected a number of the 4 records that it/,
  ],
  ['gives a part of a record', () => 0.5, 4, /^onLastRound\(\) gave 0.5: /],
  ['gives less than none', async () => -1, 4, /^onLastRound\(\) gave -1: /],
  ['gives a text', () => 'all' as never, 4, /^onLastRound\(\) gave 'all': /],
  ['throws', () => fail('disk full'), 4, /^disk full$/],
] as [string, NonNullable<Outlet['onLastRound']>, number, RegExp][]) {
  t.test(`an outlet whose onLastRound ${name} has kept nothing`, async (t) => {
    captureLogs(t)
    const outlet = Object.assign(new KeepOutlet(), { onLastRound })
    const inlet = new StreamInlet(() => lists([1, 2], [3, 4]))
    const report = await run(inlet, outlet)
    t.match(report, { failed: true, outlets: [{ pushed: 0, dropped }], errors: [{ message, stage: 'push' }] })
    t.strictSame(inlet.told, [[false, { rounds: 2, deliveredRounds: 0 }]])
    checkBooks(t, report)
  })
}

t.test(
  'an outlet whose onLastRound hangs is waited for until the transfer is told to stop, and the grace',
  async (t) => {
    captureLogs(t)
    const onLastRound = () => {
      setTimeout(() => a.cancel(new TransferTimeoutError('late')), 20)
      return new Promise<undefined>(() => undefined)
    }
    const outlet = Object.assign(new KeepOutlet(), { onLastRound })
    const a = link(new StreamInlet(() => lists([1, 2], [3])), outlet)
    a.setStreamGrace(20)
    const report = await a.transfer()
    t.match(report, { rounds: 2, failed: true, outlets: [{ pushed: 0, dropped: 3 }] })
    t.match(report.errors, [{ code: 'DATABAY_TRANSFER_TIMEOUT', stage: 'push' }])
    checkBooks(t, report)
  },
)

const ENDED_EARLY: [name: string, give: (update: Update) => unknown][] = [
  ['a generator', () => lists(...Array.from({ length: 1000 }, () => [1]))],
  ['an async generator', () => later(...Array.from({ length: 1000 }, () => [1]))],
  [
    'a generator that waits',
    async function* () {
      yield [1]
      for (;;) {
        for (let turn = 0; turn < 20; turn++) await turnOfTheLoop()
        yield [1]
      }
    },
  ],
  [
    'a generator that listens to the signal',
    async function* ({ signal }: Update) {
      do {
        await turnOfTheLoop()
        yield [1]
      } while (!signal.aborted)
    },
  ],
]

for (const [name, give] of ENDED_EARLY) {
  t.test(`a stream of ${name} that is told to end is not complete`, async (t) => {
    captureLogs(t)
    const told: boolean[] = []
    const began = deferred()
    class WholeOutlet extends KeepOutlet {
      override onLastRound(_update: Update, isComplete: boolean) {
        told.push(isComplete)
        return isComplete ? 0 : this.batches.length
      }
    }
    const a = link(
      new StreamInlet(give),
      new WholeOutlet(() => {
        began.resolve()
      }),
    )
    const transfer = a.transfer()
    await began.promise
    await turnOfTheLoop()
    a.endStreams()
    const report = await transfer
    t.same(told, [false])
    t.match(report, { errors: { length: 0 }, outlets: [{ pushed: 0, dropped: report.pulled }] })
    checkBooks(t, report)
  })
}

t.test('FromInlet infers the type of what is yielded', async (t) => {
  const inlet: Inlet<number> = new FromInlet(function* () {
    yield [1, 2]
  })
  t.match(await run(inlet, new KeepOutlet()), { pulled: 2 })
})
