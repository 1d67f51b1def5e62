import { Buffer } from 'node:buffer'
import { toError } from '../../../base/errors.js'
import { bodyOf, type S3Body } from '../body.js'
import type { S3Caller } from '../request.js'
import { MultipartUpload, putObject, type Destination } from './upload.js'

/** Most parts of an object that are on their way at once: so many are held in memory. */
const MOST_AT_ONCE = 3

/**
 * Writes one object whose bytes come piece by piece: a short one in one request at its end, and a long one in parts, which
 * are uploaded as they are full.
 */
export class ObjectWriter {
  readonly #to: Destination
  readonly #partSize: number
  /** Bytes that are in no part yet. */
  #pending: Buffer[] = []
  #size = 0
  #upload: MultipartUpload | undefined
  readonly #underWay = new Set<Promise<void>>()
  #failure: Error | undefined

  constructor(to: Destination, partSize: number) {
    this.#to = to
    this.#partSize = partSize
  }

  /**
   * Adds bytes, which must not change any more. Waits while enough parts are on their way.
   *
   * @throws what a part has failed with
   */
  async add(caller: S3Caller, chunks: readonly Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.#pending.push(chunk)
      this.#size += chunk.length
    }
    // a last part that is full makes no empty one after it
    while (this.#size > this.#partSize) await this.#send(caller, this.#cut(this.#partSize))
    this.#throwFailure()
  }

  /**
   * Stores the object. Afterwards it is there as a whole.
   *
   * @throws what that has failed with; then the object is as it was before
   */
  async end(caller: S3Caller): Promise<void> {
    this.#throwFailure()
    if (this.#upload === undefined) {
      await putObject(this.#to, caller, this.#cut(this.#size))
      return
    }
    if (this.#size > 0) await this.#send(caller, this.#cut(this.#size))
    await Promise.all(this.#underWay)
    this.#throwFailure()
    await this.#upload.complete(caller)
    this.#upload = undefined
  }

  /** Gives the object up. Never rejects. */
  async abort(): Promise<void> {
    const upload = this.#upload
    this.#failure ??= new Error('the object was given up')
    this.#upload = undefined
    this.#pending = []
    this.#size = 0
    // a part that came after it would be stored
    await Promise.all(this.#underWay)
    await upload?.abort()
  }

  async #send(caller: S3Caller, body: S3Body): Promise<void> {
    this.#throwFailure()
    this.#upload ??= await MultipartUpload.begin(this.#to, caller)
    while (this.#underWay.size >= MOST_AT_ONCE) await Promise.race(this.#underWay)
    this.#throwFailure()
    const sending = this.#upload.add(caller, body).catch((thrown: unknown) => {
      this.#failure ??= toError(thrown)
    })
    this.#underWay.add(sending)
    void sending.then(() => this.#underWay.delete(sending))
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Takes the first bytes of those that are in no part yet. */
  #cut(size: number): S3Body {
    const chunks: Buffer[] = []
    let left = size
    let taken = 0
    for (const chunk of this.#pending) {
      if (chunk.length > left) break
      chunks.push(chunk)
      left -= chunk.length
      taken++
    }
    const rest = this.#pending.slice(taken)
    const [next] = rest
    if (left > 0 && next !== undefined) {
      chunks.push(next.subarray(0, left))
      rest[0] = next.subarray(left)
    }
    this.#pending = rest
    this.#size -= size
    return bodyOf(chunks)
  }
}
