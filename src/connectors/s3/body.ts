import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

/** Content of a request, with what is sent to check it. */
export interface S3Body {
  readonly chunks: readonly Uint8Array[]
  /** Number of bytes. */
  readonly size: number
  readonly md5: Uint8Array
  /** In hexadecimal digits. */
  readonly sha256: string
}

/** Most bytes that are given to a connection at once: a timeout counts from the last of them. */
const CHUNK = 262_144

/** The content that some bytes are. They must not change before it is sent. */
export function bodyOf(chunks: readonly Uint8Array[]): S3Body {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  let size = 0
  for (const chunk of chunks) {
    md5.update(chunk)
    sha256.update(chunk)
    size += chunk.length
  }
  return { chunks, size, md5: md5.digest(), sha256: sha256.digest('hex') }
}

/** Bytes of a body, in one piece. */
export function bytesOf({ chunks, size }: S3Body): Uint8Array {
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, size)
}

/** Bytes of a body, in pieces. */
export async function* piecesOf({ chunks }: S3Body): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += CHUNK) yield chunk.subarray(at, at + CHUNK)
  }
}
