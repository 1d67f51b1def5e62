import { isAscii, type Buffer } from 'node:buffer'

/** Number of bytes at the start of a text that show how it is encoded. */
const SAMPLE = 1024

/** Whether a text begins with the byte order mark of UTF-32, which nothing here can read. */
export function isUtf32(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes
  return (a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)
}

/**
 * Guesses whether a text without a byte order mark is UTF-16, though its encoding has a byte for each ASCII character:
 * then the NULs in it are at the even places only, or at the odd ones only.
 *
 * @param whole - whether the bytes are the start of a text, of which much can be seen; otherwise every second one has to
 * be NUL
 * @returns what it looks like, or `undefined`
 */
export function guessUtf16(bytes: Uint8Array, whole = true): 'utf-16le' | 'utf-16be' | undefined {
  const size = whole ? Math.min(bytes.length, SAMPLE) : bytes.length
  let even = 0
  let odd = 0
  for (let at = bytes.indexOf(0); at !== -1 && at < size; at = bytes.indexOf(0, at + 1)) {
    if (at % 2 === 0) even++
    else odd++
  }
  const count = even + odd
  if (count < 2 || (even > 0 && odd > 0)) return undefined
  const everySecond = count * 2 >= size - 1
  const many = whole && count >= 8 && count * 16 >= size
  if (!everySecond && !many) return undefined
  return odd > 0 ? 'utf-16le' : 'utf-16be'
}

/** Whether a text that should be UTF-16 is ASCII instead: it has line ends, and no NUL beside them. */
export function isNoUtf16(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, SAMPLE)
  // a byte alone may be half of a character
  return sample.length > 1 && isAscii(sample) && !sample.includes(0) && (sample.includes(0x0a) || sample.includes(0x0d))
}
