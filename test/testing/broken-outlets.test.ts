/** Each check of the suite of outlets fails, and it alone, for an outlet that breaks just that part of the contract. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { PartialPushError } from '../../src/core/partial-push.js'
import { getLogger } from '../../src/base/log.js'
import { Outlet, type OutletOptions } from '../../src/core/outlet.js'
import type { Record } from '../../src/core/record.js'
import { OutletTester, type OutletSetup } from '../../src/testing/index.js'
import type { Update } from '../../src/core/update.js'
import { failuresOf, resultsOf } from '../helpers/contract-results.js'

/** Target of outlets: a list that can be out of order. */
class Target {
  readonly arrived: unknown[] = []
  fails = false

  take(payload: unknown): void {
    if (this.fails) throw new Error('the target is out of order')
    this.arrived.push(payload)
  }
}

interface Payload {
  id: number
  text: string
}

/** Outlet that delivers at once, all of a batch or nothing, and keeps the contract. */
class Keeper extends Outlet {
  protected readonly target: Target

  constructor(target: Target, options?: OutletOptions) {
    super(options)
    this.target = target
  }

  push(records: Record[], update: Update): void | Promise<void> {
    update.signal.throwIfAborted()
    if (records.some(({ payload }) => payload === 'invalid')) throw new Error('an invalid payload')
    for (const { payload } of records) this.target.take(payload)
  }

  override saveState(): unknown {
    return undefined
  }
}

const hang = () => new Promise<never>(() => {})

/** Makes a whole set-up around an outlet that delivers to a target. */
function around(
  create: (target: Target, options: OutletOptions) => Outlet,
  more: Partial<OutletSetup> = {},
): OutletSetup {
  const target = new Target()
  return {
    // an outlet that takes options has to hand them on
    create: create.length < 2 ? () => create(target, {}) : (options) => create(target, options),
    read: () => target.arrived,
    breakTarget: () => {
      target.fails = true
      return () => {
        target.fails = false
      }
    },
    ...more,
  }
}

class Hanging extends Keeper {
  override push(_records: Record[], { signal }: Update): Promise<void> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
  }
}

t.test('an outlet that keeps the contract passes', async (t) => {
  const setup = around((target, options) => new Keeper(target, options), {
    kinds: ['a text', 1, null],
    invalid: ['invalid'],
    hanging: () => new Hanging(new Target()),
    secrets: ['s3cret'],
  })
  const results = await resultsOf(new OutletTester(setup))
  t.same([...results.values()].filter(Boolean), [])
  t.equal(results.size, 25)

  const unread = await resultsOf(new OutletTester(() => new Keeper(new Target())))
  t.same([...unread.values()].filter(Boolean), [])
  t.equal(unread.size, 15, 'what arrives is not looked at')
})

t.test('an outlet that takes part of a batch passes if it says which', async (t) => {
  class Partial extends Keeper {
    override push(records: Record[], update: Update) {
      const rejected: { index: number; error: Error }[] = []
      for (const [index, record] of records.entries()) {
        try {
          void super.push([record], update)
        } catch (error) {
          rejected.push({ index, error: error as Error })
        }
      }
      if (rejected.length > 0) throw new PartialPushError('Partial', records.length - rejected.length, rejected)
    }
  }
  t.same(await failuresOf(new OutletTester(around((target) => new Partial(target), { invalid: ['invalid'] }))), {})
})

t.test('an outlet that delivers a batch in any order passes if the set-up says so', async (t) => {
  class Shuffling extends Keeper {
    override push(records: Record[], update: Update) {
      return super.push(records.toReversed(), update)
    }
  }
  const setup = (ordered: boolean) => around((target) => new Shuffling(target), { ordered })
  t.same(await failuresOf(new OutletTester(setup(false))), {})
  const failures = await failuresOf(new OutletTester(setup(true)))
  t.same(new Set(Object.values(failures)).size > 0, true)
  t.equal(
    failures['delivers each record of a large batch once and in order'],
    'Shuffling.push let the records of a batch arrive in another order',
  )
})

