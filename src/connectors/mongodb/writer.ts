import type { Collection, Document, WriteError } from 'mongodb'
import { isPassingMongoCode } from '../../core/failure-class.js'
import type { DatabaseError } from '../errors.js'
import { bulkWrite } from './bulk-write.js'
import type { Entry } from './documents.js'
import type { Mongo } from './driver.js'
import { equalityKey } from './equality.js'
import { DUPLICATE, isRetryableCode, refusalError } from './errors.js'
import { StoredDocuments } from './stored-documents.js'

/** Most collisions of an upsert with other writers. More of them mean that another field is unique. */
const COLLISIONS = 3

/** Entry that is not stored yet. */
interface Pending {
  readonly entry: Entry
  /** Whether it was sent and no reply came: it may be stored. */
  unsure: boolean
  /** Number of times that it was added, as there was none to replace, and then another writer had added one. */
  readonly collisions: number
  /** Entry that this one replaces before it was ever sent: it came earlier, and has the same keys. */
  readonly replaced: Pending | undefined
}

/**
 * Writes the documents that a batch has for one collection, unordered: a refused one does not keep back the others. What
 * is not settled when {@link MongoWriter.attempt} fails is tried again by calling it again, and nothing is stored twice
 * by that: a document keeps its `_id`, and an upsert finds what it stored before.
 *
 * ```
 *   pending --> sent --> stored
 *      ^          |----> refused, and what it had replaced is pending
 *      |          |----> a duplicate, though unsure: looked up, and stored or refused
 *      +----------+----> no answer, "another time", or a collision of upserts
 * ```
 */
export class MongoWriter {
  /** Reasons why documents were refused. */
  readonly refused = new Map<Entry, DatabaseError>()
  readonly #mongo: Mongo
  readonly #collection: Collection
  readonly #stored: StoredDocuments
  #pending: Pending[]

  constructor(mongo: Mongo, collection: Collection, entries: readonly Entry[]) {
    this.#mongo = mongo
    this.#collection = collection
    this.#stored = new StoredDocuments(mongo, collection)
    this.#pending = this.#line(entries)
  }

  /** Entries of which it is not known yet whether they are stored. */
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
   * @throws the error of the driver, when it is not known what became of some; the server's reason to take some another
   * time; the signal's reason
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
        if (!upsert) this.#stored.note(entry)
      } else if (isRetryableCode(failure.code) || isPassingMongoCode(failure.code)) {
        later = failure
        again.push({ ...pending, unsure: true })
      } else if (failure.code !== DUPLICATE) this.#refuse(pending, failure, again)
      // two writers that both found nothing to replace: now there is something
      else if (upsert && collisions < COLLISIONS) again.push({ ...pending, collisions: collisions + 1 })
      // whichever index complains, as the server names only one of several
      else if (!upsert && unsure) doubtful.set(pending, failure)
      else this.#refuse(pending, failure, again)
    }
    // keeps what is known, in case the look-up fails
    this.#pending = [...again, ...doubtful.keys()]
    const stored = await this.#stored.among([...doubtful.keys()].map(({ entry }) => entry))
    for (const [pending, failure] of doubtful) {
      if (!stored.has(pending.entry)) this.#refuse(pending, failure, again)
    }
    this.#pending = again
    // a document that was not taken for now is not at fault
    if (later !== undefined) throw Object.assign(new Error(later.errmsg ?? 'no reason given'), { code: later.code })
  }

  /** Sends documents. Resolves with the server's refusals, by the place of their document. */
  async #send(sent: readonly Pending[], signal: AbortSignal): Promise<Map<number, WriteError>> {
    signal.throwIfAborted()
    const failures = await this.#sendAtOnce(sent)
    if (failures !== undefined) return failures
    // some servers stop at the first document that they refuse, and do not say which: alone, each gets an answer
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
    const failures = await bulkWrite(
      this.#collection,
      sent.map(({ entry }) => entry),
    )
    if (failures === undefined) return undefined
    // each document has its answer; an earlier doubt stays
    for (const [index, pending] of sent.entries()) pending.unsure = before[index] === true
    return failures
  }

  #refuse(pending: Pending, failure: WriteError, again: Pending[]): void {
    const { dbName, collectionName } = this.#collection
    this.refused.set(pending.entry, refusalError(`${dbName}.${collectionName}`, failure))
    // the one it replaced is to be stored after all
    if (pending.replaced !== undefined) again.push(pending.replaced)
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
