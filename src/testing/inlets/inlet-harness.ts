import type { Update } from '../../core/update.js'
import type { Inlet, InletOptions } from '../../core/inlet.js'
import { nameOf, type NodeBench, type NodeSetup } from '../node-harness.js'

export type Create = (options: InletOptions) => Inlet | Promise<Inlet>

/** An `InletSetup`, checked and complete. */
export interface ResolvedInletSetup extends NodeSetup<Inlet, InletOptions> {
  readonly expected: number | undefined
  readonly failing: Create | undefined
  readonly hanging: Create | undefined
  readonly cloneable: boolean
  readonly repeatable: boolean | undefined
}

export type InletBench = NodeBench<Inlet, InletOptions, ResolvedInletSetup>

/** What an inlet gives for one transfer, all of which is delivered. */
export async function pull(bench: InletBench, inlet: Inlet): Promise<unknown> {
  const { update } = bench.update()
  const pulled = await bench.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update))
  await tellEnd(bench, inlet, update, true)
  return pulled
}

export function listOf(pulled: unknown): unknown[] {
  return Array.isArray(pulled) ? Array.from(pulled as unknown[]) : [pulled]
}

/** Tells an inlet that a transfer has ended. */
export async function tellEnd(bench: InletBench, inlet: Inlet, update: Update, delivered: boolean): Promise<void> {
  await bench.calls.succeed(`${nameOf(inlet)}.onTransferEnd`, () => inlet.onTransferEnd?.(update, delivered))
}