/** Tests that must fail, the message of the first of them, and a set-up with a broken outlet. */
const BROKEN: readonly (readonly [tests: readonly string[], says: string | RegExp, setup: OutletSetup])[] = [
  [
    ['hands its processors on to super'],
    'Keeper.processors lacks what create() was given: hand the options on to super(options)',
    around((target, _options) => new Keeper(target)),
  ],
  [
    ['has metadata keys that carry its name'],
    "Broken.TABLE is 'TABLE': expected 'Broken.TABLE'",
    around(
      (target) =>
        new (class Broken extends Keeper {
          static readonly TABLE = 'TABLE'
        })(target),
    ),
  ],
  [
    ['takes records with metadata that it does not know'],
    'Broken.push failed: Error: unknown metadata',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (records.some(({ metadata }) => 'ContractSuite.KEY' in metadata)) throw new Error('unknown metadata')
            return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['leaves records and payloads as they are'],
    'Broken.push changed the list of records that it was given: other outlets may get the same',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            void super.push(records, update)
            records.pop()
          }
        })(target),
    ),
  ],
  [
    ['leaves records and payloads as they are'],
    'Broken.push changed a payload: other outlets may get the same',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            void super.push(structuredClone<Record[]>(records), update)
            for (const { payload } of records) (payload as Payload).text = 'seen'
          }
        })(target),
    ),
  ],
  [
    ['leaves records and payloads as they are'],
    /^Broken\.push of payloads that are frozen failed: TypeError: Cannot assign to read only property/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            void super.push(structuredClone<Record[]>(records), update)
            for (const { payload } of records) Object.assign(payload as Payload, { text: (payload as Payload).text })
          }
        })(target),
    ),
  ],
  [
    ['reads payloads before it first waits, if it says so by readsOnly'],
    /^Broken\.push said that it took 3 records, but 3 of them did not arrive/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override readonly readsOnly = true

          override async push(records: Record[], update: Update) {
            update.signal.throwIfAborted()
            await nextTurn()
            await super.push(structuredClone<Record[]>(records), update)
          }
        })(target),
    ),
  ],
  [
    ['says what became of a push that is told to stop, and pushes again afterwards'],
    /^Broken\.push that was told to stop said that it took 2 records, but 2 of them did not arrive, like \{ id: /,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (!update.signal.aborted) return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['says what became of a push that is told to stop, and pushes again afterwards'],
    /^Broken\.push that was told to stop let \{ id: .* \} arrive, which was not taken, or not so often$/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            for (const { payload } of records) this.target.take(payload)
            update.signal.throwIfAborted()
          }
        })(target),
    ),
  ],
  [
    ['says what became of a push that is told to stop, and pushes again afterwards'],
    /^Broken\.push that is told to stop said that it took 2 records, but 2 of them did not arrive, like \{ id: /,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override async push(records: Record[], update: Update) {
            update.signal.throwIfAborted()
            await nextTurn()
            if (!update.signal.aborted) await super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['says what became of a push that is told to stop, and pushes again afterwards'],
    'Broken.push failed: Error: stopped for good',
    around(
      (target) =>
        new (class Broken extends Keeper {
          #stopped = false

          override push(records: Record[], update: Update) {
            this.#stopped ||= update.signal.aborted
            if (this.#stopped) throw new Error('stopped for good')
            return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['refuses or delivers a push before its start and after its shutdown'],
    /^Broken\.push before its start said that it took 1 records, but 1 of them did not arrive/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (this.active) return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['refuses or delivers a push before its start and after its shutdown'],
    /^Broken\.push after its shutdown said that it took 1 records, but 1 of them did not arrive/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          #closed = false

          override push(records: Record[], update: Update) {
            if (!this.#closed) return super.push(records, update)
          }

          override onStart() {
            this.#closed = false
          }

          override onShutdown() {
            this.#closed = true
          }
        })(target),
    ),
  ],
  [
    ['pushes for two links at once'],
    /^Broken\.push said that it took 15 records, but 10 of them did not arrive/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          #batch: Record[] = []

          override async push(records: Record[], update: Update) {
            update.signal.throwIfAborted()
            this.#batch = records
            await new Promise(setImmediate)
            const batch = this.#batch
            this.#batch = []
            await super.push(batch, update)
          }
        })(target),
    ),
  ],
  [
    ['hands over its state, so that another instance carries on'],
    /^Broken\.push let \{ id: .* \} arrive, which was not taken, or not so often$/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          #last: unknown[] = []

          override push(records: Record[], update: Update) {
            void super.push(records, update)
            this.#last = records.map(({ payload }) => payload)
          }

          override saveState() {
            return this.#last
          }

          override restoreState(state: unknown[]) {
            for (const payload of state) this.target.take(payload)
          }
        })(target),
    ),
  ],
  [
    ['delivers each record of a large batch once and in order'],
    /^Broken\.push said that it took 100 records, but 50 of them did not arrive, like \{ id: /,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            return super.push(records.slice(0, 50), update)
          }
        })(target),
    ),
  ],
  [
    ['delivers each record of a large batch once and in order'],
    /^Broken\.push let \{ id: .* \} arrive, which was not taken, or not so often$/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            return super.push([...records, ...records.slice(50)], update)
          }
        })(target),
    ),
  ],
  [
    ['delivers each record of a large batch once and in order'],
    'Broken.push let the records of a batch arrive in another order',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            return super.push([...records.slice(50), ...records.slice(0, 50)], update)
          }
        })(target),
    ),
  ],
  [
    // all checks that push twice see it, too
    ['delivers batch after batch'],
    /^Broken\.push said that it took 8 records, but 4 of them did not arrive/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          #pushes = 0

          override push(records: Record[], update: Update) {
            if (update.signal.aborted || ++this.#pushes < 3 || records.length !== 4) return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['takes the payload kinds[1]'],
    'Broken.push failed: Error: no lists',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (records.some(({ payload }) => Array.isArray(payload))) throw new Error('no lists')
            return super.push(records, update)
          }
        })(target),
      { kinds: ['text', ['a', 'list']] },
    ),
  ],
  [
    ['refuses the payload invalid[0], and says what it took beside it'],
    'Broken.push of a batch with invalid[0] resolved: expected an error, as it cannot be taken',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            return super.push(
              records.filter(({ payload }) => payload !== 'invalid'),
              update,
            )
          }
        })(target),
      { invalid: ['invalid'] },
    ),
  ],
  [
    ['refuses the payload invalid[0], and says what it took beside it'],
    /^Broken\.push of a batch with invalid\[0\] let \{ id: .* \} arrive, which was not taken, or not so often$/,
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            for (const record of records) void super.push([record], update)
          }
        })(target),
      { invalid: ['invalid'] },
    ),
  ],
  [
    [
      'refuses a push when its target fails, and delivers when it works again',
      'refuses its start or its pushes when its target fails from the beginning',
    ],
    'Broken.push resolved while its target fails: its records are lost silently',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (!this.target.fails) return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['refuses a push when its target fails, and delivers when it works again'],
    'Broken.push failed: Error: broken for good',
    around(
      (target) =>
        new (class Broken extends Keeper {
          #pushes = 0

          override push(records: Record[], update: Update) {
            if (this.target.fails && this.#pushes++ > 0) this.#pushes = Infinity
            if (this.#pushes++ === Infinity) throw new Error('broken for good')
            return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['refuses its start or its pushes when its target fails from the beginning'],
    'Broken.push resolved while its target fails: its records are lost silently',
    around(
      (target) =>
        new (class Broken extends Keeper {
          #off = false

          override onStart() {
            this.#off = this.target.fails
          }

          override push(records: Record[], update: Update) {
            if (!this.#off) return super.push(records, update)
          }
        })(target),
    ),
  ],
  [
    ['ends a push that hangs when it is told to stop'],
    'Broken.push that hangs and is told to stop did not end within 0.05 s',
    {
      timeout: 0.05,
      create: () => new Keeper(new Target()),
      hanging: () =>
        new (class Broken extends Keeper {
          override push() {
            return hang()
          }
        })(new Target()),
    },
  ],
  [
    ['ends a push that hangs when it is told to stop'],
    'Broken.push resolved when it was told to stop while its target hangs',
    {
      create: () => new Keeper(new Target()),
      hanging: () =>
        new (class Broken extends Hanging {
          override push(records: Record[], update: Update) {
            return super.push(records, update).catch(() => undefined)
          }
        })(new Target()),
    },
  ],
  [
    ['ends a push that hangs when it is told to stop'],
    'hanging() gave an outlet whose push ended by itself: that shows nothing',
    { create: () => new Keeper(new Target()), hanging: () => new Keeper(new Target()) },
  ],
  [
    ['shows no secret'],
    'Broken shows secrets[0] in its toString()',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override toString() {
            return 'Broken(s3cret)'
          }
        })(target),
      { secrets: ['s3cret'] },
    ),
  ],
  [
    ['shows no secret'],
    'Broken shows secrets[0] in a log line',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override onShutdown() {
            getLogger('databay.Broken').debug({ password: 's3cret' }, 'closed')
          }
        })(target),
      { secrets: ['s3cret'] },
    ),
  ],
  [
    ['shows no secret'],
    'Broken shows secrets[0] in an error',
    around(
      (target) =>
        new (class Broken extends Keeper {
          override push(records: Record[], update: Update) {
            if (this.target.fails) throw new Error('cannot log in with s3cret')
            return super.push(records, update)
          }
        })(target),
      { secrets: ['s3cret'] },
    ),
  ],
]

