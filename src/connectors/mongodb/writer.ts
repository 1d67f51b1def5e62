import { Buffer } from 'node:buffer'
import type { BulkWriteResult, Collection, Document, MongoBulkWriteError, WriteError } from 'mongodb'
import { toError } from '../../base/errors.js'
import { DatabaseError } from '../errors.js'
import type { Mongo } from './driver.js'
import { equalityKey } from './equality.js'
import { isRetryableCode, withoutValues } from './errors.js'
import type { Entry } from './documents.js'

/** Code of a server for a document whose `_id`, or another unique field, another document has already. */
const DUPLICATE = 11000

/** Documents that are asked for at once. */
const LOOK_UP = 1000

/** How often an upsert may collide with another writer's. More than that, and it is another field that is unique. */
const COLLISIONS = 3

/** An entry that is not stored yet. */
interface Pending {
  readonly entry: Entry
  /** Whether it was sent and no reply came: it may be stored. */
  unsure: boolean
  /** How often it was to be added, as there was none to replace, and then there was one. */
  readonly collisions: number
  /** An entry that this one replaces before it was ever sent: it has the same keys, and came earlier. */
  readonly replaced: Pending | undefined
}

/**
 * Writes the documents that a batch has for one collection, unordered: one that is refused keeps none of the others back.
 * What is not settled when {@link MongoWriter.attempt} fails is tried again by calling it again, and nothing is
 * stored twice by that: a document keeps its `_id`, and an upsert finds what it stored before.
 */
export class MongoWriter {
  /** Why documents were refused. */
  readonly refused = new Map<Entry, Error>()
  readonly #mongo: Mongo
  readonly #collection: Collection
  #pending: Pending[]
  /** Given `_id`s of which a document of this batch is stored. */
  readonly #taken = new Set<string>()

  constructor(mongo: Mongo, collection: Collection, entries: readonly Entry[]) {
    this.#mongo = mongo
    this.#collection = collection
    this.#pending = this.#line(entries)
  }

  /** The entries of which nobody knows yet whether they are stored. */
  get unsettled(): Entry[] {
    const entries: Entry[] = []
    for (const last of this.#pending) {
      for (let one: Pending | undefined = last; one !== undefined; one = one.replaced) entries.push(one.entry)
    }
    return entries
  }

  /**
   * Writes all that is not settled yet.
   *
   * @param signal - when it aborts, no more is sent
   * @throws the error of the driver, when it is not known what became of some; what a server says that takes some
   * another time; the signal's reason
   */
  async attempt(signal: AbortSignal): Promise<void> {
    while (this.#pending.length > 0) await this.#write(this.#pending, signal)
  }

  async #write(sent: readonly Pending[], signal: AbortSignal): Promise<void> {
    const failures = await this.#send(sent, signal)
    const again: Pending[] = []
    const doubtful = new Map<Pending, WriteError>()
    let later: WriteError | undefined
    for (const [index, pending] of sent.entries()) {
      const failure = failures.get(index)
      const { entry, unsure, collisions } = pending
      const upsert = entry.filter !== undefined
      if (failure === undefined) {
        if (!upsert && !entry.ownId) this.#taken.add(this.#idOf(entry))
      } else if (isRetryableCode(failure.code)) {
        later = failure
        again.push({ ...pending, unsure: true })
      } else if (failure.code !== DUPLICATE) this.#refuse(pending, failure, again)
      // two writers that both found nothing to replace: now there is something
      else if (upsert && collisions < COLLISIONS) again.push({ ...pending, collisions: collisions + 1 })
      // whichever index complains: of two that do, the server names one
      else if (!upsert && unsure) doubtful.set(pending, failure)
      else this.#refuse(pending, failure, again)
    }
    // what is known is kept, should looking up fail
    this.#pending = [...again, ...doubtful.keys()]
    const stored = await this.#stored([...doubtful.keys()])
    for (const [pending, failure] of doubtful) {
      if (!stored.has(pending)) this.#refuse(pending, failure, again)
    }
    this.#pending = again
    // what was not taken for now is not the document's fault
    if (later !== undefined) throw Object.assign(new Error(later.errmsg ?? 'no reason given'), { code: later.code })
  }

