import { getLogger } from '../base/log.js'
import { Warnings } from '../base/warnings.js'
import type { Cursor } from '../core/cursor.js'
import type { RoundCounts } from '../core/round-counts.js'
import type { Update } from '../core/update.js'
import { Lists } from './lists.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from './open-pulls.js'

/** A list of what was read. */
export interface ReadList<R, P> {
  readonly records: R[]
  /** Position behind them. */
  readonly position: P | undefined
  /** Whether there may be more behind them. */
  readonly isMore: boolean
}

/** Reads the lists of one pull. */
export interface ListReader<R, P> {
  /** What it has read, for the log, where that says more than {@link PulledFrom.noun}. */
  readonly noun?: string
  /** Reads the next list behind a position, which is not always where the list before has ended. It is empty only at the end. */
  read(position: P | undefined): Promise<ReadList<R, P>>
  /** Lets go of what it reads from. It is called at the end, and once more when a read has ended after that. */
  close(): Promise<void>
}

/** Positions of an inlet, and what is kept of them: plain data that survives a structured clone. */
export interface Positions<P> {
  /** Position at which a start begins; `undefined` before all. */
  readonly first: P | undefined
  /** Whether what was not delivered is read again. */
  readonly redeliver: boolean
  keep(position: P | undefined): unknown
  /** Whether a value, which may be anything, looks like what is kept. */
  isKept(value: unknown): boolean
  /** @throws on what was not kept by such an inlet */
  positionOf(kept: unknown): P | undefined
}

/** What an inlet pulls from. */
export interface PulledFrom<P> {
  /** Name of the inlet's class, for the log. */
  readonly connector: string
  /** Word for the records, for the log. */
  readonly noun: string
  /** Says where they are, for the log. */
  readonly where: () => string
  /** Does work with what the inlet has open. */
  readonly use: <W>(work: () => Promise<W>) => Promise<W>
  /** `undefined` where each pull reads all. */
  readonly positions: Positions<P> | undefined
}

/** State of {@link PositionedPulls}: plain data. */
export interface SavedPulls {
  readonly position?: unknown
  readonly carried?: CarriedPulls<unknown>
}

/**
 * Pulls of an inlet that reads on from a position, list by list, and goes back to what was not delivered. One list is read at
 * a time, also of several pulls: each begins where the one before has ended.
 *
 * @typeParam R - type of what is read
 * @typeParam P - type of a position; a list that moves it gives another object
 */
export class PositionedPulls<R, P> {
  readonly #from: PulledFrom<P>
  readonly #warnings: Warnings
  readonly #pulls = new OpenPulls<P | undefined>()
  #position: P | undefined
  /** Whether the position is kept as a durable cursor. */
  #isDurable = false
  /** State that was restored, until the next start. */
  #restored: SavedPulls | undefined
  /** List that is read, or was read last. Never rejects. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Transfers in which something was warned of. */
  readonly #warned = new WeakSet<Update>()

  constructor(from: PulledFrom<P>) {
    this.#from = from
    this.#warnings = new Warnings(() => getLogger(`databay.${from.connector}`))
  }

  /** Begins where the state that was restored says, or else at the first position. */
  start(): void {
    const { positions } = this.#from
    const { position, carried } = this.#restored ?? {}
    const first = positions?.first
    this.#pulls.clear()
    this.#position = position === undefined ? first : positions?.positionOf(position)
    if (carried !== undefined) {
      this.#pulls.takeOver({ ...carried, start: positions?.positionOf(carried.start) ?? first })
    }
    this.#restored = undefined
  }

  /**
   * Pulls: all in one list, or list by list where there are more of them.
   *
   * @param open - makes the reader of the pull; it is closed at the end
   */
  pull(update: Update, cursor: Cursor | undefined, open: () => ListReader<R, P>): Promise<R[] | Lists<R>> {
    const kept = cursor?.durable === true ? cursor : undefined
    this.#isDurable = kept !== undefined
    return this.#inTurn(() => this.#pull(update, kept, open))
  }

  /** Warns of something in a transfer, see {@link Warnings.warn}. */
  warn(update: Update, text: string, fields: object = {}): void {
    this.#warned.add(update)
    this.#warnings.warn(fields, text, update)
  }

