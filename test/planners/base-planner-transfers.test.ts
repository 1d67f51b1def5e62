import t from 'tap'
import { TransferError, type TransferReport } from '../../src/core/report.js'
import type { LateEvent, SkippedEvent } from '../../src/operate/planner-events.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { handPlanner, stateOf, tracedLink, type Trace } from '../helpers/planners.js'

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
})

const noData = { pull: () => Promise.reject(new Error('no data')) }

t.test('each transfer is told of, with its report', async (t) => {
  const link = tracedLink('a')
  const planner = handPlanner(t, link)
  const reports: TransferReport[] = []
  planner.on('transfer', (report) => reports.push(report))
  await planner.start()
  const report = await planner.fire(link, { scheduledAt: 12_345 })
  t.match(report, { link: 'a', update: 'a.0', scheduledAt: 12_345, pulled: 1, thread: 0, failed: false })
  t.equal(reports[0], report)
  await planner.fire(link)
  t.match(reports[1], { update: 'a.1' })
  t.strictSame(planner.counts, { transfers: 2, failed: 0, skipped: 0, late: 0, missed: 0, lost: 0 })
})

t.test('a transfer that fails stops the planner', async (t) => {
  t.test('finished rejects, and all nodes are shut down', async (t) => {
    const { messages } = captureLogs(t, 'error')
    const trace: Trace = []
    const bad = tracedLink('bad', trace, noData)
    const planner = handPlanner(t, [tracedLink('a', trace), bad], {}, trace)
    const { finished } = planner
    await planner.start()
    await planner.fire(bad)
    const error = await finished.catch((thrown: unknown) => thrown)
    t.ok(error instanceof TransferError)
    t.match(error, {
      code: 'DATABAY_TRANSFER_FAILED',
      message: 'transfer bad.0 failed: TracedInlet failed to pull: no data',
      cause: { message: 'no data' },
      report: { link: 'bad', errors: [{ stage: 'pull' }] },
    })
    t.notOk(planner.running)
    t.equal(planner.scheduled.size, 0)
    t.equal(trace.filter((text) => text.endsWith('stops')).length, 4)
    const told = 'transfer bad.0 failed: TracedInlet failed to pull: no data'
    const goOn = 'with ignoreExceptions on the planner, or on the link, it would go on'
    t.ok(messages().includes(`HandPlanner shuts down: ${told}; ${goOn}`))
  })

  t.test('once the transfers that run have ended', async (t) => {
    const trace: Trace = []
    const pushed = deferred()
    const slow = tracedLink('slow', trace, { push: () => pushed.promise })
    const bad = tracedLink('bad', trace, noData)
    const planner = handPlanner(t, [slow, bad])
    await planner.start()
    const finished = stateOf(planner.finished)
    void planner.fire(slow)
    void planner.fire(bad)
    await turnOfTheLoop()
    t.equal(finished(), 'pending')
    t.notOk(trace.some((text) => text.endsWith('stops')))
    pushed.resolve()
    await t.rejects(planner.finished, { message: /no data/ })
    t.ok(trace.includes('slow out stops'))
  })

  t.test('the first of several is the reason', async (t) => {
    const planner = handPlanner(
      t,
      ['a', 'b'].map((name) => tracedLink(name, [], noData)),
    )
    await planner.start()
    const [first] = planner.links
    void planner.fire(first!)
    await planner.fire(planner.links[1]!)
    await t.rejects(planner.finished, { message: /^transfer a\.0 failed/ })
  })

  t.test('a shutdown that was called meanwhile resolves; finished still rejects', async (t) => {
    const bad = tracedLink('bad', [], noData)
    const planner = handPlanner(t, bad)
    await planner.start()
    const transfer = planner.fire(bad)
    await transfer
    await planner.shutdown()
    await t.rejects(planner.finished, { code: 'DATABAY_TRANSFER_FAILED' })
  })

  t.test('and the planner can be started again', async (t) => {
    let broken = true
    const link = tracedLink('a', [], {
      pull: () => {
        if (broken) throw new Error('no data')
        return 1
      },
    })
    const planner = handPlanner(t, link)
    await planner.start()
    await planner.fire(link)
    await t.rejects(planner.finished)
    broken = false
    await planner.start()
    t.match(await planner.fire(link), { failed: false })
    const { finished } = planner
    await planner.shutdown()
    await finished
  })

  t.test('but not when the planner ignores exceptions: it is counted', async (t) => {
    const trace: Trace = []
    const bad = tracedLink('bad', trace, noData)
    const planner = handPlanner(t, bad, { ignoreExceptions: true })
    await planner.start()
    t.match(await planner.fire(bad), { failed: true })
    t.match(await planner.fire(bad), { failed: true })
    t.ok(planner.running)
    t.match(planner.counts, { transfers: 2, failed: 2 })
    await planner.shutdown()
    await planner.finished
  })

  t.test('but not when the link ignores exceptions: the others of its nodes go on', async (t) => {
    const bad = tracedLink('bad', [], noData, { ignoreExceptions: true })
    const planner = handPlanner(t, bad)
    await planner.start()
    t.match(await planner.fire(bad), { failed: false, errors: [{ message: 'no data' }] })
    t.ok(planner.running)
    t.match(planner.counts, { transfers: 1, failed: 1 })
  })
})

