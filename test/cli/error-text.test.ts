import t from 'tap'
import { errorLine, errorStacks } from '../../src/cli/error-text.js'

t.test('an error is one line with what its causes say', async (t) => {
  const cause = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') })
  t.equal(errorLine(new Error('no data', { cause })), 'no data: fetch failed: connect ECONNREFUSED')
})

t.test('what a message says already is not said again', async (t) => {
  t.equal(errorLine(new Error('no data: fetch failed', { cause: new Error('fetch failed') })), 'no data: fetch failed')
})

t.test('a cause that only adds the name of the outlet is not said again', async (t) => {
  const cause = new Error('S3Outlet: payload.n is NaN')
  const error = new Error('S3Outlet failed to push: 1 of 3 records were not taken: payload.n is NaN (record 2)', {
    cause,
  })
  t.equal(errorLine(error), error.message)
})

t.test('a message of many lines becomes one', async (t) => {
  t.equal(errorLine(new Error('\nfirst\n  second\n')), 'first second')
})

t.test('an error without a message is told by its name', async (t) => {
  t.equal(errorLine(new RangeError()), 'RangeError')
})

t.test('all errors of an aggregate are told', async (t) => {
  const error = new AggregateError(
    [new Error('one'), 'two', new Error('three', { cause: new Error('four') })],
    'several',
  )
  t.equal(errorLine(error), "several: one: something other than an Error was thrown: 'two': three: four")
})

t.test('a cause that is no error is left out', async (t) => {
  t.equal(errorLine(new Error('no data', { cause: 'x' })), 'no data')
})

t.test('a mistake that JavaScript noticed is told with its place, once', async (t) => {
  const from = (stack: string, cause?: Error) => Object.assign(new Error('x of undefined', { cause }), { stack })
  const own = 'TypeError: x of undefined\n    at score (file:///links.js:2:15)\n    at file:///other.js:1:1'
  t.equal(errorLine(from(own)), 'x of undefined (file:///links.js:2:15)')
  t.equal(errorLine(new Error('failed: x of undefined', { cause: from(own, from(own)) })).match(/links/g)?.length, 1)
  t.equal(errorLine(from('RangeError: x\n    at file:///a b.js:2:15')), 'x of undefined (file:///a b.js:2:15)')
  for (const stack of [
    'Error: thrown on purpose\n    at score (file:///links.js:2:15)',
    'TypeError: fetch failed\n    at node:internal/deps/undici/undici:1:2\n    at file:///links.js:1:1',
    'TypeError: of a package\n    at get (file:///node_modules/some/index.js:1:2)',
    'TypeError: of nowhere',
  ]) {
    t.equal(errorLine(from(stack)), 'x of undefined', stack)
  }
})

t.test('a circle of causes ends', async (t) => {
  const error = new Error('a')
  error.cause = new Error('b', { cause: error })
  t.equal(errorLine(error), 'a: b')
})

t.test('stacks are told for each error', async (t) => {
  const text = errorStacks(new Error('outer', { cause: new TypeError('inner') }))
  t.match(text, /^Error: outer\n {4}at .*\ncaused by: TypeError: inner\n {4}at /s)
  const bare = new Error('bare')
  delete bare.stack
  t.equal(errorStacks(bare), 'Error: bare')
})

t.test('what is said at the end of stacks comes after the first line, not after a path', async (t) => {
  const text = errorStacks(new Error('outer', { cause: new TypeError('inner') }), '; go on')
  t.match(text, /^Error: outer; go on\n {4}at .*\ncaused by: TypeError: inner\n {4}at .*:\d+\)?$/s)
  const bare = new Error('bare')
  delete bare.stack
  t.equal(errorStacks(bare, '; go on'), 'Error: bare; go on')
})
