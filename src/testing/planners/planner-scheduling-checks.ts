import { setTimeout as delay } from 'node:timers/promises'
import type { TransferReport } from '../../core/report.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { PlannerHarness } from './planner-harness.js'
import type { Check } from '../runner.js'

/** Checks of when links are transferred. */
export const SCHEDULING_CHECKS: Check<PlannerHarness>[] = [
  {
    name: 'transfers each link at its interval',
    holds: async (harness) => {
      const [a, b] = [harness.frequent(), harness.frequent()]
      const planner = await harness.started([a, b])
      const { interval } = harness.setup
      for (const probe of [a, b])
        await harness.transferred(probe, 5, `${nameOf(planner)} did not transfer a link 5 times`)
      const [first = 0, , , , fifth = 0] = a.times
      // timers may be early by a fraction, and a late one does not delay the next
      const least = interval * 2.5
      claim(
        fifth - first >= least,
        `${nameOf(planner)} made 5 transfers of a link with an interval of ${interval} ms in ${Math.round(fifth - first)} ms`,
      )
    },
  },
  {
    name: 'transfers by dispatch, so that transfers are counted and told of',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.make([probe], { immediateTransfer: false })
      const reports: TransferReport[] = []
      planner.on('transfer', (report) => reports.push(report))
      await harness.start(planner)
      await harness.transferred(probe, 2, `${nameOf(planner)} did not transfer a link twice`)
      await harness.shutdown(planner)
      const { transfers } = planner.counts
      claim(
        reports.length === probe.pulls && transfers === probe.pulls,
        `${nameOf(planner)} made ${probe.pulls} transfers, counted ${transfers} and told of ${reports.length}: transfer links by this.dispatch(link)`,
      )
    },
  },
  {
    name: 'does not transfer a link that is still transferring',
    holds: async (harness) => {
      const slow = harness.frequent({ pull: () => delay(harness.setup.interval * 4, 0) })
      const planner = await harness.started([slow])
      await harness.transferred(slow, 2, `${nameOf(planner)} did not transfer a slow link twice`)
      claim(
        slow.atOnce === 1,
        `${nameOf(planner)} ran ${slow.atOnce} transfers of one link at once: use this.dispatch(link)`,
      )
    },
  },
  {
    name: 'transfers every link once upon starting, unless told otherwise',
    holds: async (harness) => {
      const [now, later] = [harness.rare(), harness.rare({}, { immediateTransfer: false })]
      const eager = await harness.make([now, later])
      await harness.start(eager)
      claim(now.pulls === 1, `${nameOf(eager)}.start made ${now.pulls} first transfers of a link: expected one`)
      claim(later.pulls === 0, `${nameOf(eager)}.start transferred a link that has immediateTransfer: false`)
      const waiting = harness.rare()
      const patient = await harness.started([waiting])
      claim(
        waiting.pulls === 0,
        `${nameOf(patient)}.start transferred a link though the planner has immediateTransfer: false: hand the options on to super()`,
      )
    },
  },
  {
    name: 'transfers nothing before it is started',
    holds: async (harness) => {
      const [a, b] = [harness.frequent(), harness.frequent()]
      const planner = await harness.make([a])
      await harness.calls.succeed(`${nameOf(planner)}.addLinks`, () => planner.addLinks(b.link))
      for (const probe of [a, b])
        await harness.quiet(probe, `${nameOf(planner)} transferred a link before it was started`)
    },
  },
  {
    name: 'transfers nothing after it is shut down',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.started([probe])
      await harness.transferred(probe, 1, `${nameOf(planner)} did not transfer a link`)
      await harness.shutdown(planner)
      const at = probe.events.lastIndexOf('shutdown')
      claim(at === probe.events.length - 1, `${nameOf(planner)} transferred a link while its nodes were shut down`)
      await harness.quiet(probe, `${nameOf(planner)} transferred a link after its shutdown`)
    },
  },
  {
    name: 'transfers links now when it is forced to',
    holds: async (harness) => {
      const [a, b] = [harness.rare(), harness.rare()]
      const planner = await harness.started([a, b])
      const force = `${nameOf(planner)}.forceTransfer`
      const made = () => `${a.pulls} and ${b.pulls}`
      const all = await harness.calls.succeed(force, () => planner.forceTransfer())
      claim(
        all.length === 2 && made() === '1 and 1',
        `${force} made ${made()} transfers of two links: expected one of each`,
      )
      await harness.calls.succeed(force, () => planner.forceTransfer(a.link))
      claim(made() === '2 and 1', `${force} of one link made ${made()} transfers in all: expected 2 and 1`)
    },
  },
  {
    name: 'ends when each link has made as many transfers as it may',
    holds: async (harness) => {
      const probe = harness.frequent()
      const planner = await harness.started([probe], { transfers: 2 })
      await harness.calls.succeed(`${nameOf(planner)} with transfers: 2`, () => planner.finished)
      claim(probe.pulls === 2, `${nameOf(planner)} with transfers: 2 made ${probe.pulls} transfers`)
      claim(!planner.running, `${nameOf(planner)} runs on after its last transfer`)
    },
  },
]

/** Check of a planner that is `pausable`. */
export const PAUSES: Check<PlannerHarness> = {
  name: 'pauses, and goes on',
  holds: async (harness) => {
    const probe = harness.frequent()
    const planner = await harness.started([probe])
    await harness.transferred(probe, 1, `${nameOf(planner)} did not transfer a link`)
    await harness.calls.succeed(`${nameOf(planner)}.pause`, () => planner.pause())
    claim(planner.paused && planner.running, `${nameOf(planner)} is not paused and running after pause()`)
    await harness.quiet(probe, `${nameOf(planner)} transferred a link while it was paused`)
    await harness.calls.succeed(`${nameOf(planner)}.resume`, () => planner.resume())
    await harness.transferred(probe, 2, `${nameOf(planner)} did not go on after resume()`)
    await harness.calls.succeed(`${nameOf(planner)}.pause`, () => planner.pause())
    await harness.shutdown(planner)
    await harness.start(planner)
    await harness.transferred(
      probe,
      1,
      `${nameOf(planner)} did not transfer a link when it was paused, shut down and started`,
    )
  },
}

/** Check of a planner that is not `pausable`. */
export const SAYS_IT_CANNOT_PAUSE: Check<PlannerHarness> = {
  name: 'says that it cannot be paused',
  holds: async (harness) => {
    const probe = harness.frequent()
    const planner = await harness.started([probe])
    const outcome = await harness.calls.outcome(`${nameOf(planner)}.pause`, () => planner.pause())
    claim(
      'error' in outcome && !planner.paused,
      `${nameOf(planner)}.pause did nothing: it must throw, or pausable be left out`,
    )
    await harness.transferred(probe, 1, `${nameOf(planner)} did not go on transferring after a refused pause()`)
  },
}
