import { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import { show, toError } from '../../base/errors.js'
import { lazy } from '../../base/libraries.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** The body of a response cannot be used. */
export class BodyError extends Error {}

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const gunzip: Decoder = (body, options) => promisify(zlib().gunzip)(body, options)
const inflate: Decoder = (body, options) => promisify(zlib().inflate)(body, options)
const inflateRaw: Decoder = (body, options) => promisify(zlib().inflateRaw)(body, options)
const decompress: Decoder = (body, options) => promisify(zlib().brotliDecompress)(body, options)

/** Decoders by the name in `content-encoding`. */
const DECODERS = new Map<string, Decoder>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['br', decompress],
  // some servers leave out the zlib header, whose first byte ends in 8
  ['deflate', (body, options) => ((body[0] ?? 0) % 16 === 8 ? inflate : inflateRaw)(body, options)],
])

/** Encodings that {@link DECODERS} can decode, for `accept-encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br'

/** Most encodings over each other: more of them are an attack, not a response. */
const MAX_ENCODINGS = 3

/**
 * Reads a response's body and undoes its `content-encoding`. No more than `limit` bytes are held of any stage, so
 * neither a large body nor a small one that unpacks to a large one can fill the memory.
 *
 * @param chunks - the body, as it comes
 * @param contentEncoding - the header, `undefined` when there is none
 * @param limit - most bytes of the body
 * @param maxSize - most bytes of all bodies of the pull, for the error
 * @throws {@link BodyError}
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  contentEncoding: string | readonly string[] | undefined,
  limit: number,
  maxSize = limit,
): Promise<Buffer> {
  const decoders = decodersOf(contentEncoding)
  let body = await collect(chunks, limit, maxSize, () => {
    if (decoders instanceof BodyError) throw decoders
  })
  if (body.length === 0 || decoders instanceof BodyError) return body
  for (const decode of decoders.reverse()) {
    body = await decode(body, { maxOutputLength: Math.max(1, limit) }).catch((error: unknown) => {
      if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) throw tooLarge(maxSize)
      throw new BodyError(`its body cannot be unpacked: ${toError(error).message}`, { cause: error })
    })
  }
  return body
}

/**
 * Decoders of a header's encodings, in its order, or the error of an unusable header: then only an empty body can be
 * read.
 */
function decodersOf(contentEncoding: string | readonly string[] | undefined): Decoder[] | BodyError {
  const encodings = [contentEncoding ?? []]
    .flat()
    .join(',')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  if (encodings.length > MAX_ENCODINGS) return new BodyError(`its body is encoded ${encodings.length} times`)
  const decoders: Decoder[] = []
  for (const name of encodings) {
    const decoder = DECODERS.get(name)
    if (decoder === undefined) return new BodyError(`its body has the unknown encoding ${show(name)}`)
    decoders.push(decoder)
  }
  return decoders
}

/**
 * Collects the bytes of a body.
 *
 * @param onBytes - called for each part that is not empty, before it is kept
 */
async function collect(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
  maxSize: number,
  onBytes: () => void,
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  // leaving the loop ends the response
  for await (const chunk of chunks) {
    if (chunk.length > 0) onBytes()
    size += chunk.length
    if (size > limit) throw tooLarge(maxSize)
    parts.push(chunk)
  }
  return Buffer.concat(parts, size)
}

function tooLarge(maxSize: number): BodyError {
  return new BodyError(`with its body, the pull is larger than maxBodySize, which is ${maxSize} bytes`)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** Text of a body, and the number of its characters that became U+FFFD, as their bytes are not of its charset. */
export interface BodyText {
  readonly text: string
  readonly replaced: number
}

/**
 * Decodes a body in the charset of its `content-type`, or as UTF-8 when that names none.
 *
 * @throws `RangeError` on an unknown charset
 */
export function bodyText(body: Uint8Array, contentType: string | readonly string[] | undefined): BodyText {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec([contentType ?? []].flat().join(','))?.[1]
  const label = charset ?? 'utf-8'
  const strict = new TextDecoder(label, { fatal: true })
  try {
    return { text: strict.decode(body), replaced: 0 }
  } catch {
    const text = new TextDecoder(label).decode(body)
    // characters that were U+FFFD before are counted, too: they cannot be told from the others
    return { text, replaced: text.split('\uFFFD').length - 1 }
  }
}
