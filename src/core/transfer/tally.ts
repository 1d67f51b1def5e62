import type { Cancellation } from '../cancellation.js'
import { toError } from '../../base/errors.js'
import type { Inlet } from '../inlet.js'
import type { AnyStatefulProcessor } from '../processor.js'
import { getLogger } from '../../base/log.js'
import { isPromiseLike, type MaybePromise } from '../../base/maybe-promise.js'
import type { OutletReport, ReportedError, Stage, TransferReport } from '../report.js'
import { type ErrorBudget, plainError } from '../../base/plain-error.js'
import type { TransferRequest } from '../planned-link.js'
import type { TransferParts } from './parts.js'
import { transferText, type Update } from '../update.js'
import { NONE, type Transfers } from './holdings.js'
import { UnsettledTransfer } from './unsettled.js'

/**
 * A transfer to be made, as the host of its link asks for it.
 * @internal
 */
export interface HostedRequest extends TransferRequest {
  /** Number of the transfer; counted by the link itself when left out. */
  readonly transferNumber?: number
  /**
   * Number of the thread it runs in, 0 for the main thread.
   * @default 0
   */
  readonly thread?: number
  /**
   * Whether nothing is pulled and everything that is held back comes out.
   * @default false
   */
  readonly drain?: boolean
  /** Reason to stop the transfer before it begins. */
  readonly cancelled?: Error | undefined
  /** Called when user code is entered and left, as far as it goes at a stretch. */
  readonly inside?: (inside: boolean) => void
}

/** Most errors that a report lists, most causes of them, and most characters about all of them. */
const REPORT_ERRORS = 1000
const REPORT_CHARACTERS = 256 * 1024

/** Most errors of a transfer that are logged one by one: the others are in its report. */
const LOGGED_ERRORS = 20

/** Keeps the books of one transfer: calls user code, notes what it did, and becomes the report. */
export class Tally {
  pulled = 0
  filtered = 0
  added = 0
  buffered = 0
  grouped = 0
  batches = 0
  outlets: OutletReport[] = []
  /** This transfer, when inlets or processors want to know what comes of their records. */
  unsettled: UnsettledTransfer | undefined
  /** Transfers whose records go to the outlets: this one, and those that a buffer of the link has let go of. */
  inHand: Transfers = NONE
  /** Other transfers, records of which buffers have let go of; most transfers have none. */
  released: Set<UnsettledTransfer> | undefined
  readonly errors: ReportedError[] = []
  readonly update: Update
  readonly drain: boolean
  #dropped = 0
  /** Number of errors, listed or not. */
  #failures = 0
  /** Whether no stage but `pull` has failed. */
  #allInPull = true
  /** What may still be said of errors; most transfers have none. */
  #budget: ErrorBudget | undefined
  #busy = 0
  readonly #parts: Pick<TransferParts, 'name' | 'settings' | 'troubles' | 'unsettled'>
  readonly #request: HostedRequest
  readonly #cancellation: Cancellation
  readonly #startedAt = Date.now()
  readonly #started = performance.now()

  constructor(
    parts: Pick<TransferParts, 'name' | 'settings' | 'troubles' | 'unsettled'>,
    update: Update,
    cancellation: Cancellation,
    request: HostedRequest,
  ) {
    this.#parts = parts
    this.#request = request
    this.#cancellation = cancellation
    this.update = update
    this.drain = request.drain ?? false
  }

  /** Reason for which the transfer was told to stop; `undefined` while it was not. */
  get cancelled(): Error | undefined {
    return this.#cancellation.reason
  }

  /** Whether every record that was pulled is where it should be, as far as that is known. */
  get delivered(): boolean {
    const lost = this.#dropped + this.outlets.reduce((sum, { dropped }) => sum + dropped, 0)
    // another inlet that failed has nothing to do with what came of the others, unless that was dropped
    return lost === 0 && this.#allInPull
  }

  /** Notes that an inlet is pulled that is to be told what comes of its records. */
  willTell(inlet: Inlet): void {
    this.noteListener().inlets.set(inlet, true)
  }

  /** Notes that a processor is called that is to be told what comes of its records. */
  willTellProcessor(processor: AnyStatefulProcessor, name: string): UnsettledTransfer {
    const told = this.noteListener()
    told.processors ??= new Map()
    told.processors.set(processor, name)
    return told
  }

