import t, { type Test } from 'tap'
import { PlannerLifecycle, unlessStopped, type Step } from '../../src/planners/planner-lifecycle.js'
import { TransferError } from '../../src/core/report.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { emptyReport, stateOf } from '../helpers/planners.js'

const OPTIONS = { drain: true, ignoreExceptions: false, shutdownTimeout: Infinity }

/** Makes a lifecycle of these steps, and a trace of what it does. */
function lifeOf(t: Test, steps: (trace: string[]) => readonly Step[], options = {}) {
  captureLogs(t, 'silent')
  const trace: string[] = []
  const cancel = (why: string) => trace.push(`cancel: ${why}`)
  const life = new PlannerLifecycle('ThePlanner', { ...OPTIONS, ...options }, cancel, steps(trace))
  life.finished.catch(() => undefined)
  return { life, trace }
}

/** Makes a step that writes into the trace. */
function step(trace: string[], name: string, more: Partial<Step> = {}): Step {
  return {
    do: () => trace.push(`do ${name}`),
    undo: ({ wait, drain }) => trace.push(`undo ${name}, wait ${wait}, drain ${drain}`),
    ...more,
  }
}

t.test('steps are done one after the other, and undone in reverse', async (t) => {
  const gate = deferred()
  const { life, trace } = lifeOf(t, (trace) => [
    step(trace, 'a', { do: () => gate.promise }),
    { do: () => trace.push('only done') },
    { undo: () => trace.push('only undone') },
    step(trace, 'b'),
  ])
  t.match(life, { state: 'idle', running: false, changing: false })
  const started = life.start()
  t.match(life, { state: 'starting', running: false, changing: true })
  await turnOfTheLoop()
  t.strictSame(trace, [])
  gate.resolve()
  await started
  t.match(life, { state: 'running', running: true, changing: false })
  t.strictSame(trace.splice(0), ['only done', 'do b'])
  const stopped = life.shutdown({ drain: false })
  t.match(life, { state: 'stopping', changing: true })
  await stopped
  t.strictSame(trace.splice(0), ['undo b, wait true, drain false', 'only undone', 'undo a, wait true, drain false'])
  await life.finished
  await life.start()
  await life.shutdown({})
  t.strictSame(trace.splice(0, 3), ['only done', 'do b', 'undo b, wait true, drain true'], 'the next one is as new')
})

t.test('a step that fails is undone with those before it, and start() and finished tell it', async (t) => {
  const { life, trace } = lifeOf(t, (trace) => [
    step(trace, 'a'),
    step(trace, 'b', { do: () => Promise.reject(new Error('no file')) }),
    step(trace, 'c'),
  ])
  const settled = stateOf(life.finished)
  const started = life.start()
  await t.rejects(started, { message: 'no file' })
  t.strictSame(trace, ['do a', 'undo b, wait true, drain true', 'undo a, wait true, drain true'])
  t.match(settled(), { message: 'no file' })
  t.equal(life.state, 'idle')
})

t.test('only an idle planner starts', async (t) => {
  const { life } = lifeOf(t, () => [])
  const started = life.start()
  await t.rejects(life.start(), { code: 'DATABAY_PLANNER_STATE', message: /this one is starting$/ })
  await started
  await t.rejects(life.start(), { message: /this one is running$/ })
  await life.shutdown({})
})

t.test('a shutdown during the start ends it after the step that is under way', async (t) => {
  const gate = deferred()
  const { life, trace } = lifeOf(t, (trace) => [step(trace, 'a', { do: () => gate.promise }), step(trace, 'b')])
  const started = life.start()
  const stopped = life.shutdown({})
  await turnOfTheLoop()
  t.strictSame(trace, [])
  gate.resolve()
  await t.rejects(started, { code: 'DATABAY_PLANNER_STATE', message: 'the planner was shut down while it started' })
  await stopped
  t.strictSame(trace, ['undo a, wait true, drain true'])
  await life.finished
})

t.test('without waiting, the step that is under way is forced to end', async (t) => {
  const gate = deferred()
  const { life, trace } = lifeOf(t, (trace) => [
    step(trace, 'a', { do: () => gate.promise, force: () => gate.reject(new Error('forced')) }),
  ])
  const started = life.start()
  const stopped = life.shutdown({ wait: false })
  await t.rejects(started, { message: 'the planner was shut down while it started' }, 'and not that it was forced')
  await stopped
  t.strictSame(trace, ['cancel: the planner shuts down without waiting', 'undo a, wait false, drain true'])
})

t.test('a step may end early when the start is given up', async (t) => {
  const { life } = lifeOf(t, () => [{ do: (givenUp) => givenUp }])
  const started = life.start()
  life.fail(new Error('a first transfer failed'))
  life.fail(new Error('and another'))
  await t.rejects(started, { message: 'a first transfer failed' })
})