  /** Whether what was not delivered is read again. */
  get redelivers(): boolean {
    return this.#from.positions?.redeliver === true
  }

  /** Notes how the transfer of a pull has ended, see {@link OpenPulls.end}. */
  ended(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.end(update, delivered, rounds?.deliveredRounds)
  }

  /**
   * Takes note that the inlet is shut down.
   *
   * @param whose - name of the inlet
   */
  end(whose: string): void {
    this.#warnings.end(whose)
  }

  /**
   * Position up to which was read or, to redeliver, where the first failed pull began; and the pulls that buffers hold.
   * `undefined` where there is none, or a durable cursor keeps it.
   */
  save(): SavedPulls | undefined {
    const { positions } = this.#from
    if (positions === undefined || this.#isDurable) return undefined
    if (this.#restored !== undefined) return this.#restored
    const { position, carried } = this.#pulls.handOff(this.#position)
    if (position === undefined && carried === undefined) return undefined
    return {
      ...(position !== undefined && { position: positions.keep(position) }),
      ...(carried && { carried: { ...carried, start: positions.keep(carried.start) } }),
    }
  }

  /** Makes the next start go on where another instance was. Ignores a state of any other kind. */
  restore(state: unknown): void {
    if (this.#isSaved(state)) this.#restored = state
  }

  #isSaved(value: unknown): value is SavedPulls {
    const { positions } = this.#from
    if (positions === undefined || typeof value !== 'object' || value === null) return false
    const { position, carried } = value as { readonly [key: string]: unknown }
    if (position !== undefined && !positions.isKept(position)) return false
    if (carried === undefined) return position !== undefined
    return isCarriedPulls(carried) && (carried.start === undefined || positions.isKept(carried.start))
  }

  #inTurn<W>(work: () => Promise<W>): Promise<W> {
    const reading = this.#turn.then(() => this.#from.use(work))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  async #pull(update: Update, kept: Cursor | undefined, open: () => ListReader<R, P>): Promise<R[] | Lists<R>> {
    const where = this.#from.where()
    const log = getLogger(`databay.${this.#from.connector}`)
    log.info('%s pulling %s', String(update), where)
    this.#begin(update, kept, where)
    const reader = open()
    const progress = { given: 0, isMore: true, isClosed: false }
    const read = async () => {
      const start = this.#position
      const list = progress.isClosed ? undefined : await reader.read(start)
      if (list === undefined || progress.isClosed) {
        // what was read after it was closed is let go too
        await reader.close()
        return []
      }
      // nobody takes the records any more
      update.signal.throwIfAborted()
      this.#moveOn(update, kept, start, list)
      progress.given += list.records.length
      progress.isMore = list.isMore
      return list.records
    }
    const end = () => {
      if (!this.#warned.has(update)) this.#warnings.well(where)
      log.info('%s received %d %s of %s', String(update), progress.given, reader.noun ?? this.#from.noun, where)
    }
    let isStream = false
    try {
      const first = await read()
      isStream = progress.isMore
      if (!isStream) {
        end()
        return first
      }
      const readOn = async () => {
        const records = progress.isMore ? await this.#inTurn(read) : []
        if (records.length > 0) return records
        end()
        return undefined
      }
      const close = () => {
        progress.isClosed = true
        return reader.close()
      }
      return new Lists(first, readOn, close)
    } finally {
      if (!isStream) await reader.close()
    }
  }

  /** Goes to where a pull begins. */
  #begin(update: Update, kept: Cursor | undefined, where: string): void {
    const { noun, positions } = this.#from
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      this.warn(update, `${where}: ${records} ${noun} were not delivered: they are read again`, { records })
      this.#position = start
    }
    if (kept === undefined || positions === undefined) return
    // after a transfer that was not delivered, it is where that one began
    this.#position = kept.value === undefined ? positions.first : positions.positionOf(kept.value)
  }

  /** Moves the position behind a list. */
  #moveOn(update: Update, kept: Cursor | undefined, start: P | undefined, { records, position }: ReadList<R, P>): void {
    const { positions } = this.#from
    if (positions === undefined) return
    if (positions.redeliver && kept === undefined) this.#pulls.add(update, start, records.length)
    this.#position = position
    if (position !== start) kept?.advance(positions.keep(position))
  }
}
