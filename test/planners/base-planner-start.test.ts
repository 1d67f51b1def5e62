import t from 'tap'
import { TransferError } from '../../src/core/report.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { handPlanner, HandPlanner, stateOf, StubLink, tracedLink, type Trace } from '../helpers/planners.js'

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
})

t.test('a planner starts, runs, shuts down, and can start again', async (t) => {
  const trace: Trace = []
  const planner = handPlanner(t, tracedLink('a', trace))
  t.notOk(planner.running)
  for (let round = 0; round < 3; round++) {
    const started = planner.start()
    t.notOk(planner.running)
    await started
    t.ok(planner.running)
    const finished = stateOf(planner.finished)
    await turnOfTheLoop()
    t.equal(finished(), 'pending')
    await planner.shutdown()
    t.notOk(planner.running)
    t.equal(finished(), 'resolved')
    t.strictSame(trace.splice(0), ['a in starts', 'a out starts', 'a out stops', 'a in stops'])
  }
})

t.test('a planner without links starts', async (t) => {
  const planner = handPlanner(t, [], { immediateTransfer: true, transfers: 1 })
  await planner.start()
  t.ok(planner.running)
  await planner.shutdown()
})

t.test('a planner that is started is not started again', async (t) => {
  const opened = deferred()
  const trace: Trace = []
  const planner = handPlanner(t, tracedLink('a', trace, { onStart: () => opened.promise }))
  const started = planner.start()
  await t.rejects(planner.start(), {
    code: 'DATABAY_PLANNER_STATE',
    message: 'start() needs a stopped planner: this one is starting',
  })
  opened.resolve()
  await started
  await t.rejects(planner.start(), { message: 'start() needs a stopped planner: this one is running' })
  const down = planner.shutdown()
  await t.rejects(planner.start(), { message: 'start() needs a stopped planner: this one is stopping' })
  await down
  t.equal(trace.filter((text) => text === 'a in starts').length, 1)
})

t.test('when a node fails to start', async (t) => {
  t.test('start() rejects, and all that was started is shut down in reverse', async (t) => {
    const trace: Trace = []
    const bad = tracedLink('bad', trace, { onStart: () => Promise.reject(new Error('no connection')) })
    const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace), bad], {}, trace)
    const finished = stateOf(planner.finished)
    await t.rejects(planner.start(), { message: 'no connection' })
    t.notOk(planner.running)
    t.strictSame(
      trace.filter((text) => text.endsWith('stops')),
      ['b out stops', 'a out stops', 'b in stops', 'a in stops'],
    )
    t.notOk(trace.includes('start'), 'scheduling was not begun')
    t.match(finished(), { message: 'no connection' }, 'finished says the same')
  })

  t.test('the planner can be started when it is mended', async (t) => {
    let broken = true
    const trace: Trace = []
    const onStart = () => {
      if (broken) throw new Error('no connection')
    }
    const planner = handPlanner(t, tracedLink('a', trace, { onStart }))
    await t.rejects(planner.start(), { message: 'no connection' })
    broken = false
    trace.length = 0
    await planner.start()
    t.ok(planner.running)
    const finished = stateOf(planner.finished)
    await planner.shutdown()
    t.equal(finished(), 'resolved')
    t.strictSame(trace, ['a in starts', 'a out starts', 'a out stops', 'a in stops'])
  })

  t.test('it rejects also when exceptions are ignored', async (t) => {
    const bad = tracedLink('bad', [], { onStart: () => Promise.reject(new Error('no connection')) })
    await t.rejects(handPlanner(t, bad, { ignoreExceptions: true }).start(), { message: 'no connection' })
  })
})

t.test('when the scheduling fails to start, nodes are shut down', async (t) => {
  for (const step of ['schedule b', 'start']) {
    const trace: Trace = []
    const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace)], {}, trace)
    planner.onScheduling = (what) => {
      if (what === step) throw new Error('no timers left')
    }
    await t.rejects(planner.start(), { message: 'no timers left' }, step)
    t.equal(planner.scheduled.size, 0)
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 4)
  }
})

