import type { Buffer } from 'node:buffer'
import type { TextEncoding } from '../../files/text-encoding.js'
import { startOf } from '../../files/text-start.js'
import { parseDocument } from '../../http/format.js'
import { BodyError } from '../../http/errors.js'
import type { BigIntegers } from '../../big-integers.js'

/** Rules by which an object that is read at once becomes records. */
export interface WholeRules {
  readonly encoding: TextEncoding
  readonly bigIntegers: BigIntegers
}

/** Records of an object, and whether its bytes are all of its encoding. */
export interface WholeContent {
  readonly records: readonly unknown[]
  readonly fits: boolean
}

/**
 * Makes records of the whole content of an object: an array of JSON is many, anything else one. Nothing is no JSON.
 *
 * @throws {@link BodyError} when it is not what it should be
 */
export function readWhole(
  format: 'json' | 'whole' | 'bytes',
  content: Buffer,
  { encoding, bigIntegers }: WholeRules,
): WholeContent {
  // a copy, as what was read may be a part of something larger
  if (format === 'bytes') return { records: [new Uint8Array(content)], fits: true }
  const { units, length, problem } = startOf(content, encoding)
  if (problem !== undefined) throw new BodyError(problem)
  const text = units.decode(content, length, content.length)
  const fits = units.fits(content, length, content.length)
  if (format === 'whole') return { records: [text], fits }
  if (text.trim() === '') return { records: [], fits }
  const value = parseDocument(text, bigIntegers, 'it')
  return { records: Array.isArray(value) ? (value as unknown[]) : [value], fits }
}
