import type { Outlet } from '../../core/outlet.js'
import type { Record } from '../../core/record.js'
import { claim } from '../claims.js'
import { nameOf } from '../node-harness.js'
import type { Check } from '../runner.js'
import type { OutletHarness } from './outlet-harness.js'

/** Checks of an outlet's options and metadata keys, without a push. */
export const CLASS_CHECKS: Check<OutletHarness>[] = [
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
]

/** Lists the static texts of an outlet's classes that are named as constants are, such as `CSV_FILE`. */
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
