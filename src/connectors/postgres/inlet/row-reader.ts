import { toError } from '../../../base/errors.js'
import type { Update } from '../../../core/update.js'
import { DatabaseError } from '../../errors.js'
import type { ListReader, ReadList } from '../../positioned-pulls.js'
import type { PostgresConnection } from '../client.js'
import { isRetryable } from '../errors.js'
import type { Lease } from '../lease.js'
import type { Position } from './position.js'
import { RowForm, type Row } from './row-form.js'
import type { Order, Statement } from './select.js'
import type { ValueTypes } from './value-types.js'

/** What is read in one pull. */
export interface Reading {
  /** What is read, for errors and the log. */
  readonly where: string
  /** Order of the rows; `undefined` without a cursor column. */
  readonly order: Order | undefined
  /** Most rows. */
  readonly limit: number
  /** Most rows of a list. */
  readonly batchSize: number
  /** Makes the query for the rows behind a position. */
  readonly select: (position: Position | undefined, limit: number) => Statement
}

/** Bytes of a list from which on no more rows are read for it. */
const LARGE = 8 * 1024 * 1024

/** Number of rows that are read first, when nothing is known of their size. */
const FIRST = 16

/** Beginning of a transaction that reads only, and in which the server writes values in one way, whatever its own settings are. */
export const BEGIN =
  'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; ' +
  "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; " +
  "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'"

/**
 * Reads the rows of one pull, list by list, by a cursor of the server in a transaction that reads only. With a cursor column, it
 * goes on behind a position when its connection was lost, or the position is not where the cursor of the server is.
 */
export class RowReader implements ListReader<Row, Position> {
  readonly #connection: PostgresConnection
  readonly #types: ValueTypes
  readonly #reading: Reading
  readonly #update: Update
  #lease: Lease | undefined
  /** How the rows of the cursor of the server are read; `undefined` when there is none. */
  #form: RowForm | undefined
  /** Position where the cursor of the server is. */
  #at: Position | undefined
  #given = 0
  #bytesOfRow = 0
  #closed = false
  #isReading = false

  /** @param lease - connection that has begun a transaction, in which it reads first */
  constructor(connection: PostgresConnection, lease: Lease, types: ValueTypes, reading: Reading, update: Update) {
    this.#connection = connection
    this.#lease = lease
    this.#types = types
    this.#reading = reading
    this.#update = update
  }

  /**
   * Reads the next list; it is empty only at the end.
   *
   * @param position - position behind which to read; without a cursor column `undefined`
   * @throws {@link DatabaseError}, or the reason of the transfer's signal
   */
  async read(position: Position | undefined): Promise<ReadList<Row, Position>> {
    const { signal } = this.#update
    const { where } = this.#reading
    this.#isReading = true
    try {
      if (this.#form !== undefined && this.#at !== position) await this.#leave()
      return await this.#connection.request(this.#update, `read ${where}`, () =>
        this.#connection.interruptible(signal, this.#readFrom(position)),
      )
    } catch (thrown) {
      if (signal.aborted) throw toError(signal.reason)
      throw this.#connection.toError(where, thrown)
    } finally {
      this.#isReading = false
    }
  }

  /** Ends the transaction, and gives the connection back. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#isReading) await this.#lease?.stop(new Error('nobody takes the rows any more'))
    await this.#leave()
  }

  async #readFrom(position: Position | undefined): Promise<ReadList<Row, Position>> {
    try {
      return await this.#list(position)
    } catch (thrown) {
      const error = this.#lease?.failure ?? thrown
      await this.#leave()
      const isLost = this.#given > 0 && this.#reading.order === undefined && isRetryable(error)
      if (!isLost && !this.#closed) throw error
      // no other try, which would read all again: so it has no code that is tried again
      const what = `${this.#reading.where}, after ${this.#given} rows, behind which only a cursorColumn could go on`
      throw new DatabaseError(this.#connection.toError(what, error).message)
    }
  }

  async #list(position: Position | undefined): Promise<ReadList<Row, Position>> {
    const { batchSize, limit } = this.#reading
    const form = (this.#form ??= await this.#open(position))
    const lease = this.#leased()
    let rows: Row[] = []
    const before = lease.bytesRead
    const most = Math.min(batchSize, limit - this.#given)
    let isMore = true
    let at = position
    for (let bytes = 0; isMore && rows.length < most && bytes < LARGE; bytes = lease.bytesRead - before) {
      const size = this.#bytesOfRow === 0 ? FIRST : Math.max(1, Math.floor((LARGE - bytes) / this.#bytesOfRow))
      const count = Math.min(size, most - rows.length)
      const found = await lease.client.query<Row>({ text: `FETCH ${count} FROM databay`, types: form.types() })
      const read = form.take(found.rows, at)
      isMore = found.rows.length === count
      at = read.position
      if (rows.length === 0) rows = read.rows
      else for (const row of read.rows) rows.push(row)
      this.#bytesOfRow = Math.max(1, (lease.bytesRead - before) / Math.max(1, rows.length))
    }
    this.#given += rows.length
    this.#at = at
    isMore &&= this.#given < limit
    if (!isMore) await this.#leave()
    return { records: rows, position: at, isMore }
  }

  /** Opens a cursor of the server behind a position. */
  async #open(position: Position | undefined): Promise<RowForm> {
    const { where, order, limit, select } = this.#reading
    if (this.#lease === undefined) {
      this.#lease = await this.#connection.checkOut(this.#update.signal)
      await this.#lease.client.query(BEGIN)
    }
    const { client } = this.#lease
    this.#at = position
    const { text, values } = select(position, limit - this.#given)
    await client.query({ text: `DECLARE databay NO SCROLL CURSOR FOR ${text}`, values: [...values] })
    const { fields } = await client.query('FETCH 0 FROM databay')
    await this.#types.learn(client, fields)
    return new RowForm(where, order, fields, this.#types, position)
  }

  #leased(): Lease {
    if (this.#lease !== undefined && !this.#lease.isOver) return this.#lease
    throw new DatabaseError(`PostgresInlet: ${this.#reading.where}: it was shut down while it read`)
  }

  /** Ends the transaction, and gives the connection back, if there is one. Never rejects. */
  async #leave(): Promise<void> {
    const lease = this.#lease
    this.#lease = undefined
    this.#form = undefined
    if (lease === undefined) return
    if (lease.failure === undefined && !lease.isOver && lease.isIdle) {
      const ending = lease.client.query('ROLLBACK')
      await this.#connection.interruptible(this.#update.signal, ending).catch(() => undefined)
    }
    lease.end(false)
  }
}
