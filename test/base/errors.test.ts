import { runInNewContext } from 'node:vm'
import t from 'tap'
import {
  DatabayError,
  ImplementationError,
  InvalidNodeError,
  InvalidOptionError,
  isError,
  LinkModuleError,
  MissingDependencyError,
  MissingLinkError,
  PlannerStateError,
  ScheduleIntervalError,
  show,
  ThreadLostError,
  toError,
  TransferCancelledError,
  TransferTimeoutError,
  UncloneableRecordError,
} from '../../src/base/errors.js'
import { hideValue } from '../../src/base/scrub.js'
import { PartialPushError } from '../../src/core/partial-push.js'
import { DatabaseError } from '../../src/connectors/errors.js'
import { getLogger } from '../../src/base/log.js'
import { plainError, restoreError } from '../../src/base/plain-error.js'
import { captureLogs } from '../helpers/logs.js'

type Plain = typeof DatabayError

const PLAIN: [Plain, string][] = [
  [DatabaseError, 'DATABAY_DATABASE'],
  [ImplementationError, 'DATABAY_IMPLEMENTATION'],
  [InvalidNodeError, 'DATABAY_INVALID_NODE'],
  [MissingDependencyError, 'DATABAY_MISSING_DEPENDENCY'],
  [MissingLinkError, 'DATABAY_MISSING_LINK'],
  [PlannerStateError, 'DATABAY_PLANNER_STATE'],
  [ScheduleIntervalError, 'DATABAY_SCHEDULE_INTERVAL'],
  [ThreadLostError, 'DATABAY_THREAD_LOST'],
  [TransferCancelledError, 'DATABAY_TRANSFER_CANCELLED'],
  [TransferTimeoutError, 'DATABAY_TRANSFER_TIMEOUT'],
  [UncloneableRecordError, 'DATABAY_UNCLONEABLE_RECORD'],
]

t.test('every error has its stable code, its name, its message and its cause', async (t) => {
  for (const [Class, code] of PLAIN) {
    const cause = new Error('why')
    const error = new Class('what', { cause })
    t.match(error, { code, name: Class.name, message: 'what', cause }, Class.name)
    t.ok(error instanceof DatabayError && error instanceof Error)
    t.equal(new Class('what').cause, undefined)
    t.equal(Class.code, code)
  }
})

t.test('a class of errors without a code of its own has that of the class above', async (t) => {
  class JobsError extends DatabayError {
    static override readonly code = 'JOBS'
  }
  class QueueError extends JobsError {}
  t.match(new QueueError('full'), { code: 'JOBS', name: 'QueueError', message: 'full' })
  t.equal(new DatabayError('what').code, 'DATABAY')
})

t.test('no two kinds of error share a code', async (t) => {
  const codes = PLAIN.map(([, code]) => code)
  codes.push(new InvalidOptionError('a', 'b', 1).code, new LinkModuleError('a', 'b').code)
  t.equal(new Set(codes).size, codes.length)
})

t.test('an invalid option is named, with what was expected and what came', async (t) => {
  const cause = new Error('why')
  t.match(new InvalidOptionError('interval.seconds', 'a number of at least 0', 'soon', { cause }), {
    name: 'InvalidOptionError',
    code: 'DATABAY_INVALID_OPTION',
    option: 'interval.seconds',
    message: "interval.seconds: expected a number of at least 0, got 'soon'",
    cause,
  })
})

t.test('an error of a link module names the module', async (t) => {
  t.match(new LinkModuleError('file:///links.js', 'exports no link', { cause: 1 }), {
    name: 'LinkModuleError',
    code: 'DATABAY_LINK_MODULE',
    module: 'file:///links.js',
    message: 'file:///links.js: exports no link',
    cause: 1,
  })
})

t.test('show() puts a value on one line', async (t) => {
  const cases: [unknown, string][] = [
    [undefined, 'undefined'],
    [null, 'null'],
    ['a\nb', "'a\\nb'"],
    [{ a: { b: { c: 1 } } }, '{ a: { b: [Object] } }'],
    [[1, 2, 3, 4, 5, 6, 7], '[ 1, 2, 3, 4, 5, ... 2 more items ]'],
    [Symbol('x'), 'Symbol(x)'],
    [10n, '10n'],
    [new TypeError('bad'), 'TypeError: bad'],
    [new Error('two\nlines'), 'Error: two lines'],
  ]
  for (const [value, text] of cases) t.equal(show(value), text)
})

t.test('show() never shows a whole payload', async (t) => {
  t.ok(show('x'.repeat(10_000)).length <= 210)
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, index]))
  t.match(show(wide), /^\{ key0: 0, .+…$/)
  t.ok(show(wide).length <= 210)
})

