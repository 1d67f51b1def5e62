import t from 'tap'
import { DatabayError, ImplementationError, InvalidOptionError } from '../../src/base/errors.js'
import { failedReport, TransferError, type ReportedError, type TransferReport } from '../../src/core/report.js'
import { plainError, restoreError, type PlainError } from '../../src/base/plain-error.js'

/** As an error arrives on the other side of a thread. */
function acrossThreads(thrown: unknown): Error {
  return restoreError(structuredClone(plainError(thrown)))
}

t.test('what goes to another thread comes back', async (t) => {
  t.test('with name, message, code and stack', async (t) => {
    const error = new InvalidOptionError('interval', 'a number', 'x')
    const restored = acrossThreads(error)
    t.ok(restored instanceof Error)
    t.match(restored, { name: error.name, message: error.message, code: error.code, stack: error.stack })
    t.equal(String(restored), String(error))
  })

  t.test('with a code that is a number', async (t) => {
    t.match(acrossThreads(Object.assign(new Error('x'), { code: 13 })), { code: 13 })
  })

  t.test('without a code that is neither text nor number', async (t) => {
    t.notOk('code' in plainError(Object.assign(new Error('x'), { code: { deep: 1 } })))
    t.notOk('code' in acrossThreads(new Error('x')))
  })

  t.test('with its own primitive fields, and without others', async (t) => {
    const error = Object.assign(new Error('x'), {
      path: '/tmp',
      errno: -2,
      retry: false,
      nothing: null,
      missing: undefined,
      socket: { open: true },
      big: 1n,
      call: () => 1,
    })
    const plain = plainError(error)
    t.strictSame(plain.fields, { path: '/tmp', errno: -2, retry: false, nothing: null })
    t.match(acrossThreads(error), { path: '/tmp', errno: -2, retry: false, nothing: null })
  })

  t.test('with its causes', async (t) => {
    const error = new Error('top', { cause: new TypeError('middle', { cause: new RangeError('root') }) })
    const restored = acrossThreads(error)
    const middle = restored.cause as Error
    t.match(middle, { name: 'TypeError', message: 'middle' })
    t.match(middle.cause, { name: 'RangeError', message: 'root' })
    t.equal((middle.cause as Error).cause, undefined)
  })

  t.test('with the errors of an AggregateError', async (t) => {
    const twice = new ImplementationError('twice')
    const error = new AggregateError([twice, twice, 'text'], 'several', { cause: new Error('why') })
    const restored = acrossThreads(error)
    t.ok(restored instanceof AggregateError)
    t.match(restored, { message: 'several', cause: { message: 'why' } })
    t.match((restored as AggregateError).errors, [
      { name: 'ImplementationError', code: 'DATABAY_IMPLEMENTATION', message: 'twice' },
      { name: 'ImplementationError', message: 'twice' },
      { message: "something other than an Error was thrown: 'text'" },
    ])
  })

  t.test('with its name, stack and message hidden from those who list its fields', async (t) => {
    t.strictSame(Object.keys(acrossThreads(new TypeError('x'))), [])
  })

  t.test('as an error even when it was none', async (t) => {
    t.match(acrossThreads(null), { message: 'something other than an Error was thrown: null' })
    t.match(acrossThreads('text'), { message: "something other than an Error was thrown: 'text'" })
    t.match(acrossThreads(Symbol('s')), { message: 'something other than an Error was thrown: Symbol(s)' })
    t.match(acrossThreads({ message: 'like one', code: 'E' }), { message: 'like one', code: 'E' })
  })
})

t.test('an error without a stack has none as plain data', async (t) => {
  const error = new Error('x')
  Reflect.deleteProperty(error, 'stack')
  Object.defineProperty(error, 'stack', { value: undefined })
  t.notOk('stack' in plainError(error))
  t.equal(restoreError({ name: 'Error', message: 'x' }).message, 'x')
})

t.test('plainError() never throws, and what it gives can be cloned', async (t) => {
  const refuse = (): never => {
    throw new Error('refused')
  }
  const unreadable = Object.create(Error.prototype) as Error
  for (const key of ['name', 'message', 'code', 'stack', 'cause', 'errors', 'own']) {
    Object.defineProperty(unreadable, key, { get: refuse, enumerable: true })
  }
  const aggregate = new AggregateError([], 'x')
  Object.defineProperty(aggregate, 'errors', { get: refuse })
  const notAList = Object.assign(new AggregateError([], 'x'), { errors: 'none' })
  const handler = { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }
  const closed: ProxyHandler<object> = { get: refuse, has: refuse, ownKeys: refuse }
  let looks = 0
  const onceOnly: ProxyHandler<AggregateError> = {
    getPrototypeOf: (target) => (looks++ === 0 ? (Object.getPrototypeOf(target) as object) : refuse()),
  }
  const cyclic = new Error('round')
  cyclic.cause = new Error('and round', { cause: cyclic })
  const hostile: [string, unknown][] = [
    ['null', null],
    ['undefined', undefined],
    ['a string', 'x'],
    ['a symbol', Symbol('s')],
    ['a function', refuse],
    ['a proxy', new Proxy({}, handler)],
    ['a proxy of an error', new Proxy(new Error('x'), handler)],
    ['a proxy that is an error', new Proxy(new Error('x'), closed)],
    ['a proxy that is an error at the first look only', new Proxy(new AggregateError([]), onceOnly)],
    ['an error with throwing getters', unreadable],
    ['an AggregateError that does not give its errors', aggregate],
    ['an AggregateError with something else for its errors', notAList],
    ['a cause that is a proxy', new Error('x', { cause: new Proxy(new Error('x'), handler) })],
    ['a cyclic cause', cyclic],
    ['a name that is a symbol', Object.assign(new Error('x'), { name: Symbol('n') })],
    ['a message that is an object', Object.assign(new Error('x'), { message: { a: 1 } })],
    ['a frozen error', Object.freeze(new Error('x'))],
    ['an object without prototype', Object.assign(Object.create(null), { message: 'x' })],
  ]
  for (const [what, thrown] of hostile) {
    const plain = structuredClone(plainError(thrown))
    t.type(plain.name, 'string', what)
    t.type(plain.message, 'string', what)
    t.type(restoreError(plain).message, 'string', what)
  }
})

