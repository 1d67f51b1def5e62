import { Buffer } from 'node:buffer'
import { InvalidPayloadError } from '../../core/partial-push.js'
import type { TextEncoding } from './text-encoding.js'

/**
 * Length of text, in characters, from which on it is encoded in parts: the text of a whole batch may be longer than a
 * string can be.
 */
export const PART_LENGTH = 4 << 20

/**
 * Characters that an encoding does not have. The encodings of Unicode have all of them. Half of a surrogate pair is no
 * character: UTF-8 makes U+FFFD of it, and UTF-16 keeps it.
 */
const MISSING: { readonly [E in TextEncoding]?: RegExp } = { latin1: /[^\0-\xFF]/, ascii: /[^\0-\x7F]/ }

/**
 * Encodes text.
 *
 * @param outlet - name of the outlet, for the error
 * @throws {@link InvalidPayloadError} on a character that the encoding does not have, and would turn into another one
 */
export function encode(outlet: string, text: string, encoding: TextEncoding): Buffer {
  const missing = MISSING[encoding]?.exec(text)?.[0]
  if (missing !== undefined) {
    const character = `U+${missing.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
    throw new InvalidPayloadError(
      `${outlet}: a payload has the character ${character}, which ${encoding} does not have`,
    )
  }
  return Buffer.from(text, encoding)
}
