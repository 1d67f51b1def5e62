import t, { type Test } from 'tap'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { Dispatcher, type DispatcherHooks } from '../../src/planners/dispatcher.js'
import { resolvePlannerOptions, type PlannerOptions } from '../../src/planners/planner-options.js'
import type { TransferReport } from '../../src/core/report.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { emptyReport, stateOf, StubLink, type Trace } from '../helpers/planners.js'

const ON_TIME = { scheduledAt: 1000, lateness: 0, missed: 0 }

function setUp(t: Test, options: PlannerOptions = {}) {
  const logs = captureLogs(t)
  const told: Trace = []
  const failures: Error[] = []
  const clock = { now: 0 }
  const hooks: DispatcherHooks = {
    notify: (event, ...payload) => told.push(`${event} ${JSON.stringify(payload[0])}`),
    onFailure: (error) => failures.push(error),
    onUsedUp: (link) => told.push(`${link.name} is used up`),
    onAllUsedUp: () => told.push('all are used up'),
  }
  const dispatcher = new Dispatcher(resolvePlannerOptions(options), hooks, () => clock.now)
  const add = (...names: string[]) => {
    const links = names.map((name) => new StubLink(name))
    for (const link of links) dispatcher.add(link)
    return links as [StubLink, ...StubLink[]]
  }
  /** Adds a link whose transfers end when the test says so. */
  const addSlow = (name: string, maxInstances = 1) => {
    const [link] = add(name)
    const ends: ((report?: TransferReport) => void)[] = []
    link.settings.maxInstances = maxInstances
    link.transfer = () => {
      const { promise, resolve } = deferred<TransferReport>()
      ends.push((report = emptyReport(name)) => {
        resolve(report)
      })
      return promise
    }
    return { link, ends }
  }
  return { dispatcher, told, failures, logs, clock, add, addSlow }
}

/** Names of the events that were emitted. */
function eventsOf(told: Trace): (string | undefined)[] {
  return told.map((text) => text.split(' ')[0])
}

t.test('links are kept in the order of adding, and the list is a copy', async (t) => {
  const { dispatcher, add } = setUp(t)
  const [a, b] = add('a', 'b') as [StubLink, StubLink]
  t.strictSame(dispatcher.links, [a, b])
  dispatcher.links.pop()
  t.equal(dispatcher.links.length, 2)
  t.ok(dispatcher.has(a))
  dispatcher.delete(a, 'it is removed')
  t.notOk(dispatcher.has(a))
  t.strictSame(dispatcher.links, [b])
})

