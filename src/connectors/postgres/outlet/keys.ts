import { types } from 'node:util'
import { InvalidPayloadError } from '../../../core/partial-push.js'
import type { Row } from './as-row.js'
import { hexText, isBytes } from './value-text.js'

/**
 * Text of the key of a row. Rows of different texts may have the same key for the server, such as `1` and `1.0`; rows of the
 * same text have the same key.
 *
 * @throws {@link InvalidPayloadError} when a part of the key is null or missing
 */
export function keyOf(row: Row, keys: readonly string[]): string {
  const [first] = keys
  if (keys.length === 1 && first !== undefined) return partOf(row, first)
  return JSON.stringify(keys.map((key) => partOf(row, key)))
}

function partOf(row: Row, key: string): string {
  const value = row[key]
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value !== null) return textOf(value)
      throw new InvalidPayloadError(`PostgresOutlet: the key ${JSON.stringify(key)} of a record is null`)
    default:
      throw new InvalidPayloadError(`PostgresOutlet: a record has no key ${JSON.stringify(key)}`)
  }
}

function textOf(value: object): string {
  if (types.isDate(value) && !Number.isNaN(value.getTime())) return value.toISOString()
  return isBytes(value) ? hexText(value) : JSON.stringify(value)
}
