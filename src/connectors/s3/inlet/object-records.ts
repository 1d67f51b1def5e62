import { Buffer } from 'node:buffer'
import { BodyError } from '../../http/errors.js'
import type { Splitter } from '../../files/splitter.js'
import type { ObjectContent } from './object-content.js'
import type { Within } from './position.js'
import type { WholeContent } from './whole-content.js'

/** Bytes that are cut at once, at least, unless there are no more. */
const CHUNK = 65_536

const EMPTY = Buffer.alloc(0)

/** Most records to take, and bytes of the content after which no more are. */
export interface Extent {
  readonly records: number
  readonly bytes: number
}

/** Records of an object, taken one list after the other. */
export interface ObjectRecords {
  /** Whether all were taken. */
  readonly isOver: boolean
  /** Number of bytes of the content that were used so far. */
  readonly used: number
  /** Number of records that were not taken as they stand in the object. */
  readonly damaged: number
  /** Problem of the first of those. */
  readonly damage: string | undefined
  /** Place behind what was taken. */
  place(): Omit<Within, 'etag' | 'packed'>
  /**
   * Takes the next records: some, or none at the end.
   *
   * @throws {@link BodyError} when there is one that cannot be read
   */
  take(extent: Extent): Promise<readonly unknown[]>
}

/** Records of an object that are cut out of its content piece by piece. */
export class CutRecords implements ObjectRecords {
  readonly #content: Pick<ObjectContent, 'next' | 'isOver'>
  readonly #splitter: Splitter<unknown, unknown>
  #pending: Buffer = EMPTY
  #offset: number
  #state: unknown
  #records: number
  #problem: string | undefined
  #isLast = false
  #isOver = false
  used = 0
  damaged = 0
  damage: string | undefined

  /** @param from - place at which to begin; `undefined` for the start */
  constructor(content: Pick<ObjectContent, 'next' | 'isOver'>, splitter: Splitter<unknown, unknown>, from?: Within) {
    this.#content = content
    this.#splitter = splitter
    this.#offset = from?.offset ?? 0
    this.#records = from?.records ?? 0
    this.#state = from === undefined ? splitter.initial : from.state
  }

  get isOver(): boolean {
    return this.#isOver
  }

  place(): Omit<Within, 'etag' | 'packed'> {
    return { records: this.#records, offset: this.#offset, state: this.#state }
  }

  async take({ records: most, bytes }: Extent): Promise<readonly unknown[]> {
    const taken: unknown[] = []
    const start = this.#offset
    // a piece that was read is cut to its end before the next is read
    let isCut = this.#pending.length === 0
    while (!this.#isOver && taken.length < most && (taken.length === 0 || this.#offset - start < bytes)) {
      if (this.#problem !== undefined) {
        if (taken.length === 0) throw new BodyError(this.#problem)
        break
      }
      if (isCut) await this.#fill()
      isCut = this.#cut(most - taken.length, taken)
    }
    // a place at the end is none to go on at: there is nothing to request
    if (!this.#isOver && this.#problem === undefined && this.#pending.length === 0 && this.#content.isOver) {
      await this.#fill()
      this.#cut(0, taken)
    }
    return taken
  }

  /** Cuts what was read. Returns whether nothing more can be cut of it. */
  #cut(max: number, taken: unknown[]): boolean {
    const bytes = this.#pending
    const cut = this.#splitter.split({ bytes, position: this.#offset, state: this.#state, last: this.#isLast, max })
    for (const record of cut.records) taken.push(record)
    this.#pending = bytes.subarray(cut.used)
    this.#offset += cut.used
    this.used += cut.used
    this.#state = cut.state
    this.#records += cut.records.length
    this.#problem = cut.problem
    this.damaged += cut.damaged
    this.damage ??= cut.damage
    const isDone = this.#pending.length === 0 || cut.records.length < max
    this.#isOver = this.#isLast && isDone && cut.problem === undefined
    return isDone
  }

  /** Reads more: as much again as is held, so that a very long record is not copied too often. */
  async #fill(): Promise<void> {
    const parts: Uint8Array[] = this.#pending.length === 0 ? [] : [this.#pending]
    const wanted = 2 * this.#pending.length
    let length = this.#pending.length
    do {
      const part = await this.#content.next()
      if (part === undefined) {
        this.#isLast = true
        break
      }
      parts.push(part)
      length += part.length
    } while (length < Math.max(wanted, Math.min(CHUNK, wanted + 1)))
    this.#pending = parts.length === 1 ? toBuffer(parts[0] as Uint8Array) : Buffer.concat(parts)
  }
}

/** Records of an object that is read at once. */
export class WholeRecords implements ObjectRecords {
  readonly #content: Pick<ObjectContent, 'next'>
  readonly #limit: number
  readonly #read: (content: Buffer) => WholeContent
  readonly #skipped: number
  #values: readonly unknown[] | undefined
  #taken = 0
  used = 0
  damaged = 0
  damage: string | undefined

  /**
   * @param limit - most bytes of the content
   * @param read - makes records of the content
   * @param skipped - number of the first records to leave out
   */
  constructor(
    content: Pick<ObjectContent, 'next'>,
    limit: number,
    read: (content: Buffer) => WholeContent,
    skipped: number,
  ) {
    this.#content = content
    this.#limit = limit
    this.#read = read
    this.#skipped = skipped
  }

  get isOver(): boolean {
    return this.#values !== undefined && this.#taken >= this.#values.length
  }

  place(): Omit<Within, 'etag' | 'packed'> {
    return { records: this.#taken, offset: 0 }
  }

  async take({ records }: Extent): Promise<readonly unknown[]> {
    if (this.#values === undefined) {
      const { records, fits } = this.#read(await this.#readAll())
      this.#values = records
      this.#taken = this.#skipped
      if (!fits) {
        this.damaged = 1
        this.damage = 'it has bytes that are not of its encoding'
      }
    }
    const taken = this.#values.slice(this.#taken, this.#taken + records)
    this.#taken += taken.length
    return taken
  }

  async #readAll(): Promise<Buffer> {
    const parts: Uint8Array[] = []
    let length = 0
    for (let part = await this.#content.next(); part !== undefined; part = await this.#content.next()) {
      length += part.length
      if (length > this.#limit) throw new BodyError(`it has more than maxObjectSize, which is ${this.#limit} bytes`)
      parts.push(part)
    }
    this.used = length
    return Buffer.concat(parts)
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
