import { inspect } from 'node:util'
import type { Outlet } from '../../core/outlet.js'
import { Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { deepFreeze } from './delivery.js'
import { nameOf } from '../node-harness.js'
import { handOver, nodeChecks } from '../node-checks.js'
import type { OutletHarness } from './outlet-harness.js'
import type { SuiteOutletOptions, ResolvedOutletSetup } from './outlet-setup.js'
import type { Check } from '../runner.js'
import { failureChecks, stopsHanging, showsNoSecret, refuses } from './outlet-failure-checks.js'

export type { ResolvedOutletSetup }

/** Metadata that no outlet can know. */
const UNKNOWN = Object.freeze({ 'ContractSuite.KEY': 'of no meaning', __inlet__: 'ContractSuite' })

/** What of the contract is checked, as far as the set-up has what it needs. */
export function outletChecks(setup: ResolvedOutletSetup): Check<OutletHarness>[] {
  const { read, kinds, invalid, breakTarget, hanging, secrets } = setup
  return [
    ...CHECKS,
    ...(read === undefined ? [] : DELIVERY),
    ...kinds.map((kind, index) => takesKind(kind, index)),
    ...invalid.map((payload, index) => refuses(payload, index)),
    ...nodeChecks<Outlet, SuiteOutletOptions, ResolvedOutletSetup, OutletHarness>((harness, outlet) =>
      harness.push(outlet, harness.payloads(1)),
    ),
    ...(breakTarget === undefined ? [] : failureChecks(breakTarget)),
    ...(hanging === undefined ? [] : [stopsHanging(hanging)]),
    ...(secrets.length === 0 ? [] : [showsNoSecret(breakTarget)]),
  ]
}

/** What can be checked without a look at the target; with one, also that it all arrives. */
const CHECKS: Check<OutletHarness>[] = [
  {
    name: 'hands its processors on to super',
    holds: async (harness) => {
      const processor = <P>(records: Record<P>[]) => records
      const outlet = await harness.make({ processors: processor })
      claim(
        outlet.processors.includes(processor) || harness.setup.create.length === 0,
        `${nameOf(outlet)}.processors lacks what create() was given: hand the options on to super(options)`,
      )
    },
  },
  {
    name: 'has metadata keys that carry its name',
    holds: async (harness) => {
      const outlet = await harness.make()
      for (const { owner, key, value } of metadataKeys(outlet)) {
        claim(value.startsWith(`${owner}.`), `${owner}.${key} is '${value}': expected '${owner}.${value}'`)
      }
    },
  },
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
      await harness.calls.succeed(call, () => outlet.push(records, harness.update().update))
      const same = records.length === given.length && records.every((record, at) => record === given[at])
      claim(same, `${call} changed the list of records that it was given: other outlets may get the same`)
      claim(
        inspect(records, { depth: Infinity }) === before,
        `${call} changed a payload: other outlets may get the same`,
      )
      await harness.calls.succeed(`${call} of payloads that are frozen`, () =>
        outlet.push(
          harness.payloads(3).map((payload) => new Record(deepFreeze(payload))),
          harness.update().update,
        ),
      )
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
      await handOver(harness, outlet, heir)
      await harness.stop(outlet)
      await harness.start(heir)
      const after = harness.payloads(3)
      await harness.push(heir, after)
      await harness.claimArrived(heir, before, after)
    },
  },
]

const DELIVERY: Check<OutletHarness>[] = [
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

function takesKind(kind: unknown, index: number): Check<OutletHarness> {
  return {
    name: `takes the payload kinds[${index}]`,
    holds: async (harness) => {
      const outlet = await harness.started()
      await harness.push(outlet, [kind])
      await harness.claimArrived(outlet, [kind])
    },
  }
}

/** The static texts of an outlet's classes that are named as constants are: `CSV_FILE`. */
function metadataKeys(outlet: Outlet) {
  const keys: { readonly owner: string; readonly key: string; readonly value: string }[] = []
  let owner: unknown = outlet.constructor
  while (typeof owner === 'function' && owner.name !== '' && owner.name !== 'Outlet') {
    for (const [key, value] of Object.entries(owner)) {
      if (/^[A-Z][A-Z0-9_]*$/.test(key) && typeof value === 'string') keys.push({ owner: owner.name, key, value })
    }
    owner = Object.getPrototypeOf(owner) as unknown
  }
  return keys
}
