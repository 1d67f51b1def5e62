import { importLater } from '../../base/libraries.js'
import { getLogger } from '../../base/log.js'
import { Warnings } from '../../base/warnings.js'
import type { Cursor } from '../../core/cursor.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Update } from '../../core/update.js'
import { Lists } from '../lists.js'
import { isCarriedPulls, OpenPulls, type CarriedPulls } from '../open-pulls.js'
import { PostgresConnection } from './client.js'
import { shownTable } from './identifiers.js'
import { resolveInletOptions, type PostgresInletOptions, type PostgresInletSettings } from './inlet/inlet-options.js'
import { positionOf, positionText, type Position } from './inlet/position.js'
import type { RowList } from './inlet/row-reader.js'
import type { RowSource } from './inlet/row-source.js'

const importSource = () => import('./inlet/row-source.js')

/** What moves along to another thread. Positions are text. */
interface SavedState {
  readonly position?: string
  readonly carried?: CarriedPulls<string>
}

function isSavedState(value: unknown): value is SavedState {
  if (typeof value !== 'object' || value === null) return false
  const { position, carried } = value as { readonly [key: string]: unknown }
  const isText = (one: unknown) => typeof one === 'string'
  if (carried !== undefined && !(isCarriedPulls(carried) && isText(carried.start))) return false
  return isText(position) || (position === undefined && carried !== undefined)
}

/**
 * Reads rows of PostgreSQL, of a table or of a query: a record for each, with a field for each column. Needs the package pg:
 * `npm install pg@^8.16.0`. Rows are read by a cursor of the server, list by list, so that a large table takes little memory.
 *
 * With a `cursorColumn`, each row is read once, or again until it is delivered. The position is kept while the inlet is
 * started, also when its link moves to another thread; a start begins at `startAfter`. Rows without a value in that column
 * are never read. Of rows with the same value none is lost: the keys of the table tell them apart. Rows that are committed
 * late, behind others with greater values, are read too: transactions that write to the table are waited for.
 *
 * @typeParam T - type of the rows; it is believed, not checked
 */
