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
  warnOfSharedIds(links('a', 'b', 'a', 'a', 'c'), links('c', 'd'))
  t.same(warned(), ['several links have the id a, c: give each an id of its own'])
  const many = Array.from({ length: 12 }, (_, at) => `id${at}`)
  warnOfSharedIds(links(...many), links(...many))
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