t.test('first transfers', async (t) => {
  t.test('are made of all links when the planner starts', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [tracedLink('a', trace), tracedLink('b', trace)], { immediateTransfer: true }, trace)
    await planner.start()
    t.equal(planner.counts.transfers, 2)
    t.ok(trace.indexOf('a pulls') > trace.indexOf('start'), 'when scheduling runs')
    t.ok(trace.includes('b gets 0'))
  })

  t.test('have ended when start() resolves', async (t) => {
    const pushed = deferred()
    const planner = handPlanner(t, tracedLink('a', [], { push: () => pushed.promise }), { immediateTransfer: true })
    const started = planner.start()
    const state = stateOf(started)
    await turnOfTheLoop()
    t.equal(state(), 'pending')
    pushed.resolve()
    await started
  })

  t.test('are not made when the planner is told so', async (t) => {
    const planner = handPlanner(t, tracedLink('a'), { immediateTransfer: false })
    await planner.start()
    t.equal(planner.counts.transfers, 0)
  })

  t.test('are not made of a link that is told so', async (t) => {
    const trace: Trace = []
    const waiting = tracedLink('waiting', trace, {}, { immediateTransfer: false })
    const planner = handPlanner(t, [waiting, tracedLink('a', trace)], { immediateTransfer: true })
    await planner.start()
    t.ok(trace.includes('a pulls'))
    t.notOk(trace.includes('waiting pulls'))
  })

  t.test('are not made of links that go by the clock, unless one is told to', async (t) => {
    const trace: Trace = []
    const links = [
      tracedLink('cron', trace, {}, { cron: '0 2 * * *' }),
      tracedLink('aligned', trace, {}, { alignToClock: true }),
      tracedLink('eager', trace, {}, { cron: '0 2 * * *', immediateTransfer: true }),
      tracedLink('often', trace),
    ]
    const planner = handPlanner(t, links, { immediateTransfer: true })
    await planner.start()
    const pulls = trace.filter((text) => text.endsWith(' pulls'))
    t.same(pulls, ['eager pulls', 'often pulls'])
  })

  t.test('are made at every start', async (t) => {
    const planner = handPlanner(t, tracedLink('a'), { immediateTransfer: true })
    await planner.start()
    await planner.shutdown()
    await planner.start()
    t.equal(planner.counts.transfers, 2)
  })
})

t.test('when a first transfer fails', async (t) => {
  const failing = (trace: Trace = []) => tracedLink('bad', trace, { pull: () => Promise.reject(new Error('no data')) })

  t.test('start() rejects, and all nodes are shut down', async (t) => {
    const trace: Trace = []
    const planner = handPlanner(t, [tracedLink('a', trace), failing(trace)], { immediateTransfer: true }, trace)
    const finished = stateOf(planner.finished)
    const error = await planner.start().catch((thrown: unknown) => thrown)
    t.ok(error instanceof TransferError)
    t.match(error, { code: 'DATABAY_TRANSFER_FAILED', report: { link: 'bad', failed: true } })
    t.notOk(planner.running)
    t.equal(finished(), error)
    t.equal(planner.scheduled.size, 0)
    t.strictSame(trace.slice(-4).sort(), ['a in stops', 'a out stops', 'bad in stops', 'bad out stops'])
  })

  t.test('the other first transfers may end before the nodes are shut down', async (t) => {
    const trace: Trace = []
    const pushed = deferred()
    const slow = tracedLink('slow', trace, { push: () => pushed.promise })
    const planner = handPlanner(t, [failing(trace), slow], { immediateTransfer: true })
    const started = planner.start()
    started.catch(() => undefined)
    await turnOfTheLoop()
    t.notOk(trace.some((text) => text.endsWith('stops')))
    pushed.resolve()
    await t.rejects(started, { code: 'DATABAY_TRANSFER_FAILED' })
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 4)
  })

  t.test('a shutdown meanwhile waits for the same end', async (t) => {
    const trace: Trace = []
    const pushed = deferred()
    const slow = tracedLink('slow', trace, { push: () => pushed.promise })
    const planner = handPlanner(t, [failing(trace), slow], { immediateTransfer: true })
    const started = planner.start()
    started.catch(() => undefined)
    await turnOfTheLoop()
    const down = planner.shutdown()
    const state = stateOf(down)
    await turnOfTheLoop()
    t.equal(state(), 'pending')
    t.notOk(
      trace.some((text) => text.endsWith('stops')),
      'no node is shut down under a running transfer',
    )
    pushed.resolve()
    await down
    await t.rejects(started, { code: 'DATABAY_TRANSFER_FAILED' })
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 4, 'each node once')
  })

  t.test('a shutdown that does not wait ends it', async (t) => {
    const signals: AbortSignal[] = []
    const slow = tracedLink('slow', [], {
      push: (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    })
    const planner = handPlanner(t, [failing(), slow], { immediateTransfer: true })
    const started = planner.start()
    started.catch(() => undefined)
    await turnOfTheLoop()
    await planner.shutdown({ wait: false })
    t.ok(signals[0]!.aborted)
    await t.rejects(started, { code: 'DATABAY_TRANSFER_FAILED' })
  })

  t.test('and exceptions are ignored, by the planner or by the link, it starts', async (t) => {
    const ignored = tracedLink(
      'bad',
      [],
      { pull: () => Promise.reject(new Error('no data')) },
      { ignoreExceptions: true },
    )
    const byLink = handPlanner(t, ignored, { immediateTransfer: true })
    const byPlanner = handPlanner(t, failing(), { immediateTransfer: true, ignoreExceptions: true })
    for (const planner of [byLink, byPlanner]) {
      await planner.start()
      t.ok(planner.running)
      t.match(planner.counts, { transfers: 1, failed: 1 })
    }
  })

  t.test('the planner can be started when that is mended', async (t) => {
    let broken = true
    const link = tracedLink('a', [], {
      pull: () => {
        if (broken) throw new Error('no data')
        return 1
      },
    })
    const planner = handPlanner(t, link, { immediateTransfer: true })
    await t.rejects(planner.start(), { code: 'DATABAY_TRANSFER_FAILED' })
    broken = false
    await planner.start()
    t.ok(planner.running)
  })
})

