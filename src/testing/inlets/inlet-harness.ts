import type { Update } from '../../core/update.js'
import type { Inlet, InletOptions } from '../../core/inlet.js'
import { nameOf, type NodeHarness, type NodeSetup } from '../node-harness.js'

export type Create = (options: InletOptions) => Inlet | Promise<Inlet>

/** An `InletSetup`, checked and complete. */
export interface ResolvedInletSetup extends NodeSetup<Inlet, InletOptions> {
  readonly expected: number | undefined
  readonly failing: Create | undefined
  readonly hanging: Create | undefined
  readonly cloneable: boolean
  readonly repeatable: boolean | undefined
}

export type InletHarness = NodeHarness<Inlet, InletOptions, ResolvedInletSetup>

/** What an inlet gives for one transfer, all of which is delivered. */
export async function pull(harness: InletHarness, inlet: Inlet): Promise<unknown> {
  const { update } = harness.update()
  const pulled = await harness.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update))
  await tellEnd(harness, inlet, update, true)
  return pulled
}

export function listOf(pulled: unknown): unknown[] {
  return Array.isArray(pulled) ? Array.from(pulled as unknown[]) : [pulled]
}

/** Tells an inlet that a transfer has ended. */
export async function tellEnd(harness: InletHarness, inlet: Inlet, update: Update, delivered: boolean): Promise<void> {
  await harness.calls.succeed(`${nameOf(inlet)}.onTransferEnd`, () => inlet.onTransferEnd?.(update, delivered))
}
