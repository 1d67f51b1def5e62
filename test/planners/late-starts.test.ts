/** Links whose start ends after it was given up, and that were started again meanwhile. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Inlet } from '../../src/core/inlet.js'
import { Link } from '../../src/core/link.js'
import type { TransferSettings } from '../../src/core/link-options.js'
import { NullOutlet } from '../../src/connectors/samples/null-outlet.js'
import { begin, giveUp, isGivenUp } from '../../src/planners/late-starts.js'
import { SchedulePlanner } from '../../src/planners/schedule-planner.js'
import { captureLogs } from '../helpers/logs.js'
import { deferred, turnOfTheLoop } from '../helpers/nodes.js'
import { StubLink } from '../helpers/planners.js'
import { until } from '../helpers/threads.js'

class SlowInlet extends Inlet {
  readonly gate = deferred()
  starts = 0
  stops = 0

  override async onStart() {
    this.starts++
    await this.gate.promise
  }

  pull() {
    return 1
  }

  override onShutdown() {
    this.stops++
  }
}

function slowLink(settings: TransferSettings = {}) {
  const inlet = new SlowInlet()
  const link = new Link({
    inlets: inlet,
    outlets: new NullOutlet(),
    interval: 60,
    immediateTransfer: false,
    ...settings,
  })
  return { inlet, link }
}

t.test('a link that is started again before its late start has ended stays open', async (t) => {
  captureLogs(t, 'silent')
  const { inlet, link } = slowLink()
  const planner = new SchedulePlanner(link, { startTimeout: 0.05 })
  planner.finished.catch(() => undefined)
  await t.rejects(planner.start(), { code: 'DATABAY_START_TIMEOUT' })
  const again = planner.start()
  inlet.gate.resolve()
  await again
  await wait(20)
  t.same([inlet.starts, inlet.stops], [1, 0])
  await planner.shutdown()
  t.equal(inlet.stops, 1)
})

t.test('so does one that is to be tried again', async (t) => {
  captureLogs(t, 'silent')
  const { inlet, link } = slowLink({ onStartFailure: 'retry' })
  const planner = new SchedulePlanner(link, { startTimeout: 0.05 })
  await planner.start()
  await planner.shutdown()
  await planner.start()
  inlet.gate.resolve()
  await until(() => planner.unstarted.length === 0)
  await wait(20)
  t.same([inlet.starts, inlet.stops], [1, 0])
  await planner.shutdown()
  t.equal(inlet.stops, 1)
})

t.test('so does one that was removed and added again; a removal after that shuts it down', async (t) => {
  captureLogs(t, 'silent')
  const { inlet, link } = slowLink({ onStartFailure: 'retry' })
  const planner = new SchedulePlanner([], { startTimeout: 0.05 })
  t.teardown(() => planner.shutdown())
  await planner.start()
  await planner.addLinks(link)
  await planner.removeLinks(link)
  t.ok(isGivenUp(link))
  await planner.addLinks(link)
  inlet.gate.resolve()
  await until(() => planner.unstarted.length === 0)
  await wait(20)
  t.same([inlet.starts, inlet.stops], [1, 0])
  t.match(await planner.forceTransfer(link), [{ failed: false, pulled: 1 }])
  await planner.removeLinks(link)
  t.equal(inlet.stops, 1)
})

t.test('a start that fails after it was given up is logged, unless another has taken its place', async (t) => {
  const logs = captureLogs(t)
  const [late, again] = [new StubLink('late'), new StubLink('again')]
  const gate = deferred()
  for (const link of [late, again]) giveUp(link, gate.promise)
  await begin(again)
  gate.reject(new Error('refused'))
  await turnOfTheLoop()
  t.same([isGivenUp(late), isGivenUp(again)], [false, false])
  t.same(logs.messages(), ['late failed after its start was given up: refused'])
})