t.test('a link of a third party that rejects its first transfer makes start() reject', async (t) => {
  const link = new StubLink('stub')
  link.transfer = () => Promise.reject(new Error('broken'))
  await t.rejects(handPlanner(t, link, { immediateTransfer: true }).start(), { message: 'broken' })
})

t.test('a shutdown while the planner starts', async (t) => {
  t.test('makes start() reject, and shuts down what was started', async (t) => {
    const trace: Trace = []
    const opened = deferred()
    const planner = handPlanner(t, [tracedLink('a', trace, { onStart: () => opened.promise })], {}, trace)
    const started = planner.start()
    started.catch(() => undefined)
    await turnOfTheLoop()
    const down = planner.shutdown()
    const state = stateOf(down)
    await turnOfTheLoop()
    t.equal(state(), 'pending', 'each step ends before it is undone')
    opened.resolve()
    await down
    t.notOk(planner.running)
    await t.rejects(started, { code: 'DATABAY_PLANNER_STATE', message: 'the planner was shut down while it started' })
    t.strictSame(trace, ['a in starts', 'a out starts', 'a out stops', 'a in stops'])
  })

  t.test('waits for the first transfers', async (t) => {
    const trace: Trace = []
    const pushed = deferred()
    const link = tracedLink('a', trace, { push: () => pushed.promise })
    const planner = handPlanner(t, link, { immediateTransfer: true })
    const started = planner.start()
    started.catch(() => undefined)
    await turnOfTheLoop()
    const down = planner.shutdown()
    await turnOfTheLoop()
    t.equal(trace.at(-1), 'a gets 0')
    pushed.resolve()
    await down
    await t.rejects(started, { code: 'DATABAY_PLANNER_STATE' })
    t.equal(planner.counts.transfers, 1)
  })

  t.test('is an orderly end, however often it is asked for', async (t) => {
    let opened = deferred()
    const planner = handPlanner(t, [tracedLink('a', [], { onStart: () => opened.promise })])
    for (let round = 0; round < 2; round++) {
      opened = deferred()
      const started = planner.start()
      await turnOfTheLoop()
      const ends = Promise.all([planner.shutdown(), planner.shutdown({ wait: false }), planner.shutdown()])
      opened.resolve()
      await t.rejects(started, { code: 'DATABAY_PLANNER_STATE', message: 'the planner was shut down while it started' })
      await ends
      await t.resolves(planner.finished)
    }
  })

  t.test('leaves nothing running, whenever it comes', async (t) => {
    for (let turns = 0; turns < 60; turns++) {
      const trace: Trace = []
      const planner = new HandPlanner(tracedLink('a', trace), {}, trace)
      const started = planner.start().catch((error: unknown) => error)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await planner.shutdown()
      if (planner.running || planner.scheduled.size > 0) t.fail(`shut down after ${turns} turns, and still running`)
      await started
      const starts = trace.filter((text) => text.endsWith(' starts')).length
      const stops = trace.filter((text) => text.endsWith(' stops')).length
      if (starts !== stops) t.fail(`after ${turns} turns ${starts} nodes were started and ${stops} stopped`)
      planner.finished.catch(() => undefined)
    }
    t.pass()
  })
})

t.test('the promise of the end', async (t) => {
  t.test('may be taken before the start', async (t) => {
    const planner = handPlanner(t, tracedLink('a'))
    const { finished } = planner
    t.equal(planner.finished, finished)
    await planner.start()
    t.equal(planner.finished, finished)
    await planner.shutdown()
    await finished
    await planner.finished
  })

  t.test('is another one after the next start', async (t) => {
    const planner = handPlanner(t, tracedLink('a'))
    await planner.start()
    await planner.shutdown()
    const { finished } = planner
    await planner.start()
    t.not(planner.finished, finished)
  })

  t.test('rejects with what start() rejects with; nobody need handle both', async (t) => {
    const planner = handPlanner(t, tracedLink('a', [], { onStart: () => Promise.reject(new Error('no connection')) }))
    await t.rejects(planner.start(), { message: 'no connection' })
    await turnOfTheLoop() // an unhandled rejection would end the test here
    await t.rejects(planner.finished, { message: 'no connection' })
  })
})
