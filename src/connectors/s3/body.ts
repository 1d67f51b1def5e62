import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Content of a request, with what is sent to check it. */
export interface S3Body {
  readonly chunks: readonly Uint8Array[]
  /** Number of bytes. */
  readonly size: number
  /** In hexadecimal digits. It is signed, and the storage compares it with what it gets. */
  readonly sha256: string
}

/** Most bytes that are given to a connection at once: its timeout counts from the last of them. */
const PIECE = 262_144
/** Longest content that is given to a connection at once. */
const SHORT = 1_048_576

/** The content that some bytes are. They must not change before it is sent. */
export function bodyOf(chunks: readonly Uint8Array[]): S3Body {
  const sha256 = createHash('sha256')
  let size = 0
  for (const chunk of chunks) {
    sha256.update(chunk)
    size += chunk.length
  }
  return { chunks, size, sha256: sha256.digest('hex') }
}

/** Content as undici takes it: as bytes, or as pieces when it is long. */
export function contentOf(body: S3Body): Uint8Array {
  const { chunks, size } = body
  // undici takes iterables, too, though its types do not say so
  if (size > SHORT) return piecesOf(chunks) as unknown as Uint8Array
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size)
}

function* piecesOf(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE)
  }
}
