import { setTimeout as delay } from 'node:timers/promises'
import { DatabayError, toError } from '../../../base/errors.js'
import { getLogger } from '../../../base/log.js'
import type { Update } from '../../../core/update.js'
import { loadLosslessJson } from '../../parse-json.js'
import type { ListReader, PositionedPulls, ReadList } from '../../positioned-pulls.js'
import type { PostgresConnection } from '../client.js'
import { describe, isOutdated, type Description } from './description.js'
import type { PostgresInletSettings } from './inlet-options.js'
import type { Lease } from '../lease.js'
import type { Position } from './position.js'
import type { Row } from './row-form.js'
import { BEGIN, RowReader } from './row-reader.js'
import { selectAfter, selectAll, selectBound } from './select.js'
import { Settling, WRITERS } from './settling.js'
import { ValueTypes } from './value-types.js'

/** Delays between looks at transactions that write, when there is nothing else to read, in milliseconds. */
const LOOKS = [10, 20, 30, 40]

/** Longest time to wait in a pull, in milliseconds. Rows that need more come with a later one. */
const LONGEST_WAIT = 10_000

/** Time after which it is said that transactions hold up rows, in milliseconds. */
const LONG = 60_000

/** First list of a pull, and what reads the others. */
interface FirstList {
  readonly list: ReadList<Row, Position>
  readonly reader: RowReader
}

/** Where an inlet reads rows, as long as it is started. */
export class RowSource {
  readonly #connection: PostgresConnection
  readonly #settings: PostgresInletSettings
  readonly #where: string
  readonly #pulls: Pick<PositionedPulls<Row, Position>, 'warn'>
  readonly #types: ValueTypes
  #description: Description | undefined
  #settling = new Settling(0)

  /** @param where - what is read, for errors and the log */
  constructor(
    connection: PostgresConnection,
    settings: PostgresInletSettings,
    where: string,
    pulls: Pick<PositionedPulls<Row, Position>, 'warn'>,
  ) {
    this.#connection = connection
    this.#settings = settings
    this.#where = where
    this.#pulls = pulls
    this.#types = new ValueTypes(connection.pg, settings.types)
    if (settings.types.json === 'parsed') loadLosslessJson()
  }

  /**
   * Finds out what is read, unless that is known.
   *
   * @throws {@link DatabaseError}, {@link InvalidOptionError} on options that do not fit
   */
  async describe(signal: AbortSignal): Promise<Description> {
    if (this.#description !== undefined) return this.#description
    const found = await this.#connection
      .withClient(signal, (client) => describe(client, this.#settings))
      .catch((error: unknown) => {
        if (error instanceof DatabayError) throw error
        throw signal.aborted ? toError(signal.reason) : this.#connection.toError(this.#where, error)
      })
    this.#description = found
    const { order, settle, hasTimes, isNullable, isStandby } = found
    this.#settling = new Settling(hasTimes ? 0 : settle)
    const log = getLogger('databay.PostgresInlet')
    if (order !== undefined && isNullable) {
      log.info('%s: rows whose %s is null are never read', this.#where, order.column)
    }
    if (order !== undefined && isStandby && settle === 0) {
      log.warn(
        '%s: a standby does not know who writes: set settle, as rows that are committed late may be lost',
        this.#where,
      )
    }
    return found
  }

  /** Makes what reads the lists of one pull. */
  reader(update: Update): ListReader<Row, Position> {
    let rows: RowReader | undefined
    return {
      read: async (position) => {
        if (rows !== undefined) return rows.read(position)
        const { reader, list } = await this.#first(update, position)
        rows = reader
        return list
      },
      close: async () => rows?.close(),
    }
  }

  /**
   * Reads the first list of a pull behind a position. When there is nothing to read but rows that others may still be added
   * before, it waits for these, though not for long.
   */
  async #first(update: Update, position: Position | undefined): Promise<FirstList> {
    try {
      for (let look = 0; ; look++) {
        const first = await this.#begun(update, position)
        if (first.list.records.length > 0) return first
        const left = this.#settling.wait(performance.now(), position?.values[0])
        if (left !== undefined && left > LONGEST_WAIT) return first
        const pause = left ?? (this.#settling.writers === 0 ? undefined : LOOKS[look])
        if (pause === undefined) {
          this.#tellOfWriters(update)
          return first
        }
        await first.reader.close()
        await delay(pause, undefined, { signal: update.signal }).catch(() => undefined)
        update.signal.throwIfAborted()
      }
    } catch (error) {
      // a table may be another one now
      if (isOutdated(error)) this.#description = undefined
      throw error
    }
  }

  async #begun(update: Update, position: Position | undefined): Promise<FirstList> {
    const { limit, batchSize, source } = this.#settings
    const description = await this.describe(update.signal)
    const { order } = description
    const { lease, bound } = await this.#begin(update, description, position)
    const select = (from: Position | undefined, most: number) =>
      order === undefined ? selectAll(source, most) : selectAfter(source, order, from, bound ?? '', most)
    const reading = { where: this.#where, order, limit, batchSize, select }
    const reader = new RowReader(this.#connection, lease, this.#types, reading, update)
    let isRead = false
    try {
      // as long as nothing may be read, there is no list to come either
      if (order !== undefined && bound === undefined) return { list: { records: [], position, isMore: false }, reader }
      const list = await reader.read(position)
      isRead = true
      return { list, reader }
    } finally {
      if (!isRead) await reader.close()
    }
  }

  /** Begins a transaction, and finds out up to which value rows may be read. */
  async #begin(update: Update, description: Description, position: Position | undefined) {
    const begin = async () => {
      const lease = await this.#connection.checkOut(update.signal)
      try {
        await lease.client.query(BEGIN)
        await this.#note(lease, description, position)
        return { lease, bound: this.#settling.bound }
      } catch (error) {
        lease.end(true)
        throw lease.failure ?? error
      }
    }
    try {
      return await this.#connection.request(update, `read ${this.#where}`, () =>
        this.#connection.interruptible(update.signal, begin()),
      )
    } catch (error) {
      update.signal.throwIfAborted()
      throw this.#connection.toError(this.#where, error)
    }
  }

  /** Notes the greatest value, and then who writes: in this order, see {@link Settling}. */
  async #note({ client }: Lease, description: Description, position: Position | undefined): Promise<void> {
    const { order, settle, hasTimes } = description
    if (order === undefined) return
    const { text, values } = selectBound(this.#settings.source, order.column, position, hasTimes ? settle : undefined)
    const noted = await client.query<{ bound: string }>({
      text,
      values: [...values],
      types: { getTypeParser: () => String },
    })
    const writers = await client.query<{ writer: string }>(WRITERS)
    const names = new Set(writers.rows.map(({ writer }) => writer))
    this.#settling.note(noted.rows[0]?.bound, names, performance.now())
  }

  #tellOfWriters(update: Update): void {
    const { writers, since } = this.#settling
    if (writers === 0 || since === undefined || performance.now() - since < LONG) return
    const text = `${this.#where}: rows wait for ${writers} transactions that have written to it and not ended`
    this.#pulls.warn(update, text, { writers })
  }
}
