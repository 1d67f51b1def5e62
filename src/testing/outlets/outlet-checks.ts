import { inspect } from 'node:util'
import type { Outlet } from '../../core/outlet.js'
import { Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { deepFreeze } from './delivery.js'
import { nameOf } from '../node-harness.js'
import { handOver, nodeChecks } from '../node-checks.js'
import type { OutletBench } from './outlet-harness.js'
import type { SuiteOutletOptions, ResolvedOutletSetup } from './outlet-setup.js'
import type { Check } from '../runner.js'
import { failureChecks, stopsHanging, showsNoSecret, refuses } from './outlet-failure-checks.js'

export type { ResolvedOutletSetup }

/** Metadata that no outlet can know. */
const UNKNOWN = Object.freeze({ 'ContractSuite.KEY': 'of no meaning', __inlet__: 'ContractSuite' })

/** What of the contract is checked, as far as the set-up has what it needs. */
export function outletChecks(setup: ResolvedOutletSetup): Check<OutletBench>[] {
  const { read, kinds, invalid, breakTarget, hanging, secrets } = setup
  return [
    ...CHECKS,
    ...(read === undefined ? [] : DELIVERY),
    ...kinds.map((kind, index) => takesKind(kind, index)),
    ...invalid.map((payload, index) => refuses(payload, index)),
    ...nodeChecks<Outlet, SuiteOutletOptions, ResolvedOutletSetup, OutletBench>((bench, outlet) =>
      bench.push(outlet, bench.payloads(1)),
    ),
    ...(breakTarget === undefined ? [] : failureChecks(breakTarget)),
    ...(hanging === undefined ? [] : [stopsHanging(hanging)]),
    ...(secrets.length === 0 ? [] : [showsNoSecret(breakTarget)]),
  ]
}

/** What can be checked without a look at the target; with one, also that it all arrives. */
const CHECKS: Check<OutletBench>[] = [
  {
    name: 'hands its processors on to super',
    holds: async (bench) => {
      const processor = <P>(records: Record<P>[]) => records
      const outlet = await bench.make({ processors: processor })
      claim(
        outlet.processors.includes(processor) || bench.setup.create.length === 0,
        `${nameOf(outlet)}.processors lacks what create() was given: hand the options on to super(options)`,
      )
    },
  },
  {
    name: 'has metadata keys that carry its name',
    holds: async (bench) => {
      const outlet = await bench.make()
      for (const { owner, key, value } of metadataKeys(outlet)) {
        claim(value.startsWith(`${owner}.`), `${owner}.${key} is '${value}': expected '${owner}.${value}'`)
      }
    },
  },
  {
    name: 'pushes a batch of one',
    holds: async (bench) => {
      const outlet = await bench.started()
      const batch = bench.payloads(1)
      await bench.push(outlet, batch)
      await bench.claimArrived(outlet, batch)
    },
  },
  {
    name: 'takes records with metadata that it does not know',
    holds: async (bench) => {
      const outlet = await bench.started()
      const batch = bench.payloads(2)
      await bench.push(outlet, batch, UNKNOWN)
      await bench.claimArrived(outlet, batch)
    },
  },
  {
    name: 'leaves records and payloads as they are',
    holds: async (bench) => {
      const outlet = await bench.started()
      const records = bench.payloads(3).map((payload) => new Record(payload))
      const given = [...records]
      const before = inspect(records, { depth: Infinity })
      const call = `${nameOf(outlet)}.push`
      await bench.calls.succeed(call, () => outlet.push(records, bench.update().update))
      const same = records.length === given.length && records.every((record, at) => record === given[at])
      claim(same, `${call} changed the list of records that it was given: other outlets may get the same`)
      claim(
        inspect(records, { depth: Infinity }) === before,
        `${call} changed a payload: other outlets may get the same`,
      )
      await bench.calls.succeed(`${call} of payloads that are frozen`, () =>
        outlet.push(
          bench.payloads(3).map((payload) => new Record(deepFreeze(payload))),
          bench.update().update,
        ),
      )
    },
  },
  {
    name: 'says what became of a push that is told to stop, and pushes again afterwards',
    holds: async (bench) => {
      const outlet = await bench.started()
      const first = bench.payloads(2)
      const early = bench.update()
      early.cancel()
      const refused = await bench.tryPush(outlet, first, 'that was told to stop', early.update)
      await bench.claimHonest(outlet, first, refused, 'that was told to stop')
      await bench.forget()
      const late = bench.update()
      const second = bench.payloads(2)
      const outcome = await bench.tryPush(outlet, second, 'that is told to stop', late.update, late.cancel)
      if ('error' in outcome) await bench.claimAtMost(outlet, 'that is told to stop', second)
      else await bench.claimHonest(outlet, second, outcome, 'that is told to stop')
      const third = bench.payloads(2)
      await bench.push(outlet, third)
      await bench.claimArrivedBeside(outlet, third, second)
    },
  },
  {
    name: 'refuses or delivers a push before its start and after its shutdown',
    holds: async (bench) => {
      const outlet = await bench.make()
      const early = bench.payloads(1)
      await bench.claimHonest(outlet, early, await bench.tryPush(outlet, early, 'before its start'), 'before its start')
      await bench.start(outlet)
      await bench.push(outlet, bench.payloads(1))
      await bench.stop(outlet)
      await bench.forget()
      const late = bench.payloads(1)
      const outcome = await bench.tryPush(outlet, late, 'after its shutdown')
      await bench.claimHonest(outlet, late, outcome, 'after its shutdown')
    },
  },
  {
    name: 'pushes for two links at once',
    holds: async (bench) => {
      const outlet = await bench.started()
      const batches = [bench.payloads(5), bench.payloads(5), bench.payloads(5)]
      await Promise.all(batches.map((batch) => bench.push(outlet, batch)))
      await bench.claimArrived(outlet, ...batches)
    },
  },
  {
    name: 'hands over its state, so that another instance carries on',
    holds: async (bench) => {
      const outlet = await bench.started()
      const before = bench.payloads(3)
      await bench.push(outlet, before)
      const heir = await bench.make()
      await handOver(bench, outlet, heir)
      await bench.stop(outlet)
      await bench.start(heir)
      const after = bench.payloads(3)
      await bench.push(heir, after)
      await bench.claimArrived(heir, before, after)
    },
  },
]

const DELIVERY: Check<OutletBench>[] = [
  {
    name: 'delivers each record of a large batch once and in order',
    holds: async (bench) => {
      const outlet = await bench.started()
      const batch = bench.payloads(bench.setup.batch)
      await bench.push(outlet, batch)
      await bench.claimArrived(outlet, batch)
    },
  },
  {
    name: 'delivers batch after batch',
    holds: async (bench) => {
      const outlet = await bench.started()
      const batches = [bench.payloads(3), bench.payloads(1), bench.payloads(4)]
      for (const batch of batches) await bench.push(outlet, batch)
      await bench.claimArrived(outlet, ...batches)
    },
  },
]

function takesKind(kind: unknown, index: number): Check<OutletBench> {
  return {
    name: `takes the payload kinds[${index}]`,
    holds: async (bench) => {
      const outlet = await bench.started()
      await bench.push(outlet, [kind])
      await bench.claimArrived(outlet, [kind])
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
