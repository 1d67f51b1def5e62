import { inspect } from 'node:util'
import { Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { handOffState } from '../node-checks.js'
import { nameOf } from '../node-harness.js'
import type { Check } from '../runner.js'
import { deepFreeze } from './delivery.js'
import { pushTo, type OutletHarness } from './outlet-harness.js'

/** Metadata that no outlet can know. */
const UNKNOWN = Object.freeze({ 'ContractSuite.KEY': 'of no meaning', __inlet__: 'ContractSuite' })

/** Checks of pushes. If the set-up can read what arrived, they also check that everything did. */
export const PUSH_CHECKS: Check<OutletHarness>[] = [
  {
    name: 'pushes a batch of one',
    holds: async (harness) => {
      const outlet = await harness.started()
      const batch = harness.payloads(1)
      await harness.push(outlet, batch)
      await harness.claimArrived(outlet, batch)
    },
  },
  {
    name: 'takes records with metadata that it does not know',
    holds: async (harness) => {
      const outlet = await harness.started()
      const batch = harness.payloads(2)
      await harness.push(outlet, batch, UNKNOWN)
      await harness.claimArrived(outlet, batch)
    },
  },
  {
    name: 'leaves records and payloads as they are',
    holds: async (harness) => {
      const outlet = await harness.started()
      const records = harness.payloads(3).map((payload) => new Record(payload))
      const given = [...records]
      const before = inspect(records, { depth: Infinity })
      const call = `${nameOf(outlet)}.push`
      await harness.calls.succeed(call, () => pushTo(outlet, records, harness.update().update))
      const same = records.length === given.length && records.every((record, at) => record === given[at])
      claim(same, `${call} changed the list of records that it was given: other outlets may get the same`)
      claim(
        inspect(records, { depth: Infinity }) === before,
        `${call} changed a payload: other outlets may get the same`,
      )
      await harness.calls.succeed(`${call} of payloads that are frozen`, () =>
        pushTo(
          outlet,
          harness.payloads(3).map((payload) => new Record(deepFreeze(payload))),
          harness.update().update,
        ),
      )
    },
  },
  {
    name: 'reads payloads before it first waits, if it says so by readsOnly',
    holds: async (harness) => {
      const outlet = await harness.started()
      if (!outlet.readsOnly) return
      const batch = harness.payloads(3)
      const outcome = await harness.tryPush(outlet, batch, 'whose payloads change meanwhile', undefined, () => {
        for (const payload of batch) spoil(payload)
      })
      if ('error' in outcome) throw outcome.error
      await harness.claimArrived(outlet, batch)
    },
  },
  {
    name: 'says what became of a push that is told to stop, and pushes again afterwards',
    holds: async (harness) => {
      const outlet = await harness.started()
      const first = harness.payloads(2)
      const early = harness.update()
      early.cancel()
      const refused = await harness.tryPush(outlet, first, 'that was told to stop', early.update)
      await harness.claimHonest(outlet, first, refused, 'that was told to stop')
      await harness.forget()
      const late = harness.update()
      const second = harness.payloads(2)
      const outcome = await harness.tryPush(outlet, second, 'that is told to stop', late.update, late.cancel)
      if ('error' in outcome) await harness.claimAtMost(outlet, 'that is told to stop', second)
      else await harness.claimHonest(outlet, second, outcome, 'that is told to stop')
      const third = harness.payloads(2)
      await harness.push(outlet, third)
      await harness.claimArrivedBeside(outlet, third, second)
    },
  },
  {
    name: 'refuses or delivers a push before its start and after its shutdown',
    holds: async (harness) => {
      const outlet = await harness.make()
      const early = harness.payloads(1)
      await harness.claimHonest(
        outlet,
        early,
        await harness.tryPush(outlet, early, 'before its start'),
        'before its start',
      )
      await harness.start(outlet)
      await harness.push(outlet, harness.payloads(1))
      await harness.stop(outlet)
      await harness.forget()
      const late = harness.payloads(1)
      const outcome = await harness.tryPush(outlet, late, 'after its shutdown')
      await harness.claimHonest(outlet, late, outcome, 'after its shutdown')
    },
  },
  {
    name: 'pushes for two links at once',
    holds: async (harness) => {
      const outlet = await harness.started()
      const batches = [harness.payloads(5), harness.payloads(5), harness.payloads(5)]
      await Promise.all(batches.map((batch) => harness.push(outlet, batch)))
      await harness.claimArrived(outlet, ...batches)
    },
  },
  {
    name: 'hands over its state, so that another instance carries on',
    holds: async (harness) => {
      const outlet = await harness.started()
      const before = harness.payloads(3)
      await harness.push(outlet, before)
      const heir = await harness.make()
      await handOffState(harness, outlet, heir)
      await harness.stop(outlet)
      await harness.start(heir)
      const after = harness.payloads(3)
      await harness.push(heir, after)
      await harness.claimArrived(heir, before, after)
    },
  },
]

/** Checks of pushes for a set-up that can read what arrived. */
export const DELIVERY_CHECKS: Check<OutletHarness>[] = [
  {
    name: 'delivers each record of a large batch once and in order',
    holds: async (harness) => {
      const outlet = await harness.started()
      const batch = harness.payloads(harness.setup.batch)
      await harness.push(outlet, batch)
      await harness.claimArrived(outlet, batch)
    },
  },
  {
    name: 'delivers batch after batch',
    holds: async (harness) => {
      const outlet = await harness.started()
      const batches = [harness.payloads(3), harness.payloads(1), harness.payloads(4)]
      for (const batch of batches) await harness.push(outlet, batch)
      await harness.claimArrived(outlet, ...batches)
    },
  },
]

/** Check of a payload of `kinds`. */
export function takesKind(kind: unknown, index: number): Check<OutletHarness> {
  return {
    name: `takes the payload kinds[${index}]`,
    holds: async (harness) => {
      const outlet = await harness.started()
      await harness.push(outlet, [kind])
      await harness.claimArrived(outlet, [kind])
    },
  }
}

/** Changes all that a payload holds itself, as its inlet might once a push waits. */
function spoil(payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return
  if (Array.isArray(payload)) payload.length = 0
  else for (const name of Object.keys(payload)) Reflect.deleteProperty(payload, name)
}
