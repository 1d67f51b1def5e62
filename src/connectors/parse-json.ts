import { lazy } from '../base/libraries.js'
import { shownPath, type Steps } from '../base/payload-path.js'
import { readNumber, UnreadableNumber, type BigIntegers } from './big-integers.js'

const losslessJson = lazy<typeof import('lossless-json')>('lossless-json')

/** Loads what {@link parseJson} may need. */
export function loadLosslessJson(): void {
  losslessJson()
}

/**
 * A number of which JSON.parse() may make another one: with 16 digits in a row before its fraction, 16 digits and an
 * exponent that is not negative, an exponent of three digits, or nearly nothing.
 */
const RISKY = /(?:^|[\s:,[])-?(?:\d{16}|0\.0{200}|\d[\d.]*[eE](?:[+-]?\d{3}|(?<=[\d.]{17}[eE])\+?\d))/

/** Whether JSON.parse() may make another number of one in a text. */
export function isRisky(text: string): boolean {
  return RISKY.test(text)
}

/** A number in a JSON text cannot be had as it is. */
export class JsonNumberError extends Error {}

/**
 * Parses JSON as JSON.parse() does, but for integers that a number cannot hold.
 *
 * @throws `SyntaxError` on a text that is not JSON
 * @throws `RangeError` on risky numbers in a text that is nested too deeply
 * @throws {@link JsonNumberError} naming the place of a number that cannot be had as it is, see {@link readNumber}
 */
export function parseJson(text: string, bigIntegers: BigIntegers): unknown {
  const parsed: unknown = JSON.parse(text)
  if (!isRisky(text)) return parsed
  const seen = { other: 0, unreadable: 0 }
  const exact = losslessJson().parse(text, undefined, {
    parseNumber: (digits) => {
      const value = readNumber(digits, bigIntegers)
      if (typeof value !== 'number') seen.other++
      if (value instanceof UnreadableNumber) seen.unreadable++
      return value
    },
    onDuplicateKey: ({ newValue }) => newValue,
  })
  if (seen.other === 0) return parsed
  // one whose name came again is not in the value
  const found = seen.unreadable > 0 ? findUnreadable(exact, []) : undefined
  if (found !== undefined) throw new JsonNumberError(found)
  return exact
}

/** What is wrong with a number in a value, and where; `undefined` when nothing is. */
function findUnreadable(value: unknown, steps: Steps): string | undefined {
  if (value instanceof UnreadableNumber) return `${shownPath(steps, '$')} is ${value.what}`
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, part] of Object.entries(value)) {
    const found = findUnreadable(part, [...steps, Array.isArray(value) ? Number(name) : name])
    if (found !== undefined) return found
  }
  return undefined
}
