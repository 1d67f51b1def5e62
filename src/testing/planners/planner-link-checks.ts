import { show } from '../../base/errors.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { PlannerHarness } from './planner-harness.js'
import type { Check } from '../runner.js'

/** Checks of links that are added and removed. */
export const LINK_CHECKS: Check<PlannerHarness>[] = [
  {
    name: 'starts and transfers a link that is added while it runs',
    holds: async (harness) => {
      const planner = await harness.started([harness.rare()])
      const probe = harness.frequent()
      await harness.calls.succeed(`${nameOf(planner)}.addLinks`, () => planner.addLinks(probe.link))
      claim(
        probe.started === 1,
        `${nameOf(planner)} started the nodes of an added link ${probe.started} times: expected once`,
      )
      await harness.transferred(probe, 2, `${nameOf(planner)} did not transfer a link that was added while it runs`)
      claim(planner.links.includes(probe.link), `${nameOf(planner)}.links lacks a link that was added`)
    },
  },
  {
    name: 'transfers a link no more that is removed while it runs, and shuts its nodes down',
    holds: async (harness) => {
      const [gone, staying] = [harness.frequent(), harness.frequent()]
      const planner = await harness.started([gone, staying])
      await harness.transferred(gone, 1, `${nameOf(planner)} did not transfer a link`)
      await harness.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(gone.link))
      claim(
        gone.shutDown === 1,
        `${nameOf(planner)} shut down the nodes of a removed link ${gone.shutDown} times: expected once`,
      )
      claim(!planner.links.includes(gone.link), `${nameOf(planner)}.links still has a link that was removed`)
      await harness.quiet(gone, `${nameOf(planner)} transferred a link after it was removed`)
      await harness.transferred(staying, 1, `${nameOf(planner)} did not transfer the other link after one was removed`)
    },
  },
  {
    name: 'takes a link back that was removed',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.started([probe])
      await harness.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(probe.link))
      await harness.calls.succeed(`${nameOf(planner)}.addLinks`, () => planner.addLinks(probe.link))
      await harness.transferred(probe, 2, `${nameOf(planner)} did not transfer a link that was removed and added again`)
    },
  },
  {
    name: 'removes a link before it is started',
    holds: async (harness) => {
      const [gone, staying] = [harness.frequent(), harness.frequent()]
      const planner = await harness.make([gone, staying], { immediateTransfer: false })
      await harness.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(gone.link))
      await harness.start(planner)
      await harness.transferred(staying, 1, `${nameOf(planner)} did not transfer a link`)
      claim(
        gone.events.length === 0,
        `${nameOf(planner)} started or transferred a link that was removed before its start`,
      )
    },
  },
  {
    name: 'refuses links that it has already, and those that it has not',
    holds: async (harness) => {
      const [known, unknown] = [harness.rare(), harness.rare()]
      const planner = await harness.started([known])
      const twice = await harness.calls.outcome(`${nameOf(planner)}.addLinks`, () => planner.addLinks(known.link))
      claim('error' in twice, `${nameOf(planner)}.addLinks took a link twice`)
      const missing = await harness.calls.outcome(`${nameOf(planner)}.removeLinks`, () =>
        planner.removeLinks(unknown.link),
      )
      claim(
        'error' in missing && 'code' in missing.error && missing.error.code === 'DATABAY_MISSING_LINK',
        `${nameOf(planner)}.removeLinks of a link that is not in it gave ${show(missing)}: expected a MissingLinkError`,
      )
    },
  },
  {
    name: 'is purged of all links, and runs on',
    holds: async (harness) => {
      const probes = [harness.frequent(), harness.frequent()]
      const planner = await harness.started(probes)
      await harness.calls.succeed(`${nameOf(planner)}.purge`, () => planner.purge())
      claim(planner.links.length === 0, `${nameOf(planner)}.purge left ${planner.links.length} links`)
      claim(planner.running, `${nameOf(planner)}.purge stopped the planner`)
      for (const probe of probes) {
        claim(probe.shutDown === 1, `${nameOf(planner)}.purge did not shut down the nodes of a link`)
        await harness.quiet(probe, `${nameOf(planner)} transferred a link after it was purged`)
      }
    },
  },
]
