import { Buffer } from 'node:buffer'
import { isTooLarge, type Unpacked } from './decoders.js'
import { BodyError } from './errors.js'
import type { ContentEncoding } from './content-encoding.js'
import { unpack } from './unpack.js'

/** How a body is read. */
export interface BodyOptions {
  /** Most bytes of the body. */
  readonly limit: number
  /** Most bytes of all bodies of the pull, for the error. */
  readonly maxSize?: number
  /** Encodings that hold instead of those of the response. */
  readonly contentEncoding?: readonly ContentEncoding[] | undefined
}

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
  { limit, maxSize = limit, contentEncoding }: BodyOptions,
): Promise<Unpacked> {
  const parts: Uint8Array[] = []
  let size = 0
  // leaving the loop ends the response
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit) throw tooLarge(maxSize)
    parts.push(chunk)
  }
  try {
    return await unpack(Buffer.concat(parts, size), header, limit, contentEncoding)
  } catch (error) {
    throw isTooLarge(error) ? tooLarge(maxSize) : error
  }
}

function tooLarge(maxSize: number): BodyError {
  return new BodyError(`with its body, the pull is larger than maxBodySize, which is ${maxSize} bytes`)
}
