import { toError } from '../base/errors.js'
import { nodeName } from '../core/node.js'
import type { Outlet } from '../core/outlet.js'
import type { Record } from '../core/record.js'
import type { OutletReport } from '../core/report.js'
import { fail } from '../core/transfer/acknowledge.js'
import { copyRecords } from '../core/transfer/copy.js'
import type { Fate, Refusal } from '../core/transfer/delivery.js'
import type { Transfers } from '../core/transfer/holdings.js'
import { bufferedBy, runProcessors, type ProcessFailure } from '../core/transfer/process.js'
import { tellEmpty } from '../core/transfer/push.js'
import { nothingOf } from '../core/transfer/outlet-counts.js'
import type { Tally } from '../core/transfer/tally.js'
import type { DeadLetterSettings } from '../core/delivery-options.js'
import type { Update } from '../core/update.js'
import { BatchPush } from './batch-push.js'
import { hold, release, type WaitingBatch } from './waiting-batch.js'

/** Records that an outlet is offered. */
export interface Offer {
  readonly batches: readonly Record[][]
  readonly transfers: Transfers
  readonly update: Update
  /**
   * Place of the first of the outlet's processors that has not seen them.
   * @default 0
   */
  readonly firstProcessor?: number
  /**
   * Whether they are dead letters.
   * @default false
   */
  readonly isReplay?: boolean
}

/** A link and an outlet of it. */
export interface QueueSite {
  readonly outlet: Outlet
  /** Place of the outlet in the link, like `outlet:1`. */
  readonly place: string
  readonly copyRecords: boolean
  readonly deadLetters: DeadLetterSettings | false
}

/** Why records wait for an outlet: the node that failed, which is the outlet or a processor of it. */
export interface QueueTrouble {
  readonly node: string
  readonly stage: 'push' | 'process'
  readonly error: Error
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * What one outlet of a link has to be given, in order. What it cannot take now waits in memory; a link that is opened again
 * pulls it again.
 */
export class OutletQueue {
  readonly #site: QueueSite
  readonly #name: string
  #waiting: WaitingBatch[] = []
  /** Why they wait. */
  #trouble: QueueTrouble | undefined

  constructor(site: QueueSite) {
    this.#site = site
    this.#name = nodeName(site.outlet)
  }

  /** Whether something that waited is pulled again, as its transfer has failed otherwise: as of the last resumption. */
  hadVoid = false

  /** Number of records that wait. */
  get size(): number {
    return this.#waiting.reduce((sum, { records }) => sum + records.length, 0)
  }

  /** Why records wait for the outlet; `undefined` when none do. */
  get trouble(): QueueTrouble | undefined {
    return this.#waiting.length === 0 ? undefined : this.#trouble
  }

