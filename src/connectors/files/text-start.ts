import type { Buffer } from 'node:buffer'
import { markOf } from '../charsets.js'
import { guessUtf16, isNoUtf16, isUtf32 } from '../unicode.js'
import type { TextEncoding } from './text-encoding.js'
import { unitsOf, type TextUnits } from './text-units.js'

/** Start of the text of a file: how it is encoded, and where it begins. */
export interface TextStart {
  readonly units: TextUnits
  /** Encoding that the byte order mark tells; `undefined` when there is no mark. */
  readonly marked: TextEncoding | undefined
  /** Length of the byte order mark. */
  readonly length: number
  /** Problem that the text cannot be read for. */
  readonly problem: string | undefined
}

/**
 * Looks at the start of a file. A byte order mark says how the file is encoded, whatever was said of it before. Without
 * one, text that is plainly not of the encoding is a problem.
 *
 * @param encoding - encoding of a file without a byte order mark
 */
export function startOf(bytes: Buffer, encoding: TextEncoding): TextStart {
  const mark = markOf(bytes)
  if (isUtf32(bytes)) {
    const problem = 'it begins with the byte order mark of utf-32, which cannot be read'
    return { units: unitsOf(encoding), marked: undefined, length: 0, problem }
  }
  if (mark === undefined) {
    const units = unitsOf(encoding)
    return { units, marked: undefined, length: 0, problem: mismatch(bytes, units) }
  }
  return { units: unitsOf(mark.encoding), marked: mark.encoding, length: mark.length, problem: undefined }
}

/** Whether the byte order mark that bytes begin with may be one of UTF-16 or of UTF-32: the next bytes will show. */
export function isHalfMark(bytes: Buffer): boolean {
  return bytes.length < 4 && bytes[0] === 0xff && bytes[1] === 0xfe
}

/** Says why text without a byte order mark is plainly not of its encoding. */
function mismatch(bytes: Buffer, { encoding, size }: TextUnits): string | undefined {
  if (size === 2) {
    return isNoUtf16(bytes) ? `it looks like utf-8 rather than ${encoding}: see the option encoding` : undefined
  }
  const guess = guessUtf16(bytes)
  return guess && `it has NULs as if it were ${guess} rather than ${encoding}: see the option encoding`
}
