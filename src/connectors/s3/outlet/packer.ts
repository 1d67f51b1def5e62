import type { Buffer } from 'node:buffer'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

/** Packs the bytes of an object as they come. */
export class Packer {
  readonly #gzip = createGzip()
  #packed: Buffer[] = []

  constructor() {
    this.#gzip.on('data', (bytes: Buffer) => this.#packed.push(bytes))
    // the writer gets it
    this.#gzip.on('error', () => undefined)
  }

  /** Packs bytes, and gives those that are packed so far. */
  async add(chunks: readonly Buffer[]): Promise<Buffer[]> {
    for (const chunk of chunks) {
      await new Promise<void>((resolve, reject) => {
        this.#gzip.write(chunk, (error) => {
          if (error) reject(error)
          else resolve()
        })
      })
    }
    return this.#take()
  }

  /** Ends the packing, and gives the rest. */
  async end(): Promise<Buffer[]> {
    // it fails when it is closed meanwhile
    const ended = finished(this.#gzip)
    this.#gzip.end()
    await ended
    return this.#take()
  }

  close(): void {
    this.#gzip.destroy()
  }

  #take(): Buffer[] {
    const packed = this.#packed
    this.#packed = []
    return packed
  }
}
