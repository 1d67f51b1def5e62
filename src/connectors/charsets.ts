import { Buffer } from 'node:buffer'

/**
 * Encoding that a label names, as browsers read it: `latin1` is `windows-1252`. Quotes around a label, and dashes,
 * underscores and spaces at the wrong place, do no harm.
 *
 * @returns the name by which the Web knows the encoding; `undefined` when there is none
 */
export function encodingOf(label: string): string | undefined {
  const bare = label.trim().replace(/^["']+|["']+$/g, '')
  const joined = bare.replaceAll(/[-_\s]/g, '')
  const spellings = [bare, bare.replaceAll('_', '-'), bare.replaceAll('-', '_'), joined]
  // as in windows1252, win-1252 and ISO885915
  spellings.push(joined.replace(/^(?:windows|win)(?=\d)/i, 'windows-'), joined.replace(/^iso8859(?=\d)/i, 'iso-8859-'))
  for (const spelling of spellings) {
    try {
      return new TextDecoder(spelling).encoding
    } catch {
      // no label of an encoding
    }
  }
  return undefined
}

/** Byte order mark at the start of a text. */
export interface ByteOrderMark {
  /** Encoding that it names, whatever else was said of the text. */
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be'
  /** Number of its bytes. */
  readonly length: 2 | 3
}

/** Byte order mark at the start of `bytes`; `undefined` when there is none. */
export function markOf(bytes: Uint8Array): ByteOrderMark | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', length: 2 }
  return undefined
}

/** Text, and the number of its characters that became U+FFFD, as their bytes are not of its encoding. */
export interface DecodedText {
  readonly text: string
  readonly replaced: number
}

/**
 * Decodes bytes. A byte order mark of the encoding is left out.
 *
 * @param encoding - a name that {@link encodingOf} gives
 */
export function decodeText(bytes: Uint8Array, encoding: string): DecodedText {
  if (encoding === 'windows-1252') return { text: fromWindows1252(bytes), replaced: 0 }
  const strict = new TextDecoder(encoding, { fatal: true })
  try {
    return { text: strict.decode(bytes), replaced: 0 }
  } catch {
    const text = new TextDecoder(encoding).decode(bytes)
    // characters that were U+FFFD before are counted, too: they cannot be told from the others
    return { text, replaced: text.split('\uFFFD').length - 1 }
  }
}

/** Characters of the bytes from 0x80 to 0x9f in windows-1252. The Web has it that no byte stands for nothing. */
export const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** Decodes windows-1252. The decoder of Node 20 takes it for ISO 8859-1, which is other from 0x80 to 0x9f. */
function fromWindows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return text.replaceAll(/[\u0080-\u009f]/g, (character) => WINDOWS_1252.charAt(character.charCodeAt(0) - 0x80))
}
