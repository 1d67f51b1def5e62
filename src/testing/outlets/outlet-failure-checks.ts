import { setTimeout as delay } from 'node:timers/promises'
import type { Outlet } from '../../core/outlet.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import { claimNoSecrets, errorText } from '../node-checks.js'
import type { OutletHarness } from './outlet-harness.js'
import type { SuiteOutletOptions } from './outlet-setup.js'
import type { Check } from '../runner.js'

/** Check of a payload of `invalid`. */
export function refuses(payload: unknown, index: number): Check<OutletHarness> {
  return {
    name: `refuses the payload invalid[${index}], and says what it took beside it`,
    holds: async (harness) => {
      const outlet = await harness.started()
      const [before, after] = harness.payloads(2)
      const batch = [before, payload, after]
      const when = `of a batch with invalid[${index}]`
      const outcome = await harness.tryPush(outlet, batch, when)
      claim('error' in outcome, `${nameOf(outlet)}.push ${when} resolved: expected an error, as it cannot be taken`)
      await harness.claimHonest(outlet, batch, outcome, when)
    },
  }
}

/** Checks of a set-up that can make its target fail. */
export function failureChecks(breakTarget: () => unknown): Check<OutletHarness>[] {
  return [
    {
      name: 'refuses a push when its target fails, and delivers when it works again',
      holds: async (harness) => {
        const outlet = await harness.started()
        await harness.push(outlet, harness.payloads(1))
        await harness.forget()
        const failing = harness.payloads(2)
        const when = 'while its target fails'
        const repair = await breakTarget()
        const outcome = await withRepair(repair, () => harness.tryPush(outlet, failing, when))
        claim(
          'error' in outcome,
          `${nameOf(outlet)}.push resolved while its target fails: its records are lost silently`,
        )
        if (typeof repair !== 'function') return
        await harness.claimAtMost(outlet, when, failing)
        await harness.forget()
        const batch = harness.payloads(2)
        await harness.push(outlet, batch)
        await harness.claimArrived(outlet, batch)
      },
    },
    {
      name: 'refuses its start or its pushes when its target fails from the beginning',
      holds: async (harness) => {
        const outlet = await harness.make()
        const when = 'while its target fails'
        const repair = await breakTarget()
        const refused = await withRepair(repair, async () => {
          const start = await harness.calls.outcome(`${nameOf(outlet)}.onStart ${when}`, () => outlet.tryStart())
          return 'error' in start ? start : harness.tryPush(outlet, harness.payloads(1), when)
        })
        claim('error' in refused, `${nameOf(outlet)}.push resolved ${when}: its records are lost silently`)
        if (typeof repair !== 'function') return
        if (!outlet.active) await harness.start(outlet)
        await harness.forget()
        const batch = harness.payloads(2)
        await harness.push(outlet, batch)
        await harness.claimArrived(outlet, batch)
      },
    },
  ]
}

/** Check of a set-up with an outlet that is `hanging`. */
export function stopsHanging(hanging: (options: SuiteOutletOptions) => Outlet | Promise<Outlet>): Check<OutletHarness> {
  return {
    name: 'ends a push that hangs when it is told to stop',
    holds: async (harness) => {
      const outlet = await harness.make({}, hanging, 'hanging')
      await harness.start(outlet)
      const { update, cancel } = harness.update()
      const pushing = harness.tryPush(outlet, harness.payloads(1), 'that hangs and is told to stop', update)
      const early = await Promise.race([pushing, delay(20, undefined)])
      claim(early === undefined, 'hanging() gave an outlet whose push ended by itself: that shows nothing')
      cancel()
      const outcome = await pushing
      claim('error' in outcome, `${nameOf(outlet)}.push resolved when it was told to stop while its target hangs`)
      await harness.stop(outlet)
    },
  }
}

/** Check of a set-up that has `secrets`. */
export function showsNoSecret(breakTarget: (() => unknown) | undefined): Check<OutletHarness> {
  return {
    name: 'shows no secret',
    holds: async (harness) => {
      const outlet = await harness.started()
      const places: [string, string][] = [['its toString()', String(outlet)]]
      await harness.push(outlet, harness.payloads(1))
      if (breakTarget !== undefined) {
        const repair = await breakTarget()
        const outcome = await withRepair(repair, () =>
          harness.tryPush(outlet, harness.payloads(1), 'while its target fails'),
        )
        if ('error' in outcome) places.push(['an error', errorText(outcome.error)])
      }
      await harness.stop(outlet)
      claimNoSecrets(harness, outlet, places)
    },
  }
}

/** Does work while the target fails, and repairs the target afterwards. */
async function withRepair<R>(repair: unknown, work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } finally {
    if (typeof repair === 'function') await (repair as () => unknown)()
  }
}
