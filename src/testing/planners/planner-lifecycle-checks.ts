import { setTimeout as delay } from 'node:timers/promises'
import { Buffer } from '../../core/buffer.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import { leftOpen } from '../open-resources.js'
import type { PlannerHarness } from './planner-harness.js'
import type { Check } from '../runner.js'

/** Checks of starts and shutdowns. */
export const LIFECYCLE_CHECKS: Check<PlannerHarness>[] = [
  {
    name: 'starts nodes once before their first transfer, and shuts them down once after their last',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.make([probe])
      await harness.start(planner)
      await harness.transferred(probe, 2, `${nameOf(planner)} did not transfer a link`)
      await harness.shutdown(planner)
      const { events, started, shutDown } = probe
      claim(started === 1, `${nameOf(planner)} started a node ${started} times: expected once`)
      claim(shutDown === 1, `${nameOf(planner)} shut a node down ${shutDown} times: expected once`)
      const inOrder = events[0] === 'start' && events.at(-1) === 'shutdown'
      claim(
        inOrder,
        `${nameOf(planner)} transferred a link before its nodes were started, or after they were shut down`,
      )
    },
  },
  {
    name: 'says whether it runs',
    holds: async (harness) => {
      const planner = await harness.make([harness.rare()])
      claim(!planner.running, `${nameOf(planner)}.running is true before its start`)
      await harness.start(planner)
      claim(planner.running, `${nameOf(planner)}.running is false after its start`)
      await harness.shutdown(planner)
      claim(!planner.running, `${nameOf(planner)}.running is true after its shutdown`)
    },
  },
  {
    name: 'is started once, and shut down as often as one likes',
    holds: async (harness) => {
      const planner = await harness.make([harness.rare()])
      await harness.shutdown(planner)
      await harness.start(planner)
      const again = await harness.calls.outcome(`${nameOf(planner)}.start`, () => planner.start())
      claim('error' in again && planner.running, `${nameOf(planner)}.start of a running planner was not refused`)
      await harness.shutdown(planner)
      await harness.shutdown(planner)
      await harness.calls.succeed(`${nameOf(planner)}.finished`, () => planner.finished)
    },
  },
  {
    name: 'can be started again',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.started([probe])
      await harness.shutdown(planner)
      await harness.start(planner)
      await harness.transferred(probe, 2, `${nameOf(planner)} did not transfer a link when it was started again`)
      const { started } = probe
      claim(started === 2, `${nameOf(planner)} started a node ${started} times in two starts`)
    },
  },
  {
    name: 'lets running transfers end when it is shut down',
    holds: async (harness) => {
      const slow = harness.frequent({ pull: () => delay(harness.setup.interval * 3, 'late') })
      const planner = await harness.started([slow])
      await harness.transferred(slow, 1, `${nameOf(planner)} did not transfer a link`)
      await harness.shutdown(planner)
      claim(
        slow.delivered.length === slow.pulls && slow.events.at(-1) === 'shutdown',
        `${nameOf(planner)}.shutdown did not wait for a running transfer`,
      )
    },
  },
  {
    name: 'tells running transfers to stop when it is shut down without waiting',
    holds: async (harness) => {
      const hanging = harness.frequent({ pull: ({ signal }) => delay(60_000, 0, { signal, ref: false }) })
      const planner = await harness.started([hanging])
      await harness.transferred(hanging, 1, `${nameOf(planner)} did not transfer a link`)
      await harness.calls.succeed(`${nameOf(planner)}.shutdown({ wait: false })`, () =>
        planner.shutdown({ wait: false }),
      )
      claim(hanging.shutDown === 1, `${nameOf(planner)}.shutdown({ wait: false }) did not shut nodes down`)
    },
  },
  {
    name: 'drains buffers when it is shut down',
    holds: async (harness) => {
      const probe = harness.rare({ processors: [new Buffer({ countThreshold: 100 })] })
      const planner = await harness.make([probe])
      await harness.start(planner)
      await harness.shutdown(planner)
      claim(probe.delivered.length === 1, `${nameOf(planner)}.shutdown lost what a buffer held`)
    },
  },
  {
    name: 'leaves nothing open when it is shut down',
    holds: async (harness) => {
      let name = ''
      const left = await leftOpen(async () => {
        const probe = harness.frequent()
        const planner = await harness.started([probe, harness.rare()])
        name = nameOf(planner)
        await harness.transferred(probe, 1, `${name} did not transfer a link`)
        await harness.shutdown(planner)
      }, harness.setup.timeout)
      claim(left.length === 0, `${name} left something open after its shutdown: ${left.join(', ')}`)
    },
  },
]
