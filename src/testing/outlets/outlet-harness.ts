import { copy } from 'fast-copy'
import { takenDespite, type PartialPushError } from '../../core/partial-push.js'
import { isOutlet, type Outlet } from '../../core/outlet.js'
import { Record, type Metadata } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import type { Outcome } from '../claims.js'
import { claimDelivered, claimNoExtra, newlyArrived, without } from './delivery.js'
import { nameOf, NodeHarness } from '../node-harness.js'
import type { SuiteOutletOptions, ResolvedOutletSetup } from './outlet-setup.js'

const OUTLET = { name: 'an Outlet', is: isOutlet, options: {} }

/** Harness of one check of an outlet: makes payloads, pushes them, and looks at what has arrived. */
export class OutletHarness extends NodeHarness<Outlet, SuiteOutletOptions, ResolvedOutletSetup> {
  readonly #next: () => unknown
  /** Expected arrival of each payload, noted before the push, as an outlet might change the payload. */
  readonly #arrivals = new Map<unknown, unknown>()
  /** Records that had arrived before this check. */
  #before: readonly unknown[] = []

  /** @param next - makes the next payload */
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
    await this.calls.succeed(`${nameOf(outlet)}.push`, () => pushTo(outlet, records, this.update().update))
  }

  /**
   * Pushes as {@link OutletHarness.push} does, but may fail.
   *
   * @param when - circumstances of the push, for messages
   * @param meanwhile - called as soon as the push has begun
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
      const pushing = pushTo(outlet, records, update)
      meanwhile()
      return pushing
    })
  }

  /** Claims that these batches arrived since the check began, and nothing else. */
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
   * Claims that a batch arrived since the check began, and beside it at most some records of a cancelled push, which
   * may have been on their way.
   */
  async claimArrivedBeside(outlet: Outlet, batch: readonly unknown[], stopped: readonly unknown[]): Promise<void> {
    if (this.setup.read === undefined) return
    const arrived = without(await this.#arrived(), this.#asArrived(stopped))
    claimDelivered(`${nameOf(outlet)}.push`, [this.#asArrived(batch)], arrived, this.setup.ordered)
  }

  /**
   * Claims that the outcome of a push is true: all records arrived when it resolved, and none when it failed, unless
   * its error says which.
   */
  async claimHonest(outlet: Outlet, batch: readonly unknown[], outcome: Outcome<unknown>, when: string): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push ${when}`
    const taken = 'error' in outcome ? takenOf(batch, outcome.error) : batch
    claimDelivered(name, [this.#asArrived(taken)], await this.#arrived(), this.setup.ordered)
  }

  /** Claims that nothing arrived but some records of these batches. */
  async claimAtMost(outlet: Outlet, when: string, ...batches: readonly unknown[][]): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push ${when}`
    claimNoExtra(
      name,
      batches.map((batch) => this.#asArrived(batch)),
      await this.#arrived(),
    )
  }

  /** Forgets what has arrived: from now on only later records count. */
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

/** Pushes the records of a transfer that has one batch. */
export function pushTo(outlet: Outlet, records: Record[], update: Update): void | Promise<void> {
  const pushing = outlet.push(records, update)
  return outlet.endsTransfers === true ? endOf(outlet, pushing, update) : pushing
}

/** Waits for the only push of a transfer, and ends the transfer, for an outlet that keeps nothing before. */
async function endOf(outlet: Outlet, pushing: void | Promise<void>, update: Update): Promise<void> {
  try {
    await pushing
  } catch (error) {
    await outlet.onLastRound?.(update, !update.signal.aborted)
    throw error
  }
  const dropped = (await outlet.onLastRound?.(update, !update.signal.aborted)) ?? 0
  if (dropped > 0) throw new Error(`it did not keep ${dropped} records`)
}

/** Payloads of a batch that a failed push took, as its error says. */
function takenOf(batch: readonly unknown[], error: Error): readonly unknown[] {
  if (takenDespite(error) === 0) return []
  const { rejected } = error as unknown as Pick<PartialPushError, 'rejected'>
  return batch.filter((_, index) => !rejected.some((one) => one.index === index))
}

/** Copy of a value with the same classes; a value that cannot be copied stays the same. */
function snapshot(value: unknown): unknown {
  try {
    return copy(value)
  } catch {
    return value
  }
}
