import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { isGivenUp } from '../../src/planners/late-starts.js'
import { StartRetries, type StartFailure } from '../../src/planners/start-retries.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { StubLink } from '../helpers/planners.js'

/** Retries on a clock that the test sets, without chance. */
function setUp(t: Test, startTimeout = 10_000) {
  const logs = captureLogs(t)
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 })
  t.teardown(() => {
    mock.timers.reset()
  })
  const told: string[] = []
  const failures: (StartFailure | undefined)[] = []
  const retries = new StartRetries(
    startTimeout,
    {
      failed: ({ name }, failure) => {
        failures.push(failure)
        told.push(failure === undefined ? `${name} rests` : `${name} ${failure.attempts}: ${failure.error.message}`)
      },
      failedLate: ({ name }, failure) => {
        failures.push(failure)
        told.push(`${name} ${failure.attempts}, late: ${failure.error.message}`)
      },
      recovered: ({ name }, attempts, isFirst) => told.push(`${name} is up after ${attempts}, ${isFirst}`),
    },
    () => 0,
  )
  const pass = async (milliseconds: number) => {
    mock.timers.tick(milliseconds)
    await turnOfTheLoop()
  }
  return { retries, told, failures, logs, pass, link: new StubLink('a') }
}

const refused = new Error('refused')

t.test('a link is tried again, later each time, until it starts', async (t) => {
  const { retries, told, failures, pass, link } = setUp(t)
  const tries: number[] = []
  link.onStart = () => {
    tries.push(Date.now())
    return tries.length < 9 ? Promise.reject(refused) : Promise.resolve()
  }
  retries.failed(link, refused, true)
  t.match(failures, [{ attempts: 1, error: refused, retryAt: 1000 }])
  t.same([retries.has(link), retries.names], [true, ['a']])
  for (const delay of [1, 2, 4, 8, 16, 32, 60, 60, 60]) await pass(delay * 1000)
  t.same(
    tries,
    [1, 3, 7, 15, 31, 63, 123, 183, 243].map((seconds) => seconds * 1000),
  )
  t.same(told.slice(-3), ['a 9: refused', 'a rests', 'a is up after 9, true'])
  await pass(1_000_000)
  t.equal(tries.length, 9)
  t.notOk(retries.has(link))
})

t.test('delays are shortened by chance, by up to a half', (t) => {
  captureLogs(t, 'silent')
  const delays: number[] = []
  const hooks = {
    failed: (_: unknown, failure: StartFailure | undefined) => {
      if (failure !== undefined) delays.push(failure.retryAt - Date.now())
    },
    failedLate: () => undefined,
    recovered: () => undefined,
  }
  for (const chance of [0, 0.5, 1]) {
    const link = new StubLink('a')
    const retries = new StartRetries(1000, hooks, () => chance)
    retries.failed(link, refused, false)
    retries.cancel([link])
  }
  t.same(delays, [1000, 750, 500])
  t.end()
})

t.test('a start that hangs is given up in time, and is not begun beside itself', async (t) => {
  const { retries, told, pass, link } = setUp(t)
  const gate = deferred()
  let starts = 0
  link.onStart = () => {
    starts++
    return gate.promise
  }
  retries.failed(link, refused, false)
  await pass(1000)
  await pass(9999)
  t.same(told, ['a 1: refused'])
  await pass(1)
  t.equal(told.at(-1), 'a 2: a did not start within 10000 ms')
  await pass(2000)
  await pass(10_000)
  t.equal(told.at(-1), 'a 3: a did not start within 10000 ms')
  t.equal(starts, 1)
  gate.resolve()
  await turnOfTheLoop()
  t.equal(told.at(-1), 'a is up after 3, false', 'a late start is as good as any')
})

t.test('a start that took too long before is followed, too', async (t) => {
  const { retries, told, pass, link } = setUp(t)
  const gate = deferred()
  link.onStart = () => Promise.reject(new Error('begun beside itself'))
  retries.failed(link, refused, true, gate.promise)
  await pass(1000)
  gate.resolve()
  await turnOfTheLoop()
  t.equal(told.at(-1), 'a is up after 1, true')
})

t.test('why a start failed that took too long is told when it is known', async (t) => {
  const { retries, told, failures, pass, link } = setUp(t)
  const gate = deferred()
  link.onStart = () => gate.promise
  retries.failed(link, refused, false)
  await pass(1000)
  await pass(10_000)
  t.equal(told.at(-1), 'a 2: a did not start within 10000 ms')
  gate.reject(new Error('no connection'))
  await turnOfTheLoop()
  t.equal(told.at(-1), 'a 2, late: no connection')
  t.equal(failures.at(-1)?.retryAt, failures.at(-2)?.retryAt, 'it is tried again when it was to be')
})

t.test('a link that is not to be tried any more is left alone at once', async (t) => {
  const { retries, told, pass, link } = setUp(t)
  retries.failed(link, refused, true)
  retries.cancel([link, new StubLink('another')])
  t.same([retries.has(link), isGivenUp(link), told.at(-1)], [false, false, 'a rests'])
  await pass(100_000)
  t.same(link.trace, [])
})

t.test('a start that hangs then is shut down should it end', async (t) => {
  const { retries, logs, pass } = setUp(t)
  const [late, clinging] = [new StubLink('late'), new StubLink('clinging')]
  const gate = deferred()
  for (const link of [late, clinging]) link.onStart = () => gate.promise
  clinging.onShutdown = () => Promise.reject(new Error('stuck'))
  for (const link of [late, clinging]) retries.failed(link, refused, true)
  await pass(1000)
  retries.cancel([late, clinging])
  t.ok(isGivenUp(late))
  gate.resolve()
  await turnOfTheLoop()
  t.same([late.trace, isGivenUp(late)], [['late stops'], false])
  t.ok(logs.messages().includes('clinging failed after its start was given up: stuck'))
})

t.test('a link that somebody else has opened, or moved, need not wait', async (t) => {
  const { retries, told, pass, link } = setUp(t)
  retries.opened(link)
  retries.soon(link)
  t.same(told, [], 'nothing was wrong')
  retries.failed(link, refused, false)
  retries.opened(link)
  t.same(told.slice(1), ['a rests', 'a is up after 1, false'])
  retries.failed(link, refused, false)
  retries.soon(link)
  await pass(0)
  t.equal(told.at(-1), 'a is up after 1, false')
})

t.test('a link in quarantine is tried again after that', async (t) => {
  const { retries, pass, link } = setUp(t)
  retries.failed(link, refused, false)
  link.quarantinedUntil = 5000
  await pass(1000)
  t.same(link.trace, [])
  link.quarantinedUntil = undefined
  await pass(4000)
  t.same(link.trace, ['a starts'])
})

t.test('a link of a third party may throw as it starts', async (t) => {
  const { retries, told, pass, link } = setUp(t, Infinity)
  link.onStart = () => {
    throw refused
  }
  retries.failed(link, refused, false)
  await pass(1000)
  t.equal(told.at(-1), 'a 2: refused')
})
