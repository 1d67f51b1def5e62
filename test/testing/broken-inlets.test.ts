/** Each check of the suite of inlets fails, and it alone, for an inlet that breaks just that part of the contract. */
import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import t from 'tap'
import { Inlet, type InletOptions } from '../../src/core/inlet.js'
import { getLogger } from '../../src/base/log.js'
import { Record, type Metadata } from '../../src/core/record.js'
import { InletTester, type InletSetup } from '../../src/testing/index.js'
import type { Update } from '../../src/core/update.js'
import { failuresOf, resultsOf } from '../helpers/contract-results.js'

/** Inlet that counts, and keeps the contract. The subclass of each test breaks a part of it. */
class Counter extends Inlet {
  protected count = 0

  pull(_update: Update): unknown {
    return this.newRecord(++this.count)
  }

  override saveState(): unknown {
    return this.count
  }

  override restoreState(state: unknown): void {
    this.count = state as number
  }
}

const hang = () => new Promise<never>(() => {})

t.test('an inlet that keeps the contract passes', async (t) => {
  class Hanging extends Counter {
    override pull({ signal }: Update) {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    }
  }
  class Failing extends Counter {
    override pull(): unknown {
      throw new Error('no source')
    }
  }
  const results = await resultsOf(
    new InletTester({
      counter: {
        create: (options) => new Counter(options),
        expected: 1,
        repeatable: true,
        failing: () => new Failing(),
        hanging: () => new Hanging(),
        secrets: ['s3cret'],
      },
      'of nothing': () => new Counter(),
      'made in time': async (options) => Promise.resolve(new Counter(options)),
    }),
  )
  t.same([...results.values()].filter(Boolean), [])
  t.equal(results.size, 21 + 17 + 17)
  t.ok(results.has('counter: gives 1 records at its first pull'))
})

