import type { Buffer } from 'node:buffer'
import type { BrotliDecompress, Gunzip, Inflate, InflateRaw } from 'node:zlib'
import { lazy } from '../../base/libraries.js'
import { visible } from './decoders.js'
import { BodyError } from './errors.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** Ways to unpack. */
export type StreamPacking = 'gzip' | 'deflate' | 'deflate-raw' | 'br'

/** Bytes that are unpacked at once. They may become a thousand times as many. */
const SLICE = 16_384

/** Unpacks a body, piece by piece. */
export class StreamUnpacker {
  readonly #packing: StreamPacking
  readonly #stream: Gunzip | Inflate | InflateRaw | BrotliDecompress
  #unpacked: Buffer[] = []
  #produced = false
  #written = 0
  #ended = false
  #error: Error | undefined
  /** Number of bytes behind the packed ones, which were left out. Blanks and zeros do not count. */
  leftOut = 0

  constructor(packing: StreamPacking) {
    this.#packing = packing
    this.#stream = makeStream(packing)
    this.#stream.on('data', (bytes: Buffer) => {
      this.#produced = true
      this.#unpacked.push(bytes)
    })
    this.#stream.on('end', () => (this.#ended = true))
    this.#stream.on('error', (error) => (this.#error ??= error))
  }

  /**
   * Unpacks bytes; `undefined` is their end.
   *
   * @throws {@link BodyError}
   */
  async unpack(bytes: Uint8Array | undefined): Promise<Buffer[]> {
    if (bytes === undefined) await this.#write(undefined)
    for (let at = 0; at < (bytes?.length ?? 0); at += SLICE) await this.#write(bytes?.subarray(at, at + SLICE))
    const error = this.#error
    if (error !== undefined && !this.#isBehind(error)) {
      throw new BodyError(`its body cannot be unpacked: ${error.message}`, { cause: error })
    }
    const unpacked = this.#unpacked
    this.#unpacked = []
    return unpacked
  }

  close(): void {
    this.#stream.destroy()
  }

  /** Gives a slice to the library. Resolves when it is unpacked, or has failed. */
  async #write(bytes: Uint8Array | undefined): Promise<void> {
    if (this.#ended || this.#error !== undefined) {
      if (bytes !== undefined) this.leftOut += visible(bytes)
      return
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of ['close', 'end']) this.#stream.removeListener(event, done)
        resolve()
      }
      // bytes behind the packed ones have no callback
      for (const event of ['close', 'end']) this.#stream.once(event, done)
      if (bytes === undefined) this.#stream.end()
      else this.#stream.write(bytes, done)
    })
    if (bytes === undefined) return
    this.#written += bytes.length
    const behind = this.#written - this.#stream.bytesWritten
    const error = this.#failure()
    if (error === undefined) this.leftOut += visible(bytes.subarray(bytes.length - behind))
    // of the slice in which the last member ends, nobody knows how many
    else if (this.#isBehind(error)) this.leftOut += visible(bytes.subarray(-1))
  }

  #failure(): Error | undefined {
    return this.#error
  }

  /** Whether an error is of bytes behind the last member of gzip: its first one was good. */
  #isBehind({ message }: Error): boolean {
    return this.#packing === 'gzip' && this.#produced && message === 'incorrect header check'
  }
}

function makeStream(packing: StreamPacking): Gunzip | Inflate | InflateRaw | BrotliDecompress {
  const options = { chunkSize: 65_536 }
  switch (packing) {
    case 'gzip':
      return zlib().createGunzip(options)
    case 'deflate':
      return zlib().createInflate(options)
    case 'deflate-raw':
      return zlib().createInflateRaw(options)
    case 'br':
      return zlib().createBrotliDecompress(options)
  }
}
