import type { Outlet } from '../outlet.js'
import { Record, type Metadata } from '../record.js'
import type { Outcome } from './claims.js'
import { claimDelivered, claimNoExtra, newlyArrived } from './delivery.js'
import { nameOf, NodeBench, type NodeSetup } from './node-bench.js'
import type { SuiteOutletOptions } from './outlet-tester.js'

/** An `OutletSetup`, checked and complete. */
export interface ResolvedOutletSetup extends NodeSetup<Outlet, SuiteOutletOptions> {
  readonly read: (() => readonly unknown[] | Promise<readonly unknown[]>) | undefined
  readonly payload: (n: number) => unknown
  readonly kinds: readonly unknown[]
  readonly arrives: (payload: unknown) => unknown
  readonly batch: number
  readonly ordered: boolean
  readonly breakTarget: (() => unknown) | undefined
  readonly hanging: ((options: SuiteOutletOptions) => Outlet | Promise<Outlet>) | undefined
}

/** What one check of an outlet works with: outlets, payloads to push, and what has arrived. */
export class OutletBench extends NodeBench<Outlet, SuiteOutletOptions, ResolvedOutletSetup> {
  readonly #next: () => unknown
  /** What had arrived before this check. */
  #before: readonly unknown[] = []

  /** @param next - gives the next payload */
  constructor(setup: ResolvedOutletSetup, next: () => unknown, is: (value: unknown) => boolean) {
    super(setup, {}, 'an Outlet', is)
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
    const records = payloads.map((payload) => new Record(payload, metadata))
    await this.calls.succeed(`${nameOf(outlet)}.push`, () => outlet.push(records, this.update().update))
  }

  /** As {@link OutletBench.push}, but it may be refused. */
  tryPush(outlet: Outlet, payloads: readonly unknown[], when: string, update = this.update().update) {
    const records = payloads.map((payload) => new Record(payload))
    return this.calls.outcome(`${nameOf(outlet)}.push ${when}`, () => outlet.push(records, update))
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

  /** Checks that what a push says is so: all arrived when it resolved, none when it was refused before it began. */
  async claimHonest(outlet: Outlet, batch: readonly unknown[], outcome: Outcome<unknown>, when: string): Promise<void> {
    if (this.setup.read === undefined) return
    const name = `${nameOf(outlet)}.push ${when}`
    const expected = 'error' in outcome ? [] : [this.#asArrived(batch)]
    claimDelivered(name, expected, await this.#arrived(), this.setup.ordered)
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
    return payloads.map((payload) => this.setup.arrives(payload))
  }

  async #arrived(): Promise<unknown[]> {
    return newlyArrived(this.#before, await this.#read())
  }

  async #read(): Promise<readonly unknown[]> {
    const { read } = this.setup
    return read === undefined ? [] : [...(await this.calls.succeed('read()', read))]
  }
}
