import { toError } from '../../base/errors.js'
import { BodyError } from './errors.js'
import type { StreamUnpacker } from './stream-unpacker.js'

/** Nothing has come in time. */
export const LATE = Symbol('late')

/** Chunks of a body, one after the other. One that is waited for too long is not lost. */
export class Chunks {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #limit: number
  readonly #tooLarge: () => Error
  #size = 0
  #pending: Promise<IteratorResult<Uint8Array>> | undefined

  constructor(chunks: AsyncIterable<Uint8Array>, limit: number, tooLarge: () => Error) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#limit = limit
    this.#tooLarge = tooLarge
  }

  /**
   * Gives the next chunk; `undefined` at the end.
   *
   * @param within - longest wait, in milliseconds
   */
  async next(within = Infinity): Promise<Uint8Array | undefined | typeof LATE> {
    const pending = (this.#pending ??= this.#chunks.next())
    const step = within === Infinity ? await pending : await inTime(pending, within)
    if (step === LATE) return LATE
    this.#pending = undefined
    if (step.done === true) return undefined
    this.#size += step.value.length
    if (this.#size > this.#limit) throw this.#tooLarge()
    return step.value
  }
}

async function inTime<T>(pending: Promise<T>, within: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => {
      resolve(LATE)
    }, within)
  })
  // it is awaited again, unless the body is closed before
  pending.catch(() => undefined)
  try {
    return await Promise.race([pending, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A body that is read piece by piece, unpacked. */
export class BodyStream {
  readonly #first: Uint8Array[]
  readonly #chunks: Chunks
  readonly #unpacker: StreamUnpacker | undefined
  readonly #limit: number
  readonly #tooLarge: () => Error
  #size = 0
  #ended = false
  /** Makes the error of a body that cannot be read. */
  toFailure: (thrown: unknown) => Error = toError
  /** Ends its connection. */
  hangUp: () => void = () => undefined

  /**
   * @param first - its first bytes, unpacked
   * @param unpacker - undoes its encoding; `undefined` when it has none
   * @param limit - most bytes, unpacked
   */
  constructor(
    first: Uint8Array,
    chunks: Chunks,
    unpacker: StreamUnpacker | undefined,
    limit: number,
    tooLarge: () => Error,
  ) {
    this.#first = [first]
    this.#chunks = chunks
    this.#unpacker = unpacker
    this.#limit = limit
    this.#tooLarge = tooLarge
  }

  /** Number of bytes behind its packed ones that were left out. */
  get leftOut(): number {
    return this.#unpacker?.leftOut ?? 0
  }

  /** Ends its connection, and what unpacks it. */
  close(): void {
    this.#unpacker?.close()
    this.hangUp()
  }

  /** Gives the next bytes, see {@link Chunks.next}. */
  async next(within = Infinity): Promise<Uint8Array | undefined | typeof LATE> {
    try {
      while (this.#first.length === 0 && !this.#ended) {
        const chunk = await this.#chunks.next(within)
        if (chunk === LATE) return LATE
        this.#ended = chunk === undefined
        if (this.#unpacker !== undefined) {
          for (const bytes of await this.#unpacker.unpack(chunk)) this.#first.push(bytes)
        } else if (chunk !== undefined) this.#first.push(chunk)
      }
      const bytes = this.#first.shift()
      this.#size += bytes?.length ?? 0
      if (this.#size > this.#limit) throw this.#tooLarge()
      return bytes
    } catch (thrown) {
      throw thrown instanceof BodyError ? thrown : this.toFailure(thrown)
    }
  }
}
