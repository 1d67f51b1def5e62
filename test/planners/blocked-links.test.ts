import t, { type Test } from 'tap'
import type { TransferRequest } from '../../src/core/planned-link.js'
import type { Blocked, TransferReport } from '../../src/core/report.js'
import { Dispatcher } from '../../src/planners/dispatcher.js'
import type { PlannerEvents } from '../../src/operate/planner-events.js'
import { resolvePlannerOptions, type PlannerOptions } from '../../src/planners/planner-options.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { captureLogs } from '../helpers/logs.js'
import { turnOfTheLoop } from '../helpers/nodes.js'
import { emptyReport, StubLink } from '../helpers/planners.js'

const onTime = (clock: FakeClock) => ({ scheduledAt: clock.now(), lateness: 0, missed: 0 })

/** A link whose outlet is up or down, as the test says. It backs off for a second, then two, four and so on. */
class Outage {
  readonly link: StubLink
  readonly requests: TransferRequest[] = []
  isUp = true
  /** Answers in the place of the next report. */
  next: (() => Promise<TransferReport>) | undefined
  #attempts = 0
  #since = 0
  readonly #clock: FakeClock

  constructor(name: string, clock: FakeClock) {
    this.#clock = clock
    this.link = new StubLink(name)
    Object.assign(this.link.settings, { delivery: 'cursor', retry: { minDelay: 1000, maxDelay: 60_000 } })
    this.link.transfer = (request = {}) => {
      this.requests.push(request)
      const { next } = this
      this.next = undefined
      return next?.() ?? Promise.resolve(this.report())
    }
  }

