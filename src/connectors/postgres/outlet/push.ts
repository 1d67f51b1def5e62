import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { counted, isOrAre } from '../../../base/counted.js'
import { toError } from '../../../base/errors.js'
import { getLogger } from '../../../base/log.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { DatabaseError } from '../../errors.js'
import { ofNoRecord, partialPush } from '../../rejected.js'
import { BatchWrite } from './batch-write.js'
import { NO_TABLE, sqlState } from '../errors.js'
import { quoted, quotedTable, shownTable } from '../identifiers.js'
import type { Pushing } from './pushing.js'
import { BatchRows } from './rows.js'
import { checkNames, describeTable, hasIndex } from './table-description.js'
import { TableChangedError, UnknownOutcomeError } from './transaction.js'

/*
 * The pushes of a PostgresOutlet. This module is loaded when an outlet first connects, as every thread loads the outlet's class,
 * and most threads run none.
 */

/** Most transactions in doubt that are remembered. */
const MOST_DOUBTS = 16

/** Longest pause between two tries to learn what became of a transaction, in milliseconds. */
const LONGEST_PAUSE = 2000

/**
 * Writes records, in one transaction.
 *
 * @throws {@link PartialPushError} when some records were not taken
 * @throws {@link DatabaseError} when none were, for one reason
 */
export async function pushRecords(pushing: Pushing, records: readonly Record[], update: Update): Promise<void> {
  const { settings, connection, doubts } = pushing
  // before anything is waited for, as payloads are no copies
  const rows = new BatchRows(settings, pushing.known, records)
  if (rows.groups.length === 0 && rows.madeFor.length === 0) {
    throwIfRefused(records.length, rows.refused)
    return
  }
  const write = new BatchWrite(pushing, rows, update)
  if (doubts.size > 0) {
    const digest = digestOf(rows)
    write.doubt = doubts.get(digest)
    doubts.delete(digest)
  }
  const log = getLogger('databay.PostgresOutlet')
  try {
    log.info('%s write %s to %s', String(update), counted(records.length, 'record'), connection.where)
    await connection.request(update, `write to ${connection.where}`, () => write.attempt())
  } catch (thrown) {
    const unknown = await settle(pushing, write, rows, update, thrown)
    if (thrown instanceof TableChangedError) throw thrown
    if (!write.isStored) throw failure(records.length, rows.refused, unknown ?? asError(pushing, write, update, thrown))
  }
  log.info(
    '%s written %s to %s',
    String(update),
    counted(records.length - write.refused.size, 'record'),
    connection.where,
  )
  for (const { text, rows } of write.unwritten) pushing.warnings.once(text, rows, 'records')
  tellOfLeftOut(pushing, rows, write.leftOut)
  throwIfRefused(records.length, write.refused)
}

/** Tells of rows that the server has taken and not stored. */
function tellOfLeftOut({ warnings }: Pushing, { groups }: BatchRows, count: number): void {
  if (count <= 0) return
  const tables = [...new Set(groups.map(({ table }) => shownTable(table)))].join(', ')
  warnings.warn(
    { records: count },
    `PostgresOutlet: ${counted(count, 'row')} ${isOrAre(count)} not in ${tables}: a trigger or a rule leaves out rows, or stores them elsewhere`,
  )
}

/**
 * Reads the columns of the outlet's own table, if it is there: rows can then be made for COPY before anything is waited for.
 * Warns when it has no unique index for the keys.
 *
 * @throws {@link DatabaseError} when the table lacks a column that the options name
 */
export async function describeOwn({ settings, connection, known }: Pushing): Promise<void> {
  const { table, keys = [], columns = [] } = settings
  try {
    const { signal } = new AbortController()
    await connection.withClient(signal, async (client) => {
      const description = await describeTable(client, table, true)
      known.set(quotedTable(table), description)
      checkNames(description, [...keys, ...columns])
      if (keys.length > 0 && !(await hasIndex(client, table, keys))) {
        const columns = keys.map(quoted).join(', ')
        const missing = `no unique index of ${shownTable(table)} has exactly the keys ${columns}`
        warn(
          `${missing}; its pushes fail until there is one: create unique index on ${quotedTable(table)} (${columns})`,
        )
      }
    })
  } catch (error) {
    if (sqlState(error) !== NO_TABLE) throw connection.toError(connection.where, error)
    warn(`${toError(error).message}; its pushes fail until it is there`)
  }
}

function warn(text: string): void {
  getLogger('databay.PostgresOutlet').warn('%s', text)
}

/**
 * Finds out what became of a transaction in doubt, for as long as a reply may take. What is not known then is remembered.
 *
 * @param thrown - error of the last try
 * @returns the error of a transaction that the server does not know any more
 */
async function settle(
  pushing: Pushing,
  write: BatchWrite,
  rows: BatchRows,
  update: Update,
  thrown: unknown,
): Promise<UnknownOutcomeError | undefined> {
  const { connection, settings, doubts } = pushing
  const { signal } = update
  const end = Date.now() + settings.connection.socketTimeout
  let unknown = asUnknown(thrown)
  for (
    let pause = 100;
    write.isCommitInDoubt && unknown === undefined && !signal.aborted && Date.now() < end;
    pause = Math.min(2 * pause, LONGEST_PAUSE)
  ) {
    await delay(pause, undefined, { signal }).catch(() => undefined)
    // without a connection, it is asked again
    const asked = connection.withClient(signal, (client) => write.settle(client))
    unknown = await asked.then(() => undefined, asUnknown)
  }
  const { doubt } = write
  // rows that are refused by name are pushed again knowingly
  if (doubt === undefined || !write.isCommitInDoubt || unknown !== undefined) return unknown
  doubts.set(digestOf(rows), doubt)
  const [oldest] = doubts.keys()
  if (doubts.size > MOST_DOUBTS && oldest !== undefined) doubts.delete(oldest)
  return undefined
}

function asUnknown(error: unknown): UnknownOutcomeError | undefined {
  return error instanceof UnknownOutcomeError ? error : undefined
}

/** Digest by which a batch is known when it is pushed again. */
function digestOf({ groups }: BatchRows): string {
  const hash = createHash('sha256')
  for (const { table, names, chunks } of groups) {
    hash.update(JSON.stringify([table, names]))
    for (const { text } of chunks) hash.update(text)
  }
  return hash.digest('hex')
}

function asError({ connection }: Pushing, write: BatchWrite, { signal }: Update, thrown: unknown): Error {
  if (signal.aborted) return toError(thrown)
  const error = connection.toError(connection.where, thrown)
  if (!write.isCommitInDoubt) return error
  const message = `${error.message}; it is not known whether the batch is stored`
  return new DatabaseError(message, { cause: error.cause, serverCode: error.serverCode, retryable: true })
}

function throwIfRefused(total: number, refused: ReadonlyMap<number, Error>): void {
  if (refused.size > 0) throw partialPush('PostgresOutlet', total, refused)
}

/** Error of a push that stored nothing. */
function failure(total: number, refused: ReadonlyMap<number, Error>, error: Error): Error {
  const isUnknown = error instanceof UnknownOutcomeError
  if (refused.size === 0 && !isUnknown) return error
  // each by name, so that no part of them is pushed alone
  if (!isUnknown) ofNoRecord(error)
  const all = Array.from({ length: total }, (_, index) => [index, refused.get(index) ?? error] as const)
  return partialPush('PostgresOutlet', total, new Map(all))
}
