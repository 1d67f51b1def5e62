import { readNumber, UnreadableNumber, type BigIntegers } from '../big-integers.js'
import { isoDate } from './iso-date.js'

/** Types as which the cells of a column can be read. */
export const CSV_TYPES = ['string', 'number', 'bigint', 'boolean', 'date'] as const
/** Type as which the cells of a column are read. */
export type CsvType = (typeof CSV_TYPES)[number]

/** Value of a cell. An empty cell is `null`, except in a column of strings, where it is the empty string. */
export type CsvValue = string | number | bigint | boolean | Date | null

/** Row of a CSV file: values by name of their column. */
export interface CsvRow {
  readonly [column: string]: CsvValue
}

/** Reader of the cells of a column. */
interface Reader {
  /** Description of a valid text, for the error. */
  readonly expected: string
  /** Value of a text; `undefined` when the text is not valid. */
  readonly read: (text: string, bigIntegers: BigIntegers) => CsvValue | undefined
}

/** Text of a number. */
export const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const INTEGER = /^[+-]?\d+$/
const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])

/** Readers by type of column. */
export const CSV_READERS: { readonly [T in CsvType]: Reader } = {
  string: { expected: 'a string', read: (text) => text },
  number: {
    expected: 'a number such as -1.5e3',
    read: (text, bigIntegers) => orNull(text, (word) => toNumber(word, bigIntegers)),
  },
  bigint: {
    expected: 'an integer',
    read: (text) => orNull(text, (word) => (INTEGER.test(word) ? toBigInt(word) : undefined)),
  },
  boolean: {
    expected: 'true, false, 1 or 0',
    read: (text) => orNull(text, (word) => BOOLEANS.get(word.toLowerCase())),
  },
  date: {
    expected: 'a date like 2020-07-30 or 2020-07-30T19:51:41Z',
    read: (text) => orNull(text, isoDate),
  },
}

/** What is expected in the place of a text that {@link CSV_READERS} have refused, for the error. */
export function expectedFor(type: CsvType, text: string): string {
  if (type === 'number' && NUMBER.test(text.trim())) {
    return 'a number that can be held exactly enough (see the option bigIntegers)'
  }
  return CSV_READERS[type].expected
}

function orNull(text: string, read: (word: string) => CsvValue | undefined): CsvValue | undefined {
  const word = text.trim()
  return word === '' ? null : read(word)
}

function toNumber(word: string, bigIntegers: BigIntegers): number | bigint | string | undefined {
  if (!NUMBER.test(word)) return undefined
  const value = readNumber(word, bigIntegers)
  return value instanceof UnreadableNumber ? undefined : value
}

function toBigInt(word: string): bigint {
  return BigInt(word.replace(/^\+/, ''))
}
