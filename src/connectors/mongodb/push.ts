import type { Db } from 'mongodb'
import { counted } from '../../base/counted.js'
import { toError } from '../../base/errors.js'
import { getLogger } from '../../base/log.js'
import { ofRecord } from '../../core/partial-push.js'
import type { Record } from '../../core/record.js'
import type { Update } from '../../core/update.js'
import { ofNoRecord, partialPush } from '../rejected.js'
import type { MongoConnection, MongoSession } from './client.js'
import { toEntries, type Entry } from './documents.js'
import { MongoCollectionNotFound } from './errors.js'
import { checkCollection } from './names.js'
import { COLLECTION_KEY, type MongoOutletSettings } from './outlet-options.js'
import { MongoWriter } from './writer.js'

/*
 * The pushes of a MongoOutlet. This module is loaded when an outlet first connects, as every thread loads the outlet's class,
 * and most threads run none.
 */

/** Parts that the pushes of an outlet share. */
export interface Pushing {
  readonly settings: Omit<MongoOutletSettings, 'connection'>
  readonly connection: Pick<MongoConnection, 'request' | 'interruptible' | 'toError'>
  /** Collections that are known to exist. */
  readonly known: Set<string>
}

/** Outcome of writing the documents for one collection. */
export interface Written {
  /** Entries that are not stored, or may not be. */
  readonly refused: ReadonlyMap<Entry, Error>
  /** Reason why the rest of them was given up; `undefined` when it was not. */
  readonly failure?: Error
}

/**
 * Writes records, each to its collection.
 *
 * @throws {@link PartialPushError} when some records were not taken
 * @throws {@link DatabaseError} when none were, for one reason
 */
export async function pushRecords(
  pushing: Pushing,
  session: MongoSession,
  records: readonly Record[],
  update: Update,
): Promise<void> {
  const errors = new Map<number, Error>()
  const groups = groupByCollection(pushing.settings, session, records, errors)
  const writes = [...groups].map(([name, entries]) => writeGroup(pushing, session, name, entries, update))
  const error = pushError(records.length, errors, await Promise.all(writes))
  if (error !== undefined) throw error
}

/**
 * Groups the documents of records by their collection.
 *
 * @param errors - gets the error of each record that cannot be stored, by its place
 */
export function groupByCollection(
  { collection, keys, serialize }: Pick<MongoOutletSettings, 'collection' | 'keys' | 'serialize'>,
  { mongo }: Pick<MongoSession, 'mongo'>,
  records: readonly Record[],
  errors: Map<number, Error>,
): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>()
  for (const [index, { payload, metadata }] of records.entries()) {
    try {
      const chosen = metadata[COLLECTION_KEY]
      const name = chosen === undefined ? collection : checkCollection(COLLECTION_KEY, chosen)
      const entries = toEntries(mongo, index, payload, keys, serialize)
      const group = groups.get(name)
      if (group === undefined) groups.set(name, entries)
      else for (const entry of entries) group.push(entry)
    } catch (thrown) {
      errors.set(index, ofRecord(toError(thrown)))
    }
  }
  return groups
}

/**
 * Error of a push; `undefined` when all records were taken.
 *
 * @param total - number of records
 * @param errors - errors of records that could not be made documents, by their place
 */
export function pushError(total: number, errors: Map<number, Error>, written: readonly Written[]): Error | undefined {
  for (const [entry, error] of written.flatMap(({ refused }) => [...refused])) {
    if (!errors.has(entry.record)) errors.set(entry.record, error)
  }
  const reasons = new Set(errors.values())
  const [reason] = reasons
  if (reason === undefined) return undefined
  // no record is to blame for what all of them met
  if (errors.size === total && reasons.size === 1 && written.some(({ failure }) => failure === reason)) return reason
  for (const { failure } of written) if (failure !== undefined) ofNoRecord(failure)
  return partialPush('MongoOutlet', total, errors)
}

/** Writes the documents for one collection. Never rejects. */
async function writeGroup(
  pushing: Pushing,
  { mongo, db }: MongoSession,
  name: string,
  entries: readonly Entry[],
  update: Update,
): Promise<Written> {
  if (entries.length === 0) return { refused: new Map() }
  const { connection } = pushing
  const { signal } = update
  const log = getLogger('databay.MongoOutlet')
  const where = `${db.databaseName}.${name}`
  const writer = new MongoWriter(mongo, db.collection(name), entries)
  const attempt = async () => {
    await checkExists(pushing, db, name)
    await writer.attempt(signal)
  }
  try {
    log.info('%s insert %s into %s', String(update), counted(entries.length, 'document'), where)
    await connection.request(update, `write to ${where}`, () => connection.interruptible(signal, attempt()))
    log.info('%s written %s into %s', String(update), counted(entries.length - writer.refused.size, 'document'), where)
    return writer
  } catch (thrown) {
    const own = signal.aborted || thrown instanceof MongoCollectionNotFound
    const failure = own ? toError(thrown) : connection.toError(where, thrown)
    const unsettled = writer.unsettled.map((entry) => [entry, failure] as const)
    return { refused: new Map([...writer.refused, ...unsettled]), failure }
  }
}

/** @throws {@link MongoCollectionNotFound} when the collection is missing, and the outlet must not create it */
async function checkExists({ settings, known }: Pushing, db: Db, name: string): Promise<void> {
  if (settings.createCollections || known.has(name)) return
  const found = await db.listCollections({ name }, { nameOnly: true }).toArray()
  if (found.length === 0) {
    const where = `${db.databaseName}.${name}`
    // the outlet's own one may be created; another one was chosen by records
    const retryable = name === settings.collection
    throw new MongoCollectionNotFound(name, `MongoOutlet: there is no collection ${where}`, { retryable })
  }
  known.add(name)
}