  /** Notes that a part of the link wants to know what comes of this transfer. */
  noteListener(): UnsettledTransfer {
    if (this.unsettled === undefined) {
      this.unsettled = new UnsettledTransfer(this.update, this.#parts.unsettled)
      this.inHand = [...this.inHand, this.unsettled]
    }
    return this.unsettled
  }

  /** Notes that its pull failed, if it was pulled at all. */
  pullFailed(inlet: Inlet): void {
    if (this.unsettled?.inlets.has(inlet) === true) this.unsettled.inlets.set(inlet, false)
  }

  /** Notes transfers of which a buffer has let go of records: this transfer has these until it ends. */
  noteReleased(transfers: Transfers): void {
    for (const transfer of transfers) {
      if (transfer === this.unsettled || this.released?.has(transfer) === true) continue
      this.released ??= new Set()
      this.released.add(transfer)
      transfer.held++
    }
  }

  /** Waits for something, until the transfer is told to stop: then it rejects with the reason. */
  until<T>(work: Promise<T>): Promise<T> {
    return this.#cancellation.race(work)
  }

  /**
   * Calls user code, and waits for it until the transfer is told to stop. What such code gives later is of no use any
   * more, and said to be so.
   */
  call<T>(work: () => T | PromiseLike<T>): MaybePromise<T> {
    const started = performance.now()
    let result: T | PromiseLike<T>
    this.#request.inside?.(true)
    try {
      result = work()
    } finally {
      this.#request.inside?.(false)
      this.#busy += performance.now() - started
    }
    // an object with a `then` may do its work again each time that it is called
    return isPromiseLike(result) ? this.#wait(Promise.resolve(result)) : result
  }

  async #wait<T>(pending: Promise<T>): Promise<T> {
    try {
      return await this.#cancellation.race(pending)
    } catch (thrown) {
      if (thrown === this.#cancellation.reason) this.#watchAbandoned(pending)
      throw thrown
    }
  }

  /** Notes and logs an error of user code. Of very many errors, the report lists some and says how many more there are. */
  fail(thrown: unknown, node: string, stage: Stage): void {
    this.#failures++
    this.#allInPull &&= stage === 'pull'
    const error = toError(thrown)
    if (this.errors.length < REPORT_ERRORS) {
      this.#budget ??= { characters: REPORT_CHARACTERS, errors: REPORT_ERRORS }
      this.errors.push({ ...plainError(error, this.#budget), node, stage })
    }
    if (this.#failures > LOGGED_ERRORS) return
    const ignored = this.#parts.settings.ignoreExceptions ? ' (ignored)' : ''
    const { message } = plainError(error)
    this.#say(`${node} ${stage} ${message}`, (counted) => {
      this.#log.error({ err: error }, `${this.#name} ${node} failed to ${stage}: ${message}${ignored}${counted}`)
    })
  }

  /** Counts and logs records that no outlet will get. */
  drop(records: number, why: string): void {
    this.#dropped += records
    this.logDrop(records, why)
  }

  /** Counts and logs records that came from no inlet or processor. */
  add(records: number, why: string): void {
    this.added += records
    if (records === 0) return
    this.#say(why, (counted) => {
      this.#log.warn(`${this.#name} added ${records} records: ${why}${counted}`)
    })
  }

  logDrop(records: number, why: string): void {
    if (records === 0) return
    const write = (counted: string) => {
      this.#log.warn(`${this.#name} dropped ${records} records: ${why}${counted}`)
    }
    const { troubles } = this.#parts
    if (troubles === undefined) write('')
    else troubles.dropped(why, records, write)
  }

  report(): TransferReport {
    if (this.#failures > LOGGED_ERRORS) this.#noteOmitted()
    if (this.#failures === 0) this.#parts.troubles?.well(this.#parts.name)
    const { update } = this
    const { scheduledAt = this.#startedAt, thread = 0 } = this.#request
    return {
      link: this.#parts.name,
      update: String(update),
      transferNumber: update.transferNumber,
      thread,
      scheduledAt,
      startedAt: this.#startedAt,
      endedAt: this.#startedAt + (performance.now() - this.#started),
      busy: this.#busy,
      pulled: this.pulled,
      filtered: this.filtered,
      added: this.added,
      dropped: this.#dropped,
      buffered: this.buffered,
      grouped: this.grouped,
      batches: this.batches,
      outlets: this.outlets,
      errors: this.errors,
      failed: this.errors.length > 0 && !this.#parts.settings.ignoreExceptions,
    }
  }

  /** Says how many errors were not logged, and how many are not even listed. */
  #noteOmitted(): void {
    const unlisted = this.#failures - this.errors.length
    const unlogged = this.#failures - LOGGED_ERRORS
    if (unlogged > 0) {
      this.#say('more errors', (counted) => {
        this.#log.error(`${this.#name} had ${unlogged} more errors: its report lists them${counted}`)
      })
    }
    if (unlisted <= 0) return
    const message = `${unlisted} more errors of this transfer are not listed`
    this.errors.push({ name: 'Error', message, node: 'transfer', stage: 'transfer' })
  }

  /** The transfer in log lines: its update, and the id of its link where that does not show. */
  get #name(): string {
    const update = String(this.update)
    return transferText(update, this.#parts.name)
  }

  /** Has a line written, unless it has been written of late: see {@link TroubleLog.failed}. */
  #say(kind: string, write: (counted: string) => void): void {
    const { troubles } = this.#parts
    if (troubles === undefined) write('')
    else troubles.failed(kind, this.update, write)
  }

  get #log() {
    return getLogger('databay.Link')
  }

  #watchAbandoned(pending: Promise<unknown>): void {
    const update = this.#name
    pending.then(
      () => {
        this.#say('abandoned', (counted) => {
          this.#log.warn(`${update} went on after it was told to stop: its result is dropped${counted}`)
        })
      },
      (thrown: unknown) => {
        // code that stops as asked mostly rejects with the reason
        if (thrown === this.#cancellation.reason) return
        this.#say('failed after its stop', (counted) => {
          this.#log.warn({ err: toError(thrown) }, `${update} failed after it was told to stop${counted}`)
        })
      },
    )
  }
}