for (const [tests, says, setup] of BROKEN) {
  t.test(`${tests[0] ?? ''}: ${String(says)}`, async (t) => {
    const failures = await failuresOf(new OutletTester(setup))
    t.same(Object.keys(failures), tests, JSON.stringify(failures))
    const said = failures[tests[0] ?? '']
    if (typeof says === 'string') t.equal(said, says)
    else t.match(said, says)
  })
}

t.test('every check has an outlet that fails it', async (t) => {
  const setup = around((target) => new Keeper(target), {
    kinds: [1, 2],
    invalid: ['invalid'],
    hanging: () => new Hanging(new Target()),
    secrets: ['s3cret'],
  })
  const broken = new Set(BROKEN.flatMap(([tests]) => tests))
  // for the checks of all nodes, inlets fail them; a batch of one is part of every other check
  const shared = [...(await resultsOf(new OutletTester(() => new Keeper(new Target())))).keys()].slice(-5)
  const names = [...(await resultsOf(new OutletTester(setup))).keys()]
  t.same(
    names.filter((name) => !broken.has(name) && !shared.includes(name)),
    ['pushes a batch of one', 'takes the payload kinds[0]'],
  )
})

t.test('an outlet that loses everything fails wherever something should arrive', async (t) => {
  class Losing extends Keeper {
    override push() {}
  }
  const failures = await failuresOf(new OutletTester(around((target) => new Losing(target))))
  t.match(failures['pushes a batch of one'], /^Losing\.push said that it took 1 records, but 1 of them did not arrive/)
})

