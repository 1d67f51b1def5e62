import { isUtf8, type Buffer } from 'node:buffer'
import { show, toError } from '../../base/errors.js'
import { encodingOf } from '../charsets.js'
import {
  brotliDecompress,
  gunzip,
  inflate,
  inflateRaw,
  isGzip,
  isTooLarge,
  type Decoder,
  type Unpacked,
} from './decoders.js'
import { BodyError } from './errors.js'

/** Most encodings over each other: more of them are an attack, not a response. */
const MAX_ENCODINGS = 3

/**
 * Undoes the encodings of a body, as leniently as browsers do. What is not packed stays as it is, whatever the header
 * says, and gzip is known by its first bytes.
 *
 * @param header - `content-encoding` of the response
 * @param limit - most bytes of any stage
 * @param chosen - encodings that hold instead of those of the header
 * @throws {@link BodyError}, or the error of a decoder for more bytes than the limit
 */
export async function unpack(
  body: Buffer,
  header: string | readonly string[] | undefined,
  limit: number,
  chosen?: readonly string[],
): Promise<Unpacked> {
  const names = packingsIn(header, chosen)
  const packings = names.filter((name) => PACKINGS.has(name))
  if (packings.length > MAX_ENCODINGS) throw new BodyError(`its body is encoded ${packings.length} times`)
  let { bytes, leftOut }: Unpacked = { bytes: body, leftOut: 0 }
  const undo = async (name: string) => {
    const undone = await unpackOne(name, bytes, limit)
    bytes = undone.bytes
    leftOut += undone.leftOut
  }
  for (const name of packings.toReversed()) await undo(name)
  // a packed file, or a server that says nothing of its packing
  for (let left = MAX_ENCODINGS - packings.length; chosen === undefined && left > 0 && isGzip(bytes); left--) {
    await undo('gzip')
  }
  const unknown = names.find((name) => !PACKINGS.has(name))
  if (unknown !== undefined && !isPlain(bytes)) {
    throw new BodyError(`its body has the unknown encoding ${show(unknown)}: see the option contentEncoding`)
  }
  return { bytes, leftOut }
}

/** Names of the encodings of a body, but for those that stand for none. */
export function packingsIn(header: string | readonly string[] | undefined, chosen?: readonly string[]): string[] {
  return (chosen ?? namesIn(header)).filter((name) => !isNone(name))
}

/** Ways to undo an encoding, by its name and the bytes that are said to have it: the likely ones first. */
const PACKINGS = new Map<string, (bytes: Buffer) => readonly [Decoder, ...Decoder[]]>([
  ['gzip', zlibDecoders],
  ['x-gzip', zlibDecoders],
  ['deflate', zlibDecoders],
  ['br', (bytes) => [brotliDecompress, isGzip(bytes) ? gunzip : inflate]],
])

function zlibDecoders(bytes: Buffer): readonly [Decoder, ...Decoder[]] {
  if (isGzip(bytes)) return [gunzip]
  // some servers leave out the zlib header, whose first byte ends in 8
  const raw = [inflateRaw, brotliDecompress] as const
  return (bytes[0] ?? 0) % 16 === 8 ? [inflate, ...raw] : raw
}

async function unpackOne(name: string, packed: Buffer, limit: number): Promise<Unpacked> {
  const asItIs = { bytes: packed, leftOut: 0 }
  if (packed.length === 0) return asItIs
  if (isPlain(packed)) return (name === 'br' ? await brotliInText(packed, limit) : undefined) ?? asItIs
  const decoders = PACKINGS.get(name)?.(packed) ?? []
  let reason: unknown
  let partly: Unpacked | undefined
  for (const decode of decoders) {
    try {
      const unpacked = await decode(packed, limit)
      if (unpacked.leftOut === 0) return unpacked
      // other bytes may happen to begin as packed ones do
      partly ??= unpacked
    } catch (error) {
      if (isTooLarge(error)) throw error
      reason ??= error
    }
  }
  if (partly !== undefined) return partly
  throw new BodyError(`its body cannot be unpacked: ${toError(reason).message}`, { cause: reason })
}

/** What brotli makes of bytes that could be a text: an empty body is `;`. `undefined` when they are none of brotli. */
async function brotliInText(packed: Buffer, limit: number): Promise<Unpacked | undefined> {
  try {
    const unpacked = await brotliDecompress(packed, limit)
    return unpacked.leftOut === 0 ? unpacked : undefined
  } catch {
    return undefined
  }
}

/** Names of the encodings in a header. Nothing else that may stand there means anything. */
function namesIn(header: string | readonly string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .toLowerCase()
    .split(',')
    .map((name) => name.replace(/;.*/s, '').replaceAll(/["'\s]/g, ''))
}

/** Whether a name stands for no packing. Some servers give a charset, or how the body is transferred. */
function isNone(name: string): boolean {
  return name === '' || name === 'identity' || name === 'none' || encodingOf(name) !== undefined
}

/** Whether bytes could be a text as they are. Packed ones hold bytes that no text has, but for a few bytes of brotli. */
export function isPlain(bytes: Buffer): boolean {
  return isUtf8(bytes) && !/[\0-\x08\x0e-\x1f]/.test(bytes.toString('latin1'))
}
