import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { Buffer } from '../../src/core/buffer.js'
import { PlannerStateError } from '../../src/base/errors.js'
import { Link } from '../../src/core/link.js'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { BasePlanner } from '../../src/planners/base-planner.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, giving, KeepOutlet, turnOfTheLoop } from '../helpers/nodes.js'
import {
  handPlanner,
  HandPlanner,
  stateOf,
  StubLink,
  TracedInlet,
  tracedLink,
  type Trace,
} from '../helpers/planners.js'

/** Planner with scheduling of a third party: only the methods that the manual asks for. */
class IntervalPlanner extends BasePlanner {
  readonly timers = new Map<PlannedLink, NodeJS.Timeout | undefined>()
  #ticking = false

  protected schedule(link: PlannedLink) {
    this.timers.set(link, undefined)
    if (this.#ticking) this.#begin(link)
  }

  protected unschedule(link: PlannedLink) {
    clearInterval(this.timers.get(link))
    this.timers.delete(link)
  }

  protected startPlanner() {
    this.#ticking = true
    for (const link of this.timers.keys()) this.#begin(link)
  }

  protected shutdownPlanner() {
    this.#ticking = false
    for (const timer of this.timers.values()) clearInterval(timer)
  }

  #begin(link: PlannedLink) {
    this.timers.set(
      link,
      setInterval(() => void this.dispatch(link), link.schedule.every),
    )
  }
}

t.test('a planner with scheduling of its own', async (t) => {
  t.test('transfers each link at its interval until it is shut down', async (t) => {
    const before = process.getActiveResourcesInfo().length
    const seen: number[] = []
    const enough = deferred()
    const link = tracedLink(
      'a',
      [],
      { push: ([record]) => void seen.push(record!.payload as number) },
      { interval: 0.005 },
    )
    const planner = new IntervalPlanner(link)
    planner.on('transfer', () => {
      if (seen.length === 5) enough.resolve()
    })
    await planner.start()
    await enough.promise
    await planner.shutdown()
    t.strictSame(seen.slice(0, 5), [0, 1, 2, 3, 4])
    t.equal(planner.timers.size, 0)
    t.equal(process.getActiveResourcesInfo().length, before)
    const { length } = seen
    await new Promise((resolve) => setTimeout(resolve, 25))
    t.equal(seen.length, length)
  })

  t.test('takes links in and out while it runs', async (t) => {
    const planner = new IntervalPlanner()
    await planner.start()
    const link = tracedLink('a')
    await planner.addLinks(link)
    t.equal(planner.timers.size, 1)
    await planner.removeLinks(link)
    t.equal(planner.timers.size, 0)
    await planner.shutdown()
  })

  t.test('cannot be paused unless it says how', async (t) => {
    const planner = new IntervalPlanner()
    await planner.start()
    for (let attempt = 0; attempt < 2; attempt++) {
      t.throws(() => planner.pause(), { code: 'DATABAY_PLANNER_STATE', message: 'IntervalPlanner cannot be paused' })
      t.notOk(planner.paused)
    }
    await planner.shutdown()
  })

  t.test('is told of each step in order', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace)], {}, trace)
    await planner.start()
    t.strictSame(trace.splice(0).slice(-3), ['schedule a', 'schedule b', 'start'], 'when all nodes are started')
    await planner.shutdown()
    t.strictSame(trace.splice(0).slice(0, 3), ['shutdown, wait true', 'unschedule a', 'unschedule b'])
    await planner.start()
    trace.length = 0
    await planner.shutdown({ wait: false })
    t.equal(trace[0], 'shutdown, wait false')
  })

  t.test('that dispatches a link when it should not makes no transfer', async (t) => {
    const trace: Trace = []
    const link = tracedLink('a', trace)
    const planner = handPlanner(t, link)
    t.equal(await planner.fire(link), undefined)
    await planner.start()
    t.equal(await planner.fire(tracedLink('of nobody', trace)), undefined)
    await planner.shutdown()
    t.equal(await planner.fire(link), undefined)
    t.notOk(trace.includes('a pulls'))
  })

  t.test('may stop the planner by what it finds wrong', async (t) => {
    captureLogs(t, 'fatal')
    class Reporting extends HandPlanner {
      fail(error: Error) {
        this.onException(error)
      }
    }
    const planner = new Reporting()
    planner.fail(new Error('nobody runs'))
    await planner.start()
    planner.fail(new Error('no time left'))
    await t.rejects(planner.finished, { message: 'no time left' })
    t.notOk(planner.running)

    const ignoring = new Reporting([], { ignoreExceptions: true })
    await ignoring.start()
    ignoring.fail(new Error('no time left'))
    t.ok(ignoring.running)
    await ignoring.shutdown()
  })

  t.test('that fails to pause or resume is as before', async (t) => {
    class Stubborn extends HandPlanner {
      fails = true
      protected override pausePlanner() {
        if (this.fails) throw new Error('would not pause')
      }
      protected override resumePlanner() {
        if (this.fails) throw new Error('would not resume')
      }
    }
    const planner = new Stubborn()
    await planner.start()
    t.throws(() => planner.pause(), { message: 'would not pause' })
    t.notOk(planner.paused)
    planner.fails = false
    planner.pause()
    planner.fails = true
    t.throws(() => planner.resume(), { message: 'would not resume' })
    t.ok(planner.paused)
    await planner.shutdown()
    t.notOk(planner.paused)
  })
})

