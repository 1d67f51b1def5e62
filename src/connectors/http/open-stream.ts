import { Buffer } from 'node:buffer'
import { BodyStream, type Chunks } from './body-stream.js'
import { lineCharset } from './body-text.js'
import { isGzip } from './decoders.js'
import { StreamUnpacker, type StreamPacking } from './stream-unpacker.js'
import { isPlain, packingsIn } from './unpack.js'
import type { ContentEncoding } from './content-encoding.js'
import type { ResponseHeaders } from './response-headers.js'

/** What says how a body is to be read. */
export interface StreamOptions {
  readonly headers: ResponseHeaders
  /** Encodings that hold instead of those of the response. */
  readonly contentEncoding: readonly ContentEncoding[] | undefined
  /** Charset that holds instead of that of the response. */
  readonly charset: string | undefined
}

/** A body that was opened to be read piece by piece. */
export interface OpenedStream {
  readonly stream: BodyStream
  /** Encoding in which its lines are, instead of that of its `content-type`. */
  readonly charset: string | undefined
}

/**
 * Opens a body of lines to be read piece by piece, going by its first bytes; `undefined` when it has to be read whole to know
 * how: one that is packed twice, whose headers are wrong, or whose first line has not ended.
 *
 * @param head - first bytes of the body, as they came
 */
export async function openStream(
  head: Buffer,
  chunks: Chunks,
  { headers, contentEncoding, charset }: StreamOptions,
  limit: number,
  tooLarge: () => Error,
): Promise<OpenedStream | undefined> {
  const packing = packingOf(head, headers['content-encoding'], contentEncoding)
  if (packing === undefined) return undefined
  const unpacker = packing === 'none' ? undefined : new StreamUnpacker(packing)
  let begin = head
  try {
    if (unpacker !== undefined) begin = Buffer.concat(await unpacker.unpack(head))
  } catch {
    return undefined // as another encoding, it may be read
  }
  const isPackedAgain = contentEncoding === undefined && isGzip(begin)
  const lines = isPackedAgain ? undefined : lineCharset(begin, headers['content-type'], charset)
  if (lines === undefined || !begin.includes(LINE_END)) {
    unpacker?.close()
    return undefined
  }
  return { stream: new BodyStream(begin, chunks, unpacker, limit, tooLarge), charset: lines.charset }
}

const LINE_END = 0x0a

/** How a body is packed, by its first bytes; `undefined` when that cannot be told. */
function packingOf(
  head: Buffer,
  header: string | readonly string[] | undefined,
  chosen: readonly ContentEncoding[] | undefined,
): StreamPacking | 'none' | undefined {
  const [name, ...others] = packingsIn(header, chosen)
  if (others.length > 0) return undefined
  if (name === undefined) return chosen === undefined && isGzip(head) ? 'gzip' : 'none'
  // the end of the head may be in the middle of a character
  if (isPlain(head.subarray(0, head.lastIndexOf(LINE_END) + 1 || head.length)))
    return name === 'br' ? undefined : 'none'
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return isGzip(head) ? 'gzip' : undefined
    case 'deflate':
      if (isGzip(head)) return 'gzip'
      return (head[0] ?? 0) % 16 === 8 ? 'deflate' : 'deflate-raw'
    case 'br':
      return isGzip(head) ? undefined : 'br'
    default:
      return undefined
  }
}
