import t from 'tap'
import { MissingLinkError, PlannerStateError } from '../../src/base/errors.js'
import type { SkippedEvent } from '../../src/operate/planner-events.js'
import { captureLogs } from '../helpers/logs.js'
import { handPlanner, tracedLink } from '../helpers/planners.js'

t.beforeEach((t) => {
  captureLogs(t, 'fatal')
})

t.test('one link can be paused: its due times are skipped, and those of others are not', async (t) => {
  const [a, b] = [tracedLink('a'), tracedLink('b')]
  const planner = handPlanner(t, [a, b])
  const skipped: SkippedEvent[] = []
  const told: string[] = []
  planner.on('skipped', (event) => skipped.push(event))
  planner.on('paused', ({ link = 'planner' }) => told.push(`paused ${link}`))
  planner.on('resumed', ({ link = 'planner' }) => told.push(`resumed ${link}`))
  await planner.start()
  planner.pause(a)
  planner.pause([a])
  t.notOk(planner.paused, 'the planner as a whole is not')
  t.equal(await planner.fire(a, { scheduledAt: 1000 }), undefined)
  t.match(await planner.fire(b), { link: 'b' })
  t.match(skipped, [{ link: 'a', scheduledAt: 1000, reason: 'paused', running: 0 }])
  planner.resume([a, b])
  t.match(await planner.fire(a), { link: 'a' })
  t.strictSame(told, ['paused a', 'resumed a'])
  t.match(planner.counts, { transfers: 2, skipped: 1, late: 0, missed: 0 })
})

t.test('a paused link transfers when it is forced to', async (t) => {
  const a = tracedLink('a')
  const planner = handPlanner(t, a)
  await planner.start()
  planner.pause(a)
  t.match(await planner.forceTransfer(a), [{ link: 'a', pulled: 1 }])
  t.equal(await planner.fire(a), undefined)
})

t.test('a link that is not in the planner is refused, and nothing is changed', async (t) => {
  const a = tracedLink('a')
  const planner = handPlanner(t, a)
  t.throws(() => planner.pause(a), PlannerStateError)
  t.throws(() => planner.resume(a), PlannerStateError)
  await planner.start()
  t.throws(() => planner.pause([a, tracedLink('other')]), MissingLinkError)
  t.match(await planner.fire(a), { link: 'a' })
})

t.test('a link is not paused after a shutdown, nor by a pause of the planner', async (t) => {
  const a = tracedLink('a')
  const planner = handPlanner(t, a)
  const told: string[] = []
  planner.on('paused', ({ link = 'planner' }) => told.push(`paused ${link}`))
  planner.on('resumed', ({ link = 'planner' }) => told.push(`resumed ${link}`))
  await planner.start()
  planner.pause()
  planner.pause(a)
  planner.resume()
  t.equal(await planner.fire(a), undefined, 'it is paused by itself still')
  await planner.shutdown()
  await planner.start()
  t.match(await planner.fire(a), { link: 'a' })
  t.strictSame(told, ['paused planner', 'paused a', 'resumed planner'])
})
