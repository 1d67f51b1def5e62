import { Buffer } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import type { Gunzip } from 'node:zlib'
import { lazy } from '../../base/libraries.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** Number of bytes that are kept of the start, which every look at the file wants. */
const HEAD = 256
/** Bytes of the file that are unpacked at once. They may become a thousand times as many. */
const CHUNK = 16_384

/**
 * Content of a gzip file, of one member or several. It is unpacked from the start to the end; what was unpacked last is
 * held, and to go back before that, it is unpacked again.
 *
 * ```
 *   unpacked   |head|....................|====== held ======|  next bytes
 * ```
 */
export class GzipContent {
  readonly #handle: FileHandle
  #unpacking: Unpacking
  #head: Buffer = Buffer.alloc(0)
  #held: Buffer = Buffer.alloc(0)
  /** Offset of what is held in the content. */
  #from = 0
  /** Last write to the file, as far as it was seen when it was unpacked to its end. */
  #writtenAt: bigint | undefined
  /** Reading that runs, or ran last: they follow one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(handle: FileHandle) {
    this.#handle = handle
    this.#unpacking = new Unpacking(handle)
  }

  /** Reads bytes of the content: fewer at its end, and where it cannot be unpacked any further. */
  read(position: number, size: number): Promise<Buffer> {
    const reading = this.#turn.then(() => this.#read(position, size))
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  /** Throws what ended the unpacking before the end of the file, if something did. */
  check(): void {
    this.#unpacking.check()
  }

  close(): void {
    this.#unpacking.end()
  }

  async #read(position: number, size: number): Promise<Buffer> {
    if (await this.#hasGrown()) this.#restart()
    if (position + size <= this.#head.length) return this.#head.subarray(position, position + size)
    if (position < this.#from) this.#restart()
    while (this.#from + this.#held.length < position + size) {
      const bytes = await this.#unpacking.next()
      if (bytes === undefined) {
        this.#writtenAt ??= (await this.#handle.stat({ bigint: true })).mtimeNs
        break
      }
      if (this.#head.length < HEAD) this.#head = Buffer.concat([this.#head, bytes]).subarray(0, HEAD)
      this.#hold(bytes, position)
    }
    const at = position - this.#from
    return this.#held.subarray(at, at + size)
  }

  /** Adds bytes to what is held, and lets go of those before a position. */
  #hold(bytes: Buffer, position: number): void {
    const past = Math.min(this.#held.length, Math.max(0, position - this.#from))
    this.#held = Buffer.concat([this.#held.subarray(past), bytes])
    this.#from += past
  }

  /** Whether the file was written to after it was unpacked to its end. */
  async #hasGrown(): Promise<boolean> {
    return this.#writtenAt !== undefined && (await this.#handle.stat({ bigint: true })).mtimeNs !== this.#writtenAt
  }

  #restart(): void {
    this.#unpacking.end()
    this.#unpacking = new Unpacking(this.#handle)
    this.#head = Buffer.alloc(0)
    this.#held = Buffer.alloc(0)
    this.#from = 0
    this.#writtenAt = undefined
  }
}

/** Unpacking of a gzip file, step by step. */
class Unpacking {
  readonly #handle: FileHandle
  readonly #gunzip: Gunzip
  readonly #unpacked: Buffer[] = []
  #position = 0
  #ended = false
  #error: Error | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
    this.#gunzip = zlib().createGunzip()
    this.#gunzip.on('data', (bytes: Buffer) => this.#unpacked.push(bytes))
    this.#gunzip.on('error', (error) => (this.#error ??= error))
  }

  /** Unpacks the next bytes; `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    while (!this.#ended) {
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, this.#position)
      this.#position += bytesRead
      await this.#write(buffer.subarray(0, bytesRead))
      this.#ended = bytesRead === 0 || this.#error !== undefined
      if (this.#unpacked.length > 0) return Buffer.concat(this.#unpacked.splice(0))
    }
    return undefined
  }

  /** Throws what ended the unpacking before the end of the file. */
  check(): void {
    if (this.#error !== undefined) throw new Error(`it is packed with gzip: ${this.#error.message}`)
  }

  end(): void {
    this.#gunzip.destroy()
  }

  /** Gives bytes to the library, or the end when there are none. Resolves when they are unpacked, or have failed. */
  #write(bytes: Buffer): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#gunzip.once('close', resolve)
      if (bytes.length === 0) this.#gunzip.end()
      else this.#gunzip.write(bytes, () => resolve())
    }).then(() => {
      this.#gunzip.removeAllListeners('close')
    })
  }
}
