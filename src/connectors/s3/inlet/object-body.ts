import { toError } from '../../../base/errors.js'
import { withRetries, type RetrySettings } from '../../../base/retry.js'
import { BodyError } from '../../http/errors.js'
import type { ResponseHeaders } from '../../http/response-headers.js'
import { S3Error } from '../errors.js'

/** Stream that can be ended. */
interface EndedStream {
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

/** Response that has an object, or a part of it. */
export interface ObjectResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly stream: AsyncIterable<Uint8Array> & EndedStream
}

/** Conditions of a request for an object. */
export interface GetOptions {
  /** Part to get, as in `bytes=100-`. */
  readonly range?: string
  /** Tag that the object has to have. */
  readonly ifMatch?: string
}

/** What a body is read from: requests one object, or a part of it. */
export type GetObject = (options: GetOptions) => Promise<ObjectResponse>

/** The object is another one than that which was read before. */
export class ChangedObjectError extends Error {}

/** A body that was cut off: what follows can be had by another request. */
class CutBodyError extends Error {}

/** Where a body is to be read. */
export interface BodyStart {
  /** Number of bytes to leave out. */
  readonly offset: number
  /** Tag that the object has to have; `undefined` for any. */
  readonly etag: string | undefined
  /** What a list says of the object, if it comes from one. */
  readonly listed?: { readonly size?: number; readonly etag?: string } | undefined
}

/** Settings of {@link ObjectBody}. */
export interface BodySettings {
  readonly retry: RetrySettings
  readonly signal: AbortSignal
  /** Called before a body that was cut off is read on. */
  readonly onCut: (reason: Error, offset: number) => void
}

/** Bytes of an object as they are stored. When its connection is cut, it goes on behind what has come. */
export class ObjectBody {
  readonly #get: GetObject
  readonly #settings: BodySettings
  readonly #listed: BodyStart['listed']
  #stream: ObjectResponse['stream'] | undefined
  #chunks: AsyncIterator<Uint8Array> | undefined
  #etag: string | undefined
  /** Offset of the next byte. */
  #offset: number
  /** Bytes to leave out, as the storage gave more than was asked for. */
  #surplus = 0
  /** Size of the object; `undefined` before it is known. */
  #size: number | undefined
  /** Size of the object in a list: a body that was unpacked on the way may be longer, so that it is not over there. */
  #listedSize: number | undefined
  #modified = Number.NaN
  #isClosed = false

  constructor(get: GetObject, { offset, etag, listed }: BodyStart, settings: BodySettings) {
    this.#get = get
    this.#settings = settings
    this.#listed = listed
    this.#offset = offset
    this.#etag = etag
  }

  /** Tag of what the object holds; `''` where the storage tells none. */
  get etag(): string {
    return this.#etag ?? ''
  }

  /** Whether all its bytes were given, as far as that is known. */
  get isOver(): boolean {
    return this.#offset === this.#size
  }

  /** Time at which the object was modified, in milliseconds and rounded down to seconds; NaN where nobody says. */
  get modified(): number {
    return this.#modified
  }

  /**
   * Requests the object.
   *
   * @throws {@link ChangedObjectError} when its tag is another one; the error of the request
   */
  async open(): Promise<void> {
    const offset = this.#offset
    const range = offset > 0 ? { range: `bytes=${offset}-` } : {}
    const condition = this.#etag ? { ifMatch: `"${this.#etag}"` } : {}
    const response = await this.#get({ ...range, ...condition }).catch((error: unknown) => {
      // it has become shorter, and the storage knows no condition
      if (error instanceof S3Error && error.status === 416) throw new ChangedObjectError(error.message)
      throw error
    })
    const { status, headers, stream } = response
    this.#stream = stream
    try {
      this.#take(headers)
      const length = Number(headers['content-length'] ?? Number.NaN)
      const begin = status === 206 ? startOfRange(headers) : 0
      if (begin > offset) throw new BodyError(`the storage gave bytes from ${begin} on instead of ${offset}`)
      this.#surplus = offset - begin
      if (!Number.isNaN(length)) this.#size = begin + length
      // where the end of the connection is that of the body, a body that is cut off looks whole
      else if (this.#isListed(headers)) this.#listedSize = this.#listed?.size
    } catch (error) {
      this.#hangUp()
      throw error
    }
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  /** Gives the next bytes; `undefined` at the end. */
  next(): Promise<Uint8Array | undefined> {
    const { retry, signal, onCut } = this.#settings
    return withRetries(
      retry,
      signal,
      () => this.#next(),
      (error) => {
        if (!(error instanceof CutBodyError)) return false
        onCut(toError(error.cause), this.#offset)
        return true
      },
    ).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error instanceof CutBodyError ? error.cause : error
    })
  }

  /** Ends the request, unless all was read. */
  close(): void {
    this.#isClosed = true
    this.#hangUp()
  }

  #hangUp(): void {
    const stream = this.#stream
    this.#chunks = undefined
    this.#stream = undefined
    // it says that it was ended before its end
    stream?.on('error', () => undefined)
    stream?.destroy()
  }

  #take(headers: ResponseHeaders): void {
    const etag = etagOf(textOf(headers['etag']))
    if (this.#etag !== undefined && etag !== this.#etag) {
      throw new ChangedObjectError('it was written to after it was begun')
    }
    this.#etag = etag
    this.#modified = Date.parse(textOf(headers['last-modified']))
  }

  /** Whether the response has the bytes that a list names. A weak tag does not say so. */
  #isListed(headers: ResponseHeaders): boolean {
    const isWeak = textOf(headers['etag']).trim().startsWith('W/')
    return !isWeak && this.#etag !== '' && etagOf(this.#listed?.etag ?? '') === this.#etag
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#chunks === undefined && !this.#isClosed) await this.open()
    for (;;) {
      const chunk = await this.#step()
      if (chunk === undefined) return undefined
      const surplus = Math.min(this.#surplus, chunk.length)
      this.#surplus -= surplus
      this.#offset += chunk.length - surplus
      if (chunk.length > surplus) return surplus === 0 ? chunk : chunk.subarray(surplus)
    }
  }

  async #step(): Promise<Uint8Array | undefined> {
    try {
      const step = await this.#chunks?.next()
      if (step?.done === false) return step.value
      const missing = (this.#size ?? this.#listedSize ?? 0) - this.#offset
      if (missing > 0) throw new Error(`the connection ended ${missing} bytes before the end`)
      return undefined
    } catch (cause) {
      if (this.#isClosed) return undefined // nobody takes what comes
      this.#hangUp()
      throw new CutBodyError('cut off', { cause })
    }
  }
}

/** Offset of the first byte of a response that has a part of an object. */
function startOfRange(headers: ResponseHeaders): number {
  const range = textOf(headers['content-range'])
  const start = /^bytes (\d+)-/.exec(range)?.[1]
  if (start === undefined) throw new BodyError('the storage gave a part without saying which')
  return Number(start)
}

/** Tag without its quotes. */
export function etagOf(text: string): string {
  return text.trim().replace(/^(?:W\/)?"(.*)"$/, '$1')
}

function textOf(header: string | readonly string[] | undefined): string {
  return [header ?? []].flat()[0] ?? ''
}
