import { Buffer } from 'node:buffer'
import { isTooLarge, type Unpacked } from './decoders.js'
import { Chunks, LATE } from './body-stream.js'
import { BodyError } from './errors.js'
import type { OpenedStream } from './open-stream.js'
import type { ContentEncoding } from './content-encoding.js'
import { unpack } from './unpack.js'

/** How a body is read. */
export interface BodyOptions {
  /** Most bytes of the body. */
  readonly limit: number
  /** Most bytes of all bodies of the pull, for the error. */
  readonly maxSize?: number
  /** What that limit is of, for the error; by default the pull. */
  readonly whole?: string
  /** Encodings that hold instead of those of the response. */
  readonly contentEncoding?: readonly ContentEncoding[] | undefined
  /** Opens a long body of lines, to be read piece by piece, see {@link openStream}; otherwise it is read whole. */
  readonly open?: (
    head: Buffer,
    chunks: Chunks,
    limit: number,
    tooLarge: () => Error,
  ) => Promise<OpenedStream | undefined>
}

/** Body that was read whole, or is read piece by piece. */
export interface HttpBody extends Unpacked {
  readonly opened?: OpenedStream
}

/** Number of bytes from which on a body may be read piece by piece. */
const STREAMS_FROM = 65_536

/** Time after which a slow body may be, in milliseconds. */
const WINDOW = 1000

/**
 * Reads a response's body and undoes its `content-encoding`. No more than `limit` bytes are held of any stage, so
 * neither a large body nor a small one that unpacks to a large one can fill the memory.
 *
 * @param chunks - the body, as it comes
 * @param header - `content-encoding` of the response, `undefined` when there is none
 * @throws {@link BodyError}
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  header: string | readonly string[] | undefined,
  { limit, maxSize = limit, whole = 'the pull', contentEncoding, open }: BodyOptions,
): Promise<HttpBody> {
  const body = new Chunks(chunks, limit, () => tooLarge(whole, maxSize))
  const parts: Uint8Array[] = []
  let size = 0
  /** Size at which it is looked at again. */
  let look = STREAMS_FROM
  for (;;) {
    const chunk = await body.next(open === undefined || size === 0 || look === Infinity ? Infinity : WINDOW)
    if (chunk === undefined) break
    if (chunk !== LATE) {
      size += chunk.length
      parts.push(chunk)
    }
    if (open === undefined || (size < look && chunk !== LATE)) continue
    const opened = await open(Buffer.concat(parts, size), body, limit, () => tooLarge(whole, maxSize))
    if (opened !== undefined) return { bytes: Buffer.alloc(0), leftOut: 0, opened }
    look = chunk === LATE ? Math.max(look, STREAMS_FROM) : 2 * size
  }
  try {
    return await unpack(Buffer.concat(parts, size), header, limit, contentEncoding)
  } catch (error) {
    throw isTooLarge(error) ? tooLarge(whole, maxSize) : error
  }
}

function tooLarge(whole: string, maxSize: number): BodyError {
  return new BodyError(`with its body, ${whole} is larger than maxBodySize, which is ${maxSize} bytes`)
}
