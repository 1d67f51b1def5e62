import { copy } from 'fast-copy'
import { takenDespite, type PartialPushError } from '../../core/partial-push.js'
import { isOutlet, type Outlet } from '../../core/outlet.js'
import { Record, type Metadata } from '../../core/record.js'
import type { Outcome } from '../claims.js'
import { claimDelivered, claimNoExtra, newlyArrived, without } from './delivery.js'
import { nameOf, NodeHarness } from '../node-harness.js'
import type { SuiteOutletOptions, ResolvedOutletSetup } from './outlet-setup.js'

const OUTLET = { name: 'an Outlet', is: isOutlet, options: {} }

/** Harness of one check of an outlet: payloads to push, and what has arrived of them. */
export class OutletHarness extends NodeHarness<Outlet, SuiteOutletOptions, ResolvedOutletSetup> {
  readonly #next: () => unknown
  /** What is to arrive of each payload, noted before it was pushed: an outlet might change it. */
  readonly #arrivals = new Map<unknown, unknown>()
  /** What had arrived before this check. */
  #before: readonly unknown[] = []

  /** @param next - gives the next payload */
  constructor(setup: ResolvedOutletSetup, next: () => unknown) {
    super(setup, OUTLET)
    this.#next = next
  }

  override async open(): Promise<void> {
    await super.open()
    this.#before = await this.#read()
  }

  payloads(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#next())
  }

  async push(outlet: Outlet, payloads: readonly unknown[], metadata?: Metadata): Promise<void> {
    const records = this.#records(payloads, metadata)
    await this.calls.succeed(`${nameOf(outlet)}.push`, () => outlet.push(records, this.update().update))
  }

  /**
   * As {@link OutletHarness.push}, but it may be refused.
   *
   * @param meanwhile - what is done as soon as the push has begun
   */
  tryPush(
    outlet: Outlet,
    payloads: readonly unknown[],
    when: string,
    update = this.update().update,
    meanwhile: () => void = () => undefined,
  ) {
    const records = this.#records(payloads)
    return this.calls.outcome(`${nameOf(outlet)}.push ${when}`, () => {
      const pushing = outlet.push(records, update)
      meanwhile()
      return pushing
    })
  }

  /** Checks that these arrived since the check began, and nothing else did. */
  async claimArrived(outlet: Outlet, ...batches: readonly unknown[][]): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push`
    claimDelivered(
      name,
      batches.map((batch) => this.#asArrived(batch)),
      await this.#arrived(),
      this.setup.ordered,
    )
  }

  /**
   * Checks that these arrived since the check began, and beside them nothing but some of a push that was told to stop:
   * they may have been on their way.
   */
  async claimArrivedBeside(outlet: Outlet, batch: readonly unknown[], stopped: readonly unknown[]): Promise<void> {
    if (this.setup.read === undefined) return
    const arrived = without(await this.#arrived(), this.#asArrived(stopped))
    claimDelivered(`${nameOf(outlet)}.push`, [this.#asArrived(batch)], arrived, this.setup.ordered)
  }

  /** Checks that what a push says is so: all arrived when it resolved, none when it was refused, unless it says which. */
  async claimHonest(outlet: Outlet, batch: readonly unknown[], outcome: Outcome<unknown>, when: string): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push ${when}`
    const taken = 'error' in outcome ? takenOf(batch, outcome.error) : batch
    claimDelivered(name, [this.#asArrived(taken)], await this.#arrived(), this.setup.ordered)
  }

  /** Checks that nothing arrived but some of these. */
  async claimAtMost(outlet: Outlet, when: string, ...batches: readonly unknown[][]): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push ${when}`
    claimNoExtra(
      name,
      batches.map((batch) => this.#asArrived(batch)),
      await this.#arrived(),
    )
  }

  /** Forgets what has arrived: from here on only what comes counts. */
  async forget(): Promise<void> {
    this.#before = await this.#read()
  }

  #asArrived(payloads: readonly unknown[]): unknown[] {
    return payloads.map((payload) => this.#arrivals.get(payload))
  }

  #records(payloads: readonly unknown[], metadata?: Metadata): Record[] {
    const { arrives = (payload: unknown) => payload, invalid } = this.setup
    for (const payload of payloads) {
      if (!invalid.includes(payload)) this.#arrivals.set(payload, snapshot(arrives(payload)))
    }
    return payloads.map((payload) => new Record(payload, metadata))
  }

  async #arrived(): Promise<unknown[]> {
    return newlyArrived(this.#before, await this.#read())
  }

  async #read(): Promise<readonly unknown[]> {
    const { read } = this.setup
    return read === undefined ? [] : [...(await this.calls.succeed('read()', read))]
  }
}

/** What of a batch was taken by a push that failed with this error, as it says. */
function takenOf(batch: readonly unknown[], error: Error): readonly unknown[] {
  if (takenDespite(error) === 0) return []
  const { rejected } = error as unknown as Pick<PartialPushError, 'rejected'>
  return batch.filter((_, index) => !rejected.some((one) => one.index === index))
}

/** A copy with the same classes; what cannot be copied stays the same. */
function snapshot(value: unknown): unknown {
  try {
    return copy(value)
  } catch {
    return value
  }
}
