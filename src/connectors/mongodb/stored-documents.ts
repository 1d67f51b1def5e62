import { Buffer } from 'node:buffer'
import type { Collection, Document } from 'mongodb'
import type { Entry } from './documents.js'
import type { Mongo } from './driver.js'

/** Documents that are looked up at once. */
const LOOK_UP = 1000

/**
 * Look-up of the documents of a batch that are stored, though the server calls them duplicates: they were sent before,
 * without a reply. An `_id` of our own belongs to no other document. A given `_id` may belong to another's document, so
 * the stored document has to be the same; and of two equal documents in a batch, only one is the stored one.
 */
export class StoredDocuments {
  readonly #mongo: Mongo
  readonly #collection: Collection
  /** Given `_id`s under which a document of this batch is stored. */
  readonly #taken = new Set<string>()

  constructor(mongo: Mongo, collection: Collection) {
    this.#mongo = mongo
    this.#collection = collection
  }

  /** Notes that the server has just stored a document. */
  note(entry: Entry): void {
    if (!entry.ownId) this.#taken.add(this.#idOf(entry))
  }

  /** Looks up which of these are stored. */
  async among(doubtful: readonly Entry[]): Promise<Set<Entry>> {
    const stored = new Set<Entry>()
    for (let start = 0; start < doubtful.length; start += LOOK_UP) {
      const some = doubtful.slice(start, start + LOOK_UP)
      const own = some.filter(({ ownId }) => ownId)
      const given = some.filter(({ ownId }) => !ownId)
      const ids = new Set(await this.#find(own, true))
      const documents = new Set(await this.#find(given, false))
      for (const entry of own) if (ids.has(this.#idOf(entry))) stored.add(entry)
      for (const entry of given) {
        const id = this.#idOf(entry)
        if (this.#taken.has(id) || !documents.has(this.#keyOf(entry.document))) continue
        this.#taken.add(id)
        stored.add(entry)
      }
    }
    return stored
  }

  async #find(wanted: readonly Entry[], onlyId: boolean): Promise<string[]> {
    if (wanted.length === 0) return []
    const ids = wanted.map(({ document }) => document['_id'] as unknown)
    const found = await this.#collection
      // whatever the URL says of reading: only the primary knows the latest writes
      .find({ _id: { $in: ids } } as Document, { readPreference: 'primary', readConcern: 'local', raw: true })
      .project(onlyId ? { _id: 1 } : {})
      .toArray()
    return found.map((document) => toKey(document as Uint8Array))
  }

  #idOf({ document }: Entry): string {
    return this.#keyOf({ _id: document['_id'] as unknown })
  }

  #keyOf(document: Document): string {
    // as the driver does when it sends
    return toKey(this.#mongo.BSON.serialize(document, { ignoreUndefined: true }))
  }
}

/** Text that stands for bytes in a set. */
function toKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