t.test('a planner takes one link, several, or none', async (t) => {
  const [a, b] = [tracedLink('a'), tracedLink('b')]
  t.strictSame(new HandPlanner().links, [])
  t.strictSame(new HandPlanner(a).links, [a])
  const given = [a, b]
  const planner = new HandPlanner(given)
  given.pop()
  t.strictSame(planner.links, [a, b], 'its list is its own')
})

t.test('what is no link is refused', async (t) => {
  for (const value of [null, 5, 'links.js', {}, { transfer() {} }, [[]]]) {
    t.throws(() => new HandPlanner([tracedLink('a'), value] as PlannedLink[]), {
      code: 'DATABAY_INVALID_OPTION',
      message: /^links\[1\]: expected a Link, got /,
    })
    await t.rejects(new HandPlanner().addLinks(value as PlannedLink), { code: 'DATABAY_INVALID_OPTION' })
  }
})

t.test('options are checked', async (t) => {
  t.throws(() => new HandPlanner([], { thread: 4 } as object), { message: /^thread: expected one of the options/ })
  t.throws(() => new HandPlanner([], null as unknown as object), { message: /^options: expected an object/ })
})

t.test('the same link twice is refused, and then none is added', async (t) => {
  const [a, b] = [tracedLink('a'), tracedLink('b')]
  const message = /^links\[1\]: expected a link that is not in this planner yet, got "Link\(tags:\['a'\]/
  t.throws(() => new HandPlanner([a, a]), { code: 'DATABAY_INVALID_OPTION', message })
  const planner = handPlanner(t, a)
  await t.rejects(planner.addLinks([b, a]), { code: 'DATABAY_INVALID_OPTION', message })
  t.strictSame(planner.links, [a])
  await planner.start()
  await t.rejects(planner.addLinks([b, a]), { message })
  t.strictSame(planner.links, [a])
})

t.test('the list of links is a copy, so links can be removed while it is gone through', async (t) => {
  const planner = handPlanner(
    t,
    ['a', 'b', 'c', 'd'].map((name) => tracedLink(name)),
  )
  await planner.start()
  for (const link of planner.links) await planner.removeLinks(link)
  t.strictSame(planner.links, [])
})