export class PostgresInlet<T = { readonly [column: string]: unknown }> extends Inlet<T> {
  readonly #settings: PostgresInletSettings
  readonly #connection: PostgresConnection
  readonly #warnings = new Warnings(() => getLogger('databay.PostgresInlet'))
  #source: RowSource | undefined
  #position: Position | undefined
  /** Pulls that are not delivered yet. */
  readonly #pulls = new OpenPulls<Position | undefined>()
  /** Whether the position is kept as a durable cursor. */
  #isDurable = false
  /** State that was restored, until the next start. */
  #restored: SavedState | undefined
  /** List that is read, or was read last: those of all pulls are read one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws {@link InvalidOptionError} */
  constructor(options: PostgresInletOptions) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new PostgresConnection('PostgresInlet', settings.connection)
  }

  /**
   * @throws {@link DatabaseError} when the server cannot be reached, refuses the credentials, or has no such table or column
   * @throws {@link InvalidOptionError} when `keys` do not tell rows apart
   */
  override async onStart(): Promise<void> {
    const { RowSource } = await importLater(importSource)
    await this.#connection.open()
    const source = new RowSource(this.#connection, this.#settings, this.#where, this.#warnings)
    try {
      await this.#connection.use(() => source.describe(new AbortController().signal))
    } catch (error) {
      await this.#connection.close()
      throw error
    }
    this.#source = source
    this.#pulls.clear()
    this.#begin(this.#restored)
    this.#restored = undefined
  }

  /**
   * Reads rows: all in one list, or list by list where there are more of them.
   *
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the query
   */
  pull(update: Update, cursor?: Cursor): Promise<T[] | PulledStream<T>> {
    const kept = cursor?.durable === true ? cursor : undefined
    this.#isDurable = kept !== undefined
    return this.#inTurn(() => this.#pull(update, kept))
  }

  /** With a `cursorColumn`, the position is the cursor. Otherwise all rows are read at each transfer. */
  override get hasCursor(): boolean {
    return this.#settings.cursor !== undefined
  }

  /**
   * Notes what was delivered of a pull. With a `cursorColumn`, the next pull goes back to where that one began, or where the
   * first of its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.end(update, delivered, rounds?.deliveredRounds)
  }

  override async onShutdown(): Promise<void> {
    this.#warnings.end(String(this))
    await this.#connection.close()
  }

  /**
   * Position up to which rows were read, or to redeliver, where the first failed pull began; and the pulls that buffers hold.
   */
  override saveState(): SavedState | undefined {
    if (this.#isDurable) return undefined
    if (this.#restored !== undefined) return this.#restored
    const { position, carried } = this.#pulls.handOff(this.#position)
    if (position === undefined && carried === undefined) return undefined
    return {
      ...(position !== undefined && { position: positionText(position) }),
      ...(carried && { carried: { ...carried, start: positionText(carried.start) } }),
    }
  }

  override restoreState(state: unknown): void {
    if (isSavedState(state)) this.#restored = state
  }

  override toString(): string {
    const { table } = this.#settings.source
    return `${this.constructor.name}(${table === undefined ? 'a query' : shownTable(table)})`
  }

  /** What is read, for errors and the log. */
  get #where(): string {
    const { table } = this.#settings.source
    return `${this.#connection.where} ${table === undefined ? 'query' : shownTable(table)}`
  }

  #begin(saved: SavedState | undefined): void {
    const startAfter = this.#settings.cursor?.startAfter
    const first = startAfter === undefined ? undefined : { values: [startAfter], seen: [] }
    this.#position = saved?.position === undefined ? first : positionOf(saved.position)
    const carried = saved?.carried
    if (carried !== undefined) this.#pulls.takeOver({ ...carried, start: positionOf(carried.start) ?? first })
  }

  #inTurn<R>(work: () => Promise<R>): Promise<R> {
    const reading = this.#turn.then(() => this.#connection.use(work))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  async #pull(update: Update, kept: Cursor | undefined): Promise<T[] | PulledStream<T>> {
    const where = this.#where
    const log = getLogger('databay.PostgresInlet')
    log.info('%s pulling %s', String(update), where)
    const back = this.#pulls.takeBack()
    if (back !== undefined) {
      const { start, records } = back
      this.#warnings.warn({ records }, `${where}: ${records} rows were not delivered: they are read again`)
      this.#position = start
    }
    // after a transfer that was not delivered, it is where that one began
    if (typeof kept?.value === 'string') this.#position = positionOf(kept.value)
    else if (kept !== undefined) this.#begin(undefined)
    const start = this.#position
    const { reader, ...first } = await this.#started.first(update, start)
    const end = () => {
      if (back === undefined) this.#warnings.well(where)
      log.info('%s received %d rows of %s', String(update), reader.given, where)
    }
    let isStream = false
    try {
      const rows = this.#take(update, start, first, kept)
      isStream = reader.isMore
      if (!isStream) {
        end()
        return rows
      }
    } finally {
      if (!isStream) await reader.close()
    }
    const read = async () => {
      const from = this.#settings.cursor === undefined ? undefined : this.#position
      const list = await reader.read(from)
      return reader.isClosed ? [] : this.#take(update, from, list, kept)
    }
    const readOn = async () => {
      const rows = reader.isMore ? await this.#inTurn(read) : []
      if (rows.length > 0) return rows
      end()
      return undefined
    }
    return new Lists(first.rows as T[], readOn, () => reader.close())
  }

  /** Takes a list: moves the position behind it. */
  #take(update: Update, start: Position | undefined, { rows, position }: RowList, kept: Cursor | undefined): T[] {
    // nobody takes the rows any more
    update.signal.throwIfAborted()
    const { cursor } = this.#settings
    if (cursor !== undefined) {
      if (cursor.redeliver && kept === undefined) this.#pulls.add(update, start, rows.length)
      this.#position = position
      if (position !== undefined && rows.length > 0) kept?.advance(positionText(position))
    }
    return rows as T[]
  }

  get #started(): RowSource {
    if (this.#source === undefined) throw new Error('not started')
    return this.#source
  }
}
