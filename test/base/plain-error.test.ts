import t from 'tap'
import * as kinds from '../../src/base/errors.js'
import { errorBudget, plainError, restoreError } from '../../src/base/plain-error.js'

/** Characters of all texts in plain data. */
const sizeOf = (value: unknown): number => JSON.stringify(value).length

const LONG = 'x'.repeat(20_000_000)

/** Errors that are too large in one part each. */
const LARGE: { readonly [part: string]: () => Error } = {
  message: () => new Error(LONG),
  stack: () => Object.assign(new Error('e'), { stack: LONG }),
  name: () => Object.assign(new Error('e'), { name: LONG }),
  code: () => Object.assign(new Error('e'), { code: LONG }),
  'an own field': () => Object.assign(new Error('e'), { body: LONG }),
  'the name of an own field': () => Object.assign(new Error('e'), { [LONG]: 1 }),
  'many own fields': () =>
    Object.assign(
      new Error('e'),
      Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`field${at}`, 'x'.repeat(99)])),
    ),
  'a cause': () => new Error('e', { cause: Object.assign(new Error(LONG), { stack: LONG, body: LONG }) }),
  'many causes': () => {
    let error = new Error(LONG.slice(0, 100_000))
    for (let depth = 0; depth < 100; depth++) error = new Error(LONG.slice(0, 100_000), { cause: error })
    return error
  },
  'many errors': () =>
    new AggregateError(
      Array.from({ length: 5000 }, () => new Error('y'.repeat(10_000))),
      'several',
    ),
}

t.test('one budget is for an error with all its parts, whichever is large', async (t) => {
  for (const [part, make] of Object.entries(LARGE)) {
    const plain = plainError(make())
    // the budget, and for each of 1,000 errors a name and the beginning of its message
    t.ok(sizeOf(plain) < 64 * 1024 + 1000 * 400, `${part}: ${sizeOf(plain)} characters`)
    t.ok(plain.message.length > 0 && plain.name.length > 0, part)
    t.doesNotThrow(() => restoreError(plain), part)
  }
})

t.test('what is cut or left out is said to be', async (t) => {
  t.match(plainError(new Error('x'.repeat(10_001))).message, /x\u2026 \(10001 characters\)$/)
  const many = plainError(new AggregateError(Array.from({ length: 1500 }, (_, at) => new Error(`e${at}`))))
  t.equal(many.errors?.length, 1001)
  t.equal(many.errors?.at(-1)?.message, '500 more errors, which are left out')
})

t.test('several errors share a budget, and each keeps its name and the beginning of its message', async (t) => {
  const budget = errorBudget()
  const plain = Array.from({ length: 200 }, () => plainError(new RangeError('z'.repeat(5000)), budget))
  t.equal(plain[0]?.message.length, 5000)
  t.match(plain.at(-1), { name: 'RangeError', message: /^z{200}\u2026 \(5000 characters\)$/ })
  t.equal(plain.at(-1)?.stack, undefined)
  t.ok(sizeOf(plain) < 64 * 1024 + 200 * 400)
})

t.test('an error of this package is of its class again', (t) => {
  const errors = [
    new kinds.ShutdownTimeoutError('too late'),
    new kinds.StartTimeoutError('too late'),
    new kinds.LinkModuleError('file:///links.js', 'is broken'),
    new kinds.InvalidOptionError('id', 'a string', 1),
  ]
  for (const error of errors) {
    const restored = restoreError(structuredClone(plainError(error)))
    t.equal(Object.getPrototypeOf(restored), Object.getPrototypeOf(error))
    t.match(restored, { name: error.name, message: error.message, code: error.code })
  }
  const of = (code: string) => restoreError({ name: 'MineError', message: 'mine', code })
  t.ok(of('DATABAY_HTTP_STATUS') instanceof kinds.DatabayError, 'one of a connector is one of the package')
  t.equal(of('DATABAY_HTTP_STATUS').name, 'MineError')
  t.notOk(of('E_MINE') instanceof kinds.DatabayError)
  t.end()
})
