/** Types as which the cells of a column can be read. */
export const CSV_TYPES = ['string', 'number', 'bigint', 'boolean', 'date'] as const
/** Type as which the cells of a column are read. */
export type CsvType = (typeof CSV_TYPES)[number]

/** Value of a cell. An empty cell is `null`, except in a column of strings, where it is the empty string. */
export type CsvValue = string | number | bigint | boolean | Date | null

/** Reader of the cells of a column. */
interface Reader {
  /** Description of a valid text, for the error. */
  readonly expected: string
  /** Value of a text; `undefined` when the text is not valid. */
  readonly read: (text: string) => CsvValue | undefined
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const INTEGER = /^[+-]?\d+$/
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/
const BOOLEANS = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
])

/** Readers by type of column. */
export const CSV_READERS: { readonly [T in CsvType]: Reader } = {
  string: { expected: 'a string', read: (text) => text },
  number: { expected: 'a number that can be held exactly enough', read: (text) => orNull(text, toNumber) },
  bigint: {
    expected: 'an integer',
    read: (text) => orNull(text, (word) => (INTEGER.test(word) ? toBigInt(word) : undefined)),
  },
  boolean: {
    expected: 'true, false, 1 or 0',
    read: (text) => orNull(text, (word) => BOOLEANS.get(word.toLowerCase())),
  },
  date: { expected: 'a date like 2020-07-30 or 2020-07-30T19:51:41Z', read: (text) => orNull(text, toDate) },
}

function orNull(text: string, read: (word: string) => CsvValue | undefined): CsvValue | undefined {
  const word = text.trim()
  return word === '' ? null : read(word)
}

function toNumber(word: string): number | undefined {
  if (!NUMBER.test(word)) return undefined
  const value = Number(word)
  // an identifier of twenty digits would silently turn into another one
  if (INTEGER.test(word) && !Number.isSafeInteger(value)) return undefined
  return Number.isFinite(value) ? value : undefined
}

function toBigInt(word: string): bigint {
  return BigInt(word.replace(/^\+/, ''))
}

/** Date of ISO 8601. Without a time zone it is UTC, so that it means the same on every machine. */
function toDate(word: string): Date | undefined {
  const [, day, time = '00:00', zone = 'Z'] = DATE.exec(word) ?? []
  if (day === undefined) return undefined
  const colon = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  const date = new Date(`${day}T${time}${colon}`)
  const midnight = new Date(`${day}T00:00Z`)
  if (Number.isNaN(date.getTime()) || Number.isNaN(midnight.getTime())) return undefined
  // JavaScript takes the 31st of February for the 2nd of March
  return midnight.toISOString().startsWith(day) ? date : undefined
}
