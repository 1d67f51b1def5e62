import type { Buffer } from 'node:buffer'
import type { S3Caller } from '../request.js'
import { Content } from './content.js'
import type { ContentStyle } from './content-style.js'
import { ObjectWriter } from './object-writer.js'
import { Packer } from './packer.js'
import type { Destination } from './upload.js'

/** How objects are written. */
export interface ObjectStyle {
  readonly style: ContentStyle
  readonly gzip: boolean
  readonly partSize: number
}

/** One object that is being written: records become its content, which is packed and uploaded. */
export class OpenObject {
  /** Content that records are added to; it takes effect by {@link OpenObject.send}. */
  readonly content: Content
  readonly #packer: Packer | undefined
  readonly #partSize: number
  #writer: ObjectWriter | undefined

  constructor({ style, gzip, partSize }: ObjectStyle) {
    this.content = new Content(style)
    this.#packer = gzip ? new Packer() : undefined
    this.#partSize = partSize
  }

  /** Uploads parts that are full. */
  async send(to: Destination, caller: S3Caller): Promise<void> {
    await this.#send(to, caller, this.content.take())
  }

  /**
   * Stores the object, which is there afterwards as a whole.
   *
   * @param rest - content that was taken from it; by default what is in it
   */
  async end(to: Destination, caller: S3Caller, rest: readonly Buffer[] = this.ended()): Promise<void> {
    await this.#send(to, caller, rest)
    if (this.#packer !== undefined) await this.#writerTo(to).add(caller, await this.#packer.end())
    await this.#writerTo(to).end(caller)
  }

  /** The rest of its content: nothing may be added any more. */
  ended(): Buffer[] {
    this.content.end()
    return this.content.take()
  }

  /** Gives the object up. Never rejects. */
  async abort(): Promise<void> {
    this.#packer?.close()
    await this.#writer?.abort()
  }

  async #send(to: Destination, caller: S3Caller, chunks: readonly Buffer[]): Promise<void> {
    const packed = this.#packer === undefined ? chunks : await this.#packer.add(chunks)
    await this.#writerTo(to).add(caller, packed)
  }

  #writerTo(to: Destination): ObjectWriter {
    return (this.#writer ??= new ObjectWriter(to, this.#partSize))
  }
}