t.test('show() hides a secret also where it cuts a text', async (t) => {
  hideValue('s3cr3t-of-show')
  t.notMatch(show(`${'x'.repeat(92)}s3cr3t-of-show`), /s3cr/)
  t.notMatch(show({ text: [`${'x'.repeat(92)}s3cr3t-of-show`] }), /s3cr/)
})

t.test('show() never throws', async (t) => {
  const custom = {
    [Symbol.for('nodejs.util.inspect.custom')]() {
      throw new Error('not to be looked at')
    },
  }
  const mute = Object.assign(new Error('x'), {
    toString() {
      throw new Error('not to be read')
    },
  })
  t.equal(show(custom), 'something that cannot be shown (object)')
  t.equal(show(mute), 'something that cannot be shown (object)')
})

t.test('toError() leaves an error as it is', async (t) => {
  const error = new RangeError('x')
  t.equal(toError(error), error)
})

t.test('toError() leaves an error of another realm as it is', async (t) => {
  const foreign: unknown = runInNewContext('new TypeError("from elsewhere")')
  t.notOk(foreign instanceof Error)
  t.equal(toError(foreign), foreign)
  t.ok(isError(foreign))
})

t.test('toError() takes over message, name and code of what looks like an error', async (t) => {
  const thrown = { message: 'no such file', name: 'SystemError', code: 'ENOENT' }
  const error = toError(thrown)
  t.ok(error instanceof Error)
  t.match(error, { message: 'no such file', name: 'SystemError', code: 'ENOENT', cause: thrown })
  t.notOk('code' in toError({ message: 'x' }))
  t.equal(toError({ message: 5 }).message, '5')
  t.equal(toError({ message: 'x', name: 5 }).name, 'Error')
})

t.test('toError() says what was thrown instead of an error, and keeps it', async (t) => {
  for (const thrown of [null, undefined, 'text', 5, Symbol('s'), { a: 1 }, () => 1, []]) {
    const error = toError(thrown)
    t.equal(error.message, `something other than an Error was thrown: ${show(thrown)}`)
    t.equal(error.cause, thrown)
  }
})

t.test('toError() never throws', async (t) => {
  const refuse = () => {
    throw new Error('refused')
  }
  const refusing = new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse })
  t.equal(toError(refusing).cause, refusing)
  const unreadable = Object.defineProperty({}, 'message', { get: refuse })
  t.match(toError(unreadable).message, /^something other than an Error was thrown/)
})

t.test('a push that was not taken whole says of which records, and why, in short', async (t) => {
  const refused = (count: number, why: (index: number) => string) =>
    new PartialPushError(
      'X',
      1,
      Array.from({ length: count }, (_, index) => ({ index, error: new Error(why(index)) })),
    )
  const message = 'X: 3 of 4 records were not taken: odd (records 0, 2); even (record 1)'
  t.equal(refused(3, (index) => (index % 2 === 0 ? 'odd' : 'even')).message, message)
  t.equal(refused(1, () => 'odd').message, 'X: 1 of 2 records were not taken: odd (record 0)')
  t.equal(refused(0, () => '').message, 'X: 0 of 1 records were not taken')
  const many = refused(5000, (index) => `reason ${index % 5}`)
  t.match(many.message, /: reason 0 \(records 0, 5, .*, 45, …\); reason 1 .*; reason 2 \(.*, …\); …$/)
  t.equal(many.rejected.length, 5000)
  const logs = captureLogs(t)
  getLogger('databay.X').error({ err: many })
  t.ok((logs.lines[0]?.length ?? 0) < 3000, 'nor does a log line hold them all')
  t.equal(plainError(many).message, many.message)
})

t.test('an error says whether another try may help, where it is known, in another thread too', async (t) => {
  t.equal(new UncloneableRecordError('a payload').retryable, false, 'what is of a record is refused each time')
  t.notOk('retryable' in new DatabayError('x'), 'most errors do not say')
  t.equal(new DatabayError('x', { retryable: true }).retryable, true)
  t.equal(new UncloneableRecordError('x', { retryable: true }).retryable, true, 'an error has the say over its class')
  class NotAnOrder extends DatabayError {
    static override readonly retryable = false
  }
  t.equal(new NotAnOrder('x').retryable, false)
  const restored = restoreError(structuredClone(plainError(new UncloneableRecordError('a payload'))))
  t.match(restored, { retryable: false, code: 'DATABAY_UNCLONEABLE_RECORD' })
})
