import { types } from 'node:util'
import { extendedJson, type ExtendedJson } from '../../base/bson.js'
import { sortOf, toError } from '../../base/errors.js'
import { jsonText } from '../json-text.js'
import { checkFieldsBeside, loss, noForm } from '../serialize.js'

/** Types of BSON of which a cell holds the text alone. */
const SCALARS = ['$oid', '$numberInt', '$numberLong', '$numberDecimal', '$numberDouble'] as const

/**
 * Text of a value as a cell. Dates are ISO texts, values of BSON their digits, or else extended JSON.
 *
 * @param key - column of the cell, for the error
 * @throws {@link LossError} on a value that a cell cannot hold
 */
export function cellText(key: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isFinite(value)) throw noForm([key], value)
      return Object.is(value, -0) ? '-0' : String(value)
    case 'undefined':
      return ''
    case 'object':
      return value === null ? '' : objectText(key, value)
    default:
      throw noForm([key], value)
  }
}

function objectText(key: string, value: object): string {
  const bson = extendedJson(value)
  if (bson !== undefined) return bsonText(key, bson)
  if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw noForm([key], value)
    checkFieldsBeside([key], value)
    return value.toISOString()
  }
  if (types.isBoxedPrimitive(value)) {
    checkFieldsBeside([key], value)
    return cellText(key, value.valueOf())
  }
  const given = jsonOf(key, value)
  if (given !== undefined && given !== null && typeof given !== 'object') return cellText(key, given)
  throw loss([key], `is ${Array.isArray(value) ? 'a list' : sortOf(value)}, which is no cell`)
}

/** Value that a `toJSON()` gives, such as the text of a URL; `undefined` when there is none. */
function jsonOf(key: string, value: object): unknown {
  const toJson: unknown = 'toJSON' in value ? value.toJSON : undefined
  if (typeof toJson !== 'function') return undefined
  try {
    return toJson.call(value, key) as unknown
  } catch (thrown) {
    throw loss([key], `is ${sortOf(value)} whose toJSON() failed: ${toError(thrown).message}`)
  }
}

function bsonText(key: string, form: ExtendedJson): string {
  const scalar = SCALARS.find((name) => name in form)
  if (scalar === undefined) return jsonText('CsvOutlet', form)
  const text = String(form[scalar])
  const number = Number(text)
  if (scalar !== '$numberDouble') return text
  return cellText(key, number)
}