t.test('what was there before a check does no harm', async (t) => {
  const target = new Target()
  target.arrived.push({ id: 0, text: 'record 0' }, { id: 1, text: 'record 1' })
  const sorted = () => target.arrived.toSorted((a, b) => (a as Payload).id - (b as Payload).id)
  const setup = { create: () => new Keeper(target), ordered: false, payload: (n: number) => ({ id: -n, text: 'x' }) }
  t.same(await failuresOf(new OutletTester({ ...setup, read: () => target.arrived })), {})
  t.same(await failuresOf(new OutletTester({ ...setup, read: sorted })), {})
})

t.test('a set-up is checked where it is given', async (t) => {
  const create = () => new Keeper(new Target())
  const make = (setup: object) => () => new OutletTester(setup as OutletSetup)
  t.throws(make({ create, reads: 1 }), { message: /^OutletTester\.reads: expected one of the options/ })
  t.throws(make({ create, read: [] }), { message: 'OutletTester.read: expected a function, got []' })
  t.throws(make({ create, kinds: 1 }), { message: 'OutletTester.kinds: expected a list of payloads, got 1' })
  t.throws(make({ create, invalid: 1 }), { message: 'OutletTester.invalid: expected a list of payloads, got 1' })
  t.throws(make({ create, batch: 0 }), { message: 'OutletTester.batch: expected an integer of at least 1, got 0' })
})
