import type { Buffer } from 'node:buffer'
import { promisify } from 'node:util'
import type { ZlibOptions } from 'node:zlib'
import { lazy } from '../../base/libraries.js'
import { packingOf } from '../packing.js'

const zlib = lazy<typeof import('node:zlib')>('node:zlib')

/** Bytes that were packed. */
export interface Unpacked {
  readonly bytes: Buffer
  /** Number of bytes behind the packed ones, which were left out. Blanks and zeros do not count. */
  readonly leftOut: number
}

/** Unpacks bytes, to no more than a limit. */
export type Decoder = (packed: Buffer, limit: number) => Promise<Unpacked>

/** What Node's decoders give with the option `info`, which their types do not know. */
interface Decoded {
  readonly buffer: Buffer
  /** Its `bytesWritten` is the number of bytes that it took in. */
  readonly engine: { readonly bytesWritten: number }
}

type MethodName = 'gunzip' | 'inflate' | 'inflateRaw' | 'brotliDecompress'
type Method = (packed: Buffer, options: ZlibOptions, done: (error: Error | null, decoded: Decoded) => void) => void

/** Number of bytes behind the data of a gzip member: their checksum and length. */
const TRAILER = 8

/** Bytes that mean nothing behind packed ones: zeros, tabs, line ends and spaces. */
const BLANKS = new Set([0x00, 0x09, 0x0a, 0x0d, 0x20])

export const inflate: Decoder = (packed, limit) => decode('inflate', packed, limit)
export const inflateRaw: Decoder = (packed, limit) => decode('inflateRaw', packed, limit)
export const brotliDecompress: Decoder = (packed, limit) => decode('brotliDecompress', packed, limit)

/** Unpacks gzip of one or more members. Bytes behind them make Node's decoder fail, which browsers leave out. */
export const gunzip: Decoder = async (packed, limit) => {
  try {
    return await decode('gunzip', packed, limit)
  } catch (error) {
    const end = isTooLarge(error) ? undefined : await endOfMembers(packed, limit)
    if (end === undefined || end === packed.length) throw error
    const { bytes } = await decode('gunzip', packed.subarray(0, end), limit)
    return { bytes, leftOut: visible(packed.subarray(end)) }
  }
}

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Buffer, at = 0): boolean {
  return packingOf(bytes.subarray(at)) === 'gzip'
}

/** Whether an error says that there is more than the limit. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}

async function decode(method: MethodName, packed: Buffer, limit: number): Promise<Unpacked> {
  const { buffer, engine } = await inflater(method)(packed, optionsFor(limit))
  return { bytes: buffer, leftOut: visible(packed.subarray(engine.bytesWritten)) }
}

function inflater(method: MethodName) {
  return promisify(zlib()[method] as unknown as Method)
}

function optionsFor(limit: number) {
  return { maxOutputLength: Math.max(1, limit), info: true }
}

/** Number of bytes; 0 when all of them are blanks and zeros. */
export function visible(bytes: Uint8Array): number {
  return bytes.every((byte) => BLANKS.has(byte)) ? 0 : bytes.length
}

/** Place at which the members of gzip end; `undefined` when one of them is broken or cut off. */
async function endOfMembers(packed: Buffer, limit: number): Promise<number | undefined> {
  let at = 0
  while (isGzip(packed, at)) {
    const start = startOfData(packed, at)
    if (start < at) return undefined
    try {
      const { engine } = await inflater('inflateRaw')(packed.subarray(start), optionsFor(limit))
      at = start + engine.bytesWritten + TRAILER
    } catch {
      return undefined
    }
  }
  return at
}

/** Place at which the packed data of a gzip member begin, behind its header (RFC 1952, 2.3); below `at` without any. */
function startOfData(packed: Buffer, at: number): number {
  const flags = packed[at + 3] ?? 0
  let start = at + 10
  if ((flags & 4) !== 0) start += 2 + (packed[start] ?? 0) + 256 * (packed[start + 1] ?? 0)
  // a file name, and a comment
  for (const flag of [8, 16]) if ((flags & flag) !== 0) start = start === 0 ? 0 : packed.indexOf(0, start) + 1
  return (flags & 2) !== 0 && start > 0 ? start + 2 : start
}
