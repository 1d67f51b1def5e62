import t from 'tap'
import { InvalidOptionError, PlannerStateError } from '../../src/base/errors.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred } from '../helpers/nodes.js'
import { handPlanner, tracedLink, type Trace } from '../helpers/planners.js'

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
})

t.test('a signal shuts a running planner down in order', async (t) => {
  const trace: Trace = []
  const planner = handPlanner(t, tracedLink('a', trace), {}, trace)
  const controller = new AbortController()
  await planner.start({ signal: controller.signal })
  t.equal(planner.state, 'running')
  const { finished } = planner
  controller.abort()
  await finished
  t.equal(planner.state, 'idle')
  t.equal(trace.filter((text) => text.endsWith('stops')).length, 2, 'all nodes are shut down')
})

t.test('a signal that has aborted starts nothing', async (t) => {
  const trace: Trace = []
  const planner = handPlanner(t, tracedLink('a', trace), {}, trace)
  await t.rejects(planner.start({ signal: AbortSignal.abort(new Error('not today')) }), { message: 'not today' })
  t.strictSame(trace, [])
  t.equal(planner.state, 'idle')
})

t.test('a signal gives up a start that is under way', async (t) => {
  const pulled = deferred()
  const planner = handPlanner(t, tracedLink('a', [], { pull: () => pulled.promise }), { immediateTransfer: true })
  const controller = new AbortController()
  const starting = planner.start({ signal: controller.signal })
  t.equal(planner.state, 'starting')
  controller.abort(new Error('changed my mind'))
  pulled.resolve()
  await t.rejects(starting, { message: 'changed my mind' })
  t.equal(planner.state, 'idle')
  await planner.finished
})

t.test('a signal counts for one start', async (t) => {
  const planner = handPlanner(t, tracedLink('a'))
  const controller = new AbortController()
  await planner.start({ signal: controller.signal })
  await planner.shutdown()
  await planner.start()
  await t.rejects(planner.start({ signal: controller.signal }), PlannerStateError)
  controller.abort()
  await new Promise(setImmediate)
  t.equal(planner.state, 'running')
  await t.rejects(planner.start({ signal: 'no' as unknown as AbortSignal }), InvalidOptionError)
})
