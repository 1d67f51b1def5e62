import type { Outlet } from '../../core/outlet.js'
import { nodeChecks } from '../node-checks.js'
import type { Check } from '../runner.js'
import { CLASS_CHECKS } from './outlet-class-checks.js'
import { failureChecks, refuses, showsNoSecret, stopsHanging } from './outlet-failure-checks.js'
import type { OutletHarness } from './outlet-harness.js'
import { DELIVERY_CHECKS, PUSH_CHECKS, takesKind } from './outlet-push-checks.js'
import type { ResolvedOutletSetup, SuiteOutletOptions } from './outlet-setup.js'

/** Checks of the contract of outlets, as far as the set-up has what they need. */
export function outletChecks(setup: ResolvedOutletSetup): Check<OutletHarness>[] {
  const { read, kinds, invalid, breakTarget, hanging, secrets } = setup
  return [
    ...CLASS_CHECKS,
    ...PUSH_CHECKS,
    ...(read === undefined ? [] : DELIVERY_CHECKS),
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
