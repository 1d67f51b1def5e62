import { isAscii, isUtf8, type Buffer } from 'node:buffer'
import type { TextEncoding } from './text-encoding.js'

/** Layout of an encoding in bytes. */
export interface TextUnits {
  readonly encoding: TextEncoding
  /** Number of bytes of a character like a newline. */
  readonly size: 1 | 2
  /** Byte order mark, which some editors put at the start of a file; empty when the encoding has none. */
  readonly mark: readonly number[]
}

/** Layout of an encoding. */
export function unitsOf(encoding: TextEncoding): TextUnits {
  switch (encoding) {
    case 'utf-8':
    case 'utf8':
      return { encoding, size: 1, mark: [0xef, 0xbb, 0xbf] }
    case 'utf-16le':
    case 'utf16le':
      return { encoding, size: 2, mark: [0xff, 0xfe] }
    case 'latin1':
    case 'ascii':
      return { encoding, size: 1, mark: [] }
  }
}

/** Whether a part of `bytes` is valid in the encoding. Bytes that are not become other characters. */
export function fits(bytes: Buffer, start: number, end: number, { encoding, size, mark }: TextUnits): boolean {
  // half of a surrogate pair, or of a character, is not valid
  if (size === 2) return (end - start) % 2 === 0 && !/\p{Surrogate}/u.test(bytes.toString(encoding, start, end))
  if (mark.length > 0) return isUtf8(bytes.subarray(start, end))
  return encoding !== 'ascii' || isAscii(bytes.subarray(start, end))
}

/** Length of the byte order mark at the start of `bytes`; 0 when there is none. */
export function markLength(bytes: Buffer, { mark }: TextUnits): number {
  return mark.every((byte, index) => bytes[index] === byte) ? mark.length : 0
}

/**
 * End of a line without a carriage return.
 *
 * @param start - start of the line
 * @param newline - place of its newline, or the end of the text
 */
export function withoutReturn(bytes: Buffer, start: number, newline: number, { size }: TextUnits): number {
  const at = newline - size
  return at >= start && bytes[at] === 0x0d && (size === 1 || bytes[at + 1] === 0) ? at : newline
}

/** Last place in `bytes`, not after `end`, at which no character is cut in two. */
export function characterBoundary(bytes: Buffer, start: number, end: number, units: TextUnits): number {
  let at = end
  if (units.size === 2) {
    at -= (at - start) % 2
    const before = bytes[at - 1] ?? 0
    return at > start && before >= 0xd8 && before <= 0xdb ? at - 2 : at // a high surrogate without its low one
  }
  if (units.mark.length === 0) return at
  while (at > start && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}
