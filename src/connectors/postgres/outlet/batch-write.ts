import type { PoolClient } from 'pg'
import type { Update } from '../../../core/update.js'
import { DatabaseError } from '../../errors.js'
import { writeCarefully } from './careful-write.js'
import { isOfRows, NO_COLUMN, NO_TABLE, sqlState } from '../errors.js'
import type { GroupWriter } from './group-writer.js'
import { quotedTable } from '../identifiers.js'
import type { Doubt, Pushing } from './pushing.js'
import type { BatchRows } from './rows.js'
import { describeTable, isOfChange, unchanged, type TableDescription } from './table-description.js'
import { together, type Statement } from './together.js'
import { fateOf, isInDoubt, TableChangedError, Transaction, UnknownOutcomeError } from './transaction.js'
import { WritePlan, type Unwritten } from './write-plan.js'

/** Codes of a table that is no longer what it was. */
const CHANGED = new Set([NO_TABLE, NO_COLUMN, '42704', '42804', '42846', '428C9'])

/**
 * Writes the rows of a batch, in one transaction. What {@link BatchWrite.attempt} fails to do, it can be asked to do again.
 *
 * ```
 * attempt --> [a transaction in doubt? settle it] --> describe tables --> write all --> COMMIT
 *                                                                            |  rows refused
 *                                                                            +--> write carefully --> COMMIT
 * ```
 */
export class BatchWrite {
  /** Errors of the records that are not stored, by their place. */
  refused = new Map<number, Error>()
  /** Whether all other records are stored. */
  isStored = false
  /** Number of rows that triggers or rules of their tables have left out. */
  leftOut = 0
  /** Fields that are not written. */
  unwritten: readonly Unwritten[] = []
  /** Transaction whose connection was lost. */
  doubt: Doubt | undefined
  readonly #pushing: Pushing
  readonly #rows: BatchRows
  readonly #update: Update

  constructor(pushing: Pushing, rows: BatchRows, update: Update) {
    this.#pushing = pushing
    this.#rows = rows
    this.#update = update
  }

  /** Whether it is not known whether the rows are stored. */
  get isCommitInDoubt(): boolean {
    return this.doubt?.isCommitting === true
  }