t.test('a transfer is made, counted and told of', async (t) => {
  const { dispatcher, told, failures, add } = setUp(t)
  const [a] = add('a')
  let request: unknown
  a.transfer = (given) => {
    request = given
    return Promise.resolve(emptyReport('a', 7))
  }
  t.match(await dispatcher.dispatch(a, ON_TIME), { update: 'a.7' })
  t.strictSame(request, { scheduledAt: 1000 })
  t.match(told, [/^transfer \{"link":"a","update":"a\.7"/])
  t.strictSame(dispatcher.counts, { transfers: 1, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 })
  t.strictSame(failures, [])
})

t.test('the counts are a copy', async (t) => {
  const { dispatcher } = setUp(t)
  Object.assign(dispatcher.counts, { transfers: 5 })
  t.equal(dispatcher.counts.transfers, 0)
})

t.test('a link that is not here is not transferred', async (t) => {
  const { dispatcher, told } = setUp(t)
  t.equal(await dispatcher.dispatch(new StubLink('x'), ON_TIME), undefined)
  t.strictSame(told, [])
})

t.test('a failed transfer is counted, told of, and its error handed on', async (t) => {
  const { dispatcher, told, failures, add } = setUp(t)
  const [a] = add('a')
  const error = { name: 'Error', message: 'no connection', node: 'HttpInlet', stage: 'pull' } as const
  a.transfer = () => Promise.resolve({ ...emptyReport('a'), errors: [error], failed: true })
  t.match(await dispatcher.dispatch(a, ON_TIME), { failed: true })
  t.match(failures, [{ code: 'DATABAY_TRANSFER_FAILED', message: /HttpInlet failed to pull: no connection/ }])
  t.strictSame(eventsOf(told), ['transfer'])
  t.match(dispatcher.counts, { transfers: 1, failed: 1 })
})

t.test('a transfer with an error that is ignored is counted as failed, and no failure', async (t) => {
  const { dispatcher, failures, add } = setUp(t)
  const [a] = add('a')
  const error = { name: 'Error', message: 'no connection', node: 'HttpInlet', stage: 'pull' } as const
  a.transfer = () => Promise.resolve({ ...emptyReport('a'), errors: [error], failed: false })
  await dispatcher.dispatch(a, ON_TIME)
  t.strictSame(failures, [])
  t.match(dispatcher.counts, { transfers: 1, failed: 1 })
})

t.test('a link that breaks its contract is a failure, and can transfer again', async (t) => {
  const { dispatcher, failures, logs, told, add } = setUp(t)
  const [a] = add('a')
  const broken: (() => unknown)[] = [
    () => Promise.reject(new Error('rejected')),
    () => {
      throw new Error('thrown')
    },
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- links of third parties may do so
    () => Promise.reject('text'),
    () => Promise.resolve(undefined),
  ]
  for (const transfer of broken) {
    a.transfer = transfer as StubLink['transfer']
    t.equal(await dispatcher.dispatch(a, ON_TIME), undefined)
  }
  t.match(failures, [
    { message: 'rejected' },
    { message: 'thrown' },
    { message: "something other than an Error was thrown: 'text'" },
    Error,
  ])
  t.strictSame(told, [], 'there is no report to tell of')
  t.match(logs.messages(), Array<string>(4).fill('a failed to transfer'))
  await dispatcher.idle()
})

t.test('a link that still transfers is skipped: counted, told of and logged', async (t) => {
  const { dispatcher, told, logs, addSlow } = setUp(t)
  const { link, ends } = addSlow('a')
  const first = dispatcher.dispatch(link, ON_TIME)
  t.equal(await dispatcher.dispatch(link, { ...ON_TIME, scheduledAt: 2000 }), undefined)
  t.equal(ends.length, 1)
  t.strictSame(told, ['skipped {"link":"a","scheduledAt":2000,"reason":"running","running":1}'])
  t.match(dispatcher.counts, { transfers: 0, skipped: 1 })
  t.strictSame(logs.messages(), ['a is skipped: 1 of its transfers still run'])
  t.match(logs.entries(), [{ name: 'databay.BasePlanner', level: 40 }])
  ends[0]!()
  await first
  const second = dispatcher.dispatch(link, ON_TIME)
  t.equal(ends.length, 2, 'then it runs again')
  ends[1]!()
  await second
})

t.test(
  'a link that is skipped very often has few lines, one event each time, and one line when it is on time again',
  async (t) => {
    const { dispatcher, told, logs, clock, addSlow } = setUp(t)
    const { link, ends } = addSlow('a')
    const first = dispatcher.dispatch(link, ON_TIME)
    for (; clock.now < 300_000; clock.now += 10) dispatcher.dispatchDue(link, ON_TIME)
    t.equal(told.length, 30_000)
    t.match(dispatcher.counts, { skipped: 30_000 })
    const why = 'a is skipped: 1 of its transfers still run'
    t.strictSame(logs.messages(), [why, `${why}; 6,000 due times in 60 s`, `${why}; 12,000 due times in 2 min`])
    ends[0]!()
    await first
    clock.now += 5000
    const second = dispatcher.dispatch(link, ON_TIME)
    t.equal(logs.messages().at(-1), 'a is on time again: 30,000 due times were late or skipped in 5 min')
    ends[1]!()
    await second
    t.equal(logs.lines.length, 4)
  },
)

t.test('a link that is always late has few lines, and what was only counted is told when it is removed', async (t) => {
  const { dispatcher, told, logs, clock, add } = setUp(t)
  const [link] = add('a')
  for (; clock.now < 50_000; clock.now += 100) await dispatcher.dispatch(link, { ...ON_TIME, lateness: 30, missed: 2 })
  t.equal(eventsOf(told).filter((event) => event === 'late').length, 500)
  t.match(dispatcher.counts, { late: 500, missed: 1000 })
  t.strictSame(logs.messages(), ['a is 30 ms late, and missed 2 due times, which are not made up'])
  dispatcher.delete(link, 'it is removed')
  t.strictSame(logs.messages().slice(1), ['a is due no more: 1,500 due times were late or skipped in 50 s'])
})

t.test('a link of a third party that always breaks its contract has few lines', async (t) => {
  const { dispatcher, failures, logs, add } = setUp(t)
  const [link] = add('a')
  link.transfer = () => Promise.reject(new Error('always'))
  for (let transfer = 0; transfer < 100; transfer++) await dispatcher.dispatch(link, ON_TIME)
  t.equal(failures.length, 100)
  t.strictSame(logs.messages(), ['a failed to transfer: always'])
})

t.test('when a link of a third party is well again, or leaves, all its failures are told', async (t) => {
  const { dispatcher, logs, clock, add } = setUp(t)
  const [link] = add('a')
  const fail = async (times: number) => {
    link.transfer = () => Promise.reject(new Error('always'))
    for (let transfer = 0; transfer < times; transfer++) await dispatcher.dispatch(link, ON_TIME)
  }
  await fail(10)
  clock.now += 4000
  link.transfer = () => Promise.resolve(emptyReport('a'))
  await dispatcher.dispatch(link, ON_TIME)
  t.same(logs.messages().slice(1), ['a transfers again: it failed to 10 times in 0 ms'])
  await fail(5)
  dispatcher.delete(link, 'it is removed')
  t.same(logs.messages().slice(2), ['a is due no more: it failed to transfer 5 times in 0 ms'])
})

t.test('a link in quarantine is skipped, until it may transfer again', async (t) => {
  const { dispatcher, told, logs, add } = setUp(t)
  const [link] = add('a')
  link.quarantinedUntil = 5000
  t.equal(await dispatcher.dispatch(link, ON_TIME), undefined)
  t.strictSame(told, ['skipped {"link":"a","scheduledAt":1000,"reason":"quarantined","running":0}'])
  t.strictSame(logs.messages(), ['a is skipped: it is quarantined'])
  t.match(dispatcher.counts, { transfers: 0, skipped: 1 })
  t.match(dispatcher.stats, [{ link: 'a', skipped: 1, quarantinedUntil: 5000 }])
  link.quarantinedUntil = undefined
  t.ok(await dispatcher.dispatch(link, ON_TIME))
  t.notOk('quarantinedUntil' in (dispatcher.stats[0] ?? {}))
})

t.test('as many transfers of a link run at once as it may have', async (t) => {
  const { dispatcher, told, addSlow } = setUp(t)
  const { link, ends } = addSlow('a', 2)
  const running = [1, 2, 3].map(() => dispatcher.dispatch(link, ON_TIME))
  t.equal(ends.length, 2)
  t.match(told, ['skipped {"link":"a","scheduledAt":1000,"reason":"running","running":2}'])
  ends[1]!()
  await running[1]
  running.push(dispatcher.dispatch(link, ON_TIME))
  t.equal(ends.length, 3)
  for (const end of ends) end()
  await Promise.all(running)
  t.match(dispatcher.counts, { transfers: 3, skipped: 1 })
})

t.test('links do not hinder one another', async (t) => {
  const { dispatcher, addSlow, add } = setUp(t)
  const { link: slow, ends } = addSlow('slow')
  const [quick] = add('quick')
  const pending = dispatcher.dispatch(slow, ON_TIME)
  t.ok(await dispatcher.dispatch(quick, ON_TIME))
  ends[0]!()
  await pending
})

t.test('what is late by more than is allowed is counted, told of and logged', async (t) => {
  const { dispatcher, told, logs, add } = setUp(t, { lateAfter: 0.5 })
  const [a] = add('a')
  await dispatcher.dispatch(a, { ...ON_TIME, lateness: 500 })
  t.strictSame(eventsOf(told), ['transfer'])
  await dispatcher.dispatch(a, { ...ON_TIME, lateness: 500.6 })
  t.equal(told[1], 'late {"link":"a","scheduledAt":1000,"lateness":500.6,"missed":0}')
  t.match(dispatcher.counts, { transfers: 2, late: 1, missed: 0 })
  t.strictSame(logs.messages(), ['a is 501 ms late'])
})

t.test('what has missed due times is late however little', async (t) => {
  const { dispatcher, told, logs, add } = setUp(t, { lateAfter: 10 })
  const [a] = add('a')
  await dispatcher.dispatch(a, { ...ON_TIME, lateness: 30, missed: 3 })
  t.equal(told[0], 'late {"link":"a","scheduledAt":1000,"lateness":30,"missed":3}')
  t.match(dispatcher.counts, { late: 1, missed: 3 })
  t.strictSame(logs.messages(), ['a is 30 ms late, and missed 3 due times, which are not made up'])
})

t.test('a late link that is skipped is both', async (t) => {
  const { dispatcher, told, addSlow } = setUp(t)
  const { link, ends } = addSlow('a')
  const first = dispatcher.dispatch(link, ON_TIME)
  await dispatcher.dispatch(link, { ...ON_TIME, lateness: 5000, missed: 4 })
  t.strictSame(eventsOf(told), ['late', 'skipped'])
  ends[0]!()
  await first
})

t.test('a link makes no more transfers than it may', async (t) => {
  const { dispatcher, told, add } = setUp(t, { transfers: 2 })
  const [a, b] = add('a', 'b') as [StubLink, StubLink]
  await dispatcher.dispatch(a, ON_TIME)
  await dispatcher.dispatch(a, ON_TIME)
  t.equal(await dispatcher.dispatch(a, ON_TIME), undefined)
  t.equal(a.transfers, 2)
  t.strictSame(
    told.filter((text) => text.includes('used up')),
    ['a is used up'],
  )
  t.notOk(dispatcher.usedUp())
  await dispatcher.dispatch(b, ON_TIME)
  await dispatcher.dispatch(b, ON_TIME)
  t.ok(dispatcher.usedUp())
  t.strictSame(
    told.slice(-2).map((text) => text.slice(0, 20)),
    [`transfer {"link":"b"`, 'all are used up'],
  )
  t.match(dispatcher.counts, { transfers: 4, skipped: 0 }, 'what is used up is not skipped')

  dispatcher.reset()
  t.notOk(dispatcher.usedUp())
  t.ok(await dispatcher.dispatch(a, ON_TIME), 'they are counted anew')
})

t.test('links are used up when their last transfers have ended, not begun', async (t) => {
  const { dispatcher, told, addSlow, add } = setUp(t, { transfers: 1 })
  const { link, ends } = addSlow('slow')
  const [quick] = add('quick')
  const pending = dispatcher.dispatch(link, ON_TIME)
  await dispatcher.dispatch(quick, ON_TIME)
  t.notOk(dispatcher.usedUp())
  t.notOk(told.includes('all are used up'))
  ends[0]!()
  await pending
  t.ok(dispatcher.usedUp())
  t.equal(told.filter((text) => text === 'all are used up').length, 1)
})

t.test('a planner without links, or without a limit, is never used up', async (t) => {
  t.notOk(setUp(t, { transfers: 1 }).dispatcher.usedUp())
  const { dispatcher, add } = setUp(t)
  const [a] = add('a')
  await dispatcher.dispatch(a, ON_TIME)
  t.notOk(dispatcher.usedUp())
})

t.test('an error in unscheduling a link that is used up leaves no transfer running', async (t) => {
  const dispatcher = new Dispatcher(resolvePlannerOptions({ transfers: 1 }), {
    notify: () => undefined,
    onFailure: () => undefined,
    onUsedUp: () => {
      throw new Error('would not unschedule')
    },
    onAllUsedUp: () => undefined,
  })
  const link: PlannedLink = new StubLink('a')
  dispatcher.add(link)
  await t.rejects(dispatcher.dispatch(link, ON_TIME), { message: 'would not unschedule' })
  await dispatcher.idle()
})

t.test('one can wait until no transfer runs, of one link or of all', async (t) => {
  const { dispatcher, addSlow } = setUp(t)
  await dispatcher.idle()
  const a = addSlow('a')
  const b = addSlow('b')
  const running = [dispatcher.dispatch(a.link, ON_TIME), dispatcher.dispatch(b.link, ON_TIME)]
  const all = stateOf(dispatcher.idle())
  const onlyA = stateOf(dispatcher.idle(a.link))
  const notHere = stateOf(dispatcher.idle(new StubLink('x')))
  await turnOfTheLoop()
  t.strictSame([all(), onlyA(), notHere()], ['pending', 'pending', 'resolved'])
  a.ends[0]!()
  await turnOfTheLoop()
  t.strictSame([all(), onlyA()], ['pending', 'resolved'])
  b.ends[0]!()
  await turnOfTheLoop()
  t.equal(all(), 'resolved')
  await Promise.all(running)
})

t.test('a late report of a link that was removed blocks nothing', async (t) => {
  const { dispatcher, told, addSlow } = setUp(t)
  const { link, ends } = addSlow('a')
  const transfer = dispatcher.dispatch(link, ON_TIME)
  dispatcher.delete(link, 'it is removed')
  const blocked = { node: 'outlet', stage: 'push', message: 'it is down', attempts: 1, since: 0, retryAt: 0 } as const
  ends[0]?.({ ...emptyReport('a'), blocked })
  await transfer
  t.equal(dispatcher.blocked.size, 0)
  t.notOk(eventsOf(told).includes('blocked'))
})