t.test('a failure stops a running planner, which finished tells', async (t) => {
  const { life, trace } = lifeOf(t, (trace) => [step(trace, 'a')])
  await life.start()
  life.fail(new Error('no connection'))
  t.equal(life.state, 'stopping')
  await t.rejects(life.finished, { message: 'no connection' })
  t.strictSame(trace, ['do a', 'undo a, wait true, drain true'])
  life.fail(new Error('when it is idle, nobody wants to know'))
  await life.start()
  await life.shutdown({})
  await life.finished
})

t.test('what fails while it stops is told, unless it was told to stop', async (t) => {
  const report = emptyReport('a')
  const cancelled = { name: 'E', message: 'm', node: 'n', stage: 'pull', code: 'DATABAY_TRANSFER_CANCELLED' } as const
  for (const wait of [true, false]) {
    const { life } = lifeOf(t, () => [
      { undo: () => life.fail(new TransferError({ ...report, errors: [cancelled] })) },
      { undo: () => Promise.reject(new Error('would not close')) },
    ])
    await life.start()
    const error: unknown = await life.shutdown({ wait }).catch((error: unknown) => error)
    if (wait) t.match(error, { errors: [{ code: 'DATABAY_TRANSFER_FAILED' }, { message: 'would not close' }] })
    else t.match(error, { message: 'would not close' })
    await t.rejects(life.finished, error as Error)
  }
  const { life } = lifeOf(t, () => [{ undo: () => Promise.reject(new Error('would not close')) }], {
    ignoreExceptions: true,
  })
  await life.start()
  await life.shutdown({})
})

t.test('two shutdowns wait for the same end; the second may ask not to wait', async (t) => {
  const gate = deferred()
  const { life, trace } = lifeOf(t, (trace) => [step(trace, 'a'), { undo: () => gate.promise }])
  await life.shutdown({ wait: false })
  t.strictSame(trace, [], 'when it is idle there is nothing to do')
  await life.start()
  const both = [life.shutdown({}), life.shutdown({ wait: false })]
  gate.resolve()
  await Promise.all(both)
  t.strictSame(trace.slice(1), ['cancel: the planner shuts down without waiting', 'undo a, wait false, drain true'])
})

t.test('it ends by itself: at once, or as soon as it has started', async (t) => {
  const { life } = lifeOf(t, () => [
    {
      do: () => {
        life.end()
      },
    },
  ])
  life.end()
  t.equal(life.state, 'idle')
  await life.start()
  await life.finished
  t.equal(life.state, 'idle')
  const other = lifeOf(t, () => []).life
  await other.start()
  other.end()
  await other.finished
})

t.test('whoever changes links waits for a start, and is refused during a stop', async (t) => {
  const gate = deferred()
  const { life } = lifeOf(t, () => [{ do: () => gate.promise }])
  await life.settled()
  const started = life.start()
  const settled = stateOf(life.settled())
  await turnOfTheLoop()
  t.equal(settled(), 'pending')
  gate.resolve()
  await started
  await turnOfTheLoop()
  t.equal(settled(), 'resolved')
  const stopped = life.shutdown({})
  await t.rejects(life.settled(), { code: 'DATABAY_PLANNER_STATE' })
  await stopped
})

t.test('a shutdown takes no longer than it may', async (t) => {
  const { life, trace } = lifeOf(
    t,
    (trace) => [
      { undo: ({ limit }) => trace.push(`is over: ${limit.isOver}`) },
      {
        undo: ({ limit }) =>
          limit.wait(
            () => 'what hangs',
            () => new Promise(() => {}),
          ),
      },
    ],
    { shutdownTimeout: 40 },
  )
  await life.start()
  await t.rejects(life.shutdown({}), {
    code: 'DATABAY_SHUTDOWN_TIMEOUT',
    message: 'ThePlanner: the time for the shutdown was over before what hangs had ended',
  })
  t.strictSame(trace, ['cancel: the time for the shutdown is nearly over', 'is over: true'])
})

t.test('work that a shutdown ends fails for that', async (t) => {
  const planner = { running: true }
  t.equal(await unlessStopped(planner, 'links were added', Promise.resolve(1)), 1)
  const broken = new Error('broken')
  await t.rejects(unlessStopped(planner, 'links were added', Promise.reject(broken)), broken)
  const gate = deferred()
  const work = unlessStopped(planner, 'links were added', gate.promise)
  planner.running = false
  gate.reject(broken)
  await t.rejects(work, { message: 'the planner was shut down while links were added', cause: broken })
  await t.rejects(unlessStopped(planner, 'links were added', Promise.reject(broken)), broken, 'it was stopped before')
})
