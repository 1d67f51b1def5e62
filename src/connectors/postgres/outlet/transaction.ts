import type { ClientBase, QueryResult } from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseError } from '../../errors.js'
import { sqlState } from '../errors.js'
import { isOfChange, unchanged, type TableDescription } from './table-description.js'
import { together, type Statement } from './together.js'

/** Transaction, as its server knows it. */
export interface TransactionId {
  /** Its number; `undefined` when its connection was lost before the server said it. */
  readonly xid: string | undefined
  /** Process of the server that runs it. */
  readonly pid: number
  /** When it was begun, by `performance.now()`. */
  readonly begun: number
}

/** What became of a transaction; `unknown`: its server does not know it any more. */
export type Fate = 'committed' | 'aborted' | 'unknown'

/** A table is no longer what it was when the rows for it were made. */
export class TableChangedError extends DatabaseError {
  constructor() {
    super('PostgresOutlet: a table was changed while rows were written to it', { retryable: true })
  }
}

/** Nobody knows any more whether a transaction was committed. Its rows may be stored, so they are refused: written again, they could be there twice. */
export class UnknownOutcomeError extends DatabaseError {
  /** @param where - host and database */
  constructor(where: string) {
    super(
      `PostgresOutlet: ${where}: the connection was lost at the COMMIT, and the server no longer knows whether it was made`,
      { retryable: false },
    )
  }
}

/** Settings of a transaction. Times are in milliseconds. */
export interface TransactionLimits {
  /** Longest time for a statement. */
  readonly statement: number
  /** Longest time to wait for a lock. */
  readonly lock: number
  /** Longest time between two statements: a transaction whose client is gone holds its locks no longer. */
  readonly idle: number
}

/** Transaction of a batch. */
export class Transaction {
  readonly #client: ClientBase
  #id: TransactionId | undefined
  #isCommitting = false
  readonly #begun = performance.now()

  constructor(client: ClientBase) {
    this.#client = client
  }

  /** What the server knows it by; `undefined` when neither it nor the connection has said so. */
  get id(): TransactionId | undefined {
    if (this.#id !== undefined) return this.#id
    const { processID: pid } = this.#client as { readonly processID?: number | null }
    return typeof pid === 'number' ? { xid: undefined, pid, begun: this.#begun } : undefined
  }

  /**
   * Begins it, and runs its first statements; gives the number of rows that they stored. A limit that the user or the database
   * has of its own stays.
   *
   * @throws {@link TableChangedError} when a statement of {@link unchanged} finds that
   */
  async begin(limits: TransactionLimits, statements: readonly Statement[] = []): Promise<number> {
    const limit = (name: string, time: number) =>
      `case when current_setting('${name}') = '0' then set_config('${name}', '${time}', true) end`
    const text = `select pg_current_xact_id()::text, pg_backend_pid(), ${limit('statement_timeout', limits.statement)},
      ${limit('lock_timeout', limits.lock)}, ${limit('idle_in_transaction_session_timeout', limits.idle)}`
    const take = ([xid, pid]: readonly (string | null)[]) => {
      this.#id ??= { xid: String(xid), pid: Number(pid), begun: this.#begun }
    }
    const stored = await together(this.#client, [{ text: 'begin;' }, { text }, ...statements], take).catch(
      (error: unknown) => {
        throw isOfChange(error) ? new TableChangedError() : error
      },
    )
    if (this.#id === undefined) throw new DatabaseError('PostgresOutlet: no transaction was begun', { retryable: true })
    return stored
  }

  /** Whether it was asked to commit. */
  get isCommitting(): boolean {
    return this.#isCommitting
  }

  /**
   * @param tables - tables that were written to since it was begun
   * @throws {@link TableChangedError} when one of them is no longer what its description says: then the transaction is open
   * @throws the error of the server, which has rolled back, or of the connection: then {@link fateOf} tells
   */
  async commit(tables: readonly TableDescription[]): Promise<void> {
    this.#isCommitting = true
    const statements = [...unchanged(tables), { text: 'commit' }]
    const given: unknown = await this.#client
      .query(statements.map(({ text }) => text).join('; '))
      .catch((error: unknown) => {
        if (!isOfChange(error)) throw error
        this.#isCommitting = false
        throw new TableChangedError()
      })
    const results = given as QueryResult | QueryResult[]
    const { command } = (Array.isArray(results) ? results.at(-1) : results) ?? {}
    if (command !== 'COMMIT')
      throw new DatabaseError('PostgresOutlet: a transaction was rolled back', { retryable: true })
  }

  async rollback(): Promise<void> {
    await this.#client.query('rollback')
  }
}

/** Codes with which a server ends a connection, and of its own faults: what became of the transaction, they do not say. */
const OF_THE_END = /^(08|57|58|XX|25P)/

/** Whether an error leaves open what became of a transaction that was to be committed. */
export function isInDoubt(error: unknown): boolean {
  const code = sqlState(error)
  return code === undefined ? !(error instanceof DatabaseError) : OF_THE_END.test(code)
}

/** Number of looks at a transaction that is in progress before it is ended, and in all. */
const PATIENCE = 6
const MOST_LOOKS = 30

/** Longest time between two looks, in milliseconds. */
const LONGEST_PAUSE = 1000

/**
 * Finds out what became of a transaction whose connection is lost. One that goes on, as its server has not noticed the loss, is
 * ended: at once when it was not asked to commit.
 *
 * @throws {@link DatabaseError} when it goes on all the same
 */
export async function fateOf(client: ClientBase, id: TransactionId, isCommitting: boolean): Promise<Fate> {
  for (let looks = 1; looks <= MOST_LOOKS; looks++) {
    if (id.xid === undefined) {
      await terminate(client, id)
      return 'aborted'
    }
    const status = await statusOf(client, id.xid)
    if (status !== 'in progress') return status
    if (!isCommitting || looks >= PATIENCE) await terminate(client, id)
    await delay(Math.min(LONGEST_PAUSE, 10 * 2 ** looks))
  }
  const message = 'PostgresOutlet: a transaction whose connection was lost still goes on'
  throw new DatabaseError(message, { retryable: true })
}

async function statusOf(client: ClientBase, xid: string): Promise<Fate | 'in progress'> {
  try {
    const { rows } = await client.query<{ status: string | null }>('select pg_xact_status($1::xid8) as status', [xid])
    const status = rows[0]?.status
    return status === 'committed' || status === 'aborted' || status === 'in progress' ? status : 'unknown'
  } catch (error) {
    // a server that has crashed may have forgotten the last transactions, which it had not committed: their numbers are free again
    if (sqlState(error) === INVALID_PARAMETER) return 'aborted'
    throw error
  }
}

/** Code of the number of a transaction that is yet to come. */
const INVALID_PARAMETER = '22023'

/** A process whose transaction has no number is known by what its connection is: another one may have its number by now. */
const TERMINATE = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and pid <> pg_backend_pid()
  and case when $2::text is null then xact_start is not null and datname = current_database() and usename = current_user
    and application_name = current_setting('application_name')
    and backend_start <= clock_timestamp() - $3 * interval '1 millisecond' else backend_xid = $2::xid8::xid end`

async function terminate(client: ClientBase, { xid, pid, begun }: TransactionId): Promise<void> {
  await client.query(TERMINATE, [pid, xid ?? null, performance.now() - begun]).catch((error: unknown) => {
    // it is not allowed to, and the transaction may end by itself
    if (sqlState(error) !== '42501') throw error
  })
}
