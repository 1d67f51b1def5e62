import { Buffer } from 'node:buffer'
import { InvalidPayloadError } from '../../core/partial-push.js'
import { WINDOWS_1252 } from '../charsets.js'
import type { TextEncoding } from './text-encoding.js'

/**
 * Length of text, in characters, from which on it is encoded in parts: the text of a whole batch may be longer than a
 * string can be.
 */
export const PART_LENGTH = 4 << 20

/**
 * Characters that an encoding does not have. UTF-16 has all of them, and keeps half of a surrogate pair. Of `latin1`,
 * only what every reader takes for the same is written: some read the bytes 0x80 to 0x9f as Windows-1252.
 */
const MISSING: { readonly [E in TextEncoding]?: RegExp } = {
  latin1: /[^\0-\x7F\xA0-\xFF]/,
  ascii: /[^\0-\x7F]/,
  'windows-1252': new RegExp(`[^\\0-\\x7F\\xA0-\\xFF${WINDOWS_1252}]`),
}

/** UTF-8 has no half of a surrogate pair: texts that were cut in two would end in the same U+FFFD. */
const HALF = /\p{Surrogate}/u

/**
 * Encodes text.
 *
 * @param outlet - name of the outlet, for the error
 * @throws {@link InvalidPayloadError} on a character that the encoding does not have, and would turn into another one
 */
export function encode(outlet: string, text: string, encoding: TextEncoding): Buffer {
  const missing = firstMissing(text, encoding)
  if (missing !== undefined) {
    const character = `U+${missing.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
    throw new InvalidPayloadError(
      `${outlet}: a payload has the character ${character}, which ${encoding} does not have`,
    )
  }
  return bytesOf(text, encoding)
}

/** Bytes of a text whose characters its encoding has. */
export function bytesOf(text: string, encoding: TextEncoding): Buffer {
  switch (encoding) {
    case 'utf-16be':
      return Buffer.from(text, 'utf16le').swap16()
    case 'windows-1252':
      return Buffer.from(text.replaceAll(/[^\0-\x7F\xA0-\xFF]/g, byteOf), 'latin1')
    default:
      return Buffer.from(text, encoding)
  }
}

/** Byte of windows-1252 for a character that ISO 8859-1 does not have, as a character. */
function byteOf(character: string): string {
  return String.fromCharCode(0x80 + WINDOWS_1252.indexOf(character))
}

function firstMissing(text: string, encoding: TextEncoding): string | undefined {
  if (encoding !== 'utf-8' && encoding !== 'utf8') return MISSING[encoding]?.exec(text)?.[0]
  return text.isWellFormed() ? undefined : HALF.exec(text)?.[0]
}