  /** @throws the error of the driver or the server when nothing was stored, or it is not known */
  async attempt(): Promise<void> {
    const { connection } = this.#pushing
    await connection.withClient(this.#update.signal, async (client) => {
      if (this.doubt !== undefined) await this.settle(client)
      if (this.isStored) return
      try {
        await this.#write(client)
      } catch (thrown) {
        const isChanged = thrown instanceof TableChangedError
        if (!isChanged && !CHANGED.has(sqlState(thrown) ?? '')) throw thrown
        const wasKnown = this.#forget()
        // lines of COPY are made for the columns that there were
        const isFixed =
          this.#rows.groups.some(({ shape }) => shape !== undefined) || (isChanged && this.#rows.madeFor.length > 0)
        if (!wasKnown || isFixed || (thrown instanceof DatabaseError && !isChanged)) throw thrown
        await this.#write(client)
      }
    })
  }

  /**
   * Finds out what became of the transaction in doubt.
   *
   * @throws {@link UnknownOutcomeError} when nobody knows, and the rows could be stored twice
   */
  async settle(client: PoolClient): Promise<void> {
    const { doubt } = this
    if (doubt === undefined) return
    const fate = await fateOf(client, doubt.id, doubt.isCommitting)
    if (fate === 'unknown' && doubt.isCommitting && this.#pushing.settings.keys === undefined) {
      throw new UnknownOutcomeError(this.#pushing.connection.where)
    }
    this.doubt = undefined
    if (fate !== 'committed' || !doubt.isCommitting) return
    this.refused = new Map(doubt.refused)
    this.isStored = true
  }

  async #write(client: PoolClient): Promise<void> {
    this.refused = new Map(this.#rows.refused)
    const tables = await this.#describe(client)
    const plan = new WritePlan(this.#pushing, tables, this.refused)
    const writers = plan.writers(this.#rows.groups)
    this.unwritten = plan.unwritten
    const descriptions = [...tables.values()].flatMap((one) => (one instanceof Error ? [] : [one]))
    if (this.refused.size > 0) await this.#checkTables(client, [...descriptions, ...this.#rows.madeFor])
    if (writers.length > 0) await this.#writeAll(client, plan, writers, descriptions)
    this.isStored = true
  }

  /** @throws {@link TableChangedError} when rows were refused that a table may take, as it is now */
  async #checkTables(client: PoolClient, tables: readonly TableDescription[]): Promise<void> {
    await together(client, unchanged(tables)).catch((error: unknown) => {
      throw isOfChange(error) ? new TableChangedError() : error
    })
  }

  async #writeAll(
    client: PoolClient,
    plan: WritePlan,
    writers: readonly GroupWriter[],
    tables: readonly TableDescription[],
  ): Promise<void> {
    try {
      if (writers.every(({ statements }) => statements !== undefined)) {
        // with the transaction, as each trip to the server takes as long as some hundred rows
        const statements = writers.flatMap((writer) => writer.statements ?? [])
        const stored = await this.#inTransaction(client, [], [...statements, ...unchanged(tables)])
        this.leftOut = writers.every(({ isCounted }) => isCounted) ? rowsOf(writers) - stored : 0
      } else this.leftOut = await this.#inTransaction(client, tables, [], () => writeAll(client, writers))
    } catch (thrown) {
      if (!isOfRows(thrown) || this.doubt !== undefined) throw thrown
      await this.#checkTables(client, tables)
      const careful = this.#inTransaction(client, tables, [], () => writeCarefully(client, plan, writers))
      this.leftOut = await careful.catch((error: unknown) => {
        // a COMMIT that is refused all the same does not say for which row
        throw isOfRows(error) ? Object.assign(this.#toError(error), { retryable: undefined }) : error
      })
      plan.blame(rowsOf(writers))
    }
  }

  /**
   * Runs statements, or does work, in a transaction; gives the number of rows that they stored, or what the work gives. When its connection is lost, the transaction is in doubt.
   *
   * @param tables - tables that the COMMIT finds unchanged
   */
  async #inTransaction(
    client: PoolClient,
    tables: readonly TableDescription[],
    statements: readonly Statement[],
    work?: () => Promise<number>,
  ): Promise<number> {
    const { socketTimeout } = this.#pushing.settings.connection
    const limits = { statement: socketTimeout, lock: Math.ceil(socketTimeout / 2), idle: socketTimeout }
    const transaction = new Transaction(client)
    try {
      const stored = await transaction.begin(limits, statements)
      const given = (await work?.()) ?? stored
      await transaction.commit(tables)
      return given
    } catch (thrown) {
      const { id, isCommitting } = transaction
      // a row that is refused before the COMMIT leaves no doubt
      if (isInDoubt(thrown) && (isCommitting || !isOfRows(thrown))) {
        if (id !== undefined) this.doubt = { id, isCommitting, refused: this.refused }
      } else if (!isCommitting) await transaction.rollback()
      throw thrown
    }
  }

  /** Descriptions of the tables, or why there is none, by their quoted names. */
  async #describe(client: PoolClient): Promise<ReadonlyMap<string, TableDescription | Error>> {
    const { known, settings } = this.#pushing
    const found = new Map<string, TableDescription | Error>()
    for (const { table } of this.#rows.groups) {
      const name = quotedTable(table)
      if (found.has(name)) continue
      try {
        const isOwn = name === quotedTable(settings.table)
        const description = known.get(name) ?? (await describeTable(client, table, isOwn))
        known.set(name, description)
        found.set(name, description)
      } catch (error) {
        // records have chosen it
        if (!(error instanceof DatabaseError) || error.retryable !== false) throw error
        found.set(name, error)
      }
    }
    return found
  }

  /** Forgets what is known of the tables; gives whether anything was. */
  #forget(): boolean {
    const { known } = this.#pushing
    const names = [...this.#rows.groups, ...this.#rows.madeFor].map(({ table }) => quotedTable(table))
    return names.filter((name) => known.delete(name)).length > 0
  }

  #toError(thrown: unknown): DatabaseError {
    const { connection } = this.#pushing
    return connection.toError(connection.where, thrown)
  }
}

/** Writes all groups; gives the number of rows that triggers have left out. */
async function writeAll(client: PoolClient, writers: readonly GroupWriter[]): Promise<number> {
  let leftOut = 0
  for (const writer of writers) {
    const { write, group, isCounted } = writer
    const stored = await write(
      client,
      group.chunks.map(({ text }) => text),
    )
    if (isCounted) leftOut += rowsOf([writer]) - stored
  }
  return leftOut
}

function rowsOf(writers: readonly GroupWriter[]): number {
  return writers.reduce((sum, { group }) => sum + group.chunks.reduce((rows, { size }) => rows + size, 0), 0)
}
