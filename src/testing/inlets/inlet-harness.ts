import { isInlet, type Inlet, type InletOptions } from '../../core/inlet.js'
import { stepsOf } from '../../core/transfer/pulled-stream.js'
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
    const given = await this.calls.succeed(`${nameOf(inlet)}.pull`, () => inlet.pull(update, inlet.memoryCursor))
    const { pulled, lists } = await this.#collect(inlet, given)
    await this.endTransfer(inlet, update, true, lists)
    return pulled
  }

  /** What a pull has given, and in how many lists: of one that streams, all of it, as one list. */
  async #collect(inlet: Inlet, pulled: unknown): Promise<{ readonly pulled: unknown; readonly lists: number }> {
    const steps = stepsOf(pulled)
    if (steps === undefined) return { pulled, lists: 1 }
    const all: unknown[] = []
    for (let lists = 0; ; lists++) {
      const next = () => steps.next() as Promise<{ readonly done?: boolean; readonly value?: unknown }>
      const { done, value } = await this.calls.succeed(`${nameOf(inlet)}.pull, a step of its stream,`, next)
      if (done === true) return { pulled: all, lists }
      const list: readonly unknown[] = Array.isArray(value) ? value : [value]
      for (const one of list) all.push(one)
    }
  }

  /** Calls `onTransferEnd`, as a transfer does when it has ended. */
  async endTransfer(inlet: Inlet, update: Update, delivered: boolean, lists = 1): Promise<void> {
    const rounds = { rounds: lists, deliveredRounds: delivered ? lists : 0 }
    await this.calls.succeed(`${nameOf(inlet)}.onTransferEnd`, () => inlet.onTransferEnd?.(update, delivered, rounds))
  }
}
