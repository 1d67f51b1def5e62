import { types } from 'node:util'
import { sortOf } from '../../../base/errors.js'
import { checkAllInFields, loss, noForm, serialized, type Serialize } from '../../serialize.js'
import { isPlain } from '../../json-text.js'
import { isBytes, isIsoDate } from './value-text.js'

/** Fields of a payload by name: a row. */
export type Row = { readonly [name: string]: unknown }

/**
 * The fields of a payload, with what `serialize` gives in their place. A payload that is plain data is given as it is.
 *
 * @throws {@link LossError} when the payload is not an object whose data is in its fields
 */
export function asRow(payload: unknown, serialize: Serialize | undefined): Row {
  if (serialize === undefined) {
    if (isObject(payload) && Object.getPrototypeOf(payload) === Object.prototype) return payload
    return fieldsOf(payload)
  }
  const row = fieldsOf(serialized(serialize, payload, []))
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, serialized(serialize, value, [name])]))
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

function fieldsOf(value: unknown): Row {
  if (!isObject(value)) throw loss([], `is ${sortOf(value)}, and a record is a row`)
  const { toJSON } = value
  if (typeof toJSON !== 'function') return checkedFields(value)
  const given: unknown = toJSON.call(value, '')
  if (!isObject(given)) throw loss([], `is ${sortOf(value)} whose toJSON() gives no object`)
  return checkedFields(given)
}

function checkedFields(value: Row): Row {
  if (Array.isArray(value)) throw loss([], 'is a list, and a record is a row')
  if (isBytes(value) || types.isDate(value) || types.isBoxedPrimitive(value)) throw noForm([], value)
  checkAllInFields([], value)
  return value
}

/** Whether JSON.stringify() writes a row in a form that the server reads as what it is. */
export function isPlainRow(row: Row): boolean {
  for (const name in row) if (row[name] !== undefined && !isPlainField(row[name])) return false
  return Object.getOwnPropertySymbols(row).length === 0
}

/** Names of the fields of a row, without those that are undefined. */
export function namesOf(row: Row): string[] {
  const names: string[] = []
  for (const name in row) if (row[name] !== undefined) names.push(name)
  return names
}

/** Whether these are the names of the fields of a row, in their order. */
export function hasNames(row: Row, names: readonly string[]): boolean {
  let at = 0
  for (const name in row) if (row[name] !== undefined && names[at++] !== name) return false
  return at === names.length
}

function isPlainField(value: unknown): boolean {
  if (typeof value === 'string' || value === null) return true
  if (typeof value !== 'object') return isPlain(value, 1)
  return isPlain(value, 1) && !hasOtherDate(value)
}

/** Whether a value is a date whose ISO text is not that of the server, or a list, also of lists, with one. */
function hasOtherDate(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((part) => typeof part === 'object' && hasOtherDate(part))
  return types.isDate(value) && !isIsoDate(value)
}
