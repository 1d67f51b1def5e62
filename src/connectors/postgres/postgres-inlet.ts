import { importLater } from '../../base/libraries.js'
import type { Cursor } from '../../core/cursor.js'
import { Inlet, type PulledStream } from '../../core/inlet.js'
import type { RoundCounts } from '../../core/round-counts.js'
import type { Update } from '../../core/update.js'
import { PositionedPulls, type Positions, type SavedPulls } from '../positioned-pulls.js'
import { PostgresConnection } from './client.js'
import { shownTable } from './identifiers.js'
import { resolveInletOptions, type PostgresInletOptions, type PostgresInletSettings } from './inlet/inlet-options.js'
import { positionOf, positionText, type Position } from './inlet/position.js'
import type { Row } from './inlet/row-form.js'
import type { RowSource } from './inlet/row-source.js'

const importSource = () => import('./inlet/row-source.js')

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
  readonly #pulls: PositionedPulls<Row, Position>
  #source: RowSource | undefined

  /** @throws {@link InvalidOptionError} */
  constructor(options: PostgresInletOptions) {
    const settings = resolveInletOptions(options)
    super(options)
    this.#settings = settings
    this.#connection = new PostgresConnection('PostgresInlet', settings.connection)
    this.#pulls = new PositionedPulls({
      connector: 'PostgresInlet',
      noun: 'rows',
      where: () => this.#where,
      use: (work) => this.#connection.use(work),
      positions: positionsOf(settings),
    })
  }

  /**
   * @throws {@link DatabaseError} when the server cannot be reached, refuses the credentials, or has no such table or column
   * @throws {@link InvalidOptionError} when `keys` do not tell rows apart
   */
  override async onStart(): Promise<void> {
    const { RowSource } = await importLater(importSource)
    await this.#connection.open()
    const source = new RowSource(this.#connection, this.#settings, this.#where, this.#pulls)
    try {
      await this.#connection.use(() => source.describe(new AbortController().signal))
    } catch (error) {
      await this.#connection.close()
      throw error
    }
    this.#source = source
    this.#pulls.start()
  }

  /**
   * Reads rows: all in one list, or list by list where there are more of them.
   *
   * @throws {@link DatabaseError} when the server cannot be reached, or refuses the query
   */
  pull(update: Update, cursor?: Cursor): Promise<T[] | PulledStream<T>> {
    const pulling = this.#pulls.pull(update, cursor, () => this.#started.reader(update))
    return pulling as Promise<T[] | PulledStream<T>>
  }

  /** With a `cursorColumn`, the position is the cursor. Otherwise all rows are read at each transfer. */
  override get hasCursor(): boolean {
    return this.#settings.cursor !== undefined
  }

  override get redelivers(): boolean {
    return this.#pulls.redelivers
  }

  /**
   * Notes what was delivered of a pull. With a `cursorColumn`, the next pull goes back to where that one began, or where the
   * first of its lists began that was not delivered.
   */
  override onTransferEnd(update: Update, delivered: boolean, rounds?: RoundCounts): void {
    this.#pulls.ended(update, delivered, rounds)
  }

  override async onShutdown(): Promise<void> {
    this.#pulls.end(String(this))
    await this.#connection.close()
  }

  /**
   * Position up to which rows were read, or to redeliver, where the first failed pull began; and the pulls that buffers hold.
   */
  override saveState(): SavedPulls | undefined {
    return this.#pulls.save()
  }

  override restoreState(state: unknown): void {
    this.#pulls.restore(state)
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

  get #started(): RowSource {
    if (this.#source === undefined) throw new Error('not started')
    return this.#source
  }
}

function positionsOf({ cursor }: PostgresInletSettings): Positions<Position> | undefined {
  if (cursor === undefined) return undefined
  const { startAfter, redeliver } = cursor
  return {
    first: startAfter === undefined ? undefined : { values: [startAfter], seen: [] },
    redeliver,
    keep: positionText,
    isKept: (value) => typeof value === 'string',
    positionOf,
  }
}