  /**
   * Pushes batches, behind those that wait.
   *
   * @param mayBeEmpty - whether the outlet is told when there is nothing to take
   */
  async offer(offer: Offer, mayBeEmpty: boolean, tally: Tally): Promise<OutletReport> {
    const { outlet } = this.#site
    const { batches, transfers, update, firstProcessor = 0, isReplay = false } = offer
    const report: Writable<OutletReport> = nothingOf(this.#name)
    // without a batch, an outlet's buffer is asked all the same: it may be due
    const offered = batches.length === 0 && outlet.processors.length > 0 ? [[]] : batches
    for (const records of offered) {
      const batch = {
        records,
        transfers,
        update,
        firstProcessor,
        isReplay,
        attempts: 0,
        suspicions: undefined,
        refusals: new Map(),
      }
      if (this.#waiting.length > 0) this.#wait(batch)
      else await this.#deliver(batch, report, tally)
    }
    const given = report.pushed + report.dropped + (report.dead ?? 0) + bufferedBy(outlet.processors)
    const isEmpty = mayBeEmpty && given === 0
    if (isEmpty && this.#waiting.length === 0 && tally.cancelled === undefined) await tellEmpty(outlet, report, tally)
    return this.#finished(report)
  }

  /** Pushes what waits, as far as that can be done now. */
  async resume(tally: Tally): Promise<OutletReport> {
    const report: Writable<OutletReport> = nothingOf(this.#name)
    const waiting = this.#waiting
    this.#waiting = []
    this.hadVoid = false
    for (const batch of waiting) {
      // its transfer has failed otherwise: it is pulled again, and so is all that came with it
      const isVoid = batch.transfers.some((transfer) => transfer.failed)
      // the transfer has them now, until it ends
      tally.noteReleased(batch.transfers)
      release(batch)
      this.hadVoid ||= isVoid
      if (isVoid) this.#giveUp(batch, report, tally)
      else if (this.#waiting.length > 0) this.#wait(batch)
      else await this.#deliver(batch, report, tally)
    }
    return this.#finished(report)
  }

  /** Report of a transfer in which the outlet was offered nothing. */
  idle(): OutletReport {
    return this.#finished(nothingOf(this.#name))
  }

  /** Forgets what waits. Gives the number of records. */
  clear(): number {
    const { size } = this
    for (const batch of this.#waiting.splice(0)) release(batch)
    return size
  }

  #finished(report: Writable<OutletReport>): OutletReport {
    const { processors } = this.#site.outlet
    if (processors.length > 0) report.buffered = bufferedBy(processors)
    if (this.#waiting.length === 0) this.#trouble = undefined
    else report.waiting = this.size
    return report
  }

  /** Counts a batch as dropped whose records are pulled again, and with them all that came together. */
  #giveUp({ records: { length }, transfers }: WaitingBatch, report: Writable<OutletReport>, tally: Tally): void {
    fail(transfers)
    tally.letGo(length, () => (report.dropped += length), `they are pulled again for ${this.#name}`)
  }

  #wait(batch: WaitingBatch): void {
    if (batch.records.length === 0) return
    hold(batch)
    this.#waiting.push(batch)
  }

  async #deliver(batch: WaitingBatch, report: Writable<OutletReport>, tally: Tally): Promise<void> {
    const processed = await this.#process(batch, report, tally)
    if (processed === undefined || processed.records.length === 0) return
    const before = report.batches
    const refused = new Map<string, { readonly error: Error; records: number }>()
    const push = new BatchPush(processed, {
      deadLetters: this.#site.deadLetters,
      push: async (records, { attempts, isReplay }) => {
        await this.#push(records, processed, { attempt: attempts + 1, replay: isReplay }, tally)
        report.batches = before + 1
      },
      taken: (records) => {
        report.pushed += records
      },
      bury: (records, error, attempts) => {
        const fate = this.#bury({ ...this.#asOutlet(error), records, attempts }, report, tally)
        const same = refused.get(error.message) ?? { error, records: 0 }
        if (fate === 'dead') same.records += records.length
        refused.set(error.message, same)
        return fate
      },
    })
    const why = await push.run()
    for (const { error, records } of refused.values()) {
      if (records > 0) tally.failDead(error, this.#name, 'push', records)
    }
    if (why === undefined) return
    tally.failKept(why, this.#name, 'push')
    this.#trouble = { node: this.#name, stage: 'push', error: why }
    this.#wait(processed)
  }

  async #push(
    records: readonly Record[],
    { update }: WaitingBatch,
    push: { readonly attempt: number; readonly replay: boolean },
    tally: Tally,
  ): Promise<void> {
    const { outlet, copyRecords: isCopied } = this.#site
    const stopped = tally.cancelled
    if (stopped !== undefined) throw stopped
    const isOwn = outlet.processors.length > 0
    const given = isCopied && !outlet.readsOnly && !isOwn ? copyRecords(records, outlet) : [...records]
    const isFirst = update === tally.update && push.attempt === 1 && !push.replay
    const shown = isFirst ? update : update.forPush(tally.update, push)
    await tally.call<unknown>(() => outlet.push(given, shown), tally.stageOfOutlet(outlet), given.length)
  }

  /** Has the outlet's processors see a batch. Gives what comes out of them; `undefined` when that is nothing. */
  async #process(batch: WaitingBatch, report: Writable<OutletReport>, tally: Tally): Promise<WaitingBatch | undefined> {
    const { outlet, place } = this.#site
    const { firstProcessor: first, transfers } = batch
    const processors = outlet.processors.slice(first)
    if (processors.length === 0) return batch
    const bury = ({ index, ...failure }: ProcessFailure): Fate | undefined => {
      const at = `${place} processor:${index}`
      return this.#bury({ ...failure, stage: 'process', place: at, outlet: this.#name }, report, tally)
    }
    const chain = await runProcessors(processors, this.#copies(batch, report, tally), tally, {
      ...{ first, bury, transfers },
      keeps: true,
      stageOf: () => tally.stageOfOutlet(outlet),
    })
    report.filtered += chain.filtered
    report.added += chain.added
    report.dropped += chain.missing
    tally.logDrop(chain.missing, `they were not in a buffer of ${this.#name} any more`)
    if (chain.records !== undefined) {
      return { ...batch, records: chain.records, transfers: chain.transfers, firstProcessor: outlet.processors.length }
    }
    const { kept } = chain
    if (kept !== undefined) {
      const { error, node, index } = kept
      this.#trouble = { node, stage: 'process', error }
      // it may have changed copies that it was given
      const records = index === first ? batch.records : kept.records
      this.#wait({ ...batch, records, transfers: chain.transfers, firstProcessor: index })
    } else if (chain.fate === undefined && chain.inHand > 0) {
      fail(chain.transfers)
      report.dropped += chain.inHand
      tally.logDrop(chain.inHand, `a processor of ${this.#name} failed`)
    }
    return undefined
  }

  /** Copies of the records of a batch, if the outlet gets some. Those that cannot be copied become dead letters. */
  #copies({ records, transfers }: WaitingBatch, report: Writable<OutletReport>, tally: Tally): Record[] {
    const { outlet, copyRecords: isCopied } = this.#site
    if (!isCopied) return [...records]
    try {
      return copyRecords(records, outlet)
    } catch {
      return records.flatMap((record) => {
        try {
          return copyRecords([record], outlet)
        } catch (thrown) {
          const error = toError(thrown)
          const refusal = { ...this.#asOutlet(error), records: [record] }
          if (this.#bury(refusal, report, tally) === undefined) {
            tally.fail(error, this.#name, 'copy')
            fail(transfers)
            report.dropped++
          } else {
            tally.failDead(error, this.#name, 'copy', 1)
          }
          return []
        }
      })
    }
  }

  #asOutlet(error: Error) {
    return { stage: 'push', node: this.#name, place: this.#site.place, outlet: this.#name, error } as const
  }

  /** Makes dead letters, or drops the records; `undefined` when neither can be. */
  #bury(refusal: Refusal, report: Writable<OutletReport>, tally: Tally): Fate | undefined {
    const fate = tally.delivery?.bury(refusal, tally.update)
    const { length } = refusal.records
    if (fate === 'dead') report.dead = (report.dead ?? 0) + length
    else if (fate === 'dropped')
      tally.letGo(
        length,
        () => (report.dropped += length),
        `${this.#name} refused them, and there is no room for dead letters`,
      )
    return fate
  }
}
