import t from 'tap'
import { warnOfSharedIds } from '../../src/planners/link-ids.js'
import type { PlannedLink } from '../../src/core/planned-link.js'
import { Link } from '../../src/core/link.js'
import { NullInlet } from '../../src/connectors/samples/null-inlet.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { captureLogs } from '../helpers/logs.js'
import { handPlanner } from '../helpers/planners.js'

const link = (id?: string): Link =>
  new Link({ inlets: new NullInlet(), outlets: new NullOutlet(), interval: 1, ...(id !== undefined && { id }) })
const links = (...ids: (string | undefined)[]): PlannedLink[] => ids.map(link)

t.test('ids that several links have are named, once each', async (t) => {
  const logs = captureLogs(t, 'warn')
  const warned = () => logs.entries().map(({ msg }) => msg)
  warnOfSharedIds(links('a', 'b', undefined, undefined))
  t.same(warned(), [], 'links without an id have none in common')
  warnOfSharedIds(links('a', 'b', 'a', 'a', 'c'), new Set(['c', 'd']))
  t.same(warned(), ['several links have the id a, c: give each an id of its own'])
  const many = Array.from({ length: 12 }, (_, at) => `id${at}`)
  warnOfSharedIds(links(...many), new Set(many))
  t.match(warned()[1], /^several links have the id id0, .+, id9, and 2 more: /)
})

t.test('a planner warns when it starts, and when a link is added', async (t) => {
  const logs = captureLogs(t, 'warn')
  const planner = handPlanner(t, [link('a'), link('a')], { immediateTransfer: false })
  await planner.start()
  t.match(logs.entries(), [{ name: 'databay.BasePlanner', msg: /^several links have the id a: / }])
  await planner.addLinks(link('b'))
  t.equal(logs.entries().length, 1)
  await planner.addLinks(link('b'))
  t.match(logs.entries()[1], { msg: /^several links have the id b: / })
})

t.test('each link is asked for its id as often, however many links are there', async (t) => {
  captureLogs(t, 'silent')
  let asked = 0
  const counted = (id: string) => {
    const made = link(id)
    Object.defineProperty(made, 'id', {
      get: () => {
        asked++
        return id
      },
    })
    return made
  }
  const planner = handPlanner(t, [], { immediateTransfer: false })
  await planner.start()
  const add = async (from: number, to: number) => {
    asked = 0
    for (let at = from; at < to; at++) await planner.addLinks(counted(`id${at}`))
    return asked / (to - from)
  }
  const few = await add(0, 20)
  t.equal(await add(20, 120), few)
})

t.test('an id is free again when its link has left', async (t) => {
  const logs = captureLogs(t, 'warn')
  const [one, two] = [link('a'), link('a')]
  const planner = handPlanner(t, [], { immediateTransfer: false })
  await planner.start()
  await planner.addLinks(one)
  await planner.removeLinks(one)
  await planner.addLinks(two)
  t.same(logs.entries(), [])
  await planner.addLinks(one)
  t.equal(logs.entries().length, 1)
  await planner.removeLinks(one)
  await planner.addLinks(link('a'))
  t.equal(logs.entries().length, 2, 'one of two has left')
})
