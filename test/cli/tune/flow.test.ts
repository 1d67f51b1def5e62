import t from 'tap'
import { Flow } from '../../../src/cli/tune/flow.js'
import { emptyReport } from '../../helpers/planners.js'

function report(link: string, startedAt: number, endedAt: number, pulled = 10) {
  return { ...emptyReport(link), startedAt, endedAt, pulled }
}

t.test('transfers count by the share of them that is in the window', async (t) => {
  const flow = new Flow(100)
  flow.add(report('a', 900, 990)) // before it began
  flow.open(1000)
  flow.add(report('a', 950, 1050)) // half of it
  flow.add(report('a', 1050, 1070))
  flow.add(report('a', 1070, 1190)) // a quarter of it
  flow.add(report('b', 800, 1200)) // it is longer than the window
  flow.add(report('b', 1100, 1110)) // after it
  t.match(flow.links.get('a'), { transfers: 1.75, records: 17.5, all: 4, failed: 0 })
  t.match(flow.links.get('b'), { transfers: 0.25, records: 2.5, all: 2 })
  t.strictSame(flow.total, { transfers: 2, records: 20 })
  t.equal(flow.linksSeen, 2)
})

t.test('one that took no time counts where it was', async (t) => {
  const flow = new Flow(100)
  flow.open(1000)
  for (const at of [999, 1000, 1099, 1100]) flow.add(report('a', at, at))
  t.match(flow.links.get('a'), { transfers: 2, all: 4 })
})

t.test('failed ones are counted, with the first error', async (t) => {
  const flow = new Flow(100)
  const error = (message: string) => ({ name: 'Error', message, node: 'SomeInlet', stage: 'pull' as const })
  flow.add({ ...report('a', 1, 2), errors: [error('first'), error('second')] })
  flow.add({ ...report('a', 2, 3), errors: [error('third')] })
  t.match(flow.links.get('a'), { all: 2, failed: 2, error: { message: 'first' } })
})
