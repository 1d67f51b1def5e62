import { show } from '../../base/errors.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { PlannerBench } from './planner-harness.js'
import type { Check } from '../runner.js'

/** Links that come and go. */
export const LINKS: Check<PlannerBench>[] = [
  {
    name: 'starts and transfers a link that is added while it runs',
    holds: async (bench) => {
      const planner = await bench.started([bench.rare()])
      const probe = bench.frequent()
      await bench.calls.succeed(`${nameOf(planner)}.addLinks`, () => planner.addLinks(probe.link))
      claim(
        probe.started === 1,
        `${nameOf(planner)} started the nodes of an added link ${probe.started} times: expected once`,
      )
      await bench.transferred(probe, 2, `${nameOf(planner)} did not transfer a link that was added while it runs`)
      claim(planner.links.includes(probe.link), `${nameOf(planner)}.links lacks a link that was added`)
    },
  },
  {
    name: 'transfers a link no more that is removed while it runs, and shuts its nodes down',
    holds: async (bench) => {
      const [gone, staying] = [bench.frequent(), bench.frequent()]
      const planner = await bench.started([gone, staying])
      await bench.transferred(gone, 1, `${nameOf(planner)} did not transfer a link`)
      await bench.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(gone.link))
      claim(
        gone.shutDown === 1,
        `${nameOf(planner)} shut down the nodes of a removed link ${gone.shutDown} times: expected once`,
      )
      claim(!planner.links.includes(gone.link), `${nameOf(planner)}.links still has a link that was removed`)
      await bench.quiet(gone, `${nameOf(planner)} transferred a link after it was removed`)
      await bench.transferred(staying, 1, `${nameOf(planner)} did not transfer the other link after one was removed`)
    },
  },
  {
    name: 'takes a link back that was removed',
    holds: async (bench) => {
      const probe = bench.frequent()
      const planner = await bench.started([probe])
      await bench.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(probe.link))
      await bench.calls.succeed(`${nameOf(planner)}.addLinks`, () => planner.addLinks(probe.link))
      await bench.transferred(probe, 2, `${nameOf(planner)} did not transfer a link that was removed and added again`)
    },
  },
  {
    name: 'removes a link before it is started',
    holds: async (bench) => {
      const [gone, staying] = [bench.frequent(), bench.frequent()]
      const planner = await bench.make([gone, staying], { immediateTransfer: false })
      await bench.calls.succeed(`${nameOf(planner)}.removeLinks`, () => planner.removeLinks(gone.link))
      await bench.start(planner)
      await bench.transferred(staying, 1, `${nameOf(planner)} did not transfer a link`)
      claim(
        gone.events.length === 0,
        `${nameOf(planner)} started or transferred a link that was removed before its start`,
      )
    },
  },
  {
    name: 'refuses links that it has already, and those that it has not',
    holds: async (bench) => {
      const [known, unknown] = [bench.rare(), bench.rare()]
      const planner = await bench.started([known])
      const twice = await bench.calls.outcome(`${nameOf(planner)}.addLinks`, () => planner.addLinks(known.link))
      claim('error' in twice, `${nameOf(planner)}.addLinks took a link twice`)
      const missing = await bench.calls.outcome(`${nameOf(planner)}.removeLinks`, () =>
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
    holds: async (bench) => {
      const probes = [bench.frequent(), bench.frequent()]
      const planner = await bench.started(probes)
      await bench.calls.succeed(`${nameOf(planner)}.purge`, () => planner.purge())
      claim(planner.links.length === 0, `${nameOf(planner)}.purge left ${planner.links.length} links`)
      claim(planner.running, `${nameOf(planner)}.purge stopped the planner`)
      for (const probe of probes) {
        claim(probe.shutDown === 1, `${nameOf(planner)}.purge did not shut down the nodes of a link`)
        await bench.quiet(probe, `${nameOf(planner)} transferred a link after it was purged`)
      }
    },
  },
]
