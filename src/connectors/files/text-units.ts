import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import { decodeText } from '../charsets.js'
import type { TextEncoding } from './text-encoding.js'

/** Layout of an encoding in bytes, and how text is read from it. */
export interface TextUnits {
  readonly encoding: TextEncoding
  /** Number of bytes of a character like a newline. */
  readonly size: 1 | 2
  /** Whether the high byte of a unit comes first. */
  readonly bigEndian: boolean
  /** Decodes a part of the bytes. Bytes that are not valid become other characters. */
  readonly decode: (bytes: Buffer, start: number, end: number) => string
  /** Whether a part of the bytes is valid. */
  readonly fits: (bytes: Buffer, start: number, end: number) => boolean
}

/**
 * What `toString` calls, which takes twice the time for a short text. The types of Node do not know it, so it is used where it
 * is there.
 */
interface Sliced {
  utf8Slice?(start: number, end: number): string
}

const hasSlice = typeof (Buffer.prototype as unknown as Sliced).utf8Slice === 'function'
const utf8Text: TextUnits['decode'] = hasSlice
  ? (bytes, start, end) => (bytes as unknown as Required<Sliced>).utf8Slice(start, end)
  : (bytes, start, end) => bytes.toString('utf8', start, end)

/** Layouts by encoding. */
const UNITS: { readonly [E in TextEncoding]: TextUnits } = {
  'utf-8': utf8('utf-8'),
  utf8: utf8('utf8'),
  'utf-16le': utf16('utf-16le', false),
  utf16le: utf16('utf16le', false),
  'utf-16be': utf16('utf-16be', true),
  'windows-1252': windows1252('windows-1252'),
  latin1: windows1252('latin1'),
  ascii: {
    encoding: 'ascii',
    size: 1,
    bigEndian: false,
    decode: (bytes, start, end) => bytes.toString('ascii', start, end),
    fits: (bytes, start, end) => isAscii(bytes.subarray(start, end)),
  },
}

/** Layout of an encoding. */
export function unitsOf(encoding: TextEncoding): TextUnits {
  return UNITS[encoding]
}

function utf8(encoding: TextEncoding): TextUnits {
  return {
    encoding,
    size: 1,
    bigEndian: false,
    decode: utf8Text,
    fits: (bytes, start, end) => isUtf8(bytes.subarray(start, end)),
  }
}

function utf16(encoding: TextEncoding, bigEndian: boolean): TextUnits {
  const decode: TextUnits['decode'] = bigEndian
    ? (bytes, start, end) => swapped(bytes.subarray(start, end - ((end - start) % 2))).toString('utf16le')
    : (bytes, start, end) => bytes.toString('utf16le', start, end)
  return {
    encoding,
    size: 2,
    bigEndian,
    decode,
    // half of a surrogate pair, or of a character, is not valid
    fits: (bytes, start, end) => (end - start) % 2 === 0 && !/\p{Surrogate}/u.test(decode(bytes, start, end)),
  }
}

/** Copy of UTF-16 with the bytes of each unit swapped. */
function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes).swap16()
}

/** Windows-1252, in which every byte is a character. */
function windows1252(encoding: TextEncoding): TextUnits {
  return {
    encoding,
    size: 1,
    bigEndian: false,
    decode: (bytes, start, end) => decodeText(bytes.subarray(start, end), 'windows-1252').text,
    fits: () => true,
  }
}

/** Unit of text at a place: the code of a character, or a part of one. */
export function unitAt(bytes: Buffer, at: number, { size, bigEndian }: TextUnits): number {
  const byte = bytes[at] as number
  if (size === 1) return byte
  const other = bytes[at + 1] ?? 0
  return bigEndian ? (byte << 8) | other : (other << 8) | byte
}

/** Last place in `bytes`, not after `end`, at which no character is cut in two. */
export function characterBoundary(bytes: Buffer, start: number, end: number, units: TextUnits): number {
  let at = end
  if (units.size === 2) {
    at -= (at - start) % 2
    const before = at > start ? unitAt(bytes, at - 2, units) : 0
    return before >= 0xd800 && before <= 0xdbff ? at - 2 : at // a high surrogate without its low one
  }
  if (units.encoding !== 'utf-8' && units.encoding !== 'utf8') return at
  while (at > start && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}