  report(): TransferReport {
    const report = { ...emptyReport(this.link.name), endedAt: this.#clock.now() }
    if (this.isUp) {
      this.#attempts = 0
      return { ...report, pulled: 5, grouped: 5, outlets: [{ ...OUTLET, pushed: 5 }] }
    }
    if (this.#attempts++ === 0) this.#since = this.#clock.now()
    const isFirst = this.#attempts === 1
    const outlets = [{ ...OUTLET, waiting: 5 }]
    return { ...report, ...(isFirst && { pulled: 5, grouped: 5 }), outlets, errors: [ERROR], blocked: this.blocked() }
  }

  blocked(): Blocked {
    const retryAt = this.#clock.now() + Math.min(60_000, 1000 * 2 ** (this.#attempts - 1))
    const [attempts, since] = [this.#attempts, this.#since]
    return { node: 'HttpOutlet', stage: 'push', message: 'it is down', attempts, since, retryAt }
  }

  /** Begins again, as a link that was opened in another thread does. */
  reopen(): void {
    this.#attempts = 0
  }

  get tries(): string[] {
    return this.requests.map(({ retry }) => (retry === true ? 'retry' : 'transfer'))
  }
}

const OUTLET = { outlet: 'HttpOutlet', pushed: 0, filtered: 0, added: 0, dropped: 0, batches: 0, buffered: 0 }
const ERROR = { name: 'Error', message: 'it is down', node: 'HttpOutlet', stage: 'push' } as const

function setUp(t: Test, options: PlannerOptions = {}, ...names: string[]) {
  const logs = captureLogs(t, 'info')
  const clock = new FakeClock()
  const events: { readonly event: string; readonly payload: object }[] = []
  const ends: string[] = []
  const failures: Error[] = []
  const hooks = {
    notify: <K extends keyof PlannerEvents>(event: K, ...[payload]: PlannerEvents[K]) => {
      if (event !== 'transfer') events.push({ event, payload })
    },
    onFailure: (error: Error) => failures.push(error),
    onUsedUp: () => undefined,
    onAllUsedUp: () => ends.push('all are used up'),
  }
  const dispatcher = new Dispatcher(resolvePlannerOptions(options), hooks, () => clock.monotonic(), clock)
  const outages = (names.length === 0 ? ['orders'] : names).map((name) => new Outage(name, clock))
  for (const { link } of outages) dispatcher.add(link)
  const [outage] = outages as [Outage]
  const due = (one = outage) => dispatcher.dispatch(one.link, onTime(clock))
  const lines = () => logs.messages()
  return { dispatcher, clock, events, ends, failures, outage, outages, due, lines }
}

t.test('a blocked link is tried again when it says so, and not at its due times', async (t) => {
  const { dispatcher, clock, events, failures, outage, due, lines } = setUp(t)
  outage.isUp = false
  await due()
  t.strictSame(outage.tries, ['transfer'])
  await clock.pass(999)
  t.equal(await due(), undefined)
  t.strictSame(outage.tries, ['transfer'])
  await clock.pass(1)
  t.strictSame(outage.tries, ['transfer', 'retry'])
  await clock.pass(1999)
  t.equal(outage.tries.length, 2)
  await clock.pass(1)
  t.equal(outage.tries.length, 3)
  t.match(dispatcher.counts, { transfers: 3, failed: 3, skipped: 1, blocked: 1, waiting: 5 })
  t.match(dispatcher.stats, [
    { blocked: { node: 'HttpOutlet', attempts: 3 }, waiting: 5, outlets: [{ pulled: 5, pushed: 0, waiting: 5 }] },
  ])
  t.strictSame(
    events.map(({ event }) => event),
    ['blocked', 'skipped'],
  )
  t.match(events[0]?.payload, { link: 'orders', message: 'it is down', attempts: 1, waiting: 5 })
  t.match(events[1]?.payload, { link: 'orders', reason: 'blocked' })
  t.strictSame(lines(), [
    'orders is blocked, and tried again until it is not: HttpOutlet failed to push: it is down; 5 records wait',
  ])
  t.strictSame(failures, [])
})

t.test('when it goes on, it is told once, and a due time that was skipped is made up at once', async (t) => {
  const { dispatcher, clock, events, outage, due, lines } = setUp(t)
  outage.isUp = false
  await due()
  await clock.pass(1000)
  await due()
  await due()
  outage.isUp = true
  await clock.pass(2000)
  t.strictSame(outage.tries, ['transfer', 'retry', 'retry', 'transfer'])
  t.match(events.at(-1), { event: 'unblocked', payload: { link: 'orders', duration: 3000, attempts: 2 } })
  t.match(lines().at(-1), 'orders is not blocked any more: it was for 3 s, and 2 tries had failed')
  t.notOk('blocked' in (dispatcher.stats[0] ?? {}))
  t.notOk('blocked' in dispatcher.counts || 'waiting' in dispatcher.counts)
  await clock.pass(100_000)
  t.equal(outage.tries.length, 4)
  t.equal(clock.armed, 0)
})

t.test('without a skipped due time, the next one is the next transfer', async (t) => {
  const { clock, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  outage.isUp = true
  await clock.pass(1000)
  t.strictSame(outage.tries, ['transfer', 'retry'])
  await due()
  t.strictSame(outage.tries, ['transfer', 'retry', 'transfer'])
})

t.test('a forced transfer is made at once, whatever the timer says, and gives its report', async (t) => {
  const { dispatcher, clock, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  await due()
  t.match(await dispatcher.dispatch(outage.link, onTime(clock), undefined, true), { blocked: { attempts: 2 } })
  outage.isUp = true
  t.match(await dispatcher.dispatch(outage.link, onTime(clock), undefined, true), { pulled: 5 })
  await clock.pass(100_000)
  t.strictSame(outage.tries, ['transfer', 'transfer', 'transfer'], 'it has pulled: nothing is made up')
})

t.test('a due time while a try runs is skipped as the link is blocked', async (t) => {
  const { clock, events, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  let end: (report: TransferReport) => void = () => undefined
  outage.next = () => new Promise((resolve) => (end = resolve))
  await clock.pass(1000)
  await due()
  t.match(events.at(-1), { event: 'skipped', payload: { reason: 'blocked', running: 1 } })
  await clock.pass(50_000)
  t.equal(outage.tries.length, 2, 'no second try beside it')
  outage.isUp = true
  end(outage.report())
  await turnOfTheLoop()
  t.strictSame(outage.tries, ['transfer', 'retry', 'transfer'])
})

t.test('tries do not count as transfers that the link may make', async (t) => {
  const { clock, ends, outage, due } = setUp(t, { transfers: 2 })
  outage.isUp = false
  await due()
  await clock.pass(10_000)
  t.equal(outage.tries.length, 4)
  t.strictSame(ends, [])
  outage.isUp = true
  await clock.pass(10_000)
  await due()
  t.strictSame(outage.tries.slice(4), ['retry', 'transfer'])
  t.strictSame(ends, ['all are used up'])
})

t.test('a planner whose links have made their transfers ends, also when one is blocked', async (t) => {
  const { dispatcher, ends, outage, due } = setUp(t, { transfers: 1 })
  outage.isUp = false
  await due()
  t.strictSame(ends, ['all are used up'])
  t.match(dispatcher.counts, { blocked: 1 })
})

t.test('one wake-up is armed for all blocked links', async (t) => {
  const names = Array.from({ length: 50 }, (_, at) => `link${at}`)
  const { clock, outages, due, dispatcher } = setUp(t, {}, ...names)
  for (const outage of outages) {
    outage.isUp = false
    await due(outage)
    await clock.pass(10)
    t.equal(clock.armed, 1)
  }
  await clock.pass(1000)
  t.ok(outages.every(({ tries }) => tries.length >= 2))
  t.match(dispatcher.counts, { blocked: 50, waiting: 250 })
})

t.test('nothing is tried during a pause, and what is due when it ends is', async (t) => {
  const { dispatcher, clock, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  dispatcher.blocked.pause()
  t.equal(clock.armed, 0)
  await clock.pass(100_000)
  t.equal(outage.tries.length, 1)
  dispatcher.blocked.resume()
  await clock.pass(1)
  t.strictSame(outage.tries, ['transfer', 'retry'])
})

t.test('a link that was opened again is tried at once, and its tries are counted on', async (t) => {
  const { dispatcher, clock, events, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  await clock.pass(1000)
  await clock.pass(2000)
  outage.reopen()
  dispatcher.blocked.soon(outage.link)
  await clock.pass(0)
  t.equal(outage.tries.length, 4)
  t.match(dispatcher.stats[0]?.blocked, { attempts: 4, since: clock.now() - 3000 })
  t.equal(events.length, 1, 'it is blocked still')
  dispatcher.blocked.soon(new StubLink('another'))
})

t.test('a report of a thread that was lost says nothing of the outlet: the link is tried again', async (t) => {
  const { dispatcher, clock, events, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  const lost = { ...ERROR, node: 'thread 0', stage: 'transfer' as const }
  outage.next = () => Promise.resolve({ ...emptyReport('orders'), errors: [lost] })
  await clock.pass(1000)
  t.match(dispatcher.counts, { blocked: 1 })
  await clock.pass(1000)
  t.equal(outage.tries.length, 3)
  outage.next = () => Promise.reject(new Error('broken'))
  await clock.pass(2000)
  await clock.pass(1000)
  t.equal(outage.tries.length, 5)
  t.strictSame(
    events.map(({ event }) => event),
    ['blocked'],
  )
})

t.test('a link in quarantine, and one that is being started, is tried when that is over', async (t) => {
  const { dispatcher, clock, outage, due } = setUp(t, { ignoreExceptions: true })
  outage.isUp = false
  await due()
  outage.link.quarantinedUntil = 1
  await clock.pass(10_000)
  t.equal(outage.tries.length, 1)
  outage.link.quarantinedUntil = undefined
  dispatcher.noteStartFailure(outage.link, { attempts: 1, error: new Error('no'), retryAt: 0 })
  await clock.pass(10_000)
  t.equal(outage.tries.length, 1)
  dispatcher.noteStartFailure(outage.link, undefined)
  await clock.pass(1000)
  t.equal(outage.tries.length, 2)
})

t.test('a time of the next try that no delay explains is now: the clock was set', async (t) => {
  const { clock, outage, due } = setUp(t)
  outage.isUp = false
  const far = clock.now() + 3_600_000
  outage.next = () => Promise.resolve({ ...outage.report(), blocked: { ...outage.blocked(), retryAt: far } })
  await due()
  await clock.pass(1)
  t.equal(outage.tries.length, 2)
})

t.test('the wall clock that is set meanwhile changes nothing, and no timer is longer than timers can be', async (t) => {
  const { clock, outage, due } = setUp(t)
  Object.assign(outage.link.settings, { retry: { minDelay: 1000, maxDelay: 1e12 } })
  outage.isUp = false
  await due()
  clock.step(-3_600_000)
  await clock.pass(1000)
  t.equal(outage.tries.length, 2)
  const delays: number[] = []
  const arm = clock.arm.bind(clock)
  clock.arm = (delay, wake) => {
    delays.push(delay)
    return arm(delay, wake)
  }
  outage.next = () => Promise.resolve({ ...outage.report(), blocked: { ...outage.blocked(), retryAt: 9e12 } })
  Object.assign(outage.link.settings, { retry: { minDelay: 1000, maxDelay: 9e12 } })
  await clock.pass(2000)
  t.ok(delays.every((delay) => delay <= 2 ** 31 - 1))
})

t.test('a link that is removed, or whose planner stops, is tried no more; what waits is no loss', async (t) => {
  const { dispatcher, clock, outages, due, lines } = setUp(t, {}, 'a', 'b')
  const [a, b] = outages as [Outage, Outage]
  for (const outage of [a, b]) {
    outage.isUp = false
    await due(outage)
  }
  dispatcher.retire(a.link)
  dispatcher.delete(a.link, 'it is removed')
  await clock.pass(1000)
  t.strictSame([a.tries.length, b.tries.length], [1, 2])
  dispatcher.blocked.stop()
  dispatcher.reset()
  await clock.pass(100_000)
  t.equal(b.tries.length, 2)
  t.equal(dispatcher.counts.lost, 0)
  t.match(dispatcher.accounts.read(b.link), [{ pulled: 5, lost: 0, buffered: 0, pulledAgain: 5 }])
  t.match(lines().at(-1), '10 records of a, b are pulled again at the next start: not all outlets have them')
})

t.test('a drain of a blocked link, which has released nothing, is of no account', async (t) => {
  const { dispatcher, outage, due } = setUp(t)
  outage.isUp = false
  await due()
  const report = { ...emptyReport('orders'), blocked: outage.blocked() }
  t.equal(dispatcher.drained(outage.link, report), undefined)
  t.match(dispatcher.counts, { transfers: 1, waiting: 5 })
})

t.test('a link that is blocked again and again does not fill the log, and each time has its events', async (t) => {
  const { clock, events, outage, due, lines } = setUp(t)
  for (let time = 0; time < 10; time++) {
    outage.isUp = false
    await due()
    outage.isUp = true
    await clock.pass(1000)
  }
  t.equal(events.length, 20)
  t.equal(lines().length, 2)
  await clock.pass(600_000)
  outage.isUp = false
  await due()
  t.match(lines().at(-1), /is blocked/)
})

t.test('a transfer that ends while the planner stops has nobody told that its link is blocked', async (t) => {
  const { dispatcher, events, outage, due } = setUp(t)
  outage.isUp = false
  const ending = due()
  dispatcher.blocked.stop()
  await ending
  t.strictSame(events, [])
  dispatcher.reset()
  await due()
  t.match(events, [{ event: 'blocked' }])
})

t.test('dead letters are counted', async (t) => {
  const { dispatcher, outage, due } = setUp(t)
  const outlets = [{ ...OUTLET, pushed: 3, dead: 2, replayed: 1 }]
  outage.next = () => Promise.resolve({ ...outage.report(), pulled: 6, dead: 2, grouped: 4, outlets })
  await due()
  t.match(dispatcher.counts, { dead: 4, replayed: 1, lost: 0 })
  t.match(dispatcher.stats, [{ dead: 4, replayed: 1, outlets: [{ pulled: 6, pushed: 3, dead: 4, replayed: 1 }] }])
})

t.test('a planner without such links has the counts that it had', async (t) => {
  const { dispatcher, due } = setUp(t)
  await due()
  t.strictSame(dispatcher.counts, { transfers: 1, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 })
  t.strictSame(
    ['blocked', 'waiting', 'dead', 'replayed'].filter((name) => name in (dispatcher.stats[0] ?? {})),
    [],
  )
})
