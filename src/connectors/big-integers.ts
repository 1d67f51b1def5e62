import { word } from '../base/options.js'

/** Treatments of integers that a number cannot hold. */
export const BIG_INTEGERS = ['error', 'bigint', 'string', 'number'] as const
/** Treatment of integers that a number cannot hold. */
export type BigIntegers = (typeof BIG_INTEGERS)[number]

/** Option of inlets that read numbers from text. */
export interface BigIntegersOptions {
  /**
   * Treatment of an integer that a number cannot hold, such as `9007199254740993`. It is an error that names its place,
   * or read as a bigint, as a string of its digits, or as the number nearest to it. Other integers are numbers in any
   * case, and so are decimals, which are as near as a number comes. A number that is too large or too small for
   * JavaScript, such as `1e400`, is an error, unless it may be a string; as plain digits, it may be a bigint.
   * @default 'error'
   */
  readonly bigIntegers?: BigIntegers
}

/** Table of {@link BigIntegersOptions}. */
export const BIG_INTEGERS_OPTIONS = { bigIntegers: word(BIG_INTEGERS, 'error') }

/** A number in a text that cannot be had as it is. */
export class UnreadableNumber {
  /** What is wrong with it. */
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

const TOO_LARGE = new UnreadableNumber('a number that JavaScript cannot hold')

const NOT_EXACT = new UnreadableNumber('an integer that a number cannot hold exactly')

/** Parts of a decimal number. */
const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i

const DIGITS = /^[+-]?\d+$/

/**
 * Reads a decimal number.
 *
 * @param text - a valid decimal number, with a fraction and an exponent or without
 */
export function readNumber(text: string, bigIntegers: BigIntegers): number | bigint | string | UnreadableNumber {
  const value = Number(text)
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER)
    return value === 0 && isTooSmall(text) ? beyond(text, bigIntegers) : value
  if (!Number.isFinite(value)) {
    return bigIntegers === 'bigint' && DIGITS.test(text) ? toBigInt(text) : beyond(text, bigIntegers)
  }
  if (bigIntegers === 'number') return value
  const integer = integerOf(text)
  if (integer === undefined || isSame(text, integer, value)) return value
  switch (bigIntegers) {
    case 'bigint':
      return integer
    case 'string':
      return text
    case 'error':
      return NOT_EXACT
  }
}

function beyond(text: string, bigIntegers: BigIntegers): string | UnreadableNumber {
  return bigIntegers === 'string' ? text : TOO_LARGE
}

/** Whether a text that is read as 0 is another number. */
function isTooSmall(text: string): boolean {
  return /[1-9]/.test(text.replace(/e.*$/i, ''))
}

/**
 * Whether a number is an integer, and is written as it again. Where the text has an exponent only the digits that it
 * shows count: 6.02e23 is as near as a number comes to it.
 */
function isSame(text: string, integer: bigint, value: number): boolean {
  return integerOf(String(value)) === integer && (/e/i.test(text) || BigInt(value) === integer)
}

/** Integer that a decimal text stands for; `undefined` when it has a fraction. */
function integerOf(text: string): bigint | undefined {
  if (DIGITS.test(text)) return toBigInt(text)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  const shift = Number(exponent) - fraction.length
  const digits = whole + fraction
  if (shift >= 0) return BigInt(`${sign === '-' ? '-' : ''}${digits}${'0'.repeat(shift)}`)
  const rest = digits.slice(shift)
  return /^0*$/.test(rest) ? toBigInt(`${sign}${digits.slice(0, shift) || '0'}`) : undefined
}

function toBigInt(text: string): bigint {
  // BigInt() takes no sign but a minus before digits
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''))
}