/** Test that must fail, its message, and a set-up with a broken inlet. */
const BROKEN: readonly (readonly [test: string, says: string | RegExp, setup: InletSetup])[] = [
  [
    'makes records with newRecord',
    'Broken.newRecord left out the metadata that it was given',
    {
      create: () =>
        new (class Broken extends Counter {
          override newRecord(payload: unknown, metadata?: Metadata) {
            const { 'ContractSuite.KEY': _lost, ...rest } = metadata ?? {}
            return 'ContractSuite.KEY' in this.metadata
              ? super.newRecord(payload, metadata)
              : super.newRecord(payload, rest)
          }
        })(),
    },
  ],
  [
    'makes records with newRecord',
    "Broken.newRecord gave { payload: { any: 'object' } }: expected a Record",
    {
      create: () =>
        new (class Broken extends Counter {
          override newRecord(payload: unknown, metadata?: Metadata): Record {
            return typeof payload === 'object' ? ({ payload } as unknown as Record) : super.newRecord(payload, metadata)
          }
        })(),
    },
  ],
  [
    'hands its metadata on to its records, where local metadata goes before',
    "Broken.newRecord lets the inlet's metadata override what is given to it",
    {
      create: (options) =>
        new (class Broken extends Counter {
          override newRecord(payload: unknown, metadata?: Metadata) {
            return super.newRecord(payload, metadata && { ...metadata, ...this.metadata })
          }
        })(options),
    },
  ],
  [
    'hands its metadata on to its records, where local metadata goes before',
    'Broken.newRecord kept the metadata of one record for the next',
    {
      create: (options) =>
        new (class Broken extends Counter {
          #kept: Metadata = {}

          override newRecord(payload: unknown, metadata?: Metadata) {
            this.#kept = { ...this.#kept, ...metadata }
            return super.newRecord(payload, this.#kept)
          }
        })(options),
    },
  ],
  [
    'does not read or change its metadata',
    "Broken reads 'step' from its metadata: take what it needs as an option of its own",
    {
      create: (options) =>
        new (class Broken extends Counter {
          override pull(update: Update) {
            this.count += Number(this.metadata['step'] ?? 0)
            return super.pull(update)
          }
        })(options),
    },
  ],
  [
    'does not read or change its metadata',
    "Broken looks for 'step' in its metadata: take what it needs as an option of its own",
    {
      create: (options) =>
        new (class Broken extends Counter {
          readonly step: number

          constructor(options: InletOptions) {
            super(options)
            this.step = 'step' in (options.metadata ?? {}) ? 2 : 1
          }
        })(options),
    },
  ],
  [
    'does not read or change its metadata',
    "Broken sets 'pulled' in its metadata: take what it needs as an option of its own",
    {
      create: (options) =>
        new (class Broken extends Counter {
          override pull(update: Update) {
            if (!Object.isFrozen(this.metadata)) Object.assign(this.metadata, { pulled: true })
            return super.pull(update)
          }
        })(options),
    },
  ],
  [
    'pulls a value, a Record, or a list of them',
    'Broken.pull gave undefined: expected a value, a Record, a list of them, or a promise of those',
    {
      create: () =>
        new (class Broken extends Counter {
          override pull(): unknown {
            return undefined
          }
        })(),
    },
  ],
  [
    'pulls a value, a Record, or a list of them',
    'Broken.pull gave undefined at 1 of its list: expected a value, a Record, a list of them, or a promise of those',
    {
      create: () =>
        new (class Broken extends Counter {
          override pull(): unknown {
            return [++this.count, undefined]
          }
        })(),
    },
  ],
  [
    'pulls a value, a Record, or a list of them',
    'Broken.pull gave a promise at 0 of its list: await them all, as by Promise.all()',
    {
      cloneable: false,
      repeatable: false,
      create: () =>
        new (class Broken extends Counter {
          override pull(): unknown {
            return [Promise.resolve(1)]
          }
        })(),
    },
  ],
  [
    'pulls a value, a Record, or a list of them',
    'Broken.pull gave a stream or iterator at 0 of its list: collect what it yields into a list',
    {
      cloneable: false,
      repeatable: false,
      create: () =>
        new (class Broken extends Counter {
          override pull(): unknown {
            return [[++this.count].values()]
          }
        })(),
    },
  ],
  [
    'ends a stream whose return() is called',
    'Broken.pull, return() of its stream, failed: Error: it goes on',
    {
      cloneable: false,
      repeatable: false,
      create: () =>
        new (class Broken extends Counter {
          override *pull() {
            try {
              yield [++this.count]
              yield [++this.count]
            } finally {
              if (this.count % 2 === 1) throw new Error('it goes on')
            }
          }
        })(),
    },
  ],
  [
    'pulls records that carry its metadata and say where they come from',
    "Broken.pull gave a record without the inlet's metadata: make records with this.newRecord()",
    {
      create: (options) =>
        new (class Broken extends Counter {
          override pull() {
            return [new Record(++this.count)]
          }
        })(options),
    },
  ],
  [
    'leaves alone what it has given',
    'Broken.pull changed what an earlier pull had given: give new objects each time',
    {
      repeatable: false,
      create: () =>
        new (class Broken extends Counter {
          readonly #all: number[] = []

          override pull(): unknown {
            this.#all.push(++this.count)
            return { all: this.#all }
          }
        })(),
    },
  ],
  [
    'ends a pull that is told to stop, and pulls again afterwards',
    'Broken.pull, told to stop, did not end within 0.05 s',
    {
      timeout: 0.05,
      create: () =>
        new (class Broken extends Counter {
          override async pull(update: Update): Promise<unknown> {
            await new Promise(setImmediate)
            return update.signal.aborted ? hang() : super.pull(update)
          }
        })(),
    },
  ],
  [
    'ends a pull that is told to stop, and pulls again afterwards',
    'Broken.pull, after one that was told to stop, failed: Error: stopped for good',
    {
      create: () =>
        new (class Broken extends Counter {
          #stopped = false

          override pull(update: Update): unknown {
            this.#stopped ||= update.signal.aborted
            if (this.#stopped) throw new Error('stopped for good')
            return super.pull(update)
          }
        })(),
    },
  ],
  [
    'takes in how its transfers ended, and pulls on',
    'Broken.onTransferEnd failed: Error: no such pull',
    {
      create: () =>
        new (class Broken extends Counter {
          readonly #pulled = new Set<Update>()

          override pull(update: Update): unknown {
            this.#pulled.add(update)
            return super.pull(update)
          }

          override onTransferEnd(update: Update): void {
            if (!this.#pulled.delete(update)) throw new Error('no such pull')
          }
        })(),
    },
  ],
  [
    'pulls for two links at once',
    'Broken.pull failed: Error: busy',
    {
      create: () =>
        new (class Broken extends Counter {
          #busy = false

          override async pull(update: Update): Promise<unknown> {
            if (this.#busy && !update.signal.aborted) throw new Error('busy')
            this.#busy = true
            await new Promise(setImmediate)
            this.#busy = false
            return super.pull(update)
          }
        })(),
    },
  ],
  [
    'pulls for two links at once',
    'Broken.pull gave two links at once other payloads than two pulls in turn',
    {
      repeatable: true,
      create: () =>
        new (class Broken extends Counter {
          override async pull() {
            const { count } = this
            await new Promise(setImmediate)
            return (this.count = count + 1)
          }
        })(),
    },
  ],
  [
    'hands over its state, so that another instance carries on',
    'Broken with the state of another gave [ 1 ]: expected [ 2 ], which that one would have given next',
    {
      create: () =>
        new (class Broken extends Counter {
          override pull() {
            return [++this.count]
          }

          override restoreState() {}
        })(),
    },
  ],
  [
    'hands over its state, so that another instance carries on',
    /^Broken\.saveState gave what cannot be cloned: .*could not be cloned/,
    {
      create: () =>
        new (class Broken extends Counter {
          override saveState() {
            return { next: () => this.count }
          }
        })(),
    },
  ],
  [
    'hands over its state, so that another instance carries on',
    'Broken has no restoreState, though saveState gave something: it would be lost',
    {
      create: () =>
        new (class Broken extends Inlet {
          pull() {
            return 1
          }

          override saveState() {
            return 1
          }
        })(),
    },
  ],
  [
    'has a name for logs that does not change',
    'Broken.toString changed from Broken(idle) to Broken(active) by the start: records and logs go by it',
    {
      create: () =>
        new (class Broken extends Counter {
          override toString() {
            return `Broken(${this.active ? 'active' : 'idle'})`
          }

          override newRecord(payload: unknown, metadata?: Metadata) {
            const record = super.newRecord(payload, metadata)
            return record.with({ metadata: { __inlet__: String(this) } })
          }
        })(),
    },
  ],
  [
    'can be started, shut down and started again',
    'Broken.onStart failed: Error: only once',
    {
      create: () =>
        new (class Broken extends Counter {
          #used = false

          override onStart() {
            if (this.#used) throw new Error('only once')
            this.#used = true
          }
        })(),
    },
  ],
  [
    'is shut down twice as well as once, and also when it was never started',
    'Broken.onShutdown before any start failed: Error: not open',
    {
      create: () =>
        new (class Broken extends Counter {
          #open = false

          override onStart() {
            this.#open = true
          }

          override onShutdown() {
            if (!this.#open) throw new Error('not open')
          }
        })(),
    },
  ],
  [
    'is shut down twice as well as once, and also when it was never started',
    'Broken.onShutdown after a shutdown failed: Error: closed already',
    {
      create: () =>
        new (class Broken extends Counter {
          #state = 'new'

          override onStart() {
            this.#state = 'open'
          }

          override onShutdown() {
            if (this.#state === 'closed') throw new Error('closed already')
            if (this.#state === 'open') this.#state = 'closed'
          }
        })(),
    },
  ],
  [
    'is started and shut down once, however many links share it',
    'Broken.onStart was called 2 times for two links: expected once',
    {
      create: () =>
        new (class Broken extends Counter {
          #holders = 0

          override async tryStart() {
            const again = ++this.#holders > 1
            await super.tryStart()
            if (again) await this.onStart()
          }

          override async tryShutdown() {
            this.#holders--
            await super.tryShutdown()
          }
        })(),
    },
  ],
  [
    'leaves nothing open when it is shut down',
    'Broken left something open after its shutdown: Timeout',
    {
      timeout: 0.1,
      create: () =>
        new (class Broken extends Counter {
          override onStart() {
            const timer = setTimeout(() => {}, 5000)
            t.teardown(() => clearTimeout(timer))
          }
        })(),
    },
  ],
  [
    'gives payloads that can be copied',
    /^Broken\.pull gave a payload that cannot be copied \(.*\): give plain data$/,
    {
      repeatable: false,
      create: () =>
        new (class Broken extends Counter {
          static same = () => {}

          override pull() {
            return { count: ++this.count, log: Broken.same }
          }
        })(),
    },
  ],
  [
    'gives 2 records at its first pull',
    'Broken.pull gave 1 records: expected 2',
    { expected: 2, create: () => new (class Broken extends Counter {})() },
  ],
  [
    'is refused when its source fails',
    'Broken.pull gave [] though its source fails: reject, as nobody can tell that from data',
    {
      create: () => new Counter(),
      failing: () =>
        new (class Broken extends Counter {
          override pull() {
            return []
          }
        })(),
    },
  ],
  [
    'is refused when its source fails',
    "Broken.pull, as its source fails, threw 'down': expected an Error",
    {
      create: () => new Counter(),
      failing: () =>
        new (class Broken extends Counter {
          override pull(): unknown {
            // eslint-disable-next-line @typescript-eslint/only-throw-error -- this is what it breaks
            throw 'down'
          }
        })(),
    },
  ],
  [
    'ends a pull that hangs when it is told to stop',
    'Broken.pull, told to stop while its source hangs, did not end within 0.05 s',
    {
      timeout: 0.05,
      create: () => new Counter(),
      hanging: () =>
        new (class Broken extends Counter {
          override pull() {
            return hang()
          }
        })(),
    },
  ],
  [
    'ends a pull that hangs when it is told to stop',
    'hanging() gave an inlet whose pull ended by itself: that shows nothing',
    { create: () => new Counter(), hanging: () => new Counter() },
  ],
  ...(
    [
      [
        'its toString()',
        class Broken extends Counter {
          override toString() {
            return 'Broken(http://user:s3cret@host)'
          }
        },
      ],
      [
        "a record's metadata",
        class Broken extends Counter {
          override pull() {
            return this.newRecord(++this.count, { from: { url: 'http://user:s3cret@host' } })
          }
        },
      ],
      [
        'a log line',
        class Broken extends Counter {
          override pull(update: Update) {
            getLogger('databay.Broken').trace('pulling with s3cret')
            return super.pull(update)
          }
        },
      ],
    ] as const
  ).map(([place, Broken]): readonly [string, string, InletSetup] => [
    'shows no secret',
    `Broken shows secrets[0] in ${place}`,
    { create: () => new Broken(), secrets: ['s3cret'] },
  ]),
  [
    'shows no secret',
    'Counter shows secrets[1] in an error',
    {
      create: () => new Counter(),
      secrets: ['another', 's3cret'],
      failing: () =>
        new (class Failing extends Counter {
          override pull(): unknown {
            throw new Error('refused', { cause: Object.assign(new Error('login'), { password: 's3cret' }) })
          }
        })(),
    },
  ],
]

for (const [test, says, setup] of BROKEN) {
  t.test(String(says), async (t) => {
    const failures = await failuresOf(new InletTester(setup))
    t.same(Object.keys(failures), [test], JSON.stringify(failures))
    if (typeof says === 'string') t.equal(failures[test], says)
    else t.match(failures[test], says)
  })
}

t.test('every check has an inlet that fails it', async (t) => {
  const all = new InletTester({
    create: () => new Counter(),
    expected: 2,
    failing: () => new Counter(),
    hanging: () => new Counter(),
    secrets: ['s3cret'],
  })
  const names = [...(await resultsOf(all)).keys()]
  const broken = BROKEN.map(([test]) => test)
  t.same(
    names.filter((name) => !broken.includes(name)),
    [],
  )
})

t.test('an inlet that is none, or cannot be made, fails every test', async (t) => {
  const none = await failuresOf(new InletTester(() => ({}) as unknown as Inlet))
  t.equal(Object.keys(none).length, 17)
  t.same([...new Set(Object.values(none))], ['create() gave an object of class Object: expected an Inlet'])
  const failing = await failuresOf(new InletTester(() => Promise.reject(new Error('no server'))))
  t.same([...new Set(Object.values(failing))], ['create() failed: Error: no server'])
  t.equal(Object.keys(failing).length, 17)
})

t.test('metadata has to be handed on where create takes options', async (t) => {
  const failures = await failuresOf(new InletTester((_options) => new Counter()))
  t.same(
    new Set(Object.values(failures)),
    new Set(['Counter.metadata lacks what create() was given: hand the options on to super(options)']),
  )
})

t.test('hooks are called around every check, also one that fails', async (t) => {
  const calls: string[] = []
  await resultsOf(
    new InletTester({
      before: () => calls.push('before'),
      after: async () => Promise.resolve(calls.push('after')),
      create: () => {
        calls.push('create')
        throw new Error('no')
      },
    }),
  )
  t.same(calls.slice(0, 6), ['before', 'create', 'after', 'before', 'create', 'after'])
  const failures = await failuresOf(
    new InletTester({ create: () => new Counter(), before: () => Promise.reject(new Error('no folder')) }),
  )
  t.same([...new Set(Object.values(failures))], ['no folder'])
})

t.test('a timer that is left running is found, though one of the runner ends meanwhile', async (t) => {
  // as vitest has one to report results
  const ofRunner = setTimeout(() => {}, 60_000)
  t.teardown(() => clearTimeout(ofRunner))
  class Broken extends Counter {
    override pull(update: Update) {
      clearTimeout(ofRunner)
      const timer = setInterval(() => {}, 5000)
      t.teardown(() => clearInterval(timer))
      return super.pull(update)
    }
  }
  const failures: string[] = []
  await new InletTester({ timeout: 0.1, create: () => new Broken() }).run(async (name, body) => {
    if (name !== 'leaves nothing open when it is shut down') return
    await body().catch((error: unknown) => failures.push((error as Error).message))
  })
  t.same(failures, ['Broken left something open after its shutdown: Timeout'])
})

t.test('a timer that the runner starts meanwhile is not held against an inlet', async (t) => {
  const runner = new EventEmitter()
  runner.on('pull', () => {
    const timer = setTimeout(() => {}, 60_000)
    t.teardown(() => clearTimeout(timer))
  })
  const outside = AsyncResource.bind(() => runner.emit('pull'))
  class Sound extends Counter {
    override pull(update: Update) {
      outside()
      return super.pull(update)
    }
  }
  const failures = await failuresOf(new InletTester({ timeout: 0.1, create: () => new Sound() }))
  t.same(failures, {})
})

t.test('a set-up is checked where it is given', async (t) => {
  const create = () => new Counter()
  const make = (setup: unknown) => () => new InletTester(setup as InletSetup)
  t.throws(make(undefined), { message: /^InletTester: expected a function that creates, a set-up, or several/ })
  t.throws(make({}), { message: /^InletTester: expected a function that creates, a set-up, or several/ })
  t.throws(make({ create, expects: 1 }), { message: /^InletTester\.expects: expected one of the options/ })
  t.throws(make({ create: 1 }), { message: 'InletTester.create: expected a function, got 1' })
  t.throws(make({ a: 1 }), { message: /^InletTester\.options: expected an object/ })
  t.throws(make({ create, expected: -1 }), { message: 'InletTester.expected: expected a number of records, got -1' })
  t.throws(make({ create, secrets: [''] }), { message: /^InletTester\.secrets: expected a list of texts/ })
  t.throws(make({ create, before: 1 }), { message: 'InletTester.before: expected a function, got 1' })
  t.throws(make({ create, timeout: 0 }), { message: /^InletTester\.timeout/ })
})