t.test('links that are added', async (t) => {
  t.test('before the start, are started with the planner', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [], {}, trace)
    await planner.addLinks(tracedLink('a', trace))
    t.strictSame(trace, [])
    await planner.start()
    t.strictSame(trace, ['a in starts', 'a out starts', 'schedule a', 'start'])
  })

  t.test('just before the start, without waiting, are started with it too', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [], {}, trace)
    const added = planner.addLinks(tracedLink('a', trace))
    await planner.start()
    await added
    t.ok(trace.includes('schedule a'))
  })

  t.test('while the planner runs, are started, then scheduled, and transfer when they are due', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [], { immediateTransfer: true }, trace)
    await planner.start()
    trace.length = 0
    const link = tracedLink('a', trace)
    await planner.addLinks(link)
    t.strictSame(trace.splice(0), ['a in starts', 'a out starts', 'schedule a'])
    t.strictSame(planner.links, [link])
    await planner.fire(link)
    t.strictSame(trace.splice(0), ['a pulls', 'a gets 0'])
    await planner.shutdown()
    t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
  })

  t.test('while the planner starts, wait until it runs', async (t) => {
    const opened = deferred()
    const trace: Trace = []
    const planner = handPlanner(t, tracedLink('a', trace, { onStart: () => opened.promise }), {}, trace)
    const started = planner.start()
    const added = planner.addLinks(tracedLink('b', trace))
    await turnOfTheLoop()
    t.strictSame(trace, ['a in starts'])
    opened.resolve()
    await Promise.all([started, added])
    t.strictSame(trace.slice(-3), ['b in starts', 'b out starts', 'schedule b'])
  })

  t.test('while the planner shuts down, are refused', async (t) => {
    const planner = handPlanner(t, tracedLink('a'))
    await planner.start()
    const down = planner.shutdown()
    await t.rejects(planner.addLinks(tracedLink('b')), PlannerStateError)
    await t.rejects(planner.removeLinks(planner.links), PlannerStateError)
    await down
    t.equal(planner.links.length, 1)
  })

  t.test('and fail to start, are not added, and those with them are shut down', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [], {}, trace)
    await planner.start()
    trace.length = 0
    const bad = tracedLink('bad', trace, { onStart: () => Promise.reject(new Error('no connection')) })
    await t.rejects(planner.addLinks([tracedLink('good', trace), bad]), { message: 'no connection' })
    t.strictSame(planner.links, [])
    t.strictSame(trace.slice(-2), ['good out stops', 'good in stops'])
    t.equal(planner.scheduled.size, 0)
    t.ok(planner.running)
    const again = tracedLink('bad', trace)
    await planner.addLinks(again)
    t.strictSame(planner.links, [again])
  })

  t.test('and fail to be scheduled, are not added, and shut down', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [], {}, trace)
    await planner.start()
    planner.onScheduling = (what) => {
      if (what === 'schedule b') throw new Error('no such time')
    }
    trace.length = 0
    await t.rejects(planner.addLinks([tracedLink('a', trace), tracedLink('b', trace)]), { message: 'no such time' })
    t.strictSame(planner.links, [])
    t.equal(planner.scheduled.size, 0)
    for (const stopped of ['a in stops', 'a out stops', 'b in stops', 'b out stops']) t.ok(trace.includes(stopped))
  })

  t.test('twice at the same time, are added once', async (t) => {
    const trace: Trace = []
    const opened = deferred()
    const planner = handPlanner(t, [], {}, trace)
    await planner.start()
    trace.length = 0
    const link = tracedLink('a', trace, { onStart: () => opened.promise })
    const first = planner.addLinks(link)
    await t.rejects(planner.addLinks([tracedLink('b', trace), link]), {
      message: /^links\[1\]: expected a link that is not in this planner yet/,
    })
    opened.resolve()
    await first
    t.strictSame(planner.links, [link])
    t.strictSame(trace, ['a in starts', 'a out starts', 'schedule a'], 'b was never started')
  })

  t.test('when the planner is shut down meanwhile, are shut down too', async (t) => {
    const trace: Trace = []
    const opened = deferred()
    const planner = handPlanner(t, [], {}, trace)
    await planner.start()
    const added = planner.addLinks(tracedLink('a', trace, { onStart: () => opened.promise }))
    added.catch(() => undefined)
    await turnOfTheLoop()
    await planner.shutdown()
    opened.resolve()
    await t.rejects(added, { code: 'DATABAY_PLANNER_STATE', message: /was shut down while links were added/ })
    t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
    t.strictSame(planner.links, [])
  })
})