t.test('a link that is due while it transfers is skipped', async (t) => {
  const { messages } = captureLogs(t)
  const pushed = deferred()
  const link = tracedLink('a', [], { push: () => pushed.promise })
  const planner = handPlanner(t, link)
  const skipped: SkippedEvent[] = []
  planner.on('skipped', (event) => skipped.push(event))
  await planner.start()
  const first = planner.fire(link)
  t.equal(await planner.fire(link, { scheduledAt: 7 }), undefined)
  t.strictSame(skipped, [{ link: 'a', scheduledAt: 7, reason: 'running', running: 1 }])
  t.equal(planner.counts.skipped, 1)
  t.strictSame(messages(), ['a is skipped: 1 of its transfers still run'])
  pushed.resolve()
  t.match(await first, { update: 'a.0' })
  t.match(await planner.fire(link), { update: 'a.1' })
})

t.test('a link may transfer several times at once when it says so', async (t) => {
  const pushed = deferred()
  const link = tracedLink('a', [], { push: () => pushed.promise }, { maxInstances: 2 })
  const planner = handPlanner(t, link)
  await planner.start()
  const transfers = [1, 2, 3].map(() => planner.fire(link))
  await turnOfTheLoop()
  t.equal(planner.counts.skipped, 1)
  pushed.resolve()
  t.match(await Promise.all(transfers), [{ update: 'a.0' }, { update: 'a.1' }, undefined])
})

t.test('a link that is late, or has missed due times, is told of', async (t) => {
  const link = tracedLink('a')
  const planner = handPlanner(t, link, { lateAfter: 2 })
  const late: LateEvent[] = []
  planner.on('late', (event) => late.push(event))
  await planner.start()
  await planner.fire(link, { scheduledAt: 1, lateness: 1999 })
  await planner.fire(link, { scheduledAt: 2, lateness: 2001 })
  await planner.fire(link, { scheduledAt: 3, lateness: 5, missed: 2 })
  t.strictSame(late, [
    { link: 'a', scheduledAt: 2, lateness: 2001, missed: 0 },
    { link: 'a', scheduledAt: 3, lateness: 5, missed: 2 },
  ])
  t.match(planner.counts, { transfers: 3, late: 2, missed: 2 })
})

t.test('how often a listener has failed is told at the end', async (t) => {
  const logs = captureLogs(t)
  const link = tracedLink('a')
  const planner = handPlanner(t, link)
  planner.on('transfer', () => {
    throw new Error('my listener')
  })
  await planner.start()
  for (let transfer = 0; transfer < 5; transfer++) await planner.fire(link)
  await planner.shutdown()
  t.match(logs.messages(), [
    "a listener of 'transfer' failed",
    /^listeners of 'transfer' failed 5 times in \d+ ms, when the planner was shut down$/,
  ])
})

t.test('a listener that throws is logged, and changes nothing', async (t) => {
  const { entries } = captureLogs(t, 'error')
  const trace: Trace = []
  const link = tracedLink('a', trace)
  const planner = handPlanner(t, link)
  planner.on('transfer', () => {
    throw new Error('my listener')
  })
  await planner.start()
  t.match(await planner.fire(link), { failed: false })
  t.match(entries(), [{ msg: "a listener of 'transfer' failed", err: { message: 'my listener' } }])
  t.ok(planner.running)
  await planner.shutdown()
  await planner.finished
})