  /** Sends documents; resolves with those that the server refused, by their place. */
  async #send(sent: readonly Pending[], signal: AbortSignal): Promise<Map<number, WriteError>> {
    signal.throwIfAborted()
    const failures = await this.#sendAtOnce(sent)
    if (failures !== undefined) return failures
    // some servers end at the first one that they refuse, and do not say which: alone, each has an answer of its own
    const found = new Map<number, WriteError>()
    for (const [index, pending] of sent.entries()) {
      signal.throwIfAborted()
      const alone = await this.#sendAtOnce([pending])
      if (alone === undefined) throw new Error('the server does not say what became of a document')
      const failure = alone.get(0)
      if (failure !== undefined) found.set(index, failure)
    }
    return found
  }

  /** Resolves with `undefined` when the answer does not say what became of each. */
  async #sendAtOnce(sent: readonly Pending[]): Promise<Map<number, WriteError> | undefined> {
    const before = sent.map(({ unsure }) => unsure)
    for (const pending of sent) pending.unsure = true
    const { failures, result } = await this.#bulkWrite(sent.map(({ entry }) => entry)).then(
      (result) => ({ failures: [], result }),
      refusalsOf,
    )
    const done = result.insertedCount + result.matchedCount + result.upsertedCount
    if (done + failures.length !== sent.length) return undefined
    // each has its answer: what it was unsure of before, it still is
    for (const [index, pending] of sent.entries()) pending.unsure = before[index] === true
    return new Map(failures.map((failure) => [failure.index, failure]))
  }

  #bulkWrite(entries: readonly Entry[]): Promise<BulkWriteResult> {
    const operations = entries.map(({ document, filter }) =>
      filter === undefined
        ? { insertOne: { document } }
        : { replaceOne: { filter, replacement: document, upsert: true } },
    )
    return this.#collection.bulkWrite(operations, { ordered: false })
  }

  /**
   * Which of these are stored, though the server calls them duplicates: those of whose earlier sending no reply came.
   * An `_id` of our own is nobody else's. A given `_id` may be another's document, so it has to be the same document.
   */
  async #stored(doubtful: readonly Pending[]): Promise<Set<Pending>> {
    const stored = new Set<Pending>()
    for (let start = 0; start < doubtful.length; start += LOOK_UP) {
      const some = doubtful.slice(start, start + LOOK_UP)
      const own = some.filter(({ entry }) => entry.ownId)
      const given = some.filter(({ entry }) => !entry.ownId)
      const ids = new Set(await this.#find(own, true))
      const documents = new Set(await this.#find(given, false))
      for (const pending of own) if (ids.has(this.#idOf(pending.entry))) stored.add(pending)
      for (const pending of given) {
        const id = this.#idOf(pending.entry)
        // of two equal documents in a batch, one is refused
        if (this.#taken.has(id) || !documents.has(this.#bytes(pending.entry.document))) continue
        this.#taken.add(id)
        stored.add(pending)
      }
    }
    return stored
  }

  #idOf({ document }: Entry): string {
    return this.#bytes({ _id: document['_id'] as unknown })
  }

  async #find(wanted: readonly Pending[], onlyId: boolean): Promise<string[]> {
    if (wanted.length === 0) return []
    const ids = wanted.map(({ entry }) => entry.document['_id'] as unknown)
    const found = await this.#collection
      // what a URL says of reading does not count: only the primary knows what was just written
      .find({ _id: { $in: ids } } as Document, { readPreference: 'primary', readConcern: 'local', raw: true })
      .project(onlyId ? { _id: 1 } : {})
      .toArray()
    return found.map((document) => toKey(document as Uint8Array))
  }

  #bytes(document: Document): string {
    // as the driver does when it sends
    return toKey(this.#mongo.BSON.serialize(document, { ignoreUndefined: false }))
  }

  #refuse(pending: Pending, failure: WriteError, again: Pending[]): void {
    this.refused.set(pending.entry, this.#error(failure))
    // the one it replaced is to be stored after all
    if (pending.replaced !== undefined) again.push(pending.replaced)
  }

  #error(failure: WriteError): DatabaseError {
    const serverCode = failure.code
    const index = /index: (\S+)/.exec(failure.errmsg ?? '')?.[1]
    const why =
      serverCode === DUPLICATE
        ? `another document has the same unique key${index === undefined ? '' : ` (index ${index})`}`
        : withoutValues(failure.errmsg ?? 'no reason given')
    const where = `${this.#collection.dbName}.${this.#collection.collectionName}`
    return new DatabaseError(`MongoOutlet: ${where} refused a document (code ${serverCode}): ${why}`, { serverCode })
  }

  /** Of upserts with the same keys, only the last is sent: a server is free to run them in any order. */
  #line(entries: readonly Entry[]): Pending[] {
    const line = new Map<unknown, Pending>()
    for (const entry of entries) {
      const { filter } = entry
      const key = filter === undefined ? entry : this.#keyOf(filter)
      line.set(key, { entry, unsure: false, collisions: 0, replaced: line.get(key) })
    }
    return [...line.values()]
  }

  #keyOf(filter: Document): string {
    const values = Object.values(filter) as { readonly $eq: unknown }[]
    return JSON.stringify(values.map(({ $eq }) => equalityKey(this.#mongo, $eq)))
  }
}

/** Bytes as what a set can tell apart. */
function toKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/**
 * The documents that a server refused.
 *
 * @throws what was thrown, when it says of no document what became of it
 */
function refusalsOf(thrown: unknown): { failures: readonly WriteError[]; result: BulkWriteResult } {
  const error = toError(thrown)
  if (error.name !== 'MongoBulkWriteError') throw error
  const { writeErrors, result } = error as Error & Pick<MongoBulkWriteError, 'writeErrors' | 'result'>
  const failures = [writeErrors].flat()
  if (failures.length === 0 || result.getWriteConcernError() !== undefined) throw error
  return { failures, result }
}
