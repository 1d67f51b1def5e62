import { isInlet, type Inlet, type InletOptions } from '../../core/inlet.js'
import type { Update } from '../../core/update.js'
import { nameOf, NodeHarness } from '../node-harness.js'
import type { ResolvedInletSetup } from './inlet-setup.js'

const INLET = { name: 'an Inlet', is: isInlet, options: {} }

/** Harness of one check of an inlet. */
export class InletHarness extends NodeHarness<Inlet, InletOptions, ResolvedInletSetup> {
  constructor(setup: ResolvedInletSetup) {
    super(setup, INLET)
  }

  /** Pulls for one transfer, all of which is delivered. */
  async pull(inlet: Inlet): Promise<unknown> {
    const { update } = this.update()
    const pulled = await this.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update))
    await this.endTransfer(inlet, update, true)
    return pulled
  }

  /** Calls `onTransferEnd`, as a transfer does when it has ended. */
  async endTransfer(inlet: Inlet, update: Update, delivered: boolean): Promise<void> {
    const rounds = { rounds: 1, deliveredRounds: delivered ? 1 : 0 }
    await this.calls.succeed(`${nameOf(inlet)}.onTransferEnd`, () => inlet.onTransferEnd?.(update, delivered, rounds))
  }
}