t.test('a limited number of transfers', async (t) => {
  t.test('ends the planner by itself when all links have made theirs', async (t) => {
    const trace: Trace = []
    const [a, b] = [tracedLink('a', trace), tracedLink('b', trace)]
    const planner = handPlanner(t, [a, b], { transfers: 2 }, trace)
    await planner.start()
    await planner.fire(a)
    await planner.fire(a)
    t.notOk(planner.scheduled.has(a), 'a link that has made its transfers is scheduled no more')
    t.equal(await planner.fire(a), undefined)
    await planner.fire(b)
    t.ok(planner.running)
    await planner.fire(b)
    await planner.finished
    t.notOk(planner.running)
    t.equal(trace.filter((text) => text.endsWith('pulls')).length, 4)
    t.strictSame(planner.links, [a, b])
  })

  t.test('counts the first transfers', async (t) => {
    const planner = handPlanner(t, [tracedLink('a'), tracedLink('b')], { transfers: 1, immediateTransfer: true })
    const { finished } = planner
    await planner.start()
    await finished
    t.notOk(planner.running)
    t.equal(planner.counts.transfers, 2)
  })

  t.test('counts anew after the next start', async (t) => {
    const link = tracedLink('a')
    const planner = handPlanner(t, link, { transfers: 1 })
    for (let round = 1; round <= 2; round++) {
      await planner.start()
      await planner.fire(link)
      await planner.finished
      t.equal(planner.counts.transfers, round)
    }
  })

  t.test('waits for links that are added', async (t) => {
    const [a, b] = [tracedLink('a'), tracedLink('b')]
    const planner = handPlanner(t, a, { transfers: 1 })
    await planner.start()
    await planner.addLinks(b)
    await planner.fire(a)
    t.ok(planner.running)
    await planner.fire(b)
    await planner.finished
    t.notOk(planner.running)
  })

  t.test('ends the planner when the only link that has some left is removed', async (t) => {
    const [a, b] = [tracedLink('a'), tracedLink('b')]
    const planner = handPlanner(t, [a, b], { transfers: 1 })
    await planner.start()
    await planner.fire(a)
    await planner.removeLinks(b)
    await planner.finished
    t.notOk(planner.running)
  })
})

t.test('a planner can be paused', async (t) => {
  const trace: Trace = []
  const pushed = deferred()
  const link = tracedLink('a', trace, { push: () => pushed.promise })
  const planner = handPlanner(t, link, {}, trace)
  for (const call of ['pause', 'resume'] as const) {
    t.throws(() => planner[call](), { code: 'DATABAY_PLANNER_STATE', message: `${call}() needs a running planner` })
  }
  await planner.start()
  t.notOk(planner.paused)
  const transfer = planner.fire(link)
  await turnOfTheLoop()
  trace.length = 0
  planner.pause()
  planner.pause()
  t.ok(planner.paused)
  t.ok(planner.running, 'a paused planner is running')
  pushed.resolve()
  t.match(await transfer, { failed: false }, 'what runs ends as usual')
  planner.resume()
  planner.resume()
  t.notOk(planner.paused)
  t.strictSame(trace, ['pause', 'resume'])
})

t.test('transfers can be forced', async (t) => {
  t.test('of all links, with their reports', async (t) => {
    const planner = handPlanner(t, [tracedLink('a'), tracedLink('b')])
    await planner.start()
    t.match(await planner.forceTransfer(), [{ update: 'a.0' }, { update: 'b.0' }])
    t.equal(planner.counts.transfers, 2)
  })

  t.test('of some, and while the planner is paused', async (t) => {
    const [a, b] = [tracedLink('a'), tracedLink('b')]
    const planner = handPlanner(t, [a, b])
    await planner.start()
    planner.pause()
    t.match(await planner.forceTransfer(b), [{ update: 'b.0' }])
    t.match(await planner.forceTransfer([b, b, a]), [{ update: 'b.1' }, { update: 'a.0' }])
    t.strictSame(await planner.forceTransfer([]), [])
  })

  t.test('but not of a link that still transfers', async (t) => {
    const pushed = deferred()
    const slow = tracedLink('slow', [], { push: () => pushed.promise })
    const planner = handPlanner(t, [slow, tracedLink('a')])
    await planner.start()
    void planner.fire(slow)
    t.match(await planner.forceTransfer(), [{ update: 'a.0' }])
    t.equal(planner.counts.skipped, 1)
    pushed.resolve()
  })

  t.test('but not of a link of another planner, nor in a planner that does not run', async (t) => {
    const link = tracedLink('a')
    const planner = handPlanner(t, link)
    await t.rejects(planner.forceTransfer(), { code: 'DATABAY_PLANNER_STATE' })
    await planner.start()
    await t.rejects(planner.forceTransfer([link, tracedLink('b')]), { code: 'DATABAY_MISSING_LINK' })
    t.equal(planner.counts.transfers, 0)
  })

  t.test('and stop the planner when they fail', async (t) => {
    const planner = handPlanner(t, tracedLink('a', [], noData))
    await planner.start()
    t.match(await planner.forceTransfer(), [{ failed: true }])
    await t.rejects(planner.finished, { code: 'DATABAY_TRANSFER_FAILED' })
  })
})