t.test('links that are removed', async (t) => {
  t.test('from a planner that does not run, are just gone', async (t) => {
    const trace: Trace = []
    const [a, b] = [tracedLink('a', trace), tracedLink('b', trace)]
    const planner = handPlanner(t, [a, b])
    await planner.removeLinks(a)
    t.strictSame(planner.links, [b])
    t.strictSame(trace, [])
  })

  t.test('while the planner runs, are unscheduled and shut down when their transfer has ended', async (t) => {
    const trace: Trace = []
    const pushed = deferred()
    const [a, b] = [tracedLink('a', trace, { push: () => pushed.promise }), tracedLink('b', trace)]
    const planner = handPlanner(t, [a, b], {}, trace)
    await planner.start()
    const transfer = planner.fire(a)
    await turnOfTheLoop()
    trace.length = 0
    const removed = planner.removeLinks(a)
    await turnOfTheLoop()
    t.strictSame(trace.splice(0), ['unschedule a'])
    pushed.resolve()
    await removed
    t.strictSame(trace.splice(0), ['a out stops', 'a in stops'])
    t.match(await transfer, { failed: false })
    t.strictSame(planner.links, [b])
    await planner.fire(b)
    t.strictSame(trace, ['b pulls', 'b gets 0'], 'the others go on')
  })

  for (const drain of [true, false]) {
    t.test(drain ? 'release what their buffers hold' : 'release nothing when draining is turned off', async (t) => {
      const trace: Trace = []
      const link = tracedLink('a', trace, { processors: [new Buffer({ countThreshold: 100 })] })
      const planner = handPlanner(t, link, { drain })
      await planner.start()
      await planner.fire(link)
      await planner.fire(link)
      trace.length = 0
      await planner.removeLinks(link)
      t.strictSame(trace, [...(drain ? ['a gets 0,1'] : []), 'a out stops', 'a in stops'])
      t.equal(planner.counts.transfers, drain ? 3 : 2)
    })
  }

  t.test('keep the nodes going that other links use', async (t) => {
    const trace: Trace = []
    const shared = new TracedInlet('shared', trace)
    const [a, b] = [1, 2].map(() => new Link({ inlets: shared, outlets: new KeepOutlet(), interval: 10 })) as [
      Link,
      Link,
    ]
    const planner = handPlanner(t, [a, b])
    await planner.start()
    await planner.removeLinks(a)
    t.strictSame(trace, ['shared in starts'])
    await planner.removeLinks(b)
    t.strictSame(trace, ['shared in starts', 'shared in stops'])
  })

  t.test('when one is not there, none is removed', async (t) => {
    for (const running of [false, true]) {
      const [a, b] = [tracedLink('a'), tracedLink('b')]
      const planner = handPlanner(t, a)
      if (running) await planner.start()
      await t.rejects(planner.removeLinks([a, b]), {
        code: 'DATABAY_MISSING_LINK',
        message: /^link "Link\(tags:\['b'\].+" is not in this planner$/,
      })
      t.strictSame(planner.links, [a])
    }
  })

  t.test('and named twice, are removed once', async (t) => {
    const trace: Trace = []
    const link = new StubLink('a', trace)
    const planner = handPlanner(t, link)
    await planner.start()
    await planner.removeLinks([link, link])
    t.strictSame(trace, ['a starts', 'a stops'])
  })

  t.test('are gone even when they fail to shut down', async (t) => {
    const link = tracedLink('a', [], { onShutdown: () => Promise.reject(new Error('would not close')) })
    const planner = handPlanner(t, link)
    await planner.start()
    await t.rejects(planner.removeLinks(link), { message: 'would not close' })
    t.strictSame(planner.links, [])
    t.ok(planner.running)
  })

  t.test('are gone even when they fail to drain', async (t) => {
    captureLogs(t, 'fatal')
    const trace: Trace = []
    const link = tracedLink('a', trace, {
      processors: [new Buffer({ countThreshold: 100 })],
      push: () => Promise.reject(new Error('disk full')),
    })
    const planner = handPlanner(t, link)
    await planner.start()
    await planner.fire(link)
    await t.rejects(planner.removeLinks(link), { code: 'DATABAY_TRANSFER_FAILED', message: /disk full/ })
    t.strictSame(planner.links, [])
    t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
  })

  t.test('are gone also when they cannot tell what they hold, and shut down', async (t) => {
    const trace: Trace = []
    const unsure = new Buffer({ countThreshold: 100 })
    const link = tracedLink('a', trace, { processors: [unsure] })
    const planner = handPlanner(t, link)
    await planner.start()
    Object.defineProperty(unsure, 'size', {
      get: () => {
        throw new Error('who knows')
      },
    })
    await t.rejects(planner.removeLinks(link), { message: /who knows/ })
    t.strictSame(planner.links, [])
    t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
  })

  t.test('are told to stop when a transfer takes too long, and removed within the time for a shutdown', async (t) => {
    captureLogs(t, 'fatal')
    const trace: Trace = []
    const link = tracedLink('a', trace, { push: () => new Promise(() => undefined) })
    const planner = handPlanner(t, link, { shutdownTimeout: 0.2, ignoreExceptions: true })
    await planner.start()
    const transfer = planner.fire(link)
    await turnOfTheLoop()
    await planner.removeLinks(link)
    t.match(await transfer, { errors: [{ code: 'DATABAY_TRANSFER_CANCELLED', message: /removal of its link/ }] })
    t.strictSame(trace.slice(-2), ['a out stops', 'a in stops'])
  })

  t.test('are removed also when a transfer never ends; a shutdown then does not wait for it', async (t) => {
    captureLogs(t, 'fatal')
    const hung = new StubLink('hung')
    hung.transfer = () => new Promise(() => undefined)
    const planner = handPlanner(t, [hung, tracedLink('a')], { shutdownTimeout: 0.2 })
    await planner.start()
    void planner.fire(hung)
    await t.rejects(planner.removeLinks(hung), {
      code: 'DATABAY_SHUTDOWN_TIMEOUT',
      message: /^links that were removed: the time for the shutdown was over before transfers of hung, .* had ended$/,
    })
    t.equal(planner.links.length, 1)
    await planner.shutdown()
  })

  t.test('can be added again', async (t) => {
    const trace: Trace = []
    const link = tracedLink('a', trace)
    const planner = handPlanner(t, link, {}, trace)
    await planner.start()
    await planner.removeLinks(link)
    trace.length = 0
    await planner.addLinks(link)
    await planner.fire(link)
    t.strictSame(trace, ['a in starts', 'a out starts', 'schedule a', 'a pulls', 'a gets 0'])
  })
})