t.test('what is not readable in an error is said, and the rest kept', async (t) => {
  const error = Object.assign(new Error('x'), { code: 'E' })
  Object.defineProperty(error, 'message', {
    get() {
      throw new Error('refused')
    },
  })
  t.match(plainError(error), { code: 'E', name: 'Error', message: 'an error without a readable message' })
})

t.test('a circle of causes ends where it closes', async (t) => {
  const first = new Error('first')
  const second = new Error('second', { cause: first })
  first.cause = second
  const plain = plainError(first)
  t.match(plain, { message: 'first', cause: { message: 'second' } })
  t.equal(plain.cause?.cause, undefined)
})

t.test('a long chain of causes is cut', async (t) => {
  let error = new Error('root')
  for (let depth = 0; depth < 100; depth++) error = new Error(`level ${depth}`, { cause: error })
  let causes = 0
  for (let at: PlainError | undefined = plainError(error); at !== undefined; at = at.cause) causes++
  t.equal(causes, 9)
})

t.test('a web of errors is cut before it fills the memory', async (t) => {
  let web = new AggregateError([new Error('leaf')])
  for (let depth = 0; depth < 8; depth++) web = new AggregateError(Array.from({ length: 50 }, () => web))
  const notes: string[] = []
  const count = (plain: PlainError): number => {
    if (plain.message.endsWith('left out')) return notes.push(plain.message) * 0
    return (plain.errors ?? []).reduce((sum, one) => sum + count(one), 1)
  }
  t.equal(count(plainError(web)), 1001)
  t.ok(notes.length > 0, 'what is left out is said to be')
})

t.test('a transfer that could not be made has a report that says why', async (t) => {
  const identity = { link: 'a', update: 'a.3', transferNumber: 3, thread: 2, scheduledAt: 5 }
  const before = Date.now()
  const report = failedReport(identity, new ImplementationError('no thread'), false)
  t.match(report, {
    ...identity,
    pulled: 0,
    dropped: 0,
    outlets: [],
    stages: [],
    errors: [{ node: 'thread 2', stage: 'transfer', code: 'DATABAY_IMPLEMENTATION', message: 'no thread' }],
    failed: true,
  })
  t.ok(report.startedAt >= before && report.endedAt === report.startedAt)
  t.notOk(failedReport(identity, 'lost', true).failed)
})

t.test('a failed transfer is an error that says where it failed', async (t) => {
  const report = (...errors: ReportedError[]): TransferReport => ({
    link: 'a',
    update: 'a.3',
    transferNumber: 3,
    thread: 0,
    scheduledAt: 0,
    startedAt: 0,
    endedAt: 0,
    busy: 0,
    pulled: 0,
    filtered: 0,
    added: 0,
    dropped: 0,
    buffered: 0,
    grouped: 0,
    batches: 0,
    rounds: 0,
    outlets: [],
    stages: [],
    errors,
    failed: true,
  })
  const one: ReportedError = {
    name: 'TypeError',
    message: 'no',
    code: 'E',
    node: 'HttpInlet',
    stage: 'pull',
  }

  t.test('with the error as its cause when there is one', async (t) => {
    const error = new TransferError(report(one))
    t.ok(error instanceof DatabayError)
    t.match(error, {
      name: 'TransferError',
      code: 'DATABAY_TRANSFER_FAILED',
      message: 'transfer a.3 failed: HttpInlet failed to pull: no',
      cause: { name: 'TypeError', message: 'no', code: 'E' },
      report: { update: 'a.3', errors: [one] },
    })
  })

  t.test('with all of them when there are several', async (t) => {
    const error = new TransferError(report(one, { ...one, message: 'nor this' }))
    t.equal(error.message, 'transfer a.3 failed: HttpInlet failed to pull: no (and 1 more)')
    t.ok(error.cause instanceof AggregateError)
    t.match(error.cause, { errors: [{ message: 'no' }, { message: 'nor this' }] })
  })

  t.test('with the link, when its updates are not called after it', async (t) => {
    t.equal(new TransferError({ ...report(), link: 'x.js#b', update: '3' }).message, 'transfer 3 of x.js#b failed')
    t.equal(new TransferError({ ...report(), link: '', update: '3' }).message, 'transfer 3 failed')
  })

  t.test('also when it says nothing of errors', async (t) => {
    const error = new TransferError(report())
    t.equal(error.message, 'transfer a.3 failed')
    t.equal(error.cause, undefined)
  })
})
