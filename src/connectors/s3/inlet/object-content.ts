import { Buffer } from 'node:buffer'
import { BodyError } from '../../http/errors.js'
import { StreamUnpacker } from '../../http/stream-unpacker.js'
import { PACKING_LENGTH, packingOf } from '../../packing.js'
import type { ObjectBody } from './object-body.js'

/** How the content of an object is had. */
export interface ContentRules {
  readonly gzip: 'auto' | boolean
  /** Whether the content is text, so that packed bytes which cannot be unpacked are an error. */
  readonly isText: boolean
}

/** Where the content is to be read: its beginning, or a place that was reached before. */
export interface ContentStart {
  /** Offset in the content. */
  readonly offset: number
  /** Whether it is packed; `undefined` before it is known. */
  readonly packed: boolean | undefined
}

/** Content of an object: its bytes, unpacked where they are packed with gzip. */
export class ObjectContent {
  readonly #body: Pick<ObjectBody, 'next' | 'close' | 'isOver'>
  readonly #rules: ContentRules
  #unpacker: StreamUnpacker | undefined
  #packed: boolean | undefined
  /** Bytes of the unpacked content that are to be left out. */
  #surplus: number
  readonly #ready: Uint8Array[] = []
  #ended = false

  constructor(
    body: Pick<ObjectBody, 'next' | 'close' | 'isOver'>,
    { offset, packed }: ContentStart,
    rules: ContentRules,
  ) {
    this.#body = body
    this.#rules = rules
    this.#packed = packed
    this.#surplus = packed === true ? offset : 0
  }

  /** Whether it is packed with gzip. */
  get packed(): boolean {
    return this.#packed === true
  }

  /** Whether all its bytes were given, as far as that is known without reading on. */
  get isOver(): boolean {
    return this.#ended || (this.#packed === false && this.#ready.length === 0 && this.#body.isOver)
  }

  /** Number of bytes behind the packed ones that were left out. */
  get leftOut(): number {
    return this.#unpacker?.leftOut ?? 0
  }

  /**
   * Gives the next bytes; `undefined` at the end.
   *
   * @throws {@link BodyError} when they cannot be unpacked
   */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#ready.length === 0 && !this.#ended) await this.#read()
    return this.#ready.shift()
  }

  /** Ends the request, and what unpacks it. */
  close(): void {
    this.#ended = true
    this.#ready.length = 0
    this.#unpacker?.close()
    this.#body.close()
  }

  async #read(): Promise<void> {
    const bytes = this.#packed === undefined ? await this.#begin() : await this.#body.next()
    if (this.#packed === true) {
      this.#unpacker ??= new StreamUnpacker('gzip')
      for (const part of await this.#unpacker.unpack(bytes)) this.#add(part)
    } else if (bytes !== undefined) this.#ready.push(bytes)
    // told to end meanwhile, it stays ended
    this.#ended ||= bytes === undefined
  }

  #add(part: Buffer): void {
    const surplus = Math.min(this.#surplus, part.length)
    this.#surplus -= surplus
    if (part.length > surplus) this.#ready.push(part.subarray(surplus))
  }

  /** Reads the first bytes, which show how the object is packed. */
  async #begin(): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    let length = 0
    while (length < PACKING_LENGTH) {
      const part = await this.#body.next()
      if (part === undefined) break
      parts.push(part)
      length += part.length
    }
    const head = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    const { gzip, isText } = this.#rules
    const packing = gzip === false && !isText ? undefined : packingOf(head)
    this.#packed = gzip !== false && packing === 'gzip'
    if (gzip === true && !this.#packed && length > 0) {
      throw new BodyError('it is not packed with gzip: see the option gzip')
    }
    if (isText && packing !== undefined && !this.#packed)
      throw new BodyError(`it is packed with ${packing}, which is not unpacked`)
    return length === 0 ? undefined : head
  }
}
