import type { Inlet, InletOptions } from '../../core/inlet.js'
import { nodeChecks } from '../node-checks.js'
import type { Check } from '../runner.js'
import { refusesToFailSilently, SHOWS_NO_SECRET, stopsHanging } from './inlet-failure-checks.js'
import type { InletHarness } from './inlet-harness.js'
import { givesExpected, PAYLOADS_CAN_BE_COPIED, PULL_CHECKS } from './inlet-pull-checks.js'
import { RECORD_CHECKS } from './inlet-record-checks.js'
import type { ResolvedInletSetup } from './inlet-setup.js'

/** Checks of the contract of inlets, as far as the set-up has what they need. */
export function inletChecks(setup: ResolvedInletSetup): Check<InletHarness>[] {
  const { expected, failing, hanging, cloneable, secrets } = setup
  return [
    ...RECORD_CHECKS,
    ...PULL_CHECKS,
    ...nodeChecks<Inlet, InletOptions, ResolvedInletSetup, InletHarness>(async (harness, inlet) => {
      await harness.pull(inlet)
    }),
    ...(cloneable ? [PAYLOADS_CAN_BE_COPIED] : []),
    ...(expected === undefined ? [] : [givesExpected(expected)]),
    ...(failing === undefined ? [] : [refusesToFailSilently(failing)]),
    ...(hanging === undefined ? [] : [stopsHanging(hanging)]),
    ...(secrets.length === 0 ? [] : [SHOWS_NO_SECRET]),
  ]
}
