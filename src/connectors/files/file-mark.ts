import { Buffer } from 'node:buffer'
import { lazy } from '../../base/libraries.js'

const crypto = lazy<typeof import('node:crypto')>('node:crypto')

/** Number of bytes that are kept of the start of a file, and of what precedes a position. */
const SAMPLE = 256

const EMPTY = Buffer.alloc(0)

/**
 * Position in a file, with a sample of the bytes before it. The sample shows later whether the file is still the same,
 * or was rewritten and grew past the position.
 *
 * ```
 *   head                          tail
 *   |------|......................|------| position
 * ```
 */
export class FileMark {
  static readonly START = new FileMark(0, EMPTY, EMPTY)

  /** Number of bytes before the position. */
  readonly position: number
  /** First bytes of the file. */
  readonly head: Buffer
  /** Last bytes before the position. */
  readonly tail: Buffer

  private constructor(position: number, head: Buffer, tail: Buffer) {
    this.position = position
    this.head = head
    this.tail = tail
  }

  /** Parts of a file that are sampled for a position, as `[start, end]`. */
  static samples(position: number): { readonly head: [number, number]; readonly tail: [number, number] } {
    return { head: [0, Math.min(SAMPLE, position)], tail: [Math.max(0, position - SAMPLE), position] }
  }

  /** Makes a mark from the samples of a file. */
  static of(position: number, head: Buffer, tail: Buffer): FileMark {
    return new FileMark(position, head, tail)
  }

  /** Makes the mark after more bytes of the file. */
  after(bytes: Buffer): FileMark {
    if (bytes.length === 0) return this
    const missing = SAMPLE - this.head.length
    const head = missing > 0 ? Buffer.concat([this.head, bytes.subarray(0, missing)]) : this.head
    const tail = Buffer.concat([
      this.tail.subarray(Math.max(0, this.tail.length - Math.max(0, SAMPLE - bytes.length))),
      bytes.subarray(-SAMPLE),
    ]).subarray(-SAMPLE)
    return new FileMark(this.position + bytes.length, head, tail)
  }

  /** Hash of the samples. It reveals nothing of their content. */
  get fingerprint(): string {
    const hash = crypto().createHash('sha256')
    return hash.update(this.head).update(this.tail).digest('base64url').slice(0, 22)
  }
}
