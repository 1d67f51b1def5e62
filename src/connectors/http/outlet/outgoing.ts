import { Buffer } from 'node:buffer'
import { toError } from '../../../base/errors.js'
import { InvalidPayloadError, ofRecord } from '../../../core/partial-push.js'
import type { Record } from '../../../core/record.js'
import type { Update } from '../../../core/update.js'
import { chosenBody, isWrittenTogether, joined, payloadText, sizeOf, type Body, type BodySettings } from './bodies.js'
import { idempotencyKey } from './idempotency-key.js'
import { mayHaveBody } from '../methods.js'
import type { HttpOutletSettings } from './outlet-settings.js'
import type { SizeLimit } from './size-limit.js'
import { destinationOf, type Destination } from './target.js'

/** Record that is sent. */
export interface Entry {
  /** Its place in the batch. */
  readonly index: number
  readonly record: Record
  /**
   * Its payload in the body of a request; `undefined` where the option `body` makes that, and for plain data, which is written
   * together with that of other records.
   */
  readonly text: string | undefined
}

/** Request that takes records. */
export interface Outgoing {
  readonly destination: Destination
  readonly entries: readonly Entry[]
  readonly body: Body
  /** Number of bytes of the body. */
  readonly size: number
  /** Its idempotency key. */
  readonly key: string | undefined
  /** Its body, packed; made when it is first sent. */
  packed?: Buffer
}

/** Records that go together. */
interface Draft {
  readonly destination: Destination
  readonly entries: Entry[]
  size: number
}

/** Makes the requests of a push. */
export class OutgoingRequests {
  readonly #settings: HttpOutletSettings
  readonly #update: Update
  readonly #limit: SizeLimit

  constructor(settings: HttpOutletSettings, update: Update, limit: SizeLimit) {
    this.#settings = settings
    this.#update = update
    this.#limit = limit
  }

  /**
   * Makes the requests of a batch, in the order of their first records.
   *
   * @param errors - gets the error of each record that cannot be sent, by its place
   */
  of(records: readonly Record[], errors: Map<number, Error>): Outgoing[] {
    const { most } = this.#limit
    const drafts: Draft[] = []
    /** The drafts to which records may be added, by their destinations. */
    const open = new Map<string | undefined, Draft>()
    for (const [index, record] of records.entries()) {
      try {
        const destination = destinationOf(this.#settings, record, this.#update)
        const text = this.#textOf(destination, record, most)
        this.#add(drafts, open, destination, { index, record, text }, most)
      } catch (thrown) {
        errors.set(index, ofRecord(toError(thrown)))
      }
    }
    return drafts.flatMap(({ destination, entries }) => this.fitting(destination, entries, errors, most))
  }

  /**
   * Makes the requests of some records: one, or more when it would be too large, or cannot be made of all of them.
   *
   * @param errors - gets the error of each record that cannot be sent even alone, by its place
   * @param most - most bytes of the body of a request with several records
   */
  fitting(
    destination: Destination,
    entries: readonly Entry[],
    errors: Map<number, Error>,
    most = Infinity,
  ): Outgoing[] {
    try {
      return [this.one(destination, entries, entries.length > 1 ? most : Infinity)]
    } catch (thrown) {
      const [first, ...others] = entries
      if (first === undefined) return []
      if (others.length > 0) return halves(entries).flatMap((half) => this.fitting(destination, half, errors, most))
      errors.set(first.index, ofRecord(toError(thrown)))
      return []
    }
  }

  /**
   * Makes one request of some records.
   *
   * @throws {@link InvalidPayloadError} when it would be too large, or what functions of the options throw
   */
  one(destination: Destination, entries: readonly Entry[], most = Infinity): Outgoing {
    const { body: makes, maxRequestSize, idempotencyKey: by } = this.#settings
    const records = entries.map(({ record }) => record)
    const body =
      makes !== undefined
        ? chosenBody(this.#settings, destination.method, records)
        : mayHaveBody(destination.method, false)
          ? textOf(this.#settings, entries)
          : null
    const size = sizeOf(body)
    if (size > Math.min(maxRequestSize, most)) {
      throw new InvalidPayloadError(
        `HttpOutlet: a request would have ${size} bytes, more than maxRequestSize, which is ${maxRequestSize}`,
      )
    }
    const key = by === undefined ? undefined : idempotencyKey(by, destination, body, records, this.#update)
    return { destination, entries, body, size, key }
  }

  #textOf({ method }: Destination, { payload }: Record, most: number): string | undefined {
    const settings = this.#settings
    const isSent = settings.body === undefined && mayHaveBody(method, false)
    if (!isSent) return undefined
    // with a limit, its size is to be known
    return most < Infinity || !isWrittenTogether(settings, payload) ? payloadText(settings, payload) : undefined
  }

  #add(
    drafts: Draft[],
    open: Map<string | undefined, Draft>,
    destination: Destination,
    entry: Entry,
    most: number,
  ): void {
    const { send, batchSize } = this.#settings
    const maxRequestSize = Math.min(this.#settings.maxRequestSize, most)
    // with a comma or a bracket
    const size = Buffer.byteLength(entry.text ?? '') + 1
    const draft = send === 'batch' ? open.get(destination.id) : undefined
    if (draft !== undefined && draft.entries.length < batchSize && draft.size + size < maxRequestSize) {
      draft.entries.push(entry)
      draft.size += size
      return
    }
    const next: Draft = { destination, entries: [entry], size }
    drafts.push(next)
    if (send === 'batch') open.set(destination.id, next)
  }
}

/** Body of records, each by its text, or together by their payloads: one text of many takes half as long as many texts. */
function textOf(settings: BodySettings, entries: readonly Entry[]): string {
  if (entries.every(({ text }) => text === undefined))
    return JSON.stringify(entries.map(({ record }) => record.payload))
  return joined(
    settings,
    entries.map(({ text, record }) => text ?? JSON.stringify(record.payload)),
  )
}

/**
 * Records of a request, each with its text: for another request, as payloads may have changed since the first one was made.
 */
export function withTexts({ entries, body }: Outgoing, { body: makes }: BodySettings): readonly Entry[] {
  if (makes !== undefined || typeof body !== 'string' || entries.every(({ text }) => text !== undefined)) return entries
  const payloads = JSON.parse(body) as readonly unknown[]
  return entries.map((entry, at) => ({ ...entry, text: entry.text ?? JSON.stringify(payloads[at]) }))
}

/** Both halves of a list. */
export function halves<E>(list: readonly E[]): [E[], E[]] {
  const middle = Math.ceil(list.length / 2)
  return [list.slice(0, middle), list.slice(middle)]
}