t.test('all links can be removed at once, while the planner runs', async (t) => {
  const trace: Trace = []
  const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace)], {}, trace)
  await planner.start()
  await planner.purge()
  t.strictSame(planner.links, [])
  t.equal(planner.scheduled.size, 0)
  t.equal(trace.filter((text) => text.endsWith('stops')).length, 4)
  t.ok(planner.running)
  await planner.purge()
})

t.test('a planner is called by its class', async (t) => {
  t.equal(String(new HandPlanner()), 'HandPlanner')
})

t.test('links that are added and removed are logged', async (t) => {
  const { messages } = captureLogs(t, 'info')
  const planner = handPlanner(t, [])
  const link = tracedLink('a')
  await planner.addLinks(link)
  await planner.start()
  await planner.removeLinks(link)
  await planner.shutdown()
  t.strictSame(messages(), [
    `Added link: ${String(link)}`,
    'Starting HandPlanner',
    `Removed link: ${String(link)}`,
    'HandPlanner is shut down',
  ])
})

t.test('two planners know nothing of each other', async (t) => {
  const trace: Trace = []
  const shared = new TracedInlet('shared', trace)
  const outlets = [new KeepOutlet(), new KeepOutlet()] as const
  const [a, b] = outlets.map(
    (outlet) => new Link({ inlets: [shared, giving('x')], outlets: outlet, interval: 10 }),
  ) as [Link, Link]
  const [one, two] = [handPlanner(t, a), handPlanner(t, b)]
  await Promise.all([one.start(), two.start()])
  t.strictSame(trace, ['shared in starts'], 'an inlet that both use is started once')
  await one.fire(a)
  t.equal(await one.fire(b), undefined)
  t.match([one.counts.transfers, two.counts.transfers], [1, 0])
  const finished = stateOf(two.finished)
  await one.shutdown()
  t.ok(two.running)
  t.equal(finished(), 'pending')
  t.notOk(trace.includes('shared in stops'))
  await two.fire(b)
  t.equal(outlets[1].batches.length, 1)
  await two.shutdown()
  t.equal(trace.at(-1), 'shared in stops')
  t.equal(trace.filter((text) => text === 'shared in stops').length, 1)
})

t.test('a listener that fails, now or later, is logged, and the planner goes on', async (t) => {
  const logs = captureLogs(t, 'error')
  const planner = handPlanner(t, tracedLink('a'), { immediateTransfer: false })
  const late: unknown = () => Promise.reject(new Error('too late'))
  planner.on('transfer', late as () => void)
  await planner.start()
  const [report] = await planner.forceTransfer()
  t.equal(report?.failed, false)
  await new Promise((resolve) => setTimeout(resolve))
  t.match(logs.entries(), [{ msg: "a listener of 'transfer' failed", err: { message: 'too late' } }])
  t.equal(planner.running, true)
})

t.test('an event that there is not has its error, however one listens', (t) => {
  const planner = new HandPlanner() as unknown as EventEmitter
  const ways = ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'off', 'removeListener'] as const
  for (const way of ways) {
    t.throws(
      () => planner[way]('transfered', () => undefined),
      {
        code: 'DATABAY_INVALID_OPTION',
        message: /^event: expected one of the events transfer, skipped, .* got 'transfered': did you mean transfer\?/,
      },
      way,
    )
    t.throws(() => planner[way](undefined as unknown as string, () => undefined), { message: /got undefined/ }, way)
  }
  t.strictSame(planner.eventNames(), [])
  t.end()
})

t.test('helpers of Node for emitters take a planner', async (t) => {
  const planner = handPlanner(t)
  const skipped = once(planner, 'skipped')
  const event = { link: 'a', scheduledAt: 0, reason: 'running', running: 1 } as const
  planner.emit('skipped', event)
  t.strictSame(await skipped, [event])
  t.ok(planner instanceof EventEmitter)
  planner.on('late', () => undefined)
  t.equal(planner.removeAllListeners().listenerCount('late'), 0)
})
