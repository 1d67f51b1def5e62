import type { Mongo } from './driver.js'

/**
 * Text that is the same for values that MongoDB finds equal, and for no others. The number `1` and a `Decimal128` of
 * 1.0 are equal.
 */
export function equalityKey(mongo: Mongo, value: unknown): string {
  const number = numberText(value)
  if (number !== undefined) return `n${canonical(number)}`
  if (Array.isArray(value)) return `[${value.map((one) => equalityKey(mongo, one)).join()}]`
  const fields = fieldsOf(value)
  // their order counts
  if (fields !== undefined) {
    return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${equalityKey(mongo, one)}`).join()}}`
  }
  return mongo.BSON.EJSON.stringify({ value }, { relaxed: false })
}

/** Fields of a document within a document; `undefined` for all other values, for which BSON has types of their own. */
function fieldsOf(value: unknown): [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || '_bsontype' in value || 'toBSON' in value) return undefined
  return Object.prototype.toString.call(value) === '[object Object]' ? Object.entries(value) : undefined
}

/** Exact decimal digits of a number: the `0.1` of JavaScript is a little more than the decimal 0.1. */
function numberText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    if (Number.isInteger(value)) return String(BigInt(value))
    // such a small number has more digits than a decimal can have, so it equals none
    if (Math.abs(value) < 2 ** -48) return `about ${value}`
    return Number.isFinite(value) ? value.toFixed(100) : String(value)
  }
  if (!isNumeric(value)) return undefined
  return ['Int32', 'Double'].includes(value._bsontype) ? numberText(Number(value)) : value.toString()
}

function isNumeric(value: unknown): value is { readonly _bsontype: string; toString(): string } {
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return false
  return ['Int32', 'Double', 'Long', 'Decimal128'].includes(String(value._bsontype))
}

/** Canonical text of a number: the same for `1.50`, `15E-1` and `1.5`. */
function canonical(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? []
  if (whole === '') return number // not a number, or an infinite one
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}
