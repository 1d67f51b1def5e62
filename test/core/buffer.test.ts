import fc from '../helpers/fast-check.js'
import t from 'tap'
import { Buffer, type BufferController, type BufferOptions } from '../../src/core/buffer.js'
import { Cancellation } from '../../src/core/cancellation.js'
import { Record } from '../../src/core/record.js'
import { Update } from '../../src/core/update.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'

const records = (...payloads: number[]) => payloads.map((payload) => new Record(payload))

/** Payloads that the buffer releases when it is given those. */
async function pass(buffer: Buffer, ...payloads: number[]): Promise<unknown[]> {
  return (await buffer.process(records(...payloads))).map((record) => record.payload)
}

/** A clock that stands still until it is moved. */
function clock() {
  let at = 1_000_000
  return {
    now: () => at,
    pass: (seconds: number) => {
      at += seconds * 1000
    },
  }
}

t.test('a buffer releases when the count is reached, all at once', async (t) => {
  const buffer = new Buffer({ countThreshold: 10 })
  t.strictSame(await pass(buffer, 1, 2, 3, 4), [])
  t.strictSame(await pass(buffer, 5, 6, 7, 8), [])
  t.equal(buffer.size, 8)
  t.strictSame(await pass(buffer, 9, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  t.equal(buffer.size, 0)
  t.strictSame(await pass(buffer, 11), [], 'and counts anew')
})

t.test('a buffer that is exceeded in one transfer releases more than the count', async (t) => {
  t.strictSame(await pass(new Buffer({ countThreshold: 2 }), 1, 2, 3), [1, 2, 3])
})

t.test('a buffer releases when the time since its first record has passed', async (t) => {
  const { now, pass: wait } = clock()
  const buffer = new Buffer({ timeThreshold: 60, now })
  wait(1000)
  t.strictSame(await pass(buffer, 1), [], 'the time before the first record does not count')
  wait(59.999)
  t.strictSame(await pass(buffer, 2), [])
  wait(0.001)
  t.strictSame(await pass(buffer), [1, 2], 'at a transfer without records too')
  wait(1000)
  t.strictSame(await pass(buffer), [])
  t.strictSame(await pass(buffer, 3), [], 'the time starts anew with the next record')
  wait(60)
  t.strictSame(await pass(buffer, 4), [3, 4])
})

t.test('a time of 0 releases at once', async (t) => {
  t.strictSame(await pass(new Buffer({ timeThreshold: 0 }), 1), [1])
})

t.test('without a clock of its own a buffer goes by the real one', async (t) => {
  t.strictSame(await pass(new Buffer({ timeThreshold: 3600 }), 1), [])
})

t.test('custom controllers see all records that would be released', async (t) => {
  const seen: unknown[][] = []
  const buffer = new Buffer<number>({
    customControllers: (all) => {
      seen.push(all.map((record) => record.payload))
      return all.some((record) => record.payload > 10)
    },
  })
  t.strictSame(await pass(buffer as Buffer, 1, 2), [])
  t.strictSame(await pass(buffer as Buffer, 11), [1, 2, 11])
  t.strictSame(seen, [
    [1, 2],
    [1, 2, 11],
  ])
})

t.test('controllers may be asynchronous', async (t) => {
  const buffer = new Buffer({ customControllers: [async () => false, async (all) => all.length > 1] })
  t.strictSame(await pass(buffer, 1), [])
  t.strictSame(await pass(buffer, 2), [1, 2])
})

t.test('a buffer without controllers stores', async (t) => {
  t.strictSame(await pass(new Buffer(), 1), [])
  t.strictSame(await pass(new Buffer({ conjugateControllers: true }), 1), [])
})

t.test('controllers are asked in the order custom, count, time, until the decision is known', async (t) => {
  /** Which controllers are asked, when they answer as given. */
  async function asked(conjugateControllers: boolean, ...answers: boolean[]) {
    const order: string[] = []
    const answering = (name: string, answer: boolean): BufferController => {
      return () => {
        order.push(name)
        return answer
      }
    }
    const [first, second, count, time] = answers as [boolean, boolean, boolean, boolean]
    const buffer = new Buffer({
      customControllers: [answering('first', first), answering('second', second)],
      countThreshold: count ? 1 : 2,
      timeThreshold: time ? 0 : 60,
      conjugateControllers,
      now: () => {
        order.push('clock')
        return 5
      },
    })
    const released = (await pass(buffer, 1)).length === 1
    // the clock is read once for the first record, and once by the time controller; a release reads it again
    const timeAsked = order.filter((name) => name === 'clock').length > (released ? 2 : 1)
    return [released, ...order.filter((name) => name !== 'clock'), ...(timeAsked ? ['time'] : [])]
  }

  t.test('with OR until one wants to release', async (t) => {
    t.strictSame(await asked(false, true, true, true, true), [true, 'first'])
    t.strictSame(await asked(false, false, true, true, true), [true, 'first', 'second'])
    t.strictSame(await asked(false, false, false, true, false), [true, 'first', 'second'])
    t.strictSame(await asked(false, false, false, false, true), [true, 'first', 'second', 'time'])
    t.strictSame(await asked(false, false, false, false, false), [false, 'first', 'second', 'time'])
  })

  t.test('with AND until one wants to store', async (t) => {
    t.strictSame(await asked(true, false, true, true, true), [false, 'first'])
    t.strictSame(await asked(true, true, false, true, true), [false, 'first', 'second'])
    t.strictSame(await asked(true, true, true, false, true), [false, 'first', 'second'])
    t.strictSame(await asked(true, true, true, true, false), [false, 'first', 'second', 'time'])
    t.strictSame(await asked(true, true, true, true, true), [true, 'first', 'second', 'time'])
  })
})

t.test('getControllers() gives the active ones, in their order', async (t) => {
  const custom = () => true
  const names = (options: BufferOptions) => new Buffer(options).getControllers().map((controller) => controller.name)
  t.strictSame(names({}), [])
  t.strictSame(names({ timeThreshold: 1, countThreshold: 1, customControllers: custom }), [
    'custom',
    'countController',
    'timeController',
  ])
})

t.test('controllers are not asked about nothing', async (t) => {
  let asked = 0
  const buffer = new Buffer({
    customControllers: () => {
      asked++
      return true
    },
  })
  t.strictSame(await pass(buffer), [])
  t.equal(asked, 0)
})

t.test('a controller that throws is logged, and the others decide', async (t) => {
  const failing: BufferController[] = [
    function broken() {
      throw new Error('cannot tell')
    },
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as users may
    () => Promise.reject('nor can I'),
  ]

  t.test('with OR', async (t) => {
    const log = captureLogs(t)
    t.strictSame(await pass(new Buffer({ customControllers: failing, countThreshold: 1 }), 1), [1])
    t.match(log.entries(), [
      { name: 'databay.Buffer', msg: /broken/, err: { message: 'cannot tell' } },
      { name: 'databay.Buffer', err: { message: "something other than an Error was thrown: 'nor can I'" } },
    ])
    t.strictSame(await pass(new Buffer({ customControllers: failing, countThreshold: 2 }), 1), [])
  })

  t.test('with AND', async (t) => {
    captureLogs(t)
    const conjugateControllers = true
    const both = { customControllers: failing, conjugateControllers }
    t.strictSame(await pass(new Buffer({ ...both, countThreshold: 1 }), 1), [1])
    t.strictSame(await pass(new Buffer({ ...both, countThreshold: 2 }), 1), [])
  })

  t.test('and when there are no others, the records are stored', async (t) => {
    captureLogs(t)
    t.strictSame(await pass(new Buffer({ customControllers: failing }), 1), [])
    t.strictSame(await pass(new Buffer({ customControllers: failing, conjugateControllers: true }), 1), [])
  })
})

t.test('flush releases everything at the next call, once, whatever the controllers say', async (t) => {
  let resets = 0
  const buffer = new Buffer({ countThreshold: 100, onReset: () => resets++ })
  await pass(buffer, 1)
  buffer.flush = true
  t.equal(buffer.size, 1, 'not before')
  t.strictSame(await pass(buffer, 2), [1, 2])
  t.notOk(buffer.flush)
  t.equal(resets, 1)
  t.strictSame(await pass(buffer, 3), [])
})

t.test('flushing an empty buffer does not make the next one flush', async (t) => {
  const buffer = new Buffer({ countThreshold: 100 })
  buffer.flush = true
  t.strictSame(await pass(buffer), [])
  t.strictSame(await pass(buffer, 1), [])
})

t.test('reset() empties the buffer and starts its controllers anew', async (t) => {
  const { now, pass: wait } = clock()
  let resets = 0
  const buffer = new Buffer({ countThreshold: 3, timeThreshold: 60, now, onReset: () => resets++ })
  await pass(buffer, 1, 2)
  wait(59)
  buffer.reset()
  t.equal(resets, 1)
  t.equal(buffer.size, 0)
  t.strictSame(await pass(buffer, 3, 4), [])
  wait(59)
  t.strictSame(await pass(buffer), [])
  wait(1)
  t.strictSame(await pass(buffer), [3, 4])
  t.equal(resets, 2, 'a release resets too')
})

t.test('an onReset that throws is logged, and the records are released all the same', async (t) => {
  const log = captureLogs(t)
  const buffer = new Buffer({
    countThreshold: 1,
    onReset: () => {
      throw new Error('bad reset')
    },
  })
  t.strictSame(await pass(buffer, 1), [1])
  t.match(log.entries(), [{ name: 'databay.Buffer', msg: 'onReset failed', err: { message: 'bad reset' } }])
})

t.test('the records pass as they are', async (t) => {
  const [record] = records(1)
  const [released] = await new Buffer({ countThreshold: 1 }).process([record!])
  t.equal(released, record)
})

t.test('a buffer whose transfer is told to stop while it decides keeps its records', async (t) => {
  const decision = deferred<boolean>()
  const cancellation = new Cancellation()
  const buffer = new Buffer({ customControllers: () => decision.promise })
  const first = buffer.process(records(1), new Update([], 0, cancellation))
  cancellation.cancel(new Error('too late'))
  decision.resolve(true)
  t.strictSame(await first, [])
  t.equal(buffer.size, 1)
  t.strictSame(await pass(buffer, 2), [1, 2])
})

t.test('a buffer hands its records and their age over to another instance', async (t) => {
  const here = clock()
  const there = clock()
  there.pass(5000)
  const one = new Buffer({ timeThreshold: 60, now: here.now })
  await one.process([new Record(1, { from: 'here' })])
  here.pass(40)
  const other = new Buffer({ timeThreshold: 60, now: there.now })
  other.restoreState(structuredClone(one.saveState()))
  t.equal(other.size, 1)
  there.pass(19)
  t.strictSame(await pass(other), [])
  there.pass(1)
  const [released] = await other.process([])
  t.match(released, { payload: 1, metadata: { from: 'here' } })
  t.ok(released instanceof Record)
})

t.test('a buffer that holds records takes over others before them, and the greater age', async (t) => {
  const { now, pass: passTime } = clock()
  const one = new Buffer({ now })
  await pass(one, 1, 2)
  passTime(40)
  const other = new Buffer({ timeThreshold: 60, now })
  await pass(other, 3)
  other.restoreState(one.saveState())
  t.equal(other.size, 3)
  passTime(20)
  t.strictSame(await pass(other), [1, 2, 3])
})

t.test('what is no option of a buffer, or not as it should be, is refused', async (t) => {
  const wrong: [object | null, RegExp][] = [
    [null, /^options: expected an object, got null/],
    [
      { count_threshold: 5 },
      /^count_threshold: expected one of the options, got 'count_threshold': .+ They are countThreshold, /,
    ],
    [{ countThreshold: 0 }, /^countThreshold: expected an integer of at least 1, got 0/],
    [{ countThreshold: 1.5 }, /^countThreshold: expected an integer of at least 1, got 1\.5/],
    [{ countThreshold: '5' }, /^countThreshold: expected an integer of at least 1, got '5'/],
    [{ countThreshold: Number.NaN }, /^countThreshold: expected an integer of at least 1, got NaN/],
    [{ timeThreshold: -1 }, /^timeThreshold: expected a number of seconds of at least 0, got -1/],
    [{ timeThreshold: null }, /^timeThreshold: expected a number of seconds of at least 0, got null/],
    [{ customControllers: [() => true, 1] }, /^customControllers\[1\]: expected a function, got 1/],
    [{ conjugateControllers: 1 }, /^conjugateControllers: expected a boolean, got 1/],
    [{ onReset: 'x' }, /^onReset: expected a function, got 'x'/],
    [{ now: 5 }, /^now: expected a function, got 5/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => new Buffer(options as BufferOptions), { code: 'DATABAY_INVALID_OPTION', message })
  }
})

t.test('for any settings and any course of events, a buffer does as the simplest one would', async (t) => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 4 }),
    count: fc.integer({ min: 0, max: 4 }),
    flush: fc.constantFrom(false, false, false, true),
    reset: fc.constantFrom(false, false, false, true),
  })
  const settings = fc.record({
    count: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    seconds: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined }),
    custom: fc.array(fc.constantFrom<'even' | 'throws'>('even', 'throws'), { maxLength: 3 }),
    conjugate: fc.boolean(),
  })
  captureLogs(t, 'silent')
  await fc.assert(
    fc.asyncProperty(settings, fc.array(step, { maxLength: 30 }), async (settings, steps) => {
      const { now, pass: wait } = clock()
      const even: BufferController = (all) => all.length % 2 === 0
      const throws: BufferController = () => {
        throw new Error('cannot tell')
      }
      const buffer = new Buffer({
        ...(settings.count === undefined ? {} : { countThreshold: settings.count }),
        ...(settings.seconds === undefined ? {} : { timeThreshold: settings.seconds }),
        customControllers: settings.custom.map((kind) => (kind === 'even' ? even : throws)),
        conjugateControllers: settings.conjugate,
        now,
      })
      let held: number[] = []
      let since = 0
      let next = 0
      for (const { wait: seconds, count, flush, reset } of steps) {
        wait(seconds)
        if (reset) {
          buffer.reset()
          held = []
        }
        if (held.length === 0) since = now()
        const given = Array.from({ length: count }, () => next++)
        held.push(...given)
        if (flush) buffer.flush = true
        const answers = settings.custom.filter((kind) => kind === 'even').map(() => held.length % 2 === 0)
        if (settings.count !== undefined) answers.push(held.length >= settings.count)
        if (settings.seconds !== undefined) answers.push(now() - since >= settings.seconds * 1000)
        const agreed = settings.conjugate ? answers.length > 0 && answers.every(Boolean) : answers.some(Boolean)
        const expected = flush || (held.length > 0 && agreed) ? held.splice(0) : []
        const released = await pass(buffer, ...given)
        if (JSON.stringify(released) !== JSON.stringify(expected) || buffer.size !== held.length) {
          throw new Error(`released ${JSON.stringify(released)}, expected ${JSON.stringify(expected)}`)
        }
      }
    }),
    { numRuns: 300 },
  )
  t.pass('300 courses of events')
})
