import t from 'tap'
import { startLinks, stopLinks } from '../../src/planners/link-group.js'
import { MissingDependencyError } from '../../src/base/errors.js'
import { NoStoreError } from '../../src/delivery/errors.js'
import { oneError, throwAny } from '../../src/base/many-errors.js'
import { StopLimit } from '../../src/planners/stop-limit.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { StubLink, type Trace } from '../helpers/planners.js'

function links(trace: Trace, ...names: string[]): StubLink[] {
  return names.map((name) => new StubLink(name, trace))
}

const never = () => t.fail('no link is to be tried again')

const forever = { startTimeout: Infinity, shutdownTimeout: Infinity }

t.test('links start all at once, in their order', async (t) => {
  const trace: Trace = []
  const [a, b] = links(trace, 'a', 'b') as [StubLink, StubLink]
  const opened = deferred()
  a.onStart = () => {
    trace.push('a waits')
    return opened.promise
  }
  const started = startLinks([a, b], forever, never)
  t.strictSame(trace, ['a waits', 'b starts'])
  opened.resolve()
  await started
  t.equal(trace.length, 2)
})

t.test('when one fails to start, the others are stopped in reverse, once all have ended starting', async (t) => {
  const trace: Trace = []
  const group = links(trace, 'a', 'b', 'c', 'd') as [StubLink, StubLink, StubLink, StubLink]
  const opened = deferred()
  group[1].onStart = () => Promise.reject(new Error('no connection'))
  group[3].onStart = () => opened.promise
  const started = startLinks(group, forever, never)
  started.catch(() => undefined)
  await turnOfTheLoop()
  t.strictSame(trace, ['a starts', 'c starts'], 'd is still starting')
  opened.resolve()
  await t.rejects(started, { message: 'no connection' })
  t.strictSame(trace.slice(2), ['d stops', 'c stops', 'a stops'])
})

t.test('several that fail to start are told together', async (t) => {
  const [a, b, c] = links([], 'a', 'b', 'c') as [StubLink, StubLink, StubLink]
  a.onStart = () => Promise.reject(new Error('no file'))
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- links of third parties may do so
  b.onStart = () => Promise.reject('text')
  c.onShutdown = () => Promise.reject(new Error('hidden by the ones before'))
  await t.rejects(startLinks([a, b, c], forever, never), {
    name: 'AggregateError',
    message: /^several links failed to start: no file; something other than an Error was thrown: 'text'$/,
    errors: [{ message: 'no file' }, 'text'],
  })
})

t.test('a link that rejects with nothing has failed to start, too', async (t) => {
  for (const nothing of [undefined, null]) {
    const [odd] = links([], 'odd') as [StubLink]
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as a link of a third party may
    odd.onStart = () => Promise.reject(nothing)
    await t.rejects(startLinks([odd], forever, never), Error)
  }
})

t.test('links stop in reverse, all of them; what failed is given', async (t) => {
  const trace: Trace = []
  const group = links(trace, 'a', 'b', 'c') as [StubLink, StubLink, StubLink]
  group[1].onShutdown = () => Promise.reject(new Error('would not close'))
  t.match(await stopLinks(group, new StopLimit(Infinity)), [{ message: 'would not close' }])
  t.strictSame(trace, ['c stops', 'a stops'])
  t.strictSame(
    group.map(({ name }) => name),
    ['a', 'b', 'c'],
    'the list is as it was',
  )
})

t.test('several errors become one', async (t) => {
  const one = new Error('one')
  t.equal(oneError([], 'several failed'), undefined)
  t.equal(oneError([one], 'several failed'), one)
  t.match(oneError([{ message: 'like an error' }], 'several failed'), { message: 'like an error' })
  t.match(oneError([one, 'two'], 'several failed'), {
    name: 'AggregateError',
    message: "several failed: one; something other than an Error was thrown: 'two'",
    errors: [one, 'two'],
  })
  t.doesNotThrow(() => {
    throwAny([], 'several failed')
  })
  t.throws(() => {
    throwAny([one], 'several failed')
  }, one)
})

t.test('a link that takes too long to start is given up, and shut down should it start later', async (t) => {
  const trace: Trace = []
  const [a, slow] = links(trace, 'a', 'slow') as [StubLink, StubLink]
  const gate = deferred()
  slow.onStart = () => gate.promise
  const started = startLinks([a, slow], { startTimeout: 20, shutdownTimeout: Infinity }, never)
  await t.rejects(started, { code: 'DATABAY_START_TIMEOUT', message: 'slow did not start within 20 ms' })
  t.strictSame(trace, ['a starts', 'a stops'])
  gate.resolve()
  await turnOfTheLoop()
  t.strictSame(trace, ['a starts', 'a stops', 'slow stops'])
})

t.test('a link that is to be tried again keeps no other from starting', async (t) => {
  const trace: Trace = []
  const [a, failing, slow] = links(trace, 'a', 'failing', 'slow') as [StubLink, StubLink, StubLink]
  for (const link of [failing, slow]) Object.assign(link.settings, { onStartFailure: 'retry' })
  const gate = deferred()
  failing.onStart = () => Promise.reject(new Error('no connection'))
  slow.onStart = () => gate.promise
  const retried: unknown[] = []
  await startLinks([a, failing, slow], { startTimeout: 20, shutdownTimeout: Infinity }, ({ name }, error, starting) => {
    retried.push([name, error.message, starting])
  })
  t.strictSame(retried, [
    ['failing', 'no connection', undefined],
    ['slow', 'slow did not start within 20 ms', gate.promise],
  ])
  t.strictSame(trace, ['a starts'], 'the one that started goes on')

  await t.test('unless another fails that stops the planner', async (t) => {
    a.onStart = () => Promise.reject(new Error('no file'))
    const started = startLinks([a, failing, slow], { startTimeout: 20, shutdownTimeout: Infinity }, never)
    await t.rejects(started, { message: 'no file' })
    gate.resolve()
    await turnOfTheLoop()
    t.equal(trace.at(-1), 'slow stops', 'what starts later is shut down')
  })
})

t.test('a link is not tried again whose failure to start does not pass', async (t) => {
  const failures = [
    new MissingDependencyError('it needs a package'),
    new NoStoreError('there is no store'),
    new AggregateError([new Error('no connection'), new NoStoreError('no store')], 'several nodes failed to start'),
    Object.assign(new Error('of another copy of the package'), { code: 'DATABAY_MISSING_DEPENDENCY' }),
  ]
  for (const failure of failures) {
    const trace: Trace = []
    const [a, failing, other] = links(trace, 'a', 'failing', 'other') as [StubLink, StubLink, StubLink]
    for (const link of [failing, other]) Object.assign(link.settings, { onStartFailure: 'retry' })
    failing.onStart = () => Promise.reject(failure)
    other.onStart = () => Promise.reject(new Error('its server is down'))
    await t.rejects(startLinks([a, failing, other], forever, never), failure)
    t.strictSame(trace, ['a starts', 'a stops'])
  }
})
